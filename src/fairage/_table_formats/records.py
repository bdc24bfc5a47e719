"""Where the records of delimited text begin and how many cells each has, rows numbered."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage.exceptions import DataError

__all__ = ["Records", "split_records"]

_NEWLINE, _RETURN, _QUOTE = b'\n\r"'


@dataclass(frozen=True)
class Records:
    """The records of delimited text: a line each, or more where a quoted cell holds a newline.

    Args:
        starts: Offset of the first byte of each, and the length of the text, shape `(n + 1,)`.
        cells: How many cells each has, shape `(n,)`.
        blank: Which of them are blank lines, shape `(n,)`.
        quoted: Cells may stand in quotes; else a quote is a character like others.
    """

    starts: NDArray[np.int64]
    cells: NDArray[np.int64]
    blank: NDArray[np.bool_]
    quoted: bool


def split_records(body: bytes, delimiter: bytes, name: str) -> Records:
    r"""Return where the records begin.

    Quotes count only if any cell begins with one: 5" tall is a cell like others.

    Examples:
        >>> split_records(b'a,b\n\n"x\ny",1\n', b",", "a.csv").starts.tolist()
        [0, 4, 5, 13]

    Raises:
        DataError: A quote is not closed, or text stands beside it.
    """
    data = np.frombuffer(body, dtype=np.uint8)
    quotes = np.flatnonzero(data == _QUOTE)
    begins = _begins_cell(data, quotes, ord(delimiter))
    newlines = np.flatnonzero(data == _NEWLINE)
    delimiters = np.flatnonzero(data == ord(delimiter))
    quoted = bool(begins.any())
    if quoted:
        _check_quotes(data, quotes, begins, ord(delimiter), name)
        newlines = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        delimiters = delimiters[np.searchsorted(quotes, delimiters) % 2 == 0]
    starts = np.concatenate([[0], newlines + 1])
    if starts[-1] != len(data):
        starts = np.append(starts, len(data))
    cells = np.diff(np.searchsorted(delimiters, starts)) + 1
    blank = np.zeros(len(cells), dtype=np.bool_)
    for row in np.flatnonzero(cells == 1):
        blank[row] = not body[starts[row] : starts[row + 1]].strip()
    return Records(starts, cells, blank, quoted)


def _begins_cell(
    data: NDArray[np.uint8], quotes: NDArray[np.int64], delimiter: int
) -> NDArray[np.bool_]:
    """Return which of the quotes stand at the beginning of a cell."""
    before = data[quotes - 1]  # of the first byte the last, which counts for nothing
    begins: NDArray[np.bool_] = (quotes == 0) | (before == delimiter) | (before == _NEWLINE)
    return begins


def _check_quotes(
    data: NDArray[np.uint8],
    quotes: NDArray[np.int64],
    begins: NDArray[np.bool_],
    delimiter: int,
    name: str,
) -> None:
    """Raise a DataError if a quote opens within a cell, closes before its end, or never closes.

    Two quotes that stand together within quotes are one character: the first of them closes and
    the second opens again.
    """
    follows = np.diff(quotes, prepend=-2) == 1
    ends = np.append(data, _NEWLINE)[quotes + 1]
    ends_cell = (ends == delimiter) | (ends == _NEWLINE) | (ends == _RETURN) | (ends == _QUOTE)
    opens = np.arange(len(quotes)) % 2 == 0
    wrong = np.where(opens, ~begins & ~follows, ~ends_cell)
    if wrong.any():
        first = int(wrong.argmax())
    elif len(quotes) % 2:
        first = len(quotes) - 1
    else:
        return
    opener = quotes[first - first % 2]
    newlines = np.flatnonzero(data[:opener] == _NEWLINE)
    row = int((np.searchsorted(quotes, newlines) % 2 == 0).sum()) + 1
    raise DataError(
        f"expected each quote closed at the end of its cell, got one in row {row} of {name!r} "
        "that is not, double the quotes within quoted cells"
    )
