"""Delimited text: CSV and its kin, read as text throughout, each row checked for its cells."""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from fairage._table_formats.cell_values import as_written, without_escapes
from fairage._table_formats.contents import (
    GZIP,
    PARQUET,
    ZIP,
    Contents,
    check_unpacked_size,
    empty_rows_note,
    guarded,
    gunzip,
    numbered,
    open_zip,
    read_parquet,
    settle_names,
    shown_rows,
    unreadable,
    unzip,
    without_empty,
)
from fairage._table_formats.excel import OLE, is_workbook, read_excel
from fairage._table_formats.json_records import Records, read_json, split_records
from fairage.exceptions import DataError

_DELIMITERS = ("\t", ";", "|", ",")  # where they fit equally well, the first
_SEPARATOR_LINE = re.compile(r'"?sep=([^"\n\r])"?\r?\n', re.IGNORECASE)  # Excel's own first line
_SAMPLE_CHARACTERS = 65_536
_SAMPLE_ROWS = 100


def read_delimited(text: str, name: str) -> Contents:
    r"""Return the table in delimited text, every cell of it text.

    Rows are numbered as in a spreadsheet: a quoted newline begins no row, a blank line is one.

    Examples:
        >>> contents = read_delimited("age;id\n31,5;007\n", "a.csv")
        >>> contents.frame.collect().to_dicts(), contents.first_row
        ([{'age': '31,5', 'id': '007'}], 2)

    Raises:
        DataError: A row has more or fewer cells than the header, or a quote is not closed.
    """
    separator_line = _SEPARATOR_LINE.match(text)
    if separator_line and separator_line[1].isascii():
        text, delimiter = text[separator_line.end() :], separator_line[1]
    else:
        separator_line, delimiter = None, _find_delimiter(text)
    if "\n" not in text:
        text = text.replace("\r", "\n")  # as old Macs ended their lines
    body = text.encode(errors="replace")
    records = split_records(body, delimiter.encode(), name)
    if records.blank.all():
        raise DataError(f"expected a table, got an empty file {name!r}, write rows to it")
    header = int(records.blank.argmin())
    before = 2 if separator_line else 1  # the number of the first record
    names = _header(body, records, header, delimiter, name)
    _check_cells(records, header, before, len(names), name)
    data = _without_blank(body, records, header)
    filled = np.flatnonzero(~records.blank[header + 1 :]) + header + 1 + before
    frame = _read(data, len(names), delimiter, name, quoted=records.quoted)
    if frame.height != len(filled):
        raise unreadable(name, f"{len(filled):,} rows, of which {frame.height:,} can be read")
    frame = _named(frame, names, name)
    unnamed = [own for own, text in zip(frame.columns, names, strict=True) if not text.strip()]
    kept, numbers = without_empty(frame, filled, unnamed)
    return numbered(
        kept,
        numbers,
        header + before,
        notes=empty_rows_note(frame.height - kept.height),
        is_text=True,
        decimal_comma=delimiter != ",",
    )


