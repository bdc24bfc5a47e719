"""Who is on each row's image: persons by number, and images that stand in several rows."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._tables_io import Table
from fairage.auditing.cells import kept, texts_of, whole_column
from fairage.auditing.groups import Units
from fairage.auditing.missing import missing_texts
from fairage.exceptions import DataError

__all__ = ["Persons", "image_keys", "number_values", "read_persons"]


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
    codes, count = number_values(kept(whole_column(table, column), keep), column)
    alone = codes < 0
    without, n = int(alone.sum()), len(codes)
    if count == 1 and n > 1 and 2 * without < n:
        value = kept(whole_column(table, column), keep)[int(np.argmin(alone))]
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
    names = texts_of(kept(whole_column(table, column), keep), column, expected="names of images")
    keys = names.hash().to_numpy() | np.uint64(1)
    blank = pl.Series([None, ""], dtype=pl.String).hash().to_numpy() | np.uint64(1)
    return np.where((keys == blank[0]) | (keys == blank[1]), np.uint64(0), keys)
