"""Stubble, beard and moustache; a beard turns grey with the hair."""

import numpy as np

from fairage.datasets.synthetic.drawing.layers import blank, paint, softened
from fairage.datasets.synthetic.drawing.pose import Points
from fairage.datasets.synthetic.drawing.shape import outline
from fairage.datasets.synthetic.drawing.sitter import Sitter
from fairage.datasets.synthetic.drawing.strokes import Image, fill, mirrored, open_curve
from fairage.datasets.synthetic.drawing.textures import cut, grain

__all__ = ["draw_beard"]

_LOWER_OUTLINE = (4, 5, 6, 7, 8, 9, 10, 11, 12)


def draw_beard(canvas: Image, sitter: Sitter, rng: np.random.Generator) -> None:
    """Draw what grows on chin, cheeks and upper lip."""
    style = sitter.hairstyle
    if max(style.beard, style.moustache) < 0.02:
        return
    mask = blank()
    fill(mask, _area(sitter), (255 * style.beard,))
    fill(mask, _lip(sitter), (255 * style.moustache,))
    texture = cut(grain(), rng)
    thin = np.uint8(255 * 0.5 * (1 - max(style.beard, style.moustache)))
    opacity = softened(np.where(texture > thin, mask, mask // 3), 1)
    paint(canvas, texture, (0.85 * sitter.hair_table).astype(np.uint8), opacity)


def _area(sitter: Sitter) -> Points:
    """Return the pixels of the beard's outline: along the jaw and back below the cheeks."""
    s = sitter.shape
    full = sitter.hairstyle.beard > 0.5
    outer = outline(s, grow=0.05 if full else -0.02)[list(_LOWER_OUTLINE)]
    half = [
        (0.86 * s.cheek, 0.24),
        (0.74, 0.55),
        (s.mouth_width + 0.18, s.mouth_y - 0.12),
        (s.mouth_width + 0.04, s.mouth_y - 0.10),
        (0.0, s.mouth_y - 0.02),
    ]
    inner = np.vstack([mirrored(np.array(half)), np.array(half)[-2::-1]])
    placed = sitter.pose.on_outline(open_curve(outer)), sitter.pose.on_face(open_curve(inner))
    return np.vstack(placed)


def _lip(sitter: Sitter) -> Points:
    """Return the pixels of the moustache's outline."""
    s = sitter.shape
    x, top = s.mouth_width + 0.05, s.mouth_y - s.lip_upper
    half = np.array([(0.0, s.nose_y + 0.12), (0.6 * x, s.nose_y + 0.16), (x, s.mouth_y + 0.03)])
    lower = np.array([(0.7 * x, top + 0.02), (0.0, top + 0.02)])
    right = np.vstack([half, lower])
    return sitter.pose.on_face(np.vstack([right, mirrored(right)[::-1]]))
