"""Where the hair of the head begins: temples, corners, fringe, and how it recedes."""

import numpy as np

from fairage.datasets.synthetic.drawing.pose import Points
from fairage.datasets.synthetic.drawing.sitter import Sitter
from fairage.datasets.synthetic.drawing.strokes import mirrored

__all__ = ["bald_edges", "hairline"]


def hairline(sitter: Sitter, rng: np.random.Generator) -> Points:
    """Return control points of the hairline, from the right sideburn over the forehead."""
    style = sitter.hairstyle
    half = _fringe(sitter) if style.fringe else _receding(sitter)
    line = np.vstack([half, mirrored(half)[-2::-1]])
    middle = slice(3, len(line) - 3)
    line[middle, 1] += style.sweep * line[middle, 0]
    line[middle] += (0.045 if style.fringe else 0.02) * rng.standard_normal(line[middle].shape)
    return line


def bald_edges(sitter: Sitter) -> list[Points]:
    """Return the wreath of hair that is left to a bald head, right and left."""
    s, volume = sitter.shape, sitter.hairstyle.volume
    side = np.array(
        [
            (0.93 * s.cheek, 0.12),
            (s.cheek + 0.5 * volume, 0.1),
            (s.temple + volume, -0.3),
            (0.96 * s.temple + volume, -0.75),
            (0.80 * s.temple, -0.86),
            (0.86 * s.temple, -0.55),
            (0.90 * s.temple, -0.2),
        ]
    )
    return [side, mirrored(side)]


def _receding(sitter: Sitter) -> Points:
    """Return the right half; its corners recede before its middle."""
    s, gone = sitter.shape, sitter.hairstyle.recede
    top = s.top
    square = 0.06 * sitter.manly
    return np.array(
        [
            (0.99 * s.cheek, 0.14),
            (0.90 * s.temple, -0.18),
            (0.84 * s.temple, -0.46 * top),
            (0.60 - 0.16 * gone + square, -(0.66 + 0.30 * gone) * top),
            (0.28 - 0.05 * gone, -(0.70 + 0.18 * gone) * top),
            (0.0, -(0.70 + 0.16 * gone) * top),
        ]
    )


def _fringe(sitter: Sitter) -> Points:
    """Return the right half of a fringe that covers the forehead."""
    s = sitter.shape
    low = s.eye_y + s.brow_y - 0.12
    return np.array(
        [
            (0.99 * s.cheek, 0.14),
            (0.92 * s.temple, -0.12),
            (0.84 * s.temple, low + 0.05),
            (0.55, low),
            (0.25, low - 0.02),
            (0.0, low - 0.03),
        ]
    )
