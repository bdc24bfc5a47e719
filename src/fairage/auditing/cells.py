"""What stands where a value is missing: the usual spellings, and those that a user names."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._table import FIRST_ROWS, Table, bad_cells
from fairage.auditing.groups import Floats
from fairage.exceptions import DataError

MISSING = "missing"
OTHER = "other"
MOST_REASONS = 20


@dataclass(frozen=True)
class Sentinels:
    """Values that a user named as missing: texts by their letters, numbers by their value.

    Args:
        texts: In lower case, without spaces around them.
        numbers: Such as 999.
    """

    texts: frozenset[str] = frozenset()
    numbers: tuple[float, ...] = ()

    @classmethod
    def of(cls, spellings: Iterable[str]) -> Self:
        """Return the sentinels with these spellings.

        Examples:
            >>> Sentinels.of(["No Face", "999"]).has_text(" no face"), Sentinels.of(["0"]).numbers
            (True, (0.0,))
        """
        texts, numbers = set(), set()
        for spelling in spellings:
            number = _number(spelling)
            if number is None:
                texts.add(spelling.strip().lower())
            else:
                numbers.add(number)
        return cls(frozenset(texts), tuple(sorted(numbers)))

    def has_text(self, text: str) -> bool:
        """Return whether a text is one of them."""
        return text.strip().lower() in self.texts

    def among(self, values: Floats) -> NDArray[np.bool_]:
        """Return which of the numbers, shape `(n,)`, are one of them."""
        if not self.numbers:
            return np.zeros(len(values), dtype=bool)
        return np.isin(values, self.numbers)


def _number(text: str) -> float | None:
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def top_reasons(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the reasons with the most rows, at most twenty; the rest are `other`.

    Examples:
        >>> top_reasons({"ERR": 1, "no face": 7, "blurred": 0})
        {'no face': 7, 'ERR': 1}
    """
    ordered = sorted(
        ((reason, int(count)) for reason, count in counts.items() if count),
        key=lambda item: (-item[1], item[0]),
    )
    top: Counter[str] = Counter(dict(ordered[:MOST_REASONS]))
    rest = sum(count for _, count in ordered[MOST_REASONS:])
    if rest:
        top[OTHER] += rest
    return dict(top)


REMEDY = "correct or remove these rows"


def whole_column(table: Table, column: str) -> pl.Series:
    """Return all values of a column."""
    parts = [batch[column] for batch in table.batches([column])]
    return parts[0] if len(parts) == 1 else pl.concat(parts)


def selected(values: pl.Series, keep: NDArray[np.bool_]) -> pl.Series:
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
        >>> from fairage._tables_io import (open_table)
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
