"""Image files from outside: their kind, size and wholeness, read off the bytes before decoding.

A decoder fills what is missing in a truncated file with grey and says nothing that a program
could hear, and it makes room for as many pixels as the header claims. So both are looked at
first. What no check of the container can see are wrong values inside whole pixel data.
"""

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from fairage.exceptions import DataError

__all__ = ["KINDS", "MAX_BYTES", "Container", "read_container"]

MAX_BYTES = 64 * 2**20
"""Larger files are refused before they are read."""

_MARKER_IN_SCAN = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})


@dataclass(frozen=True)
class Container:
    """What a file says of itself.

    Args:
        kind: Name of the format, such as `JPEG`.
        height: Height in pixels.
        width: Width in pixels.
    """

    kind: str
    height: int
    width: int


def read_container(data: bytes) -> Container:
    """Return the kind and size of an image file that is whole.

    Raises:
        DataError: It is not a JPEG, PNG, WebP or BMP file, or its end is missing, or a checksum
            in it is wrong.

    Examples:
        >>> read_container(b"<html>")
        Traceback (most recent call last):
        fairage.exceptions.DataError: expected a JPEG, PNG, WebP or BMP image, got other data ...
    """
    for kind, (start, read) in KINDS.items():
        if start.match(data):
            try:
                height, width = read(data)
            except (IndexError, struct.error) as error:
                raise _truncated(kind) from error
            return Container(kind, height, width)
    raise DataError(
        f"expected a JPEG, PNG, WebP or BMP image, got other data (starts with {data[:8]!r}), "
        "convert or remove it"
    )


def _truncated(kind: str) -> DataError:
    return DataError(f"expected a whole {kind} file, got one cut short, copy it again")


def _jpeg(data: bytes) -> tuple[int, int]:
    """Walk from marker to marker up to the end-of-image one."""
    size: tuple[int, int] | None = None
    at = 2
    while True:
        if data[at] != 0xFF:
            raise DataError("expected JPEG segments, got other data, copy the file again")
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker == 0xD9:
            break
        if marker in _ALONE:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if marker in _START_OF_FRAME:
            size = struct.unpack_from(">HH", data, at + 3)
        at += length
        if marker == 0xDA:
            found = _MARKER_IN_SCAN.search(data, at)
            if found is None:
                raise _truncated("JPEG")
            at = found.start()
    if size is None:
        raise DataError("expected a picture in the JPEG file, got none, copy the file again")
    return size


def _png(data: bytes) -> tuple[int, int]:
    """Walk from chunk to chunk up to IEND and check every checksum."""
    width, height = struct.unpack_from(">II", data, 16)
    at = 8
    while True:
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        (checksum,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(memoryview(data)[at + 4 : end]) != checksum:
            raise DataError(
                f"expected a sound PNG file, got a wrong checksum in {name!r}, copy it again"
            )
        if name == b"IEND":
            return height, width
        at = end + 4


def _webp(data: bytes) -> tuple[int, int]:
    (length,) = struct.unpack_from("<I", data, 4)
    if len(data) < length + 8:
        raise _truncated("WebP")
    kind = data[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    return height, width


def _bmp(data: bytes) -> tuple[int, int]:
    (length,) = struct.unpack_from("<I", data, 2)
    if len(data) < length:
        raise _truncated("BMP")
    width, height = struct.unpack_from("<ii", data, 18)
    return abs(height), abs(width)


KINDS: dict[str, tuple[re.Pattern[bytes], Callable[[bytes], tuple[int, int]]]] = {
    "JPEG": (re.compile(rb"\xff\xd8\xff"), _jpeg),
    "PNG": (re.compile(rb"\x89PNG\r\n\x1a\n"), _png),
    "WebP": (re.compile(rb"RIFF....WEBP", re.DOTALL), _webp),
    "BMP": (re.compile(rb"BM"), _bmp),
}
"""How each kind of file starts, and the function that reads its height and width."""
