"""Brows: their arch, their hairs, and how they move."""

import numpy as np
from numpy.typing import NDArray

from fairage.datasets.synthetic.drawing.colours import mixed, scaled
from fairage.datasets.synthetic.drawing.layers import blank, paint, softened
from fairage.datasets.synthetic.drawing.pose import Points
from fairage.datasets.synthetic.drawing.sitter import Sitter
from fairage.datasets.synthetic.drawing.strokes import Image, fill, mirrored, open_curve
from fairage.datasets.synthetic.drawing.textures import cut, grain

__all__ = ["draw_brows"]


def draw_brows(canvas: Image, sitter: Sitter, rng: np.random.Generator) -> None:
    """Draw both brows in the colour of the hair, darker; they turn grey later than the hair."""
    area = _brow(sitter)
    mask = blank()
    for side in (area, mirrored(area)):
        fill(mask, sitter.pose.on_face(side), (_thick(sitter),))
    grey = 0.8 * max(0.0, sitter.colours.grey - 0.25)
    table = sitter.colours.hair_table(grey=grey)
    paint(canvas, cut(grain(), rng), _darker(table, sitter), softened(mask, 1))


def _brow(sitter: Sitter) -> Points:
    """Return the outline of the right brow, from its inner end and back."""
    s, moved = sitter.shape, sitter.expression
    y = s.eye_y + s.brow_y - 0.07 * moved.raised
    inner = s.eye_x - s.eye_width - 0.03 - 0.03 * max(0.0, moved.pinch)
    outer = s.eye_x + s.eye_width + 0.08
    ridge = np.array(
        [
            (inner, y + 0.065 * moved.pinch + 0.02),
            (s.eye_x - 0.05, y - 0.4 * s.brow_arch + 0.01 * moved.pinch),
            (s.eye_x + 0.10, y - s.brow_arch),
            (outer, y + 0.05 + 0.04 * sitter.cues.sag),
        ]
    )
    half = np.array([0.9, 1.0, 0.8, 0.25])[:, None] * max(0.012, s.brow_thick)
    upper, lower = ridge - half * (0, 1), ridge + half * (0, 1)
    return np.vstack([open_curve(upper), open_curve(lower)[::-1]])


def _thick(sitter: Sitter) -> float:
    """Return how opaque the brows are: a baby's hardly show, a woman's thin out."""
    grown = 0.45 + 0.5 * min(1.0, sitter.person.age / 8)
    return 255 * grown * (1 - 0.35 * sitter.cues.lips * sitter.womanly)


def _darker(table: NDArray[np.uint8], sitter: Sitter) -> NDArray[np.uint8]:
    """Return the table of the hair's colours, mixed with shaded skin."""
    shade = np.array(scaled(mixed(sitter.colours.skin, (60, 44, 36), 0.5), 0.7))
    return (0.72 * 0.9 * table + 0.28 * shade).astype(np.uint8)
