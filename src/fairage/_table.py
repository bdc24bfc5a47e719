"""A table that is read in batches, wherever it lies."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl

from fairage._table_formats import Contents, guarded
from fairage._text import count, short
from fairage.age_groups import AgeGroups
from fairage.exceptions import DataError

IN_MEMORY = "table"
"""The name of a table that is in no file."""
BATCH_ROWS = 1_000_000
FIRST_ROWS = 10


@dataclass(frozen=True)
class Table:
    """A table that is read only where it is asked for.

    Args:
        name: What to call it in messages and reports.
        scan: Its rows.
        columns: Its columns' names.
        rows: How many rows it has.
        first_row: The file's own number of the first of them: 2 in a CSV file or a sheet with a
            header in row 1; 1 in Parquet, JSON and frames.
        notes: What a reader must know, such as "Text was read as Windows-1252.".
        empty_rows: The file's numbers of later rows that hold nothing and were left out.
        age_groups: The groups of the true age, where the file says them.
        joined: The name of the table that more columns come from; empty where there is none.
    """

    name: str
    scan: pl.LazyFrame
    columns: tuple[str, ...]
    rows: int
    first_row: int = 1
    notes: tuple[str, ...] = ()
    empty_rows: tuple[int, ...] = ()
    age_groups: AgeGroups | None = None
    joined: str = ""

    def batches(self, columns: list[str]) -> Iterator[pl.DataFrame]:
        """Yield these columns, a million rows at a time."""
        for first in range(0, self.rows, BATCH_ROWS):
            with guarded(self.name):
                batch = self.scan.slice(first, BATCH_ROWS).select(columns).collect()
            yield batch

    def unique(self, column: str) -> pl.Series:
        """Return the different values of a column."""
        with guarded(self.name):
            return self.scan.select(pl.col(column).unique()).collect()[column]

    def schema(self) -> dict[str, pl.DataType]:
        """Return the type of each column."""
        with guarded(self.name):
            return dict(self.scan.collect_schema())

    def row_number(self, index: int) -> int:
        """Return the file's own number of a row, by its index from 0.

        A quoted cell that holds a newline begins no row; blank lines count.

        Examples:
            >>> table = Table("a.csv", pl.LazyFrame(), (), rows=3, first_row=2, empty_rows=(3,))
            >>> [table.row_number(index) for index in range(3)]
            [2, 4, 5]
        """
        number = self.first_row + index
        # Before the k-th empty row (from 0) stand that many rows, less k that are empty too.
        return number + bisect_right(
            range(len(self.empty_rows)), number, key=lambda k: self.empty_rows[k] - k
        )


@contextmanager
def naming(*tables: Table) -> Iterator[None]:
    """Put the names of files in front of a DataError of the block that does not say them.

    Examples:
        >>> with naming(Table("a.csv", pl.LazyFrame(), (), rows=3)):
        ...     raise DataError("column 'age': expected years, got none, add them")
        Traceback (most recent call last):
        fairage.exceptions.DataError: a.csv: column 'age': expected years, got none, add them
    """
    try:
        yield
    except DataError as error:
        all_names = [name for table in tables for name in (table.name, table.joined)]
        names = [name for name in all_names if name not in ("", IN_MEMORY)]
        if all(name in str(error) for name in names):
            raise
        raise error.at(" and ".join(names)) from error


def table_of(contents: Contents, name: str) -> Table:
    """Return the table of what a file holds; one without rows is an error."""
    with guarded(name):
        columns = tuple(contents.frame.collect_schema().names())
        rows = int(contents.frame.select(pl.len()).collect().item()) if columns else 0
    if not rows:
        raise DataError(f"expected at least one row, got none in {name!r}, write rows to it")
    return Table(
        name,
        contents.frame,
        columns,
        rows,
        contents.first_row,
        contents.notes,
        contents.empty_rows,
        contents.age_groups,
    )


def bad_cells(
    columns: Sequence[str],
    expected: str,
    cells: Sequence[tuple[int, Sequence[object]]],
    rows: int,
    remedy: str = "correct or remove these rows",
) -> DataError:
    """Return the error for wrong cells: how many rows they are in, and the first ten of these.

    Args:
        columns: Column, or the two columns, that hold something wrong there.
        expected: What should stand there.
        cells: Number of a row in its file, and what stands there, for the first rows.
        rows: How many rows there are.
        remedy: What to do.

    Examples:
        >>> print(bad_cells(["age"], "years", [(2, ["x"])], 1))
        column 'age': expected years, got something else in 1 row (row 2: 'x'), ...
    """
    shown = [
        f"row {number}: {' to '.join(map(short, values))}" for number, values in cells[:FIRST_ROWS]
    ]
    more = ", ..." if rows > FIRST_ROWS else ""
    return DataError(
        f"column {' to '.join(map(repr, columns))}: expected {expected}, got something else in "
        f"{count(rows, 'row')} ({', '.join(shown)}{more}), {remedy}"
    )
