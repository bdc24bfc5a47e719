"""Images from outside: bytes from a file or over HTTP, checked, and decoded to pixels."""

import stat
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairage._image_containers import (
    PILLOW_KINDS,
    Container,
    corrupt,
    jpegs_in_tiff,
    open_with_pillow,
    pillow_errors,
    quiet_pillow,
    read_container,
)
from fairage._jpeg import check_blocks, may_lack_blocks
from fairage.exceptions import DataError, MissingDependencyError

if TYPE_CHECKING:
    from PIL.Image import Image

DECODING_VERSION = 2
"""Raised whenever other pixels may come out, so that embeddings of older ones are made anew."""

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
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "fairage"})
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
_LEAST_OF_16_BITS = 64
"""The largest of the upper 8 of 16 bits must reach it: cameras' raw values have 14 bits at most."""
_PHOTOMETRIC = 262  # the TIFF tag that is 0 where white is zero


class _Room:
    """How many pixels may be decoded at once, whoever decodes them."""

    def __init__(self, pixels: int) -> None:
        self._free = pixels
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        """Wait until so many are free and keep them while the block runs."""
        with self._changed:
            self._changed.wait_for(lambda: self._free >= pixels)
            self._free -= pixels
        try:
            yield
        finally:
            with self._changed:
                self._free += pixels
                self._changed.notify_all()


_ROOM = _Room(MAX_PIXELS)


@contextmanager
def decoded(data: bytes) -> Iterator[NDArray[np.uint8]]:
    """Yield what `decode_image` returns.

    The pictures of all threads have `MAX_PIXELS` at most together: where there are more, this waits
    for those of other threads to be let go. Leave the block before decoding another one.
    """
    if not data:
        raise DataError("expected an image, got an empty file, copy it again")
    container = read_container(data)
    check_size(container.height, container.width)
    with _ROOM.taken(container.height * container.width):
        yield _decode(container, data)


def decode_image(data: bytes) -> NDArray[np.uint8]:
    """Return the pixels `(height, width, 3)` in red, green, blue, upright as the EXIF tag says.

    Grey, CMYK and palette images become RGB; what is transparent becomes white. Of 16 bits a
    channel, the upper 8 are taken. Of several pictures in a file, the first one is taken; of a HEIC
    file, the one that it names.

    Raises:
        DataError: The data is empty, not an image, truncated, corrupt, or its size is absurd; all
            of it is transparent; or its 16 bits a channel hold 14 or fewer, as of a camera's values
            that were never scaled.
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
    with decoded(data) as pixels:
        return pixels


def _decode(container: Container, data: bytes) -> NDArray[np.uint8]:
    if container.kind in PILLOW_KINDS or container.transparent:
        if container.kind == "PNG":
            _decode_with_opencv(container.kind, data)  # it refuses too few rows, Pillow does not
        return _decode_with_pillow(container, data)
    pixels = _decode_with_opencv(container.kind, data)
    if container.kind == "JPEG" and may_lack_blocks(data, pixels):
        check_blocks(data, _decode_jpeg)
    if container.deep:
        _check_bits(pixels)
    return pixels


def _decode_jpeg(data: bytes) -> NDArray[np.uint8]:
    """Return the pixels as Pillow decodes them: OpenCV shows libjpeg's warnings to the user."""
    image = open_with_pillow("JPEG", data)
    with pillow_errors("JPEG"):
        return np.asarray(image)


def _decode_with_opencv(kind: str, data: bytes) -> NDArray[np.uint8]:
    try:
        import cv2
    except ImportError as error:
        raise MissingDependencyError.for_extra("opencv-python-headless", "predict") from error
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise corrupt(kind) from error
    if image is None:
        raise corrupt(kind)
    return np.asarray(image, dtype=np.uint8)


def _decode_with_pillow(container: Container, data: bytes) -> NDArray[np.uint8]:
    kind = container.kind
    if kind == "TIFF":
        with pillow_errors(kind):
            for strip in jpegs_in_tiff(data):
                check_blocks(strip, _decode_jpeg)
    image = open_with_pillow(kind, data)
    from PIL import ImageOps

    with pillow_errors(kind):
        if kind not in ("GIF", "TIFF"):
            image.load()  # slow, and without warnings: several threads may do it at once
        with quiet_pillow():
            ImageOps.exif_transpose(image, in_place=True)
            return _eight_bits(image, deep=container.deep)


def pixels_of_pillow(image: "Image") -> NDArray[np.uint8]:
    """Return the pixels of an image of Pillow that is open, as those of its file would be.

    Raises:
        DataError: See `decode_image`.
    """
    from PIL import ImageOps

    check_size(image.height, image.width)
    with pillow_errors(image.format or "Pillow"), quiet_pillow():
        upright = ImageOps.exif_transpose(image)
        return _eight_bits(upright, deep=False)


def _eight_bits(image: "Image", *, deep: bool) -> NDArray[np.uint8]:
    if image.mode in ("I", "F"):
        raise DataError("expected 8 or 16 bits a channel, got 32, convert or remove the image")
    if not image.mode.startswith("I;16"):
        return _on_white(image, deep=deep)
    grey = (np.asarray(image) >> 8).astype(np.uint8)
    _check_bits(grey)
    if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0:  # Pillow turns these with 8 bits only
        grey = 255 - grey
    return np.repeat(grey[..., None], 3, axis=2)


def _on_white(image: "Image", *, deep: bool) -> NDArray[np.uint8]:
    """Return the colours, white where the picture is transparent, mixed where it half is."""
    if not image.has_transparency_data:
        pixels = np.array(image.convert("RGB"))
        if deep:
            _check_bits(pixels)
        return pixels
    from PIL import Image as Pillow

    picture = image.convert("RGBA")
    values = np.asarray(picture)
    if not values[..., 3].any():
        raise DataError("expected a picture, got one that is wholly transparent, remove it")
    if deep:
        _check_bits(values[..., :3])
    white = Pillow.new("RGBA", picture.size, "white")
    return np.array(Pillow.alpha_composite(white, picture).convert("RGB"))


def _check_bits(upper: NDArray[np.uint8]) -> None:
    """Refuse what is black to the eye as its values were never scaled to the 16 bits they have.

    Args:
        upper: The upper 8 of the 16 bits.
    """
    if upper.max() < _LEAST_OF_16_BITS:
        raise DataError(
            f"expected values up to 65535 in an image of 16 bits a channel, got none above "
            f"{int(upper.max()) * 256 + 255} (12-bit data that was not scaled?), save it with "
            "8 bits or scaled to 16"
        )


def check_size(height: int, width: int) -> None:
    """Raise a DataError unless a picture of these sides can be one of a face."""
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
