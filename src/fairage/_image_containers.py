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
from typing import TYPE_CHECKING, Any

from fairage._jpeg import read_jpeg
from fairage.exceptions import DataError, MissingDependencyError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

HEIC = "HEIC"
PILLOW_KINDS = frozenset({"GIF", "TIFF", "AVIF", HEIC})
"""Kinds of files that Pillow decodes; OpenCV decodes the others, where nothing is transparent."""

_BOXES = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"uuid"})
_WITH_ALPHA = (4, 6)  # PNG colour types
_DEEP = 16
_BMP_HEADER_WITH_ALPHA = 56  # bytes, as from its third version on
_BITS, _COMPRESSION, _JPEG_TABLES = 258, 259, 347  # TIFF tags
_OLD_JPEG, _JPEG = 6, 7  # TIFF compressions
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
        transparent: Whether it says that some of it may be.
        deep: Whether its values have 16 bits.
    """

    kind: str
    height: int
    width: int
    transparent: bool = False
    deep: bool = False


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
                return read(data)
            except (IndexError, struct.error) as error:
                raise _truncated(kind) from error
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


def _jpeg(data: bytes) -> Container:
    layout = read_jpeg(data)
    return Container("JPEG", layout.height, layout.width)


def _png(data: bytes) -> Container:
    """Walk from chunk to chunk up to IEND and check every checksum."""
    width, height, bits, colours = struct.unpack_from(">IIBB", data, 16)
    transparent = colours in _WITH_ALPHA
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
            return Container("PNG", height, width, transparent, deep=bits == _DEEP)
        transparent |= name == b"tRNS"
        at = end + 4


def _webp(data: bytes) -> Container:
    (length,) = struct.unpack_from("<I", data, 4)
    if len(data) < length + 8:
        raise _truncated("WebP")
    kind, transparent = data[12:16], False
    if kind == b"VP8X":
        transparent = bool(data[20] & 0x10)
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        transparent = bool(bits >> 28 & 1)
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    return Container("WebP", height, width, transparent)


def _bmp(data: bytes) -> Container:
    (length,) = struct.unpack_from("<I", data, 2)
    if len(data) < length:
        raise _truncated("BMP")
    header, width, height, _, bits = struct.unpack_from("<IiiHH", data, 14)
    transparent = header >= _BMP_HEADER_WITH_ALPHA and bits == 32 and data[66:70] != bytes(4)
    return Container("BMP", abs(height), abs(width), transparent)


def _gif(data: bytes) -> Container:
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
    return Container("GIF", height, width)


def _palette_bytes(flags: int) -> int:
    return 6 << (flags & 7) if flags & 0x80 else 0


def _tiff(data: bytes) -> Container:
    """Ask Pillow for the first page, whose strips or tiles must lie within the file."""
    image = open_with_pillow("TIFF", data)
    tags: Mapping[int, Sequence[int]] = image.tag_v2  # type: ignore[attr-defined]  # a TIFF's
    with pillow_errors("TIFF"):
        for starts, lengths in _PIECES:
            pieces = zip(tags.get(starts, ()), tags.get(lengths, ()), strict=False)
            if any(start + length > len(data) for start, length in pieces):
                raise _truncated("TIFF")
        deep = max(tags.get(_BITS, (8,))) > 8
    return Container("TIFF", image.height, image.width, deep=deep)


def jpegs_in_tiff(data: bytes) -> list[bytes]:
    """Return the strips or tiles of the first page as JPEG files, where that is what they are.

    Raises:
        DataError: They are of the kind that TIFF gave up in 1995.
    """
    tags: Mapping[int, Any] = open_with_pillow("TIFF", data).tag_v2  # type: ignore[attr-defined]  # a TIFF's
    compression = tags.get(_COMPRESSION)
    if compression == _OLD_JPEG:
        raise DataError("expected a TIFF file of today, got old-style JPEG in it, save it anew")
    if compression != _JPEG:
        return []
    tables = tags.get(_JPEG_TABLES, b"\xff\xd8\xff\xd9")[:-2]
    return [
        tables + data[start + 2 : start + length]
        for starts, lengths in _PIECES
        for start, length in zip(tags.get(starts, ()), tags.get(lengths, ()), strict=False)
    ]


def _avif(data: bytes) -> Container:
    return _boxed("AVIF", data)


def _heic(data: bytes) -> Container:
    return _boxed(HEIC, data)


def _boxed(kind: str, data: bytes) -> Container:
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
    return Container(kind, image.height, image.width)


KINDS: dict[str, tuple[re.Pattern[bytes], Callable[[bytes], Container]]] = {
    "JPEG": (re.compile(rb"\xff\xd8\xff"), _jpeg),
    "PNG": (re.compile(rb"\x89PNG\r\n\x1a\n"), _png),
    "WebP": (re.compile(rb"RIFF....WEBP", re.DOTALL), _webp),
    "BMP": (re.compile(rb"BM"), _bmp),
    "GIF": (re.compile(rb"GIF8[79]a"), _gif),
    "TIFF": (re.compile(rb"II[*+]\0|MM\0[*+]"), _tiff),
    "AVIF": (re.compile(rb".{4}ftyp(avi[fs]|m[is]f1.{4}(.{4}){0,16}?avi[fs])", re.DOTALL), _avif),
    HEIC: (re.compile(rb".{4}ftyp(hei[cxms]|hev[cxms]|m[is]f1)", re.DOTALL), _heic),
}
"""How each kind of file starts, and the function that reads what it says of itself."""


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
        from PIL import (
            AvifImagePlugin,
            BmpImagePlugin,
            GifImagePlugin,
            JpegImagePlugin,
            PngImagePlugin,
            TiffImagePlugin,
            WebPImagePlugin,
        )
    except ImportError as error:
        package, extra = ("pillow-heif", "heic") if kind == HEIC else ("pillow", "predict")
        raise MissingDependencyError.for_extra(package, extra) from error
    optional = {"AVIF": AvifImagePlugin.SUPPORTED, "WebP": WebPImagePlugin.SUPPORTED}
    if not optional.get(kind, True):
        raise MissingDependencyError(
            f"expected a Pillow that reads {kind}, got one that was built without, "
            "run: pip install --force-reinstall pillow"
        )
    plugins: dict[str, type[ImageFile]] = {
        "AVIF": AvifImagePlugin.AvifImageFile,
        "BMP": BmpImagePlugin.BmpImageFile,
        "GIF": GifImagePlugin.GifImageFile,
        "JPEG": JpegImagePlugin.JpegImageFile,
        "PNG": PngImagePlugin.PngImageFile,
        "TIFF": TiffImagePlugin.TiffImageFile,
        "WebP": WebPImagePlugin.WebPImageFile,
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
