"""What a table file holds, its names settled, and the one line of error where it is broken."""

import gzip
import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.age_groups import METADATA, AgeGroups
from fairage.exceptions import DataError

_LONGEST_REASON = 200
_SHOWN_ROWS = 10


@dataclass(frozen=True)
class Contents:
    """A table as a file holds it.

    Args:
        frame: The rows.
        first_row: The file's own number of the first data row.
        empty_rows: The file's numbers of later rows that hold nothing and are left out, ascending.
        notes: Sentences that the user should read.
        is_text: Every cell is text, its type is not known yet.
        decimal_comma: A comma in a cell of text may be a decimal one.
        age_groups: The groups of the true age, where the file says them.
    """

    frame: pl.LazyFrame
    first_row: int = 1
    empty_rows: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    is_text: bool = False
    decimal_comma: bool = False
    age_groups: AgeGroups | None = None


def unreadable(name: str, reason: object, do: str = "write the file again") -> DataError:
    """Return the error for a file that is no table, in one line."""
    lines = str(reason).strip().splitlines() or ["no reason given"]
    short = lines[0][:_LONGEST_REASON].rstrip(".: ")
    return DataError(f"expected a readable table, got {name!r} ({short}), {do}")


@contextmanager
def guarded(
    name: str, *errors: type[Exception], do: str = "write the file again"
) -> Iterator[None]:
    """Turn what a library raises on a broken file into one DataError that names the file.

    Args:
        name: What to call the file.
        errors: What else the library raises, beside polars' own errors and those of the system.
        do: What to do about it.
    """
    expected: tuple[type[Exception], ...] = (pl.exceptions.PolarsError, OSError, *errors)
    try:
        yield
    except DataError:
        raise
    except expected as error:
        raise unreadable(name, error, do) from error
    except BaseException as error:
        # Rust libraries panic on some broken files; each has a class of that name of its own.
        if type(error).__name__ != "PanicException":
            raise
        raise unreadable(name, "its contents contradict each other", do) from error


def check_names(names: Iterable[str], name: str) -> None:
    """Raise a DataError for column names that polars takes for several columns."""
    patterns = [text for text in names if text == "*" or (text[:1] == "^" and text[-1:] == "$")]
    if patterns:
        raise DataError(
            f"expected names of single columns in {name!r}, got {', '.join(map(repr, patterns))}, "
            "which stand for several, rename them"
        )


def settle_names(names: Sequence[object], name: str) -> list[str]:
    """Return the column names without outer spaces; a repeated one is an error that names it.

    A column without a name is called after its place.

    Examples:
        >>> settle_names([" age ", "", "sex"], "a.csv")
        ['age', 'column_2', 'sex']
    """
    texts = ["" if text is None else str(text).strip("\ufeff \t\r\n") for text in names]
    check_names(texts, name)
    repeated = [text for text, times in Counter(texts).items() if text and times > 1]
    if repeated:
        raise DataError(
            f"expected each column once, got {', '.join(map(repr, repeated))} more than once in "
            f"{name!r}, rename or remove the others"
        )
    for place, text in enumerate(texts):
        if not text:
            texts[place] = f"column_{place + 1}"
            while texts.count(texts[place]) > 1:
                texts[place] += "_"
    return texts


def without_empty(
    frame: pl.DataFrame, numbers: NDArray[np.int64], unnamed: Sequence[str]
) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """Return the rows that hold anything, and their numbers in the file.

    Args:
        frame: The rows.
        numbers: The file's number of each, shape `(n,)`.
        unnamed: Columns that had no name in the file; those that are empty are left out.
    """
    frame = frame.drop(name for name in unnamed if frame[name].null_count() == frame.height)
    if not frame.width:
        return frame, numbers[:0]
    is_filled = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series().to_numpy()
    return frame.filter(is_filled), numbers[is_filled]


def numbered(
    frame: pl.DataFrame,
    numbers: NDArray[np.int64],
    after: int,
    **details: Any,  # noqa: ANN401  # the fields' own types
) -> "Contents":
    """Return the contents of a file whose rows have these numbers.

    Args:
        frame: The rows.
        numbers: The file's number of each, ascending, shape `(n,)`.
        after: The number of the row before the data, such as the header's.
        details: Other fields of `Contents`.
    """
    first = int(numbers[0]) if len(numbers) else after + 1
    there = np.arange(first, int(numbers[-1]) + 1) if len(numbers) else numbers
    empty = np.setdiff1d(there, numbers, assume_unique=True)
    return Contents(frame.lazy(), first, tuple(empty.tolist()), **details)


def shown_rows(rows: Sequence[str]) -> str:
    """Return the first ten of these rows and how many more there are.

    Examples:
        >>> shown_rows(["row 2", "row 5"])
        'row 2, row 5'
    """
    more = len(rows) - _SHOWN_ROWS
    return ", ".join(rows[:_SHOWN_ROWS]) + (f" and {more:,} more" if more > 0 else "")


def empty_rows_note(rows: int) -> tuple[str, ...]:
    """Return the sentence on rows of empty cells, if there are any."""
    if not rows:
        return ()
    return (f"{rows:,} empty {'row was' if rows == 1 else 'rows were'} left out.",)


GZIP = b"\x1f\x8b"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
MOST_BYTES = 2 * 2**30
"""The most that a packed table may hold."""
_CHUNK = 2**20

