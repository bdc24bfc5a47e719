"""Which format some bytes are of: what is in a file decides, not its name."""

import re
from dataclasses import replace

from fairage._table_formats.contents import Contents, unreadable
from fairage._table_formats.delimited import read_delimited
from fairage._table_formats.encodings import decode
from fairage._table_formats.excel import OLE, is_workbook, read_excel
from fairage._table_formats.json_records import read_json
from fairage._table_formats.packed import (
    GZIP,
    ZIP,
    check_unpacked_size,
    gunzip,
    open_zip,
    unzip,
)
from fairage._table_formats.parquet import PARQUET, read_parquet
from fairage.exceptions import DataError

__all__ = ["read_bytes"]

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
