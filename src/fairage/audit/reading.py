"""Opening a table of predictions, whoever wrote it: Parquet, CSV or TSV, a file or standard input.

Text files are read as text throughout; which column holds numbers is known only later. Parquet
stays on disk and is read in batches.
"""

import codecs
import io
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fairage.exceptions import DataError

__all__ = ["BATCH_ROWS", "Table", "open_bytes", "open_frame", "open_table"]

BATCH_ROWS = 1_000_000
STDIN = "-"
PARQUET = b"PAR1"
ZIP = b"PK\x03\x04"  # what an Excel file starts with
SEPARATOR_LINE = re.compile(rb"sep=(.)\r?\n", re.IGNORECASE)  # Excel's own first line
SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Table:
    """A table that is read in batches.

    Args:
        name: What to call it in messages and reports.
        scan: The table, read only where it is asked for.
        columns: Its columns' names.
        rows: How many rows it has.
    """

    name: str
    scan: pl.LazyFrame
    columns: tuple[str, ...]
    rows: int

    def batches(self, columns: list[str]) -> Iterator[pl.DataFrame]:
        """Yield these columns, a million rows at a time."""
        for first in range(0, self.rows, BATCH_ROWS):
            yield self.scan.slice(first, BATCH_ROWS).select(columns).collect()

    def unique(self, column: str) -> pl.Series:
        """Return the different values of a column."""
        return self.scan.select(pl.col(column).unique()).collect()[column]

    def schema(self) -> dict[str, pl.DataType]:
        """Return the type of each column."""
        return dict(self.scan.collect_schema())


def open_table(source: str | Path) -> Table:
    """Return the table in a file; `-` is standard input.

    Args:
        source: Path of a Parquet, CSV or TSV file; what is in it decides, not its name.

    Raises:
        DataError: There is no such file, it is empty, or it is no table.
    """
    if str(source) == STDIN:
        return open_bytes(sys.stdin.buffer.read(), "standard input")
    path = Path(source)
    if not path.is_file():
        raise DataError(f"expected a table file, got no file {str(path)!r}, check the path")
    with path.open("rb") as file:
        is_parquet = file.read(4) == PARQUET
    if is_parquet:
        return _checked(path.name, lambda: pl.scan_parquet(path))
    return open_bytes(path.read_bytes(), path.name)


def open_bytes(content: bytes, name: str) -> Table:
    r"""Return the table in the bytes of a Parquet, CSV or TSV file.

    The separator is the one that stands most often in the first line, or the one that a line
    "sep=;" names; a byte-order mark and spaces around column names are left out; UTF-16 with its
    mark is understood.

    Examples:
        >>> table = open_bytes("\ufeffage;pred\n31,5;30\n".encode(), "a.csv")
        >>> table.columns, table.rows
        (('age', 'pred'), 1)
    """
    if content.startswith(PARQUET):
        return _checked(name, lambda: pl.read_parquet(io.BytesIO(content)).lazy())
    if content.startswith(ZIP):
        raise DataError(
            f"expected a table in Parquet, CSV or TSV, got {name!r}, which looks like an Excel "
            "file, save it as CSV"
        )
    text = _utf8(content, name)
    if not text.strip():
        raise DataError(f"expected a table, got an empty file {name!r}, write rows to it")
    named = SEPARATOR_LINE.match(text)
    body = text[named.end() :] if named else text
    separator = named[1].decode() if named else _separator(text)

    def scan() -> pl.LazyFrame:
        frame = pl.read_csv(io.BytesIO(body), separator=separator, infer_schema=False)
        return _trimmed(frame).lazy()

    return _checked(name, scan)


def open_frame(frame: pl.DataFrame, name: str = "table") -> Table:
    """Return a table for a frame in memory."""
    return _checked(name, frame.lazy)


def _checked(name: str, scan: Callable[[], pl.LazyFrame]) -> Table:
    try:
        found = scan()
        columns = tuple(found.collect_schema().names())
        rows = int(found.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise DataError(
            f"expected a table in Parquet, CSV or TSV, got {name!r} ({reason}), "
            "write the file again"
        ) from error
    if not rows:
        raise DataError(f"expected at least one row, got none in {name!r}, write rows to it")
    return Table(name, found, columns, rows)


def _utf8(content: bytes, name: str) -> bytes:
    """Return the text as UTF-8 without a byte-order mark."""
    if content.startswith(codecs.BOM_UTF8):
        content = content[len(codecs.BOM_UTF8) :]
    try:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return content.decode("utf-16").encode()
        content.decode()
    except UnicodeError as error:
        raise DataError(
            f"expected text in UTF-8, got {name!r} in another encoding, save it as UTF-8"
        ) from error
    return content


def _trimmed(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out spaces around column names, where no two then have the same name."""
    names = {name: name.strip() for name in frame.columns}
    return frame.rename(names) if len(set(names.values())) == len(names) else frame


def _separator(text: bytes) -> str:
    header = text.lstrip().splitlines()[0].decode()
    return max(SEPARATORS, key=header.count)
