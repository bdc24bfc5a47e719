"""Options that `fairage audit` and `fairage compare` share, and how their texts are read."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from fairage.cli.options import AGE_EDGES_HELP
from fairage.exceptions import ConfigError

COLUMNS, METHOD, CHECK, OUTPUT = "Columns", "Method", "Age check", "Output"
FACES = "Estimate and audit"
POINTS = 100

Age = Annotated[
    str | None,
    typer.Option(
        "--age",
        metavar="COLUMN",
        help="Column of true ages, or LOW,HIGH: the columns of both ends of a range.",
        rich_help_panel=COLUMNS,
    ),
]
Attributes = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute",
        metavar="COLUMN",
        help='Column of an attribute; again for several, "" for none.',
        rich_help_panel=COLUMNS,
    ),
]
Identity = Annotated[
    str | None,
    typer.Option(
        "--identity",
        metavar="COLUMN",
        help='Column of who is on the image, "" for none.',
        rich_help_panel=COLUMNS,
    ),
]
Image = Annotated[
    str | None,
    typer.Option(
        "--image",
        metavar="COLUMN",
        help='Column of the images\' names, "" for none.',
        rich_help_panel=COLUMNS,
    ),
]
Weight = Annotated[
    str | None,
    typer.Option(
        "--weight", metavar="COLUMN", help="Column of survey weights.", rich_help_panel=COLUMNS
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="COLUMN.CODE=NAME",
        help="Name of a coded group: gender.0=male. Give it again for several.",
        rich_help_panel=COLUMNS,
    ),
]
BinOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--bins",
        metavar="COLUMN=BINS",
        help="Bins of an attribute of numbers: income=4 (quantiles) or income=20,50 (edges).",
        rich_help_panel=COLUMNS,
    ),
]
Join = Annotated[
    str | None,
    typer.Option(
        "--join",
        metavar="FILE",
        help="Second table, with attributes or true ages of the same images.",
        rich_help_panel=COLUMNS,
    ),
]
On = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="COLUMN",
        help="Column that the table of --join shares.",
        rich_help_panel=COLUMNS,
    ),
]
Missing = Annotated[
    list[str] | None,
    typer.Option(
        "--missing",
        metavar="TEXT",
        help="What stands for a missing estimate beside the usual signs, such as 0 or ERR.",
        rich_help_panel=COLUMNS,
    ),
]
RangeEnd = Annotated[
    str,
    typer.Option(
        "--range-end",
        metavar="closed|open",
        help='Whether "20-29" counts its last year (closed) or not (open).',
        rich_help_panel=COLUMNS,
    ),
]
Oldest = Annotated[
    float | None,
    typer.Option(
        "--oldest",
        metavar="AGE",
        help='Age that closes ranges without an end, such as "70+".',
        rich_help_panel=COLUMNS,
    ),
]
Intervals = Annotated[
    str | None,
    typer.Option(
        "--interval",
        metavar="LOWER,UPPER",
        help='Columns of both ends of the model\'s own intervals, "" for none.',
        rich_help_panel=COLUMNS,
    ),
]
Level = Annotated[
    float | None,
    typer.Option(
        "--level",
        metavar="SHARE",
        help="Share of true ages that these intervals promise to hold, such as 0.9.",
        rich_help_panel=METHOD,
    ),
]
MinRows = Annotated[
    int,
    typer.Option(
        "--min-rows",
        min=2,
        help="Rows (persons, where known) from which a group is judged.",
        rich_help_panel=METHOD,
    ),
]
Margin = Annotated[
    float,
    typer.Option(
        "--margin",
        metavar="YEARS",
        help="Largest gap that counts as none in practice.",
        rich_help_panel=METHOD,
    ),
]
RateMargin = Annotated[
    float,
    typer.Option(
        "--rate-margin",
        metavar="POINTS",
        help="The same for gaps of rates, in points of a hundred.",
        rich_help_panel=METHOD,
    ),
]
Edges = Annotated[
    str | None,
    typer.Option(
        "--age-edges",
        metavar="AGES",
        help=AGE_EDGES_HELP,
        rich_help_panel=METHOD,
    ),
]
Seed = Annotated[
    int,
    typer.Option("--seed", help="Start of the random numbers.", rich_help_panel=METHOD),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print the whole result as JSON.", rich_help_panel=OUTPUT),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FOLDER", help="Folder of page and numbers.", rich_help_panel=OUTPUT
    ),
]


def check_tables_or_faces(
    tables: Sequence[str] | None, faces: str | None, *, split: str | None, crops: bool
) -> None:
    """Check that there are tables of estimates or faces to estimate, and not both.

    Raises:
        ConfigError: There are both or neither, or an option of faces stands beside tables.
    """
    if tables and faces is not None:
        raise ConfigError(
            f"expected tables of estimates or --faces, got {tables[0]!r} and --faces {faces!r}, "
            "leave out one"
        )
    if not tables and faces is None:
        raise ConfigError("expected tables of estimates, or --faces and --model, got neither")
    if faces is None and (split is not None or crops):
        option = "--crops" if split is None else "--split"
        raise ConfigError(f"expected --faces beside {option}, got none, leave out {option}")


def load_model(source: str | None) -> Any:  # noqa: ANN401  # auditing knows no models
    """Return the model in a bundle, or the one in the box where none is named."""
    load = import_module("fairage.prediction").load  # only this command's --faces needs it
    return load(source)


def column_of(column: str | None) -> str | tuple[str, str] | None:
    """Return a column, both of `LOW,HIGH`, or None where none is named."""
    return None if column is None else ends_of(column)


def ends_of(column: str) -> str | tuple[str, str]:
    """Return a column, or both of `LOW,HIGH`."""
    low, comma, high = (part.strip() for part in column.partition(","))
    return (low, high) if comma and low and high and "," not in high else column


def attributes_of(columns: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the attributes that are named; none for "", and None where they are guessed."""
    return tuple(column for column in columns if column) if columns else None


def labels_of(options: Sequence[str] | None) -> dict[str, dict[str, str]] | None:
    """Return the names of coded groups by column and code.

    Raises:
        ConfigError: An option is not written COLUMN.CODE=NAME.

    Examples:
        >>> labels_of(["gender.0=male", "gender.1=female"])
        {'gender': {'0': 'male', '1': 'female'}}
    """
    labels: dict[str, dict[str, str]] = {}
    for option in options or ():
        code, equals, name = option.partition("=")
        column, dot, code = code.rpartition(".")
        if not (equals and dot and column and code and name):
            raise ConfigError(
                f"expected --label as COLUMN.CODE=NAME such as gender.0=male, got {option!r}, "
                "correct it"
            )
        labels.setdefault(column, {})[code] = name
    return labels or None


def bins_of(options: Sequence[str] | None) -> dict[str, int | tuple[float, ...]] | None:
    """Return how many quantile bins, or which edges, each column has.

    Raises:
        ConfigError: An option is not written COLUMN=BINS.

    Examples:
        >>> bins_of(["income=4", "tone=20,50"])
        {'income': 4, 'tone': (20.0, 50.0)}
    """
    bins: dict[str, int | tuple[float, ...]] = {}
    for option in options or ():
        column, equals, text = option.rpartition("=")
        try:
            numbers = tuple(float(edge) for edge in text.split(","))
        except ValueError:
            numbers = ()
        if not (equals and column and numbers):
            raise ConfigError(
                f"expected --bins as COLUMN=BINS such as income=4 or income=20,50, got {option!r}, "
                "correct it"
            )
        bins[column] = int(text) if text.strip().isdecimal() else numbers
    return bins or None
