"""Guesses of the columns that hold true ages, estimates and models, where nobody names them."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
import polars as pl

from fairage._demographics import (
    MOST_CODES,
    as_numbers,
    demographic_rank,
    holds_numbers,
    is_missing,
    is_said_by_model,
    plain,
)
from fairage._table import Table
from fairage.auditing import column_names as usual
from fairage.auditing.cells import whole_column
from fairage.auditing.ranges import parse_age
from fairage.exceptions import DataError
from fairage.tables import AGE_GROUP

ColumnName: TypeAlias = str | tuple[str, str]
"""A column, or those of both ends of a range."""

MOST_MODELS = 50
NO_IMAGES = "there are no images to tell whether it names models: ask with --model"
NOT_SIDE_BY_SIDE = "most images have one value of it: ask with --model if it names models"
TRIED_TEXTS = 200
SAMPLED_ROWS = 50_000


def guess_age(columns: Sequence[str]) -> ColumnName:
    """Return the column of true ages, or the pair of its ends.

    Raises:
        DataError: None has a usual name, or more than one.

    Examples:
        >>> guess_age(["label", "pred"]), guess_age(["age_low", "age_high"])
        ('label', ('age_low', 'age_high'))
    """
    matches = usual.named(columns, usual.AGES)
    if matches:
        check_twins(matches[0], columns, "true ages", "--age")
        if len(matches) > 1 and plain(matches[0]) not in usual.STRONG_AGES:
            raise DataError(
                f"expected one column of true ages, got {matches}, choose one with --age"
            )
        return matches[0]
    pairs = usual.low_high_pairs(columns)
    guesses: list[ColumnName] = [pairs[stem] for stem in usual.AGES if stem in pairs]
    guesses += usual.named(columns, usual.AGE_RANGES)
    if not guesses:
        raise DataError(f"expected a column of true ages, got {list(columns)}, name it with --age")
    return guesses[0]


def guess_predictions(table: Table, columns: Sequence[str]) -> list[ColumnName]:
    """Return the columns of estimates, one or a pair for each model.

    Raises:
        DataError: None has a usual name.
    """
    matches = usual.named(columns, usual.PREDICTIONS)
    if matches:
        check_twins(matches[0], columns, "estimates", "--prediction")
        return [matches[0]]
    pairs = usual.low_high_pairs(columns)
    guesses: list[ColumnName] = [
        name for name in columns if usual.looks_like_prediction(name) and holds_ages(table, name)
    ]
    stems = {plain(name) for name in guesses if isinstance(name, str)}
    guesses += [
        pair
        for stem, pair in pairs.items()
        if (stem in usual.PREDICTIONS or usual.looks_like_prediction(stem)) and stem not in stems
    ]
    guesses = guesses or _face_libraries(pairs)
    if not guesses:
        raise DataError(
            f"expected a column of estimates, got {list(columns)}, name it with --prediction"
        )
    return guesses


def guess_model(
    table: Table, columns: Sequence[str], image: str | None
) -> tuple[str | None, dict[str, str]]:
    """Return the column that names the model of each row, and why others do not.

    That is one with a single value, or one in whose values most images stand more than once.
    """
    unused = {}
    schema = table.schema()
    for name in usual.named(columns, usual.MODELS):
        kind = schema[name]
        if not (kind.is_integer() or isinstance(kind, pl.String | pl.Categorical | pl.Enum)):
            unused[name] = f"values of the type {kind}, which are no names of models"
            continue
        values = table.unique(name).cast(pl.String).drop_nulls()
        count = (
            sum(not is_missing(value) for value in values) if len(values) <= 1000 else len(values)
        )
        if count > MOST_MODELS:
            unused[name] = f"{count:,} different values, which are no models"
        elif count == 0:
            unused[name] = "no value"
        elif count == 1:
            return name, unused
        elif image is None:
            unused[name] = NO_IMAGES
        elif _repeats(table, image, name):
            return name, unused
        else:
            unused[name] = NOT_SIDE_BY_SIDE
    return None, unused


def check_twins(name: str, columns: Sequence[str], kind: str, option: str) -> None:
    """Raise a DataError where another column has the same name but for case and spaces."""
    twins = [other for other in columns if plain(other) == plain(name)]
    if len(twins) > 1:
        raise DataError(f"expected one column of {kind}, got {twins}, choose one with {option}")


def _face_libraries(pairs: dict[str, tuple[str, str]]) -> list[ColumnName]:
    """Return ranges of estimated ages as face libraries give them: Low and High."""
    return [pair for stem, pair in pairs.items() if not stem or _is_age_range(stem)]


def _is_age_range(word: str) -> bool:
    return word in usual.AGE_RANGES or word.endswith(tuple(f"_{name}" for name in usual.AGE_RANGES))


def holds_ages(table: Table, column: str) -> bool:
    """Return whether a column holds numbers, or any text that writes an age."""
    kind = table.schema()[column]
    if kind.is_numeric():
        return True
    if not isinstance(kind, pl.String | pl.Categorical | pl.Enum):
        return False
    texts = table.unique(column).cast(pl.String).drop_nulls().str.strip_chars()
    if texts.cast(pl.Float64, strict=False).is_finite().any():
        return True
    return any(parse_age(text) is not None for text in texts.head(TRIED_TEXTS))


def _repeats(table: Table, image: str, model: str) -> bool:
    """Return whether at least half of the images, of a sample of them, have more than one model."""
    images = whole_column(table, image)
    if images.dtype.is_nested():
        return False
    one_in = max(1, table.rows // SAMPLED_ROWS)
    sample = (images.hash() % one_in == 0) & images.is_not_null()
    pairs = pl.DataFrame({"image": images, "model": whole_column(table, model)}).filter(sample)
    models = pairs.drop_nulls().unique().group_by("image").len()["len"].to_numpy()
    return len(models) > 0 and bool(np.mean(models > 1) >= 0.5)


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
    ranks = {name: demographic_rank(name) for name in columns}
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
    word = plain(name)
    for names, reason in BY_NAME:
        if word in names:
            return reason
    if usual.looks_like_prediction(name):
        return "other estimates: name it with --prediction"
    if is_said_by_model(name):
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
    present = [text for text in texts if not is_missing(text)]
    if not present:
        return "no value"
    if len(present) > MOST_GUESSED_GROUPS:
        return f"{len(present):,} different values"
    return "free text" if max(map(len, present)) > LONGEST_GROUP else ""
