"""Decoding: the bytes of one image file in, red-green-blue pixels out, or the reason why not."""

import cv2
import numpy as np
from numpy.typing import NDArray

from fairage.containers import read_container
from fairage.exceptions import DataError

__all__ = ["MAX_PIXELS", "MAX_RATIO", "MIN_SIDE", "decode_image"]

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
