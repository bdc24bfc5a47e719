"""Light and shade of a face's form: sockets, nose, cheeks, and what sags with age."""

from collections.abc import Sequence

import numpy as np

from fairage.datasets.synthetic.drawing.layers import blank, softened
from fairage.datasets.synthetic.drawing.sitter import Sitter
from fairage.datasets.synthetic.drawing.strokes import (
    Image,
    both_sides,
    disc,
    open_curve,
    stroke,
)

__all__ = ["SIDE", "fold", "lights", "rounding", "shades"]

SIDE = 112
"""Side of the layers; they are soft, so that half the canvas's resolution is enough."""

_Line = Sequence[tuple[float, float]]


def rounding(head: Image) -> Image:
    """Return how the head darkens towards its outline: a soft mask of side `SIDE`."""
    import cv2

    small = cv2.resize(head, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(softened(small, 4), (SIDE, SIDE)), dtype=np.uint8)


def shades(sitter: Sitter) -> Image:
    """Return what is darker than plain skin, by how much; side `SIDE`."""
    layer = blank(SIDE)
    s, cues = sitter.shape, sitter.cues
    _patches(layer, sitter, (0.95 * s.eye_x, s.eye_y - 0.07), (0.25, 0.15), 16 + 22 * cues.sag)
    _lines(layer, sitter, [(0.88, 0.3), (0.72, 0.55), (0.62, 0.8)], 0.2, 30 * (1 - cues.fullness))
    _lines(layer, sitter, [(0.86, -0.5), (0.88, -0.25)], 0.2, 26 * cues.sag)
    _nose(layer, sitter)
    _below_lips(layer, sitter)
    _sagging(layer, sitter)
    return softened(layer, 3)


def lights(sitter: Sitter) -> Image:
    """Return what is lighter than plain skin, by how much; side `SIDE`."""
    layer = blank(SIDE)
    s, cues = sitter.shape, sitter.cues
    raised = sitter.expression.cheeks
    _patches(layer, sitter, (0.55, 0.40 - 0.05 * raised), (0.2, 0.16), 12 + 8 * raised)
    _patches(layer, sitter, (s.eye_x, s.eye_y + 0.17), (0.15, 0.05), 16 * cues.bags)
    _patches(layer, sitter, (0.2, -0.62), (0.3, 0.22), 11)
    _patches(layer, sitter, (0.06, s.chin - 0.15), (0.1, 0.08), 12)
    bridge = [(0.0, s.eye_y), (0.0, s.nose_y - 0.08)]
    _lines(layer, sitter, bridge, 0.09, 26, lift=0.12, both=False)
    return softened(layer, 2)


def fold(sitter: Sitter) -> _Line:
    """Return the fold from the right wing of the nose past the corner of the mouth."""
    s, lift = sitter.shape, 0.05 * sitter.expression.cheeks
    return [
        (1.05 * s.nose_width, s.nose_y - 0.06),
        (1.45 * s.nose_width + 0.5 * lift, s.nose_y + 0.10),
        (s.mouth_width + 0.09 + lift, s.mouth_y - 0.08),
        (s.mouth_width + 0.11 + lift, s.mouth_y + 0.06),
    ]


def _nose(layer: Image, sitter: Sitter) -> None:
    s = sitter.shape
    side = [(0.11, s.eye_y - 0.06), (0.10, 0.5 * s.nose_y), (0.7 * s.nose_width, s.nose_y - 0.1)]
    _lines(layer, sitter, side, 0.06, 30)
    under = [(-0.85 * s.nose_width, s.nose_y + 0.06), (0.85 * s.nose_width, s.nose_y + 0.06)]
    _lines(layer, sitter, under, 0.07, 46, both=False)


def _below_lips(layer: Image, sitter: Sitter) -> None:
    s, gape = sitter.shape, sitter.expression.gape
    y = s.mouth_y + s.lip_lower + 0.10 + 0.14 * gape
    _lines(layer, sitter, [(-0.16, y), (0.0, y + 0.02), (0.16, y)], 0.07, 34, both=False)


def _sagging(layer: Image, sitter: Sitter) -> None:
    """Draw what deepens with age: folds, bags, jowls, hollows beside the mouth."""
    s, cues = sitter.shape, sitter.cues
    _lines(layer, sitter, fold(sitter), 0.07, 48 * cues.folds + 20 * sitter.expression.cheeks)
    y = s.eye_y + 0.20 + 0.03 * cues.sag
    bag = [(s.eye_x - 0.19, y - 0.06), (s.eye_x - 0.02, y + 0.03), (s.eye_x + 0.17, y - 0.04)]
    _lines(layer, sitter, bag, 0.05, 44 * cues.bags)
    corner = [(s.mouth_width + 0.02, s.mouth_y + 0.06), (s.mouth_width + 0.06, 0.93 * s.chin)]
    _lines(layer, sitter, corner, 0.07, 40 * cues.sag)
    jaw = [(s.jaw + 0.06, 0.45 * s.chin), (s.jaw - 0.1, 0.72 * s.chin), (0.42, 0.92 * s.chin)]
    _lines(layer, sitter, jaw, 0.09, 46 * cues.sag)


def _lines(
    layer: Image, sitter: Sitter, line: _Line, width: float, value: float,
    *, lift: float = 0.0, both: bool = True,
) -> None:  # fmt: skip
    if value < 1:
        return
    points = open_curve(np.array(line))
    placed = sitter.pose.on_face(both_sides(points) if both else points[None], lift)
    stroke(layer, placed, (value,), sitter.pose.length(width))


def _patches(
    layer: Image, sitter: Sitter, centre: tuple[float, float], axes: tuple[float, float],
    value: float,
) -> None:  # fmt: skip
    size = (sitter.pose.length(axes[0]), sitter.pose.length(axes[1]))
    if value < 1:
        return
    for place in sitter.pose.on_face(both_sides(np.array([centre]))):
        disc(layer, place, size, (value,))
