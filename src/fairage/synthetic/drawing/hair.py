"""Hair, hairline and beard of a drawn face."""

import numpy as np

from fairage.synthetic.drawing.canvas import (
    Image,
    blank,
    closed,
    curls,
    cut,
    disc,
    fill,
    grain,
    mirrored,
    multiply,
    open_curve,
    paint,
    softened,
    strands,
)
from fairage.synthetic.drawing.geometry import Points, outline
from fairage.synthetic.drawing.sitter import Sitter

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
