"""The one reader of tables, in files or in memory, and the one writer."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import TypeAlias

import polars as pl

from fairage._files import atomic_path
from fairage._table import IN_MEMORY, Table, table_of
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
from fairage.age_groups import METADATA, AgeGroups
from fairage.exceptions import DataError, named_refusals

TABLE_SUFFIXES = (".parquet", ".csv", ".tsv")
_READ_SUFFIXES = {*TABLE_SUFFIXES, ".xlsx", ".xls", ".ods", ".json", ".jsonl", ".ndjson"}
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
        return table_of(read_bytes(bytes(source), IN_MEMORY), IN_MEMORY)
    if isinstance(source, str | os.PathLike):
        name = "standard input" if str(source) == _STDIN else _shown(Path(source).name)
        return table_of(_read_file(source), name)
    return table_of(Contents(settle(as_frame(source).lazy(), IN_MEMORY)), IN_MEMORY)


def read_table(path: str | Path) -> pl.DataFrame:
    """Return the whole table in a file of any of the formats that `open_table` reads.

    Columns of text files become numbers, or true and false, where every cell is one; integers that
    begin with a zero stay text.

    Raises:
        DataError: There is no such file, or it holds no table.
        MissingDependencyError: It is a sheet, and the package that reads those is missing.
    """
    return read_numbered(path)[0]


def read_numbered(path: str | Path) -> tuple[pl.DataFrame, Table]:
    """Return the same table, and what else its file says: the numbers of rows, age groups.

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
        contents.age_groups,
    )
    return frame, table


def write_table(frame: pl.DataFrame, path: str | Path, age_groups: AgeGroups | None = None) -> None:
    """Write a table to a Parquet, CSV or TSV file, whole or not at all.

    A Parquet file says the age groups too.

    In CSV and TSV a text that a spreadsheet would take for a formula gets a leading `'`, which
    `read_table` takes away again.
    """
    suffix = table_suffix(path)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        if suffix == ".parquet":
            about = {} if age_groups is None else {METADATA: age_groups.to_json()}
            with named_refusals(path, pl.exceptions.PolarsError):
                frame.write_parquet(file, metadata=about)
            return
        separator = "\t" if suffix == ".tsv" else ","
        try:
            with_escaped_formulas(frame).write_csv(file, separator=separator)
        except pl.exceptions.PolarsError as error:
            raise DataError(
                f"expected columns that text can hold, got {frame.schema} for {_shown(path)!r}, "
                "write Parquet"
            ) from error


def is_table_name(path: str | Path) -> bool:
    """Return whether a file is called like one that `read_table` reads.

    Examples:
        >>> is_table_name("faces.parquet"), is_table_name("faces.csv.gz"), is_table_name("a.jpg")
        (True, True, False)
    """
    endings = {ending.lower() for ending in Path(path).suffixes[-2:]}
    return bool(endings & _READ_SUFFIXES)


def table_suffix(path: str | Path) -> str:
    """Return how the name of a table to write ends; another ending is a DataError."""
    suffix = Path(path).suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise DataError(
            f"expected a file name ending in {', '.join(TABLE_SUFFIXES)}, got {_shown(path)!r}, "
            "give another name"
        )
    return suffix


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
            return read_bytes(_read_pipe(path), _shown(path))
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


_PIPE_BYTES, _WAIT_SECONDS, _LOOK_SECONDS = 65_536, 10.0, 0.02


def _read_pipe(path: Path) -> bytes:
    """Return what comes through a pipe; a DataError where nobody writes to it for some seconds."""
    until = time.monotonic() + _WAIT_SECONDS
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as pipe:
        while (content := pipe.read(_PIPE_BYTES)) == b"":
            if time.monotonic() > until:
                raise DataError(
                    f"expected a table in the pipe {_shown(path)!r}, got nobody who writes to it, "
                    "start the other program first or give a file"
                )
            time.sleep(_LOOK_SECONDS)
        os.set_blocking(pipe.fileno(), True)  # somebody is there, who may take long
        return (content or b"") + pipe.read()


def _shown(path: str | os.PathLike[str]) -> str:
    """Return a path as text that can be written anywhere, whatever bytes are in it."""
    return os.fsencode(path).decode(errors="replace")


_IMAGE_NAMES = (
    *("image", "file", "filename", "file_name", "path", "filepath", "file_path"),
    *("img", "image_path", "image_id", "image_name", "img_path", "photo", "picture", "name"),
)
_KEY = "\0key"  # no file has a column of this name
_SHOWN = 5


