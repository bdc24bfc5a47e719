"""Image files: which kind one is, its size, whether it is whole; those that Pillow opens."""

import re
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from fairage.exceptions import DataError, MissingDependencyError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

HEIC = "HEIC"
PILLOW_KINDS = frozenset({"GIF", "TIFF", "AVIF", HEIC})
"""Kinds of files that Pillow decodes; OpenCV decodes the others."""

_MARKER_IN_SCAN = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_BOXES = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"uuid"})
_PIECES = ((273, 279), (324, 325))  # TIFF tags: where strips or tiles begin, how many bytes each
_PILLOW_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
_FILTERS = threading.Lock()


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
        DataError: It is no image of a known kind, its end is missing, or a checksum in it is wrong.
        MissingDependencyError: A package that reads this kind is not installed.

    Examples:
        >>> read_container(b"<html>")
        Traceback (most recent call last):
        fairage.exceptions.DataError: expected a JPEG, PNG, ..., AVIF or HEIC image, got other ...
    """
    for kind, (start, read) in KINDS.items():
        if start.match(data):
            try:
                height, width = read(data)
            except (IndexError, struct.error) as error:
                raise _truncated(kind) from error
            return Container(kind, height, width)
    *names, last = KINDS
    raise DataError(
        f"expected a {', '.join(names)} or {last} image, got other data (starts with "
        f"{data[:8]!r}), convert or remove it"
    )


def corrupt(kind: str) -> DataError:
    """Return the error for a file that is whole and cannot be decoded."""
    return DataError(f"expected a sound {kind} file, got one that cannot be decoded, copy it again")


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
            next_marker = _MARKER_IN_SCAN.search(data, at)
            if next_marker is None:
                raise _truncated("JPEG")
            at = next_marker.start()
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


def _gif(data: bytes) -> tuple[int, int]:
    """Walk from block to block up to the trailer; the first picture may be larger than stated."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at, pictures = 13 + _palette_bytes(flags), 0
    while data[at] != 0x3B:
        if data[at] == 0x2C:
            left, top, own_width, own_height, flags = struct.unpack_from("<4HB", data, at + 1)
            if not pictures:
                width, height = max(width, left + own_width), max(height, top + own_height)
            pictures += 1
            at += 11 + _palette_bytes(flags)
        elif data[at] == 0x21:
            at += 2
        else:
            raise DataError("expected GIF blocks, got other data, copy the file again")
        while data[at]:
            at += 1 + data[at]
        at += 1
    if not pictures:
        raise DataError("expected a picture in the GIF file, got none, copy the file again")
    return height, width


def _palette_bytes(flags: int) -> int:
    return 6 << (flags & 7) if flags & 0x80 else 0


def _tiff(data: bytes) -> tuple[int, int]:
    """Ask Pillow for the first page, whose strips or tiles must lie within the file."""
    image = open_with_pillow("TIFF", data)
    tags: Mapping[int, Sequence[int]] = image.tag_v2  # type: ignore[attr-defined]  # a TIFF's
    with pillow_errors("TIFF"):
        for starts, lengths in _PIECES:
            pieces = zip(tags.get(starts, ()), tags.get(lengths, ()), strict=False)
            if any(start + length > len(data) for start, length in pieces):
                raise _truncated("TIFF")
    return image.height, image.width


def _avif(data: bytes) -> tuple[int, int]:
    return _boxed("AVIF", data)


def _heic(data: bytes) -> tuple[int, int]:
    return _boxed(HEIC, data)


def _boxed(kind: str, data: bytes) -> tuple[int, int]:
    """Walk from box to box up to the end or to one that is not of the format."""
    at = 0
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, at + 8)
        if length == 0 or name not in _BOXES:
            break
        at += max(length, 8)
    if at > len(data):
        raise _truncated(kind)
    image = open_with_pillow(kind, data)
    return image.height, image.width


KINDS: dict[str, tuple[re.Pattern[bytes], Callable[[bytes], tuple[int, int]]]] = {
    "JPEG": (re.compile(rb"\xff\xd8\xff"), _jpeg),
    "PNG": (re.compile(rb"\x89PNG\r\n\x1a\n"), _png),
    "WebP": (re.compile(rb"RIFF....WEBP", re.DOTALL), _webp),
    "BMP": (re.compile(rb"BM"), _bmp),
    "GIF": (re.compile(rb"GIF8[79]a"), _gif),
    "TIFF": (re.compile(rb"II[*+]\0|MM\0[*+]"), _tiff),
    "AVIF": (re.compile(rb".{4}ftyp(avi[fs]|m[is]f1.{4}(.{4}){0,16}?avi[fs])", re.DOTALL), _avif),
    HEIC: (re.compile(rb".{4}ftyp(hei[cxms]|hev[cxms]|m[is]f1)", re.DOTALL), _heic),
}
"""How each kind of file starts, and the function that reads its height and width."""


def open_with_pillow(kind: str, data: bytes) -> "ImageFile":
    """Return the first picture in a file of one of `PILLOW_KINDS`, not decoded yet.

    Raises:
        DataError: It is corrupt.
        MissingDependencyError: The package that reads this kind is not installed.
    """
    plugin = _pillow_plugin(kind)
    with pillow_errors(kind), quiet_pillow():
        return plugin(BytesIO(data))


def _pillow_plugin(kind: str) -> "type[ImageFile]":
    """Return Pillow's class for a kind; `Image.open` would leave the choice to the file."""
    try:
        if kind == HEIC:
            from pillow_heif import HeifImageFile

            return HeifImageFile
        from PIL import AvifImagePlugin, GifImagePlugin, TiffImagePlugin
    except ImportError as error:
        package, extra = ("pillow-heif", "heic") if kind == HEIC else ("pillow", "train")
        raise MissingDependencyError.for_extra(package, extra) from error
    if kind == "AVIF" and not AvifImagePlugin.SUPPORTED:
        raise MissingDependencyError(
            "expected a Pillow that reads AVIF, got one that was built without, "
            "run: pip install --force-reinstall pillow"
        )
    plugins: dict[str, type[ImageFile]] = {
        "AVIF": AvifImagePlugin.AvifImageFile,
        "GIF": GifImagePlugin.GifImageFile,
        "TIFF": TiffImagePlugin.TiffImageFile,
    }
    return plugins[kind]


@contextmanager
def pillow_errors(kind: str) -> Iterator[None]:
    """Turn whatever Pillow raises on a corrupt file into a DataError."""
    try:
        yield
    except DataError:
        raise
    except _PILLOW_ERRORS as error:
        raise corrupt(kind) from error


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Ignore Pillow's warnings: broken pixels raise, and the size limits are our own.

    Python has one list of filters for all threads, so one thread at a time changes it.
    """
    with _FILTERS, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield
