"""The canvas: strokes and shapes, layers of colour and shade, textures."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fairage._random import numpy_rng
from fairage.synthetic.drawing.geometry import CANVAS, Points

Image = NDArray[np.uint8]
"""Shape `(side, side)` or `(side, side, 3)`, RGB."""

Colour = tuple[float, ...]
"""Three numbers 0..255, red, green, blue; one for an image of one channel."""

_SHIFT = 4
_SIDES = np.array([[(1.0, 1.0)], [(-1.0, 1.0)]])
_SAMPLES = 5


def closed(controls: Points) -> Points:
    """Return a smooth closed curve through the control points."""
    return _basis(len(controls), ring=True) @ controls


def open_curve(controls: Points) -> Points:
    """Return a smooth curve through the control points, from the first to the last."""
    return _basis(len(controls), ring=False) @ controls


def mirrored(points: Points) -> Points:
    """Return the points on the other side of the face."""
    return points * (-1.0, 1.0)


def both_sides(points: Points) -> Points:
    """Return the points and those on the other side of the face, `(2, k, 2)`."""
    both: Points = points * _SIDES
    return both


def fill(image: Image, outline: Points, colour: Colour) -> None:
    """Fill the shape with this outline, in pixels of the full canvas."""
    import cv2

    cv2.fillPoly(image, [_fixed(image, outline)], colour, cv2.LINE_AA, _SHIFT)


def stroke(image: Image, lines: Points | Sequence[Points], colour: Colour, width: float) -> None:
    """Draw lines `(lines, k, 2)` of a width in pixels of the full canvas, at least one pixel."""
    import cv2

    thickness = max(1, round(width * image.shape[0] / CANVAS))
    fixed = list(_fixed(image, np.asarray(lines)))
    cv2.polylines(image, fixed, False, colour, thickness, cv2.LINE_AA, _SHIFT)


def disc(image: Image, centre: Points, axes: tuple[float, float], colour: Colour) -> None:
    """Fill an upright ellipse: centre `(1, 2)` and half-axes in pixels of the full canvas."""
    import cv2

    factor = image.shape[0] / CANVAS * (1 << _SHIFT)
    x, y = (int(v) for v in centre[0] * factor)
    size = (int(axes[0] * factor), int(axes[1] * factor))
    cv2.ellipse(image, (x, y), size, 0, 0, 360, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _fixed(image: Image, points: Points) -> NDArray[np.int32]:
    """Return the points in the fixed-point numbers that OpenCV draws with."""
    fixed: NDArray[np.int32] = np.rint(points * (image.shape[0] / CANVAS * (1 << _SHIFT))).astype(
        np.int32
    )
    return fixed


@lru_cache(maxsize=64)
def _basis(count: int, *, ring: bool) -> NDArray[np.float64]:
    """Return the matrix that turns control points into points of a Catmull-Rom curve."""
    t = np.arange(_SAMPLES)[:, None] / _SAMPLES
    weights = np.hstack(
        [
            -0.5 * t + t**2 - 0.5 * t**3,
            1 - 2.5 * t**2 + 1.5 * t**3,
            0.5 * t + 2 * t**2 - 1.5 * t**3,
            -0.5 * t**2 + 0.5 * t**3,
        ]
    )
    spans = count if ring else count - 1
    basis = np.zeros((spans * _SAMPLES + (not ring), count))
    for span in range(spans):
        rows = slice(span * _SAMPLES, (span + 1) * _SAMPLES)
        for place, column in enumerate(range(span - 1, span + 3)):
            column = column % count if ring else min(max(column, 0), count - 1)
            basis[rows, column] += weights[:, place]
    if not ring:
        basis[-1, -1] = 1
    return basis


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


_SIDE = 512


@lru_cache(maxsize=1)
def strands() -> Image:
    """Return upright strands of hair; every value 0..255 is as frequent."""
    return _ranked([((1.3, 14.0), 1.0), ((3.0, 40.0), 0.5)], "strands")


@lru_cache(maxsize=1)
def curls() -> Image:
    """Return tight curls; every value 0..255 is as frequent."""
    return _ranked([((1.6, 1.6), 1.0), ((4.0, 4.0), 0.8)], "curls")


@lru_cache(maxsize=1)
def grain() -> Image:
    """Return fine grain, for stubble and brows; every value 0..255 is as frequent."""
    return _ranked([((0.8, 1.6), 1.0)], "grain")


@lru_cache(maxsize=1)
def skin() -> Image:
    """Return blotches and pores; every value 0..255 is as frequent."""
    return _ranked([((1.2, 1.2), 0.7), ((4.0, 3.0), 0.8), ((10.0, 10.0), 1.0)], "skin")


@lru_cache(maxsize=1)
def noise() -> NDArray[np.float32]:
    """Return a camera's noise, standard normal, shape `(side, side, 3)`."""
    return numpy_rng(0, "texture", "noise").standard_normal((_SIDE, _SIDE, 3), np.float32)


def cut(texture: Image, rng: np.random.Generator, side: int = CANVAS) -> Image:
    """Return a random square of a texture."""
    top, left = rng.integers(0, _SIDE - side, 2)
    return texture[top : top + side, left : left + side]


def _ranked(layers: list[tuple[tuple[float, float], float]], name: str) -> Image:
    """Return noise smoothed by each layer's width and height, mixed, spread evenly on 0..255."""
    import cv2

    rng = numpy_rng(0, "texture", name)
    mixed = np.zeros((_SIDE, _SIDE))
    for (across, down), share in layers:
        white = rng.standard_normal((_SIDE, _SIDE))
        smooth = cv2.GaussianBlur(white, (0, 0), sigmaX=across, sigmaY=down)
        mixed += share * smooth / smooth.std()
    ranks = mixed.ravel().argsort().argsort()
    return (ranks * 256 // ranks.size).astype(np.uint8).reshape(_SIDE, _SIDE)