def join_table(table: Table, other: Table, *, on: str | None = None) -> Table:
    """Return the table with the columns of another, each row's by its image.

    Images are compared as text, whole; where no two are equal, by the name of the file alone. Rows
    that match nothing have nothing in the new columns, and a note counts them.

    Args:
        table: The rows, all of which are kept in their order.
        other: One row an image.
        on: The column that both have; else the one called image, file, path, name or alike.

    Raises:
        DataError: No such column, an image twice in `other`, a column in both tables, or nothing
            that matches.
    """
    own, others = _key_columns(table, other, on)
    _check_columns(table, other, others)
    ids, other_ids = _ids(table, own), _ids(other, others)
    notes = [*table.notes, *other.notes]
    _check_unique(other_ids, other)
    if not ids.is_in(other_ids.drop_nulls().implode()).any():
        _check_base_names(ids, other_ids, table, other)
        ids, other_ids = _base_names(ids), _base_names(other_ids)
        _check_unique(other_ids, other)
        notes.append(f"Images were matched with {other.name!r} by the file's name alone.")
    unmatched = int((~ids.is_in(other_ids.drop_nulls().implode()).fill_null(value=False)).sum())
    if unmatched == table.rows:
        raise DataError(
            f"expected images of {table.name!r} in {other.name!r}, got none: {_some(ids)} there, "
            f"{_some(other_ids)} here, name the column that both have"
        )
    if unmatched:
        notes.append(f"{unmatched:,} of {table.rows:,} rows matched no row of {other.name!r}.")
    joined = _join(table, other, others, ids, other_ids)
    contents = Contents(
        joined,
        table.first_row,
        table.empty_rows,
        tuple(notes),
        age_groups=one_grouping(table, other),
    )
    return replace(table_of(contents, table.name), rows=table.rows, joined=other.name)


def one_grouping(table: Table, other: Table) -> AgeGroups | None:
    """Return the age groups that either table says, or raise a DataError where they differ."""
    one, two = table.age_groups, other.age_groups
    if one and two and one != two:
        raise DataError(
            f"expected the same age groups in {table.name!r} and {other.name!r}, got {one} and "
            f"{two}, write one of them again with the other's --age-edges"
        )
    return one or two


def _key_columns(table: Table, other: Table, on: str | None) -> tuple[str, str]:
    """Return the column of the images in each table."""
    if on is not None:
        for each in (table, other):
            if on not in each.columns:
                raise DataError(
                    f"expected the column {on!r} in {each.name!r}, got {list(each.columns)}, "
                    "name one that both tables have"
                )
        return on, on
    own, others = _image_columns(table), _image_columns(other)
    shared = [name for name in _IMAGE_NAMES if name in own and name in others]
    if shared:
        return own[shared[0]], others[shared[0]]
    if len(own) == len(others) == 1:
        return next(iter(own.values())), next(iter(others.values()))
    raise DataError(
        f"expected a column of images in both tables, such as 'image', got {list(table.columns)} "
        f"in {table.name!r} and {list(other.columns)} in {other.name!r}, name the one to join on"
    )


def _image_columns(table: Table) -> dict[str, str]:
    """Return the columns that are called as those of images are, by that name."""
    names = {column.lower(): column for column in table.columns}
    return {name: names[name] for name in _IMAGE_NAMES if name in names}


def _check_columns(table: Table, other: Table, key: str) -> None:
    both = [column for column in other.columns if column in table.columns and column != key]
    if both:
        raise DataError(
            f"expected each column in one of the tables, got {both} in {table.name!r} and in "
            f"{other.name!r}, rename or remove them in one"
        )


def _ids(table: Table, column: str) -> pl.Series:
    """Return the images as text, shape `(rows,)`; whole numbers without a point."""
    parts = [batch.to_series() for batch in table.batches([column])]
    ids = pl.concat(parts).rename(_KEY)
    if ids.dtype.is_float() and (ids == ids.round()).fill_null(value=True).all():
        ids = ids.cast(pl.Int64, strict=False)
    ids = ids.cast(pl.String).str.strip_chars()
    return ids.set(ids == "", None)


def _check_unique(ids: pl.Series, other: Table) -> None:
    repeated = ids.is_duplicated() & ids.is_not_null()
    if repeated.any():
        names = ids.filter(repeated).unique(maintain_order=True)
        rows = ", ".join(str(other.row_number(int(row))) for row in repeated.arg_true()[:10])
        raise DataError(
            f"expected each image once in {other.name!r}, got {len(names):,} more than once, such "
            f"as {_some(names)} (rows {rows}), keep one row of each"
        )


def _check_base_names(ids: pl.Series, other_ids: pl.Series, table: Table, other: Table) -> None:
    """Raise a DataError if several images of the table would match one row of the other."""
    paths = ids.drop_nulls().unique(maintain_order=True)
    names = _base_names(paths)
    matched = names.is_in(_base_names(other_ids).drop_nulls().implode())
    ambiguous = paths.filter(names.is_duplicated() & matched)
    if len(ambiguous):
        raise DataError(
            f"expected one image of {table.name!r} for each name in {other.name!r}, got "
            f"{_some(ambiguous)}, whose files are named alike, write the whole paths"
        )


def _base_names(ids: pl.Series) -> pl.Series:
    return ids.map_elements(lambda text: PureWindowsPath(text).name, return_dtype=pl.String)


def _some(ids: pl.Series) -> str:
    return ", ".join(map(repr, ids.drop_nulls()[:_SHOWN]))


def _join(
    table: Table, other: Table, key: str, ids: pl.Series, other_ids: pl.Series
) -> pl.LazyFrame:
    columns = [column for column in other.columns if column != key]
    right = pl.concat(list(other.batches(columns))).with_columns(other_ids)
    matched = ids.to_frame().join(
        right.filter(pl.col(_KEY).is_not_null()), on=_KEY, how="left", maintain_order="left"
    )
    return pl.concat([table.scan, matched.drop(_KEY).lazy()], how="horizontal")