_TABLES = {
    *(".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson"),
    *(".parquet", ".pq", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".gz"),
}
_LIBRARY_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError),
    *(ValueError, OverflowError, IndexError),
)


def gunzip(content: bytes, name: str) -> bytes:
    """Return what a gzip file holds."""
    with (
        guarded(name, *_LIBRARY_ERRORS),
        gzip.GzipFile(fileobj=io.BytesIO(content)) as file,
    ):
        return _read_some(file, name)


def open_zip(content: bytes, name: str) -> zipfile.ZipFile:
    """Return a zip file whose table of contents can be read."""
    with guarded(name, *_LIBRARY_ERRORS):
        return zipfile.ZipFile(io.BytesIO(content))


def check_unpacked_size(archive: zipfile.ZipFile, name: str) -> None:
    """Raise a DataError if the files of a zip hold more than a table can, all together."""
    if sum(info.file_size for info in archive.infolist()) > MOST_BYTES:
        raise _too_large(name)


def unzip(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the one table that a zip file holds."""
    info = _find_table(archive, name)
    if info.flag_bits & 1:
        raise unreadable(name, "it is encrypted", "unpack it with its password first")
    with guarded(name, *_LIBRARY_ERRORS), archive.open(info) as file:
        return _read_some(file, name)


def _find_table(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    infos = [info for info in archive.infolist() if not _is_litter(info)]
    if len(infos) > 1:
        tables = [i for i in infos if PurePosixPath(i.filename.lower()).suffix in _TABLES]
        infos = tables or infos
    if not infos:
        raise unreadable(name, "it is a zip file with nothing in it", "put a table into it")
    if len(infos) > 1:
        names = sorted(info.filename for info in infos)
        shown = ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
        raise DataError(
            f"expected one table in {name!r}, got {len(names)}: {shown}, "
            "unpack it and give the table alone"
        )
    return infos[0]


def _is_litter(info: zipfile.ZipInfo) -> bool:
    """Whether it is a folder, nameless, hidden, or a file that macOS adds."""
    path = PurePosixPath(info.filename)
    hidden = path.name.startswith(".") or path.parts[:1] == ("__MACOSX",)
    return hidden or not path.name or info.filename.endswith("/")


def _read_some(file: gzip.GzipFile | IO[bytes], name: str) -> bytes:
    content = bytearray()
    while part := file.read(_CHUNK):  # what is asked for at once, Python makes room for at once
        content += part
        if len(content) > MOST_BYTES:
            raise _too_large(name)
    return bytes(content)


def _too_large(name: str) -> DataError:
    return unreadable(
        name, f"it unpacks to more than {MOST_BYTES / 2**30:g} GiB", "save it as Parquet"
    )


PARQUET = b"PAR1"


def scan_parquet(path: Path, name: str) -> Contents:
    """Return the table in a Parquet file, which stays on disk."""
    with guarded(name):
        try:
            text = str(path.absolute())
            text.encode()
        except UnicodeEncodeError:  # polars cannot name such a file
            return read_parquet(path.read_bytes(), name)
        scan = pl.scan_parquet(text, glob=False, hive_partitioning=False)
        return Contents(settle(scan, name), age_groups=_age_groups(path, name))


def read_parquet(content: bytes, name: str) -> Contents:
    """Return the table in the bytes of a Parquet file."""
    with guarded(name):
        frame = pl.read_parquet(io.BytesIO(content))
        return Contents(
            settle(frame.lazy(), name), age_groups=_age_groups(io.BytesIO(content), name)
        )


def _age_groups(file: Path | io.BytesIO, name: str) -> AgeGroups | None:
    text = pl.read_parquet_metadata(file).get(METADATA)
    try:
        return None if text is None else AgeGroups.from_json(text)
    except DataError as error:
        raise error.at(name) from error


def settle(frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """Return a frame whose bytes are text and whose nested columns stand side by side.

    Examples:
        >>> frame = pl.LazyFrame({"image": [b"a.jpg"], "face": [{"age": 31}]})
        >>> settle(frame, "table").collect().to_dicts()
        [{'image': 'a.jpg', 'face.age': 31}]
    """
    with guarded(name):
        schema = frame.collect_schema()
        check_names(schema, name)
        kinds = (pl.Binary, pl.Struct)
        if not any(isinstance(kind, kinds) for kind in schema.values()):
            return frame
        columns = [
            part for column, kind in schema.items() for part in _parts(pl.col(column), column, kind)
        ]
        names = [column.meta.output_name() for column in columns]
        repeated = sorted({column for column in names if names.count(column) > 1})
        if repeated:
            raise DataError(
                f"expected each column once, got {repeated} also as parts of nested columns in "
                f"{name!r}, rename them"
            )
        return frame.select(columns)


def _parts(column: pl.Expr, name: str, kind: pl.DataType) -> list[pl.Expr]:
    """Return the column, or those of its fields, with dots in their names."""
    if isinstance(kind, pl.Struct):
        return [
            part
            for field in kind.fields
            for part in _parts(
                column.struct.field(field.name),
                f"{name}.{field.name}",
                field.dtype,  # type: ignore[arg-type]  # of a schema
            )
        ]
    if isinstance(kind, pl.Binary):
        column = column.cast(pl.String)
    return [column.alias(name)]