def _find_delimiter(text: str) -> str:
    """Return the delimiter that gives the most rows as many cells as the header has.

    Of delimiters that fit equally well the first in the list is taken: decimal commas are more
    common than texts that all hold a semicolon.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    if len(sample) < len(text):
        sample = sample[: sample.rfind("\n") + 1] or sample
    counts = {delimiter: _count_cells(sample, delimiter) for delimiter in _DELIMITERS}

    def fit(delimiter: str) -> tuple[bool, float]:
        header, *rows = counts[delimiter] or [1]
        only_in_header = bool(rows) and set(rows) == {1}
        return header > 1 and not only_in_header, rows.count(header) / max(len(rows), 1)

    return max(_DELIMITERS, key=fit)


def _count_cells(sample: str, delimiter: str) -> list[int]:
    """Return how many cells each of the first rows has."""
    counts: list[int] = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            if any(cell.strip() for cell in row):
                counts.append(len(row))
            if len(counts) == _SAMPLE_ROWS:
                break
    except csv.Error:
        pass  # a cell that is too long to be one
    return counts


def _header(body: bytes, records: Records, header: int, delimiter: str, name: str) -> list[str]:
    line = body[records.starts[header] : records.starts[header + 1]].decode()
    if not records.quoted:
        return line.rstrip("\r\n").split(delimiter)
    with guarded(name, csv.Error):
        return next(csv.reader(io.StringIO(line, newline=""), delimiter=delimiter))


def _check_cells(records: Records, header: int, before: int, expected: int, name: str) -> None:
    """Raise a DataError that counts and names the rows with another number of cells."""
    ragged = (records.cells != expected) & ~records.blank
    ragged[: header + 1] = False
    rows = np.flatnonzero(ragged)
    if len(rows):
        shown = [f"row {row + before} has {records.cells[row]}" for row in rows]
        raise DataError(
            f"expected {expected} cells in each row of {name!r}, as in its header, got others in "
            f"{len(rows):,}: {shown_rows(shown)}, correct them or put such cells in quotes"
        )


def _without_blank(body: bytes, records: Records, header: int) -> bytes:
    """Return the data rows without the blank lines among them."""
    starts = records.starts
    blank = [row for row in np.flatnonzero(records.blank) if row > header]
    begin = [starts[header + 1], *(starts[row + 1] for row in blank)]
    end = [*(starts[row] for row in blank), starts[-1]]
    return b"".join(body[first:last] for first, last in zip(begin, end, strict=True))


def _read(data: bytes, width: int, delimiter: str, name: str, *, quoted: bool) -> pl.DataFrame:
    schema = {str(place): pl.String for place in range(width)}
    if not data:
        return pl.DataFrame(schema=schema)
    with guarded(name):
        return pl.read_csv(
            io.BytesIO(data),
            has_header=False,
            schema=schema,
            separator=delimiter,
            quote_char='"' if quoted else None,
        )


def _named(frame: pl.DataFrame, names: Sequence[str], name: str) -> pl.DataFrame:
    """Return the frame with its names, empty cells as nothing and formulas as first written."""
    frame.columns = settle_names([as_written(text) for text in names], name)
    return frame.with_columns(
        without_escapes(pl.when(pl.col(own) != "").then(pl.col(own))) for own in frame.columns
    )


_DEEPEST = 3  # files packed in files
_POINTER = "version https://git-lfs.github.com/"
_JSON = re.compile(r"\s*(\{|\[\s*([\[{\]\"\d-]|null|true|false|NaN|Infinity))")


def read_bytes(content: bytes, name: str, *, depth: int = 0) -> Contents:
    r"""Return the table in the bytes of a file of any of the formats.

    Examples:
        >>> read_bytes(b"\xff\xfea\0g\0e\0\n\x003\x001\0", "a.csv").frame.collect().to_dicts()
        [{'age': '31'}]

    Raises:
        DataError: It is no table.
        MissingDependencyError: It is a sheet, and the package that reads those is missing.
    """
    if not content.strip():
        raise DataError(f"expected a table, got an empty file {name!r}, write rows to it")
    if depth > _DEEPEST:
        raise unreadable(name, "it is packed too often", "unpack it")
    if content.startswith(PARQUET):
        return read_parquet(content, name)
    if content.startswith(GZIP):
        return read_bytes(gunzip(content, name), name, depth=depth + 1)
    if content.startswith(ZIP):
        return _read_zip(content, name, depth)
    if content.startswith(OLE):
        return read_excel(content, name)
    return _read_text(content, name)


def _read_zip(content: bytes, name: str, depth: int) -> Contents:
    with open_zip(content, name) as archive:
        if not is_workbook(archive.namelist()):
            return read_bytes(unzip(archive, name), name, depth=depth + 1)
        check_unpacked_size(archive, name)
    return read_excel(content, name)


def _read_text(content: bytes, name: str) -> Contents:
    if name.lower().endswith(".parquet"):
        raise unreadable(name, "it is no Parquet file, as its name says")
    text, notes = decode(content, name)
    if not text.strip():
        raise DataError(f"expected a table, got an empty file {name!r}, write rows to it")
    if text.startswith(_POINTER):
        raise unreadable(name, "it is a pointer of Git LFS", "fetch it with: git lfs pull")
    if text.lstrip().startswith("<"):
        raise unreadable(name, "it is a web page or XML", "download the table itself")
    contents = read_json(text, name) if _JSON.match(text) else read_delimited(text, name)
    return replace(contents, notes=(*notes, *contents.notes))


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = frozenset(map(chr, range(32))) - set("\t\n\v\f\r\x1a")
_REPLACED = "\ufffd"
_PEEK = 4000


def decode(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    r"""Return the text without its byte-order mark, and what to know of how it was read.

    Text that is not UTF-8 and has no mark is read as Windows-1252, which it mostly is, with a
    note.

    Examples:
        >>> decode("Andr\u00e9".encode("cp1252"), "a.csv")
        ('André', ('Text was read as Windows-1252.',))

    Raises:
        DataError: It is no text, or its encoding is broken.
    """
    text, notes = _decode(content, name)
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(
            f"expected a table, got {name!r} with a NUL byte in row {row}, which text never holds, "
            "save it as CSV in UTF-8 or as Parquet"
        )
    return text, notes


def _decode(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    encoding = encoding or _unmarked_utf16(content)
    try:
        return content.decode(encoding or "utf-8"), ()
    except UnicodeDecodeError as error:
        if encoding is not None:
            do = "save it again as UTF-8"
            raise unreadable(name, f"its {encoding} text is broken: {error.reason}", do) from error
    guess = content.decode(errors="replace")
    broken = guess.count(_REPLACED)
    if sum(character > "\x7f" for character in guess) > 2 * broken:  # most of it is UTF-8
        row = guess.count("\n", 0, guess.index(_REPLACED)) + 1
        raise unreadable(name, f"its UTF-8 text is broken in row {row}", "save it again as UTF-8")
    return _decode_one_byte(content, name)


def _decode_one_byte(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    try:
        text, encoding = content.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        text, encoding = content.decode("latin-1"), "Latin-1"
    if not _CONTROLS.isdisjoint(text) and "\0" not in text:
        raise unreadable(name, "it is no text", "save it as CSV in UTF-8 or as Parquet")
    return text, (f"Text was read as {encoding}.",)


def _unmarked_utf16(content: bytes) -> str | None:
    """Return the UTF-16 whose every other byte is zero, as of Latin letters, if it is that."""
    for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        zeros, others = content[first:_PEEK:2].count(0), content[1 - first : _PEEK : 2].count(0)
        if zeros > 0.7 * (min(len(content), _PEEK) // 2) and not others:
            return encoding
    return None
