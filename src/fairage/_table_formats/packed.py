"""Files within files: gzip, and zip with one table in it; neither may unpack to too much."""

import gzip
import io
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO

from fairage._table_formats.contents import guarded, unreadable
from fairage.exceptions import DataError

__all__ = ["GZIP", "ZIP", "check_unpacked_size", "gunzip", "open_zip", "unzip"]

GZIP = b"\x1f\x8b"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
MOST_BYTES = 2 * 2**30
"""The most that a packed table may hold."""

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
    infos = [info for info in archive.infolist() if not info.is_dir() and not _is_litter(info)]
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
    """Whether a file is one that macOS adds, or hidden."""
    path = PurePosixPath(info.filename)
    return path.name.startswith(".") or path.parts[:1] == ("__MACOSX",)


def _read_some(file: gzip.GzipFile | IO[bytes], name: str) -> bytes:
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _too_large(name)
    return content


def _too_large(name: str) -> DataError:
    return unreadable(
        name, f"it unpacks to more than {MOST_BYTES / 2**30:g} GiB", "save it as Parquet"
    )
