"""The one reader of tables, in files or in memory, and the one writer."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import polars as pl

from fairage._table import Table, table_of
from fairage._table_formats import (
    PARQUET,
    Contents,
    guarded,
    infer_types,
    read_bytes,
    scan_parquet,
    settle,
    with_escaped_formulas,
)
from fairage._table_frames import Frame, as_frame
from fairage._table_join import join_table
from fairage.exceptions import DataError
from fairage.files import atomic_path

__all__ = [
    "TABLE_SUFFIXES",
    "Table",
    "TableSource",
    "join_table",
    "open_table",
    "read_numbered",
    "read_table",
    "write_table",
]

TABLE_SUFFIXES = (".parquet", ".csv", ".tsv")
"""How the names of the files end that are written."""

TableSource: TypeAlias = str | Path | bytes | Frame
"""A table: a file, `-` for standard input, the bytes of a file, a frame or arrays by name."""

_STDIN = "-"


def open_table(source: TableSource) -> Table:
    r"""Return the table in a file or in memory, ready to be read.

    What is in a file decides on its format, not its name: Parquet, delimited text, JSON, JSON
    lines, Excel and OpenDocument sheets, and each of these in gzip or zip. Text files are read as
    text throughout, so that an id such as 000012 stays one; Parquet stays on disk.

    Args:
        source: A path, taken by the letter (`[`, `*` and `~` are characters like others); `-` for
            standard input; the bytes of a file; a polars, pandas or arrow frame; or a mapping of
            columns.

    Examples:
        >>> table = open_table("id;age\n007;31,5\n".encode())
        >>> table.columns, table.rows, table.first_row
        (('id', 'age'), 1, 2)

    Raises:
        DataError: There is no such file, or it holds no table or no rows.
        MissingDependencyError: It is a sheet, and the package that reads those is missing.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return table_of(read_bytes(bytes(source), "table"), "table")
    if isinstance(source, str | os.PathLike):
        name = "standard input" if str(source) == _STDIN else _shown(Path(source).name)
        return table_of(_read_file(source), name)
    return table_of(Contents(settle(as_frame(source).lazy(), "table")), "table")


def read_table(path: str | Path) -> pl.DataFrame:
    """Return the whole table in a file of any of the formats that `open_table` reads.

    Columns of text files become numbers, or true and false, where every cell is one; integers that
    begin with a zero stay text.

    Raises:
        DataError: There is no such file, or it holds no table.
        MissingDependencyError: It is a sheet, and the package that reads those is missing.
    """
    return read_numbered(path)[0]


def read_numbered(path: str | Path) -> tuple[pl.DataFrame, Callable[[int], int]]:
    """Return the same table, and what gives the number in its file of a row, by its index from 0.

    Errors are those of `read_table`.
    """
    contents = _read_file(path)
    with guarded(_shown(path)):
        frame = contents.frame.collect()
    if contents.is_text:
        frame = infer_types(frame, decimal_comma=contents.decimal_comma)
    table = Table(
        _shown(path),
        frame.lazy(),
        tuple(frame.columns),
        frame.height,
        contents.first_row,
        contents.notes,
        contents.empty_rows,
    )
    return frame, table.row_number


def write_table(frame: pl.DataFrame, path: str | Path) -> None:
    """Write a table to a Parquet, CSV or TSV file, whole or not at all.

    In CSV and TSV a text that a spreadsheet would take for a formula gets a leading `'`, which
    `read_table` takes away again.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise DataError(
            f"expected a file name ending in {', '.join(TABLE_SUFFIXES)}, got {_shown(path)!r}, "
            "give another name"
        )
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        if suffix == ".parquet":
            frame.write_parquet(file)
            return
        separator = "\t" if suffix == ".tsv" else ","
        try:
            with_escaped_formulas(frame).write_csv(file, separator=separator)
        except pl.exceptions.PolarsError as error:
            raise DataError(
                f"expected columns that text can hold, got {frame.schema} for {_shown(path)!r}, "
                "write Parquet"
            ) from error


def _read_file(source: str | os.PathLike[str]) -> Contents:
    """Return what a file or standard input holds."""
    if str(source) == _STDIN:
        with guarded("standard input"):
            content = sys.stdin.buffer.read()
        return read_bytes(content, "standard input")
    path = Path(source)
    try:
        if path.is_dir():
            raise DataError(f"expected a table file, got the folder {_shown(path)!r}, name a file")
        if path.is_fifo():
            return read_bytes(path.read_bytes(), _shown(path))
        if not path.is_file():
            raise DataError(f"expected a table file, got no file {_shown(path)!r}, check the path")
        with path.open("rb") as file:
            is_parquet = file.read(len(PARQUET)) == PARQUET
        content = None if is_parquet else path.read_bytes()
    except OSError as error:
        raise DataError(
            f"expected a readable file, got {_shown(path)!r} ({error.strerror}), check the path "
            "and its permissions"
        ) from error
    if content is None:
        return scan_parquet(path, _shown(path))
    return read_bytes(content, _shown(path))


def _shown(path: str | os.PathLike[str]) -> str:
    """Return a path as text that can be written anywhere, whatever bytes are in it."""
    return os.fsencode(path).decode(errors="replace")
