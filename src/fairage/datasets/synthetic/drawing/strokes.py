"""Curves, filled shapes and lines, drawn with smooth edges on canvases of any resolution."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fairage.datasets.synthetic.drawing.pose import CANVAS, Points

__all__ = [
    "Colour",
    "Image",
    "both_sides",
    "closed",
    "disc",
    "fill",
    "mirrored",
    "open_curve",
    "stroke",
]

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
    found: Points = points * _SIDES
    return found


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
