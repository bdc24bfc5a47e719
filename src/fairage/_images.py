"""Images from outside: bytes from a file or over HTTP, checked, and decoded to pixels."""

import re
import stat
import struct
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairage.exceptions import DataError

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


KINDS: dict[str, tuple[re.Pattern[bytes], Callable[[bytes], tuple[int, int]]]] = {
    "JPEG": (re.compile(rb"\xff\xd8\xff"), _jpeg),
    "PNG": (re.compile(rb"\x89PNG\r\n\x1a\n"), _png),
    "WebP": (re.compile(rb"RIFF....WEBP", re.DOTALL), _webp),
    "BMP": (re.compile(rb"BM"), _bmp),
}
"""How each kind of file starts, and the function that reads its height and width."""


TIMEOUT = 20.0
"""Seconds for the whole of one download."""
_CHUNK = 2**16


def read_image_bytes(image: str) -> bytes:
    """Return what a path or an http(s) URL holds.

    Raises:
        DataError: There is no such file or page, it is too large, too slow or not a file.

    Examples:
        >>> read_image_bytes("no/such.jpg")
        Traceback (most recent call last):
        fairage.exceptions.DataError: expected an image file, got none at 'no/such.jpg', ...
    """
    scheme, separator, _ = image.partition("://")
    if not separator:
        return _from_file(Path(image))
    if scheme.lower() not in ("http", "https"):
        raise DataError(f"expected a path or an http(s) URL, got {image!r}, copy the image here")
    return _from_url(image)


def _from_file(path: Path) -> bytes:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise DataError(f"expected an image file, got a folder or device {str(path)!r}")
        _check_bytes(about.st_size)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(
            f"expected an image file, got none at {str(path)!r}, check the path"
        ) from error
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"expected a readable file, got {error} for {str(path)!r}, check its permissions"
        ) from error


def _from_url(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "fairage"})
    try:
        with _http_only().open(request, timeout=TIMEOUT) as response:
            return _read_limited(response)
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"expected an image at {url!r}, got {error}, check the address") from error


def _http_only() -> urllib.request.OpenerDirector:
    """Return an opener that no redirect can send to a file or FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _read_limited(response: HTTPResponse) -> bytes:
    deadline = time.monotonic() + TIMEOUT
    parts: list[bytes] = []
    size = 0
    while part := response.read1(_CHUNK):
        parts.append(part)
        size += len(part)
        _check_bytes(size)
        if time.monotonic() > deadline:
            raise DataError(f"expected an image within {TIMEOUT:g} s, got none, copy it here")
    expected = response.headers.get("Content-Length")
    if expected is not None and size < int(expected):
        raise DataError(f"expected {expected} bytes, got {size}, download it again")
    return b"".join(parts)


def _check_bytes(size: int) -> None:
    if size > MAX_BYTES:
        raise DataError(
            f"expected at most {MAX_BYTES // 2**20} MiB, got {size / 2**20:.0f} MiB, "
            "scale the image down"
        )


MAX_PIXELS = 100_000_000
"""An image that claims more pixels is refused before room is made for them."""
MIN_SIDE = 8
"""Pixels that height and width must have at least."""
MAX_RATIO = 20
"""The longer side may be at most so many times the shorter one."""


def decode_image(data: bytes) -> NDArray[np.uint8]:
    """Return the pixels `(height, width, 3)` in red, green, blue, upright as the EXIF tag says.

    Grey, CMYK, palette and 16-bit images become 8-bit RGB; transparency is ignored.

    Raises:
        DataError: The data is empty, not an image, truncated, corrupt, or its size is absurd.

    Examples:
        >>> _, data = cv2.imencode(".png", np.full((9, 12, 3), 7, dtype=np.uint8))
        >>> decode_image(data.tobytes()).shape
        (9, 12, 3)
        >>> decode_image(data.tobytes()[:-20])
        Traceback (most recent call last):
        fairage.exceptions.DataError: expected a whole PNG file, got one cut short, copy it again
    """
    if not data:
        raise DataError("expected an image, got an empty file, copy it again")
    container = read_container(data)
    _check_size(container.height, container.width)
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise _corrupt(container.kind) from error
    if image is None:
        raise _corrupt(container.kind)
    return np.asarray(image, dtype=np.uint8)


def _check_size(height: int, width: int) -> None:
    short, long = sorted((height, width))
    if short * long > MAX_PIXELS:
        raise DataError(
            f"expected at most {MAX_PIXELS:,} pixels, got {width}x{height}, scale the image down"
        )
    if short < MIN_SIDE or long > MAX_RATIO * short:
        raise DataError(
            f"expected a face picture of at least {MIN_SIDE}x{MIN_SIDE} pixels and sides within "
            f"1:{MAX_RATIO}, got {width}x{height}, remove it"
        )


def _corrupt(kind: str) -> DataError:
    return DataError(f"expected a sound {kind} file, got one that cannot be decoded, copy it again")
