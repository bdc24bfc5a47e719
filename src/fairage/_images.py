"""Images from outside: bytes from a file or over HTTP, checked, and decoded to pixels."""

import stat
import time
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairage._image_containers import (
    HEIC,
    PILLOW_KINDS,
    corrupt,
    open_with_pillow,
    pillow_errors,
    quiet_pillow,
    read_container,
)
from fairage.exceptions import DataError, MissingDependencyError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

MAX_BYTES = 64 * 2**20
"""Larger files are refused before they are read."""

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
_PHOTOMETRIC = 262  # the TIFF tag that is 0 where white is zero


def decode_image(data: bytes) -> NDArray[np.uint8]:
    """Return the pixels `(height, width, 3)` in red, green, blue, upright as the EXIF tag says.

    Grey, CMYK, palette and 16-bit images become 8-bit RGB; transparency is ignored. Of several
    pictures in a file, the first one is taken; of a HEIC file, the one that it names.

    Raises:
        DataError: The data is empty, not an image, truncated, corrupt, or its size is absurd.
        MissingDependencyError: A package that reads this kind of file is not installed.

    Examples:
        >>> import cv2
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
    if container.kind in PILLOW_KINDS:
        return _decode_with_pillow(container.kind, data)
    return _decode_with_opencv(container.kind, data)


def _decode_with_opencv(kind: str, data: bytes) -> NDArray[np.uint8]:
    try:
        import cv2
    except ImportError as error:
        raise MissingDependencyError.for_extra("opencv-python-headless", "train") from error
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise corrupt(kind) from error
    if image is None:
        raise corrupt(kind)
    return np.asarray(image, dtype=np.uint8)


def _decode_with_pillow(kind: str, data: bytes) -> NDArray[np.uint8]:
    image = open_with_pillow(kind, data)
    from PIL import ImageOps

    with pillow_errors(kind):
        if kind in ("AVIF", HEIC):
            image.load()  # slow, and without warnings: several threads may do it at once
        with quiet_pillow():
            ImageOps.exif_transpose(image, in_place=True)
            return _eight_bits(image)


def _eight_bits(image: "ImageFile") -> NDArray[np.uint8]:
    if image.mode in ("I", "F"):
        raise DataError("expected 8 or 16 bits a channel, got 32, convert or remove the image")
    if not image.mode.startswith("I;16"):
        return np.array(image.convert("RGB"))
    grey = (np.asarray(image) >> 8).astype(np.uint8)
    if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0:  # Pillow turns these with 8 bits only
        grey = 255 - grey
    return np.repeat(grey[..., None], 3, axis=2)


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
