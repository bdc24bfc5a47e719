"""Skin of a drawn face: head, neck and ears, light and shade, wrinkles."""

from collections.abc import Sequence

import numpy as np

from fairage.synthetic.drawing.canvas import (
    UNCHANGED,
    Image,
    blank,
    both_sides,
    closed,
    cut,
    disc,
    fill,
    mirrored,
    multiply,
    open_curve,
    skin,
    softened,
    stroke,
)
from fairage.synthetic.drawing.canvas import stroke as draw_stroke
from fairage.synthetic.drawing.geometry import CANVAS, Points, outline
from fairage.synthetic.drawing.sitter import Sitter, scaled

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


_DEEPEST = 62
_SPOTS = 26


def draw_wrinkles(sitter: Sitter, rng: np.random.Generator) -> Image:
    """Return how much darker the skin is made by lines and spots, on the full canvas."""
    layer = blank()
    _spots(layer, sitter, rng)
    layer = softened(layer, 1)
    _forehead(layer, sitter, rng)
    _frown(layer, sitter)
    _crows_feet(layer, sitter, rng)
    _under_eyes(layer, sitter)
    _mouth(layer, sitter, rng)
    return layer


def _wrinkle_lines(layer: Image, sitter: Sitter, lines: Points, depth: float, width: float) -> None:
    """Draw curves `(lines, k, 2)` as dark as the depth 0..1 says."""
    if depth <= 0.02:
        return
    placed = sitter.pose.on_face(lines)
    value = _DEEPEST * min(1.3, depth)
    stroke(layer, placed, (value,), sitter.pose.length(width))


def _both(line: Points) -> Points:
    """Return the curve through these control points on either side of the face."""
    return both_sides(open_curve(line))


def _forehead(layer: Image, sitter: Sitter, rng: np.random.Generator) -> None:
    """Draw up to five furrows; raised brows deepen them."""
    lines = sitter.cues.lines + 0.25 * max(0.0, sitter.expression.raised) * sitter.cues.lines
    x = np.linspace(-0.6, 0.6, 6)
    jitter = 0.012 * rng.standard_normal((5, 6))
    for row in range(5):
        depth = (0.95 - 0.12 * row) * (lines - 0.11 * row)
        y = -0.50 - 0.13 * row + 0.05 * x**2 + jitter[row]
        width = 0.016 + 0.008 * lines
        furrow = np.column_stack([x * (1 - 0.07 * row), y])
        _wrinkle_lines(layer, sitter, open_curve(furrow)[None], depth, width)


def _frown(layer: Image, sitter: Sitter) -> None:
    """Draw the two lines between the brows."""
    pinch = max(0.0, sitter.expression.pinch)
    depth = 1.3 * (sitter.cues.lines - 0.12) + 0.5 * pinch
    line = np.array([(0.07, -0.34), (0.085, -0.22), (0.07, -0.1)])
    _wrinkle_lines(layer, sitter, _both(line), depth, 0.022)


def _crows_feet(layer: Image, sitter: Sitter, rng: np.random.Generator) -> None:
    """Draw lines that spread from the outer corners of the eyes; laughing deepens them."""
    s, laugh = sitter.shape, sitter.expression.cheeks
    x, y = s.eye_x + s.eye_width + 0.05, s.eye_y
    depth = 1.15 * sitter.cues.lines * (1 + 0.5 * laugh) + 0.10 * laugh
    reach = 0.10 + 0.14 * sitter.cues.lines
    for row, slope in enumerate((0.1, 0.6, -0.45, 1.1)):
        slope += 0.08 * rng.standard_normal()
        end = (x + reach, y + 0.02 + slope * reach)
        line = np.array([(x, y + 0.02 * row), (x + 0.5 * reach, y + 0.45 * slope * reach), end])
        _wrinkle_lines(layer, sitter, _both(line), depth - 0.15 * row, 0.018)


def _under_eyes(layer: Image, sitter: Sitter) -> None:
    """Draw the creases below the eyes: the edge of the bag, and one above it."""
    s, cues = sitter.shape, sitter.cues
    for row, depth in enumerate((1.0 * cues.bags, 1.2 * (cues.bags - 0.3))):
        y = s.eye_y + 0.20 - 0.08 * row + 0.03 * cues.sag
        line = np.array(
            [(s.eye_x - 0.2, y - 0.08), (s.eye_x - 0.06, y + 0.02), (s.eye_x + 0.14, y)]
        )
        _wrinkle_lines(layer, sitter, _both(line), 0.65 * depth, 0.018)


def _mouth(layer: Image, sitter: Sitter, rng: np.random.Generator) -> None:
    """Draw the folds beside nose and mouth, and the small lines above an old lip."""
    s, cues = sitter.shape, sitter.cues
    depth = 0.85 * cues.folds + 0.15 * sitter.expression.cheeks
    _wrinkle_lines(layer, sitter, _both(np.array(fold(sitter))), depth, 0.022)
    corner = np.array(
        [(s.mouth_width + 0.04, s.mouth_y + 0.05), (s.mouth_width + 0.07, 0.9 * s.chin)]
    )
    _wrinkle_lines(layer, sitter, _both(corner), (cues.folds - 0.35), 0.02)
    cheek = np.array([(0.66, 0.35), (0.68, 0.55), (0.62, 0.75)])
    _wrinkle_lines(layer, sitter, _both(cheek), 1.1 * (cues.sag - 0.35), 0.02)
    top = s.mouth_y - s.lip_upper
    for x in np.linspace(-0.2, 0.2, 6) + 0.01 * rng.standard_normal(6):
        small = np.array([(x, top - 0.12), (0.9 * x, top - 0.02)])
        _wrinkle_lines(layer, sitter, open_curve(small)[None], 1.2 * (cues.lips - 0.4), 0.016)


def _spots(layer: Image, sitter: Sitter, rng: np.random.Generator) -> None:
    """Draw age spots on forehead, temples and cheeks."""
    spots, length = sitter.cues.spots, sitter.pose.length
    places = rng.uniform((-0.9, -1.15), (0.9, 1.0), (_SPOTS, 2))
    sizes, values = rng.uniform(0.015, 0.05, _SPOTS), rng.uniform(25, 60, _SPOTS)
    centres = sitter.pose.on_face(places)
    for place in range(round(_SPOTS * spots)):
        centre = centres[place : place + 1]
        size = length(float(sizes[place]))
        disc(layer, centre, (size, 0.8 * size), (float(values[place]),))


_ROUNDING = 0.20
_SMOOTH, _ROUGH = 0.02, 0.11


def draw_complexion(canvas: Image, sitter: Sitter, head: Image, rng: np.random.Generator) -> None:
    """Light, shade and roughen the skin inside the head's mask."""
    import cv2

    form = cv2.addWeighted(lights(sitter), 1.0, rounding(head), _ROUNDING, UNCHANGED - 56)
    form = cv2.subtract(form, shades(sitter))
    gain = cv2.resize(form, (CANVAS, CANVAS), interpolation=cv2.INTER_LINEAR)
    gain = cv2.subtract(gain, draw_wrinkles(sitter, rng))
    rough = _SMOOTH + _ROUGH * sitter.cues.rough
    gain = cv2.addWeighted(gain, 1.0, cut(skin(), rng), rough, -128 * rough)
    multiply(canvas, np.asarray(gain, dtype=np.uint8), head)


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
    contour = closed(sitter.pose.on_outline(outline(sitter.shape)))
    fill(canvas, contour, sitter.colours.skin)
    mask = blank()
    fill(mask, contour, (255,))
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
