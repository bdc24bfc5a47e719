"""Which columns are attributes, by the names of demographics, and why the others are not used."""

from collections.abc import Iterable, Sequence

import polars as pl

from fairage._tables_io import Table
from fairage.auditing import column_names as usual
from fairage.auditing.coding import MOST_CODES, as_numbers, holds_numbers
from fairage.auditing.column_guesses import check_twins
from fairage.auditing.missing import is_missing
from fairage.tables import AGE_GROUP

__all__ = ["guess_attributes", "why_unused"]

MOST_ATTRIBUTES = 6
MOST_GUESSED_GROUPS = 30
LONGEST_GROUP = 100
BY_NAME = (
    (usual.WEIGHTS, "looks like survey weights: name it with --weight"),
    (usual.AGES, "another true age"),
    (usual.AGE_RANGES, "another true age"),
    (usual.PREDICTIONS, "other estimates: name it with --prediction"),
    (usual.STDS, "another standard deviation of raters"),
    (usual.IDENTITIES, "other identities"),
    (usual.IMAGES, "other names of images"),
    (usual.LIMITS, "a model's own interval"),
    (usual.BOOKKEEPING, "describes the row, not the person"),
)


def guess_attributes(
    table: Table, columns: Sequence[str], binned: Iterable[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """Return the columns of demographics, at most six, and why others of such names are not used.

    Args:
        table: The table.
        columns: Columns that hold nothing else.
        binned: Columns of numbers that are to be binned.

    Raises:
        DataError: Two of them have one name but for case and spaces.
    """
    ranks = {name: usual.demographic_rank(name) for name in columns}
    demographic = [name for name in columns if ranks[name] is not None]
    problems = {name: _problem(table, name, name in set(binned)) for name in demographic}
    usable = [name for name in demographic if not problems[name]]
    for name in usable:
        check_twins(name, usable, "one attribute", "--attribute")
    first = sorted(usable, key=lambda name: ranks[name] or 0)[:MOST_ATTRIBUTES]
    late = f"more than {MOST_ATTRIBUTES} attributes: name it with --attribute"
    rejected = {name: problems[name] or late for name in demographic if name not in first}
    return [name for name in usable if name in first], rejected


def why_unused(name: str, kind: pl.DataType, *, attributes_named: bool) -> str:
    """Return why a column is not used, by its name and type.

    Examples:
        >>> why_unused("weight", pl.Float64(), attributes_named=False)
        'looks like survey weights: name it with --weight'
        >>> why_unused("dominant_race", pl.String(), attributes_named=False)
        'what a model said'
    """
    word = usual.plain(name)
    for names, reason in BY_NAME:
        if word in names:
            return reason
    if usual.looks_like_prediction(name):
        return "other estimates: name it with --prediction"
    if usual.is_said_by_model(name):
        return "what a model said"
    if kind.is_nested():
        return "nested values"
    if attributes_named:
        return "not named with --attribute"
    if word == AGE_GROUP:
        return "age groups are made from the true age: name it with --attribute to use it too"
    if usual.is_identifier(name):
        return "an identifier"
    return "not named like a demographic: name it with --attribute"


def _problem(table: Table, name: str, to_be_binned: bool) -> str:
    """Return why a column with a demographic's name is no attribute; empty where it is one."""
    kind = table.schema()[name]
    groups = pl.String | pl.Categorical | pl.Enum | pl.Boolean | pl.Null
    if not (kind.is_numeric() or isinstance(kind, groups)):
        return f"values of the type {kind}"
    values = table.unique(name)
    if holds_numbers(values):
        distinct = pl.Series(as_numbers(values)).drop_nans().unique()
        codes = distinct.filter(distinct >= 0)
        whole = bool((distinct == distinct.floor()).all())
        if to_be_binned or (whole and len(codes) <= MOST_CODES and len(distinct)):
            return ""
        return "numbers that are no codes: name it with --attribute to bin it"
    texts = values.cast(pl.String, strict=False).drop_nulls().str.strip_chars().unique()
    if len(texts) > 10 * MOST_GUESSED_GROUPS:
        return f"{len(texts):,} different values"
    known = [text for text in texts if not is_missing(text)]
    if not known:
        return "no value"
    if len(known) > MOST_GUESSED_GROUPS:
        return f"{len(known):,} different values"
    return "free text" if max(map(len, known)) > LONGEST_GROUP else ""
