"""The command `fairage`: gathers the command groups and turns errors into one line."""

import os
import shlex
import signal
import sys
import warnings
from contextlib import suppress
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from fairage._text import shown
from fairage.cli.audit import audit, compare
from fairage.cli.data import data
from fairage.cli.export import export
from fairage.cli.predict import calibrate, predict
from fairage.cli.push import push
from fairage.cli.steps import embed, weights
from fairage.cli.terminal import replace_unknown_signs
from fairage.cli.train import backbones, demo, run, suite, tune
from fairage.exceptions import FairageError, MissingDependencyError, refusal

STOPPED = 130
"""Exit code after Ctrl-C, which typer returns too."""

app = typer.Typer(
    name="fairage",
    help="Train, audit and de-bias models that estimate a person's age from a face.",
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Train, audit and de-bias models that estimate a person's age from a face."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command()(demo)
app.add_typer(data)
app.command()(audit)
app.command()(compare)
app.command()(predict)
app.command()(calibrate)
app.command()(push)
app.command()(export)
app.command()(embed)
app.command()(weights)
app.command()(run)
app.command()(suite)
app.command()(backbones)
app.command()(tune)


def run_process() -> NoReturn:
    """Run the command line as a process of its own.

    One that was stopped ends at once: a signal that comes while Python ends would replace its code.
    """
    try:
        main()
    except SystemExit as error:
        if error.code == STOPPED:
            os._exit(STOPPED)
        raise
    sys.exit(0)


def main() -> None:
    """Run the command line; what goes wrong is one line on standard error.

    A user's mistake has the exit code 2, what the system refuses 1. What else is raised is a
    mistake of fairage's, and keeps its traceback.
    """
    replace_unknown_signs()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it ends commands as Ctrl-C does
    warnings.formatwarning = _one_line
    try:
        code = app(standalone_mode=False)
        if code == STOPPED:
            _stopped()
        if sys.stdout is not None:
            sys.stdout.flush()
        sys.exit(code)
    except TyperException as error:
        _fail(f"{error.format_message()} (see: fairage --help)", 2)
    except typer.Abort:
        _stopped()
    except FairageError as error:
        _fail(str(error), 1 if _is_refused(error.__cause__) else 2)
    except UnicodeEncodeError as error:
        _fail(f"expected names that are text in UTF-8, got {error.object!r}, rename it", 2)
    except BrokenPipeError:  # a reader who left early, such as head
        _leave(1)
    except OSError as error:
        _fail(refusal(error), 1)
    except MemoryError:
        _fail(_NO_MEMORY, 1)
    except RuntimeError as error:
        if _TORCH_NO_MEMORY not in str(error):
            raise
        _fail(_NO_MEMORY, 1)
    except ModuleNotFoundError as error:
        missing = MissingDependencyError.of(error)
        if missing is error:
            raise
        _fail(str(missing), 2)


_NO_MEMORY = (
    "expected enough free memory, got none left, give fewer --workers, a smaller batch or table, "
    "or end other programs, and run the command again"
)
_TORCH_NO_MEMORY = "DefaultCPUAllocator: can't allocate memory"


_WRONG_PATHS = (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError)


def _is_refused(cause: BaseException | None) -> bool:
    """Return whether the system refused a path that is what it should be."""
    is_of_system = isinstance(cause, OSError) and cause.errno is not None
    return is_of_system and not isinstance(cause, _WRONG_PATHS)


def _one_line(message: Warning | str, *_: object, **__: object) -> str:
    return f"warning: {_line(str(message))}\n"


def _line(message: str) -> str:
    return " ".join(part.strip() for part in shown(message).split("\n"))


def _stopped() -> NoReturn:
    """Say how to go on; what is whole is kept by every command that takes long."""
    _fail(f"stopped; to go on, run: {shlex.join(['fairage', *sys.argv[1:]])}", STOPPED)


def _fail(message: str, code: int) -> NoReturn:
    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(f"error: {_line(message)}\n")
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End the command; what cannot be written any more is dropped, without a word."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)
