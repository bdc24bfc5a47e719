"""Cells of a table: a whole column of them, and the error that shows the wrong ones."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._table import FIRST_ROWS, Table, bad_cells
from fairage.exceptions import DataError

__all__ = ["bad_rows", "kept", "row_numbers", "texts_of", "whole_column"]

REMEDY = "correct or remove these rows"


def whole_column(table: Table, column: str) -> pl.Series:
    """Return all values of a column."""
    parts = [batch[column] for batch in table.batches([column])]
    return parts[0] if len(parts) == 1 else pl.concat(parts)


def kept(values: pl.Series, keep: NDArray[np.bool_]) -> pl.Series:
    """Return the values where the mask, shape `(n,)`, is true."""
    return values if keep.all() else values.filter(pl.Series(keep))


def texts_of(values: pl.Series, column: str, *, expected: str) -> pl.Series:
    """Return values as texts.

    Args:
        values: The values.
        column: Their column, for messages.
        expected: What they should be, for messages.

    Raises:
        DataError: They are nested, or cannot be written as texts.
    """
    error = DataError(
        f"column {column!r}: expected {expected}, got values of the type {values.dtype}, "
        "name another column or leave it out"
    )
    if values.dtype.is_nested() or values.dtype == pl.Object:
        raise error
    try:
        return values.cast(pl.String)
    except pl.exceptions.PolarsError as reason:
        raise error from reason


def row_numbers(table: Table) -> NDArray[np.int64]:
    r"""Return the file's own number of each row, shape `(rows,)`.

    Examples:
        >>> from fairage._tables_io import open_table
        >>> row_numbers(open_table(b"age,prediction\n20,21\n\n30,31\n")).tolist()
        [2, 4]
    """
    numbers = table.first_row + np.arange(table.rows, dtype=np.int64)
    if not table.empty_rows:
        return numbers
    rows_before = np.array(table.empty_rows) - np.arange(len(table.empty_rows))
    return numbers + np.searchsorted(rows_before, numbers, side="right")


def bad_rows(
    table: Table,
    columns: str | Sequence[str],
    expected: str,
    rows: NDArray[np.integer],
    *,
    remedy: str = REMEDY,
) -> DataError:
    """Return the error for these rows: how many there are, and the first ten of them.

    Args:
        table: The table.
        columns: Column, or the two columns, that hold something wrong there.
        expected: What should stand there.
        rows: Places of the rows, from 0; shown with the file's own numbers.
        remedy: What to do.
    """
    columns = [columns] if isinstance(columns, str) else list(columns)
    cells = [whole_column(table, column) for column in columns]
    shown = [
        (table.row_number(int(row)), [each[int(row)] for each in cells])
        for row in rows[:FIRST_ROWS]
    ]
    return bad_cells(columns, expected, shown, len(rows), remedy)
