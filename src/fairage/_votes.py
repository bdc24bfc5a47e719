"""Raters' votes: how many of them guessed each whole year of age."""

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from fairage.exceptions import DataError

N_YEARS = 101
"""Whole years 0..100."""

_KIND = pl.List(pl.Int64)


def counted_votes(rows: ArrayLike, ages: ArrayLike, n_rows: int) -> NDArray[np.int64]:
    """Return how many raters guessed each whole year, shape `(n_rows, 101)`.

    Args:
        rows: Row of the face that a guess is about, shape `(guesses,)`.
        ages: The guess in years; beyond 0..100 the nearest year stands for it.
        n_rows: How many faces there are.

    Examples:
        >>> counted_votes([0, 0, 1], [30, 30.4, 120], 2)[[0, 1], [30, 100]].tolist()
        [2, 1]
    """
    years = np.rint(np.clip(np.asarray(ages, dtype=np.float64), 0, N_YEARS - 1)).astype(np.int64)
    places = np.asarray(rows, dtype=np.int64) * N_YEARS + years
    return np.bincount(places, minlength=n_rows * N_YEARS).reshape(n_rows, N_YEARS)


def votes_array(votes: pl.Series) -> NDArray[np.int64]:
    """Return the counts of each row, shape `(n, 101)`; zeros where none are known.

    Examples:
        >>> votes_array(pl.Series([[1] * 101, None])).sum(axis=1).tolist()
        [101, 0]
    """
    known = votes.is_not_null().to_numpy()
    counts = np.zeros((len(votes), N_YEARS), dtype=np.int64)
    counts[known] = votes.drop_nulls().explode().to_numpy().reshape(-1, N_YEARS)
    return counts


def check_votes(votes: pl.Series) -> pl.Series:
    """Return the column as lists of 101 counts, or raise a DataError that names the row."""
    name = votes.name
    if not isinstance(votes.dtype, pl.List | pl.Array):
        raise DataError(
            f"column {name!r}: expected a list of {N_YEARS} counts a row, got {votes.dtype}, write "
            "it to Parquet as lists or leave the column out"
        )
    counts = votes.cast(_KIND, strict=False)
    wrong = counts.is_not_null() & (
        (counts.list.len() != N_YEARS)
        | counts.list.eval(pl.element().is_null() | (pl.element() < 0)).list.any()
    )
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise DataError(
            f"row {row + 1}, column {name!r}: expected {N_YEARS} counts of 0 or more, one for each "
            f"year 0..{N_YEARS - 1}, got {counts[row].to_list()}, correct or empty the cell"
        )
    return counts
