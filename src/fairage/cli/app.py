"""The command `fairage`: gathers the command groups and turns errors into one line."""

import shlex
import sys
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from fairage.cli.audit import audit, compare
from fairage.cli.data import data
from fairage.cli.steps import embed, weights
from fairage.cli.train import backbones, demo, run, suite, tune
from fairage.exceptions import FairageError, MissingDependencyError

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
app.command()(embed)
app.command()(weights)
app.command()(run)
app.command()(suite)
app.command()(backbones)
app.command()(tune)


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error and exit code 2."""
    try:
        code = app(standalone_mode=False)
        if code == STOPPED:
            _stopped()
        sys.exit(code)
    except TyperException as error:
        _fail(f"{error.format_message()} (see: fairage --help)", 2)
    except typer.Abort:
        _stopped()
    except FairageError as error:
        _fail(str(error), 2)
    except ModuleNotFoundError as error:
        missing = MissingDependencyError.of(error)
        if missing is error:
            raise
        _fail(str(missing), 2)


def _stopped() -> NoReturn:
    """Say how to go on; what is whole is kept by every command that takes long."""
    _fail(f"stopped; to go on, run: {shlex.join(['fairage', *sys.argv[1:]])}", STOPPED)


def _fail(message: str, code: int) -> NoReturn:
    sys.stderr.write(f"error: {' '.join(message.split())}\n")
    sys.exit(code)
