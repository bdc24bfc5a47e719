"""Hair of the head: what hangs behind the neck, what grows on the skull, what frames the face."""

import numpy as np

from fairage.datasets.synthetic.drawing.hairline import bald_edges, hairline
from fairage.datasets.synthetic.drawing.layers import blank, multiply, paint, softened
from fairage.datasets.synthetic.drawing.pose import Points
from fairage.datasets.synthetic.drawing.shape import outline
from fairage.datasets.synthetic.drawing.sitter import Sitter
from fairage.datasets.synthetic.drawing.strokes import (
    Image,
    closed,
    disc,
    fill,
    mirrored,
    open_curve,
)
from fairage.datasets.synthetic.drawing.textures import curls, cut, strands

__all__ = ["draw_back_hair", "draw_hair"]

_BEHIND = -0.25
_CAP = (12, 13, 14, 15, 0, 1, 2, 3, 4)
_BALD = 0.82


def draw_back_hair(canvas: Image, sitter: Sitter, rng: np.random.Generator) -> None:
    """Draw hair that hangs down behind the head."""
    style, temple = sitter.hairstyle, sitter.shape.temple
    if style.drop <= 0:
        return
    wide = temple + 0.8 * style.volume
    half = np.array(
        [(0.6, -1.2), (wide, -0.5), (wide + 0.08, 0.4), (wide + 0.06, 0.75 * style.drop),
         (0.8 * wide, style.drop), (0.4, style.drop + 0.05)]
    )  # fmt: skip
    area = np.vstack([half, mirrored(half)[::-1]])
    mask = blank()
    fill(mask, closed(sitter.pose.at_depth(area, _BEHIND)), (255,))
    paint(canvas, _texture(sitter, rng), (0.62 * sitter.hair_table).astype(np.uint8), mask)


def draw_hair(canvas: Image, sitter: Sitter, rng: np.random.Generator) -> None:
    """Draw the hair on the head and, where it is long, beside the face."""
    texture, mask = _texture(sitter, rng), blank()
    if sitter.hairstyle.recede < _BALD:
        cap = outline(sitter.shape, grow=sitter.hairstyle.volume)[list(_CAP)]
        above = sitter.pose.on_outline(open_curve(cap))
        below = sitter.pose.on_face(open_curve(hairline(sitter, rng)))
        fill(mask, np.vstack([above, below]), (255,))
    else:
        for side in bald_edges(sitter):
            fill(mask, closed(sitter.pose.on_outline(side)), (255,))
    for lock in _locks(sitter):
        fill(mask, closed(sitter.pose.at_depth(lock, 0.1)), (255,))
    paint(canvas, texture, sitter.hair_table, _opacity(sitter, mask, texture))
    _shine(canvas, sitter, mask)


def _texture(sitter: Sitter, rng: np.random.Generator) -> Image:
    return cut(curls() if sitter.hairstyle.curly else strands(), rng)


def _opacity(sitter: Sitter, mask: Image, texture: Image) -> Image:
    """Return how thick the hair is at each pixel; thin hair lets the scalp through."""
    import cv2

    density = sitter.hairstyle.density
    soft = softened(mask, 2 if sitter.hairstyle.curly else 1)
    if density > 0.97:
        return soft
    threshold = 255 * (1 - density)
    _, strong = cv2.threshold(texture, threshold, 255, cv2.THRESH_BINARY)
    strong = cv2.addWeighted(strong, 0.55, strong, 0.0, 255 * 0.45 * density)
    return np.asarray(cv2.multiply(soft, strong, scale=1 / 255), dtype=np.uint8)


def _locks(sitter: Sitter) -> list[Points]:
    """Return the hair that falls beside the face, in front of the ears."""
    style, s = sitter.hairstyle, sitter.shape
    if style.drop <= 0:
        return []
    outer = s.temple + 0.8 * style.volume
    inner = 0.93 * s.cheek
    lock = np.array(
        [(0.86 * s.temple, -0.75), (outer, -0.6), (outer + 0.08, 0.4),
         (outer + 0.04, 0.8 * style.drop), (inner + 0.02, 0.95 * style.drop),
         (inner + 0.06, 0.55), (inner, -0.1)]
    )  # fmt: skip
    return [lock, mirrored(lock)]


def _shine(canvas: Image, sitter: Sitter, mask: Image) -> None:
    """Light the top of the hair and shade its sides."""
    import cv2

    small = np.full((56, 56), 112, dtype=np.uint8)
    crown = sitter.pose.on_outline(np.array([(0.15, -0.8 * sitter.shape.top)]))
    disc(small, crown, (sitter.pose.length(0.6), sitter.pose.length(0.3)), (158,))
    gain = cv2.resize(softened(small, 4), canvas.shape[:2])
    multiply(canvas, np.asarray(gain, dtype=np.uint8), mask)
