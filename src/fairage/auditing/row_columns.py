"""Columns of rows, each read into what an audit needs: groups, weights, raters, models."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._demographics import missing_texts, similar_names
from fairage._table import Table
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.cells import bad_rows, selected, texts_of, whole_column
from fairage.auditing.coding import Bins, code_column, present_groups
from fairage.auditing.column_guesses import MOST_MODELS
from fairage.auditing.columns import Columns
from fairage.auditing.groups import Floats, Groups, Units
from fairage.auditing.result_parts import ALL
from fairage.auditing.years import read_numbers
from fairage.exceptions import DataError
from fairage.tables import AGE_GROUP, UNKNOWN

Labels = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Attributes:
    """The attributes of all rows with a true age, and what is to be known of their columns.

    Args:
        groups: Groups by attribute.
        unknown: Rows without a value, by attribute where there are any.
        spellings: Groups that look like spellings of one, by attribute.
        left_out: Why an attribute is not used after all.
        binned: Bins of attributes of numbers.
    """

    groups: dict[str, Groups] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    spellings: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    binned: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_attributes(
    table: Table,
    columns: Columns,
    known: NDArray[np.bool_],
    labels: Labels,
    bins: Mapping[str, Bins],
) -> Attributes:
    """Return the attributes of the rows where the mask, shape `(rows,)`, is true."""
    attributes = Attributes()
    for column in columns.attributes:
        name, values = attribute_name(column), whole_column(table, column)
        coded = code_column(values, column, labels=labels.get(column), bins=bins.get(column))
        codes = coded.codes if known.all() else coded.codes[known]
        groups = present_groups(coded.names, codes)
        if groups.names == (UNKNOWN,):
            attributes.left_out[name] = "no value in any row"
            continue
        attributes.groups[name] = groups
        if UNKNOWN in groups.names:
            attributes.unknown[name] = int(groups.counts[groups.names.index(UNKNOWN)])
        if coded.binned:
            attributes.binned[name] = tuple(group for group in groups.names if group != UNKNOWN)
        elif similar := similar_names(groups.names):
            attributes.spellings[name] = similar
    return attributes


def group_ages(ages: Floats, settings: AuditSettings) -> Groups:
    """Return the age group of each age, shape `(n,)`; `unknown` where it is NaN."""
    names = settings.grouping.names
    known = ~np.isnan(ages)
    codes = np.full(len(ages), len(names), dtype=np.int64)
    codes[known] = settings.grouping.codes(ages[known])
    return present_groups((*names, UNKNOWN), codes)


def attribute_name(column: str) -> str:
    """Return what an attribute is called: its column, but for names that mean something else.

    Examples:
        >>> attribute_name("gender"), attribute_name("age_group")
        ('gender', 'age_group (column)')
    """
    return f"{column} (column)" if column in (AGE_GROUP, ALL) else column


def read_weights(table: Table, column: str | None, known: NDArray[np.bool_]) -> Floats | None:
    """Return the survey weights of the rows where the mask is true; None without a column.

    Raises:
        DataError: One of them is not above 0.
    """
    if column is None:
        return None
    weights = read_numbers(table, column)
    wrong = np.flatnonzero(known & ~((weights > 0) & np.isfinite(weights)))
    if len(wrong):
        raise bad_rows(table, column, "weights above 0", wrong)
    return weights[known]


def read_stds(table: Table, column: str | None, known: NDArray[np.bool_]) -> Floats | None:
    """Return the raters' standard deviations where the mask is true; 0, of one rater, is none.

    Raises:
        DataError: One of them is below 0.
    """
    if column is None:
        return None
    stds = read_numbers(table, column)
    wrong = np.flatnonzero(known & (stds < 0))
    if len(wrong):
        raise bad_rows(table, column, "standard deviations of 0 or more", wrong)
    stds = np.where((stds > 0) & np.isfinite(stds), stds, np.nan)[known]
    return None if np.isnan(stds).all() else stds


def read_images(table: Table, column: str | None, known: NDArray[np.bool_]) -> pl.Series | None:
    """Return the names of the images of the rows where the mask is true."""
    if column is None:
        return None
    return texts_of(
        selected(whole_column(table, column), known), column, expected="names of images"
    )


def read_model_names(table: Table, column: str) -> tuple[NDArray[np.int64], list[str]]:
    """Return the number of each row's model, shape `(rows,)`, and the models' names.

    Raises:
        DataError: There are more than 50, or a row names none while others name several.
    """
    values = whole_column(table, column)
    numbers, count = number_values(values, column)
    if not 1 <= count <= MOST_MODELS:
        raise DataError(
            f"column {column!r}: expected the names of 1 to {MOST_MODELS} models, got {count:,}, "
            "name another column with --model"
        )
    if count == 1:
        numbers = np.zeros_like(numbers)
    missing = np.flatnonzero(numbers < 0)
    if len(missing):
        raise bad_rows(table, column, "a model in each row", missing)
    texts = texts_of(values, column, expected="names of models").str.strip_chars()
    first = [int(np.flatnonzero(numbers == i)[0]) for i in range(count)]
    return numbers, [texts[i] for i in first]


@dataclass(frozen=True)
class Persons:
    """The persons of a table.

    Args:
        units: Each row's person; None where no two rows have the same.
        without: Rows without an identity; each counts as a person of its own.
    """

    units: Units | None
    without: int


def read_persons(table: Table, column: str | None, keep: NDArray[np.bool_]) -> Persons:
    """Return the persons of the rows where the mask, shape `(rows,)`, is true.

    Raises:
        DataError: All rows have the same identity, as placeholders do.
    """
    if column is None:
        return Persons(None, 0)
    codes, count = number_values(selected(whole_column(table, column), keep), column)
    alone = codes < 0
    without, n = int(alone.sum()), len(codes)
    if count == 1 and n > 1 and 2 * without < n:
        value = selected(whole_column(table, column), keep)[int(np.argmin(alone))]
        raise DataError(
            f"column {column!r}: expected who is on each image, got {value!r} in {n - without:,} "
            f"of {n:,} rows, name another column with --identity, or '' for none"
        )
    codes = codes.copy()
    codes[alone] = count + np.arange(without)
    if count + without == n:
        return Persons(None, without)
    return Persons(Units(codes, count + without), without)


def number_values(values: pl.Series, column: str) -> tuple[NDArray[np.int64], int]:
    """Return the number of each value, shape `(n,)`, from 0; -1 where it is missing; their count.

    Examples:
        >>> number_values(pl.Series(["b", "a", None, " b"]), "identity")
        (array([ 1,  0, -1,  1]), 2)
    """
    if values.dtype.is_float():
        values = values.fill_nan(None)
    if values.dtype.is_integer() or values.dtype.is_float():
        present, codes = np.unique(values.drop_nulls().to_numpy(), return_inverse=True)
        missing = values.is_null().to_numpy()
        numbers = np.full(len(values), -1, dtype=np.int64)
        numbers[~missing] = codes
        return numbers, len(present)
    texts = texts_of(values, column, expected="names").str.strip_chars()
    coded = texts.cast(pl.Categorical)
    return _renumbered(coded.to_physical().fill_null(0).to_numpy(), coded)


def _renumbered(
    physical: NDArray[np.unsignedinteger], coded: pl.Series
) -> tuple[NDArray[np.int64], int]:
    """Number the texts anew in their order; what is missing, however it is spelled, is -1."""
    distinct = coded.unique().drop_nulls()
    texts = distinct.cast(pl.String)
    distinct = distinct.filter(~missing_texts(texts))
    order = distinct.cast(pl.String).arg_sort()
    place = np.full(int(physical.max(initial=0)) + 1, -1, dtype=np.int64)
    place[distinct.to_physical().to_numpy()[order]] = np.arange(len(distinct))
    numbers = place[physical]
    if coded.null_count():
        numbers[coded.is_null().to_numpy()] = -1
    return numbers, len(distinct)


def image_keys(table: Table, column: str, keep: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return a number for each named image, equal for equal names; 0 where there is no name."""
    names = texts_of(
        selected(whole_column(table, column), keep), column, expected="names of images"
    )
    keys = names.hash().to_numpy() | np.uint64(1)
    blank = pl.Series([None, ""], dtype=pl.String).hash().to_numpy() | np.uint64(1)
    return np.where((keys == blank[0]) | (keys == blank[1]), np.uint64(0), keys)
