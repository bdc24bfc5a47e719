"""The command `fairage`: gathers the command groups and turns errors into one line."""

import sys

import typer

from fairage.exceptions import FairageError

__all__ = ["app", "main"]

app = typer.Typer(
    name="fairage",
    help="Train, audit and de-bias models that estimate a person's age from a face.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error and exit code 2."""
    try:
        app()
    except FairageError as error:
        message = " ".join(str(error).split())
        sys.stderr.write(f"error: {message}\n")
        sys.exit(2)
