"""Neck, ears and the shape of the head, in plain skin colour."""

import numpy as np

from fairage.datasets.synthetic.drawing.colours import scaled
from fairage.datasets.synthetic.drawing.layers import blank
from fairage.datasets.synthetic.drawing.pose import Points
from fairage.datasets.synthetic.drawing.shape import outline
from fairage.datasets.synthetic.drawing.sitter import Sitter
from fairage.datasets.synthetic.drawing.strokes import (
    Image,
    both_sides,
    closed,
    fill,
    mirrored,
    open_curve,
)
from fairage.datasets.synthetic.drawing.strokes import stroke as draw_stroke

__all__ = ["draw_ears", "draw_head", "draw_neck"]

_NECK_DEPTH, _EAR_DEPTH = -0.2, -0.12


def draw_neck(canvas: Image, sitter: Sitter) -> None:
    """Draw the neck, in the shadow of the chin, with an old person's bands."""
    shape, pose = sitter.shape, sitter.pose
    base, wide = shape.chin + 0.42, shape.neck * (0.72 + 0.18 * sitter.cues.growth)
    half = np.array(
        [(wide, 0.5 * shape.chin), (0.97 * wide, shape.chin),
         (1.12 * wide, base), (0.3, base + 0.22)]
    )  # fmt: skip
    shade = 0.74 + 0.05 * (1 - sitter.colours.dark)
    area = np.vstack([half, mirrored(half)[::-1]])
    fill(canvas, closed(pose.at_depth(area, _NECK_DEPTH)), scaled(sitter.colours.skin, shade))
    bands = sitter.cues.sag
    if bands > 0.1:
        line = np.array([(0.16, shape.chin), (0.2, shape.chin + 0.2), (0.12, base)])
        lines = pose.at_depth(both_sides(open_curve(line)), _NECK_DEPTH)
        dark = scaled(sitter.colours.skin, shade - 0.2 * bands)
        draw_stroke(canvas, lines, dark, pose.length(0.035))


def draw_ears(canvas: Image, sitter: Sitter) -> None:
    """Draw both ears; the head hides most of them."""
    shape, pose, skin = sitter.shape, sitter.pose, sitter.colours.skin
    ear = _ear(shape.ear, 0.95 * shape.cheek)
    inner = ear * (1, 0.66) + (-0.02, 0.05)
    for side in both_sides(ear):
        fill(canvas, closed(pose.at_depth(side, _EAR_DEPTH)), scaled(skin, 0.88))
    lines = pose.at_depth(both_sides(open_curve(inner[:4] * (0.985, 1))), _EAR_DEPTH)
    draw_stroke(canvas, lines, scaled(skin, 0.66), pose.length(0.03))


def draw_head(canvas: Image, sitter: Sitter) -> Image:
    """Draw the head and return its mask."""
    found = closed(sitter.pose.on_outline(outline(sitter.shape)))
    fill(canvas, found, sitter.colours.skin)
    mask = blank()
    fill(mask, found, (255,))
    return mask


def _ear(half: float, x: float) -> Points:
    """Return control points of the right ear: half its height, and where it is attached."""
    middle = 0.12
    return np.array(
        [
            (x, middle - 0.8 * half),
            (x + 0.14, middle - half),
            (x + 0.21, middle - 0.45 * half),
            (x + 0.15, middle + 0.35 * half),
            (x + 0.07, middle + half),
            (x - 0.02, middle + 0.8 * half),
        ]
    )
