"""JSON: arrays of objects, objects that hold one, columns, and a record a line."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._table_formats.cell_values import as_columns, flatten
from fairage._table_formats.contents import Contents, check_names, guarded, numbered, unreadable
from fairage.exceptions import DataError

_MOST_COLUMNS = 10_000
_DEEPEST_LIST = 3  # of the list of records within objects
_IMAGE = "image"  # the column for the names of objects that are records
_MEND = "correct the file"
_DIGITS = "an integer of thousands of digits"  # the only other thing that json refuses

Json: TypeAlias = Any  # whatever JSON can hold


@dataclass
class _Rows:
    """Records, the file's number of each where those are lines, and what to know of them."""

    records: list[Json]
    numbers: list[int] | None = None
    notes: list[str] = field(default_factory=list)


def read_json(text: str, name: str) -> Contents:
    """Return the table in JSON: one row an object, its nested objects side by side.

    Rows are numbered from 1 in their order; in JSON lines by line.

    Examples:
        >>> text = '{"results": [{"age": 31, "gender": {"Man": 99.1, "Woman": 0.9}}]}'
        >>> read_json(text, "a.json").frame.collect().to_dicts()
        [{'age': 31, 'gender.Man': 99.1, 'gender.Woman': 0.9}]

    Raises:
        DataError: It is broken, which names line and column, or it holds no table.
    """
    try:
        rows = _parse(text, name)
        records = [_record(each, number, name) for number, each in enumerate(rows.records, 1)]
        flat = [flatten(record, name) for record in records]
    except RecursionError as error:
        raise unreadable(name, "it is nested too deeply", "flatten it") from error
    numbers = rows.numbers or range(1, len(flat) + 1)
    notes = (*rows.notes, *_notes_on_lists(records))
    return numbered(_frame(flat, name), np.array(numbers, dtype=np.int64), 0, notes=notes)


def _parse(text: str, name: str) -> _Rows:
    decoder = json.JSONDecoder(object_pairs_hook=partial(_unique_keys, name=name))
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and text.lstrip().startswith("{"):
            return _parse_lines(text, decoder, name)
        raise _broken(error, error.lineno, name) from error
    except DataError:
        raise
    except ValueError as error:
        raise unreadable(name, _DIGITS, _MEND) from error
    return _rows_of(value, name)


def _parse_lines(text: str, decoder: json.JSONDecoder, name: str) -> _Rows:
    records, numbers = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            records.append(decoder.decode(line))
        except json.JSONDecodeError as error:
            raise _broken(error, number, name) from error
        except DataError:
            raise
        except ValueError as error:
            raise unreadable(name, f"{_DIGITS} in line {number}", _MEND) from error
        numbers.append(number)
    return _Rows(records, numbers)


def _broken(error: json.JSONDecodeError, line: int, name: str) -> DataError:
    return unreadable(name, f"JSON broken in line {line}, column {error.colno}: {error.msg}", _MEND)


def _unique_keys(pairs: list[tuple[str, Json]], name: str) -> dict[str, Json]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        raise DataError(
            f"expected each name once in an object, got {repeated} more than once in {name!r}, "
            "rename the others"
        )
    return record


def _rows_of(value: Json, name: str) -> _Rows:
    """Return the records of a whole JSON file."""
    if isinstance(value, list):
        return _Rows(value)
    if not isinstance(value, dict) or not value:
        raise unreadable(name, f"JSON that holds {value!r}", "write an array of objects")
    lists = _lists_of_objects(value)
    if len(lists) > 1:
        raise DataError(
            f"expected one list of objects in {name!r}, got {sorted(lists)}, give one alone"
        )
    if lists:
        key, records = lists.popitem()
        others = sorted(set(value) - {key.split(".")[0]})
        notes = [f"Only {key!r} was read, not {', '.join(map(repr, others))}."] if others else []
        return _Rows(records, notes=notes)
    if all(isinstance(cells, list) for cells in value.values()):
        return _Rows(_records_of_columns(value, name))
    if all(isinstance(inner, dict) for inner in value.values()):
        return _rows_of_objects(value, name)
    return _Rows([value])


def _lists_of_objects(value: dict[str, Json], depth: int = 1) -> dict[str, list[Json]]:
    """Return the lists of objects of the outermost level that has any, by dotted name."""
    lists = {
        key: inner
        for key, inner in value.items()
        if isinstance(inner, list) and inner and all(isinstance(each, dict) for each in inner)
    }
    if lists or depth == _DEEPEST_LIST:
        return lists
    return {
        f"{key}.{deeper}": records
        for key, inner in value.items()
        if isinstance(inner, dict)
        for deeper, records in _lists_of_objects(inner, depth + 1).items()
    }


def _records_of_columns(columns: Mapping[str, Sequence[Json]], name: str) -> list[Json]:
    lengths = {key: len(cells) for key, cells in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"expected columns of one length in {name!r}, got {lengths}, fill them")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _rows_of_objects(value: dict[str, dict[str, Json]], name: str) -> _Rows:
    """Return the records of an object of objects: columns by row number, or records by image."""
    rows = list(map(str, range(len(next(iter(value.values()))))))
    if all(list(inner) == rows for inner in value.values()):
        columns = {key: list(inner.values()) for key, inner in value.items()}
        return _Rows(_records_of_columns(columns, name))
    if len(value) == 1:
        return _Rows([value])
    if any(_IMAGE in inner for inner in value.values()):
        return _Rows(list(value.values()))
    return _Rows(
        [{_IMAGE: key, **inner} for key, inner in value.items()],
        notes=[f"The names of the objects were read as the column {_IMAGE!r}."],
    )


def _record(value: Json, number: int, name: str) -> dict[str, Json]:
    """Return one object; where a file gives a list for each image, the one in it."""
    if isinstance(value, list) and len(value) <= 1:
        value = value[0] if value else {}
    if value is None:
        return {}
    if not isinstance(value, dict):
        kind = f"a list of {len(value)}" if isinstance(value, list) else repr(value)[:50]
        raise DataError(
            f"expected an object in each row of {name!r}, got {kind} in row {number}, "
            "write an array of objects, one a face"
        )
    return value


def _notes_on_lists(records: Sequence[Mapping[str, Json]]) -> list[str]:
    """Say which columns hold several objects in one row, whose parts are no columns."""
    several: dict[str, int] = {}
    for record in records:
        for key, value in record.items():
            if isinstance(value, list) and len(value) > 1 and isinstance(value[0], dict):
                several[key] = several.get(key, 0) + 1
    return [
        f"{key!r} holds several objects in {rows:,} of {len(records):,} rows; there it is text."
        for key, rows in several.items()
    ]


def _frame(flat: Sequence[Mapping[str, Json]], name: str) -> pl.DataFrame:
    names = {key for record in flat for key in record}
    check_names(names, name)
    if len(names) > _MOST_COLUMNS:
        raise DataError(
            f"expected at most {_MOST_COLUMNS:,} columns, got {len(names):,} in {name!r}, "
            "give each object the same names"
        )
    with guarded(name, do=_MEND):
        return pl.DataFrame(as_columns(flat))


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
