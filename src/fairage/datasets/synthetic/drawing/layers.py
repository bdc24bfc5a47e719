"""Laying pictures over one another: through a mask, through a soft mask, as light and shade."""

import numpy as np
from numpy.typing import NDArray

from fairage.datasets.synthetic.drawing.pose import CANVAS
from fairage.datasets.synthetic.drawing.strokes import Image

__all__ = ["blank", "lay", "multiply", "paint", "softened"]

UNCHANGED = 128
"""Value of a layer of light and shade that leaves what lies under it as it is."""

_REDDER = (0.9, 1.02, 1.08)


def blank(side: int = CANVAS) -> Image:
    """Return an empty mask `(side, side)`.

    Examples:
        >>> blank(8).sum()
        np.uint64(0)
    """
    return np.zeros((side, side), dtype=np.uint8)


def softened(mask: Image, radius: int) -> Image:
    """Return the mask with soft edges, some `radius` pixels wide on either side.

    Examples:
        >>> mask = blank(9)
        >>> mask[:, 5:] = 200
        >>> softened(mask, 1)[4].tolist()
        [0, 0, 0, 22, 67, 133, 178, 200, 200]
    """
    import cv2

    side = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.blur(cv2.blur(mask, side), side), dtype=np.uint8)


def lay(canvas: Image, picture: Image, mask: Image) -> None:
    """Put the picture on the canvas wherever the mask is not 0."""
    import cv2

    cv2.copyTo(picture, mask, canvas)


def paint(canvas: Image, texture: Image, table: NDArray[np.uint8], opacity: Image) -> None:
    """Paint with a texture, in the colours `(256, 1, 3)` of its values.

    Args:
        canvas: What is painted on.
        texture: Shape of the canvas.
        table: Colour of each value of the texture.
        opacity: How thick the paint is: 0 nothing, 255 hides what lies under it.
    """
    import cv2

    x, y, width, height = cv2.boundingRect(opacity)
    if not width:
        return
    box = (slice(y, y + height), slice(x, x + width))
    channels = [cv2.LUT(texture[box], np.ascontiguousarray(table[..., k])) for k in range(3)]
    thick = opacity[box].astype(np.float32)
    thick *= np.float32(1 / 255)
    canvas[box] = cv2.blendLinear(canvas[box], cv2.merge(channels), 1 - thick, thick)


def multiply(canvas: Image, gain: Image, mask: Image) -> None:
    """Light and shade the canvas inside the mask; shade is a bit redder than light.

    Args:
        canvas: What is changed.
        gain: `UNCHANGED` keeps a pixel; half of it halves its brightness.
        mask: Where.
    """
    import cv2

    channels = [cv2.convertScaleAbs(gain, alpha=a, beta=UNCHANGED * (1 - a)) for a in _REDDER]
    lit = cv2.multiply(canvas, cv2.merge(channels), scale=1 / UNCHANGED)
    cv2.copyTo(lit, mask, canvas)
