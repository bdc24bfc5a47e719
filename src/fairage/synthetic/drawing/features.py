"""The features of a drawn face: eyes, brows, nose, mouth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage.synthetic.drawing.canvas import (
    Colour,
    Image,
    blank,
    both_sides,
    cut,
    disc,
    fill,
    grain,
    lay,
    mirrored,
    open_curve,
    paint,
    softened,
    stroke,
)
from fairage.synthetic.drawing.geometry import Points
from fairage.synthetic.drawing.sitter import Sitter, mixed, scaled

_PUPIL, _GLINT = (14.0, 12.0, 12.0), (250.0, 250.0, 250.0)


def draw_eyes(canvas: Image, sitter: Sitter, rng: np.random.Generator) -> None:
    """Draw both eyes; they look the same way."""
    upper, lower = _lids(sitter)
    gaze = rng.normal(0, (0.025, 0.012))
    for side in (1.0, -1.0):
        above, below = (sitter.pose.on_face(lid * (side, 1.0)) for lid in (upper, lower))
        _eyeball(canvas, sitter, np.vstack([above, below[::-1]]), _iris(sitter, side, gaze))
        stroke(canvas, [below], _lower_lash(sitter), sitter.pose.length(0.018))
        stroke(canvas, [above], _lash(sitter), sitter.pose.length(0.03 + 0.018 * sitter.womanly))
    _crease(canvas, sitter, upper)


def _lids(sitter: Sitter) -> tuple[Points, Points]:
    """Return the edges of the right eye's lids, from the inner corner to the outer one."""
    s, squint = sitter.shape, sitter.expression.squint
    opened = s.eye_open * (1 - 0.35 * squint)
    inner, outer = s.eye_x - s.eye_width, s.eye_x + s.eye_width
    ends = (s.eye_y + 0.4 * s.eye_tilt + 0.012, s.eye_y - 0.8 * s.eye_tilt)
    top = s.eye_y - opened
    bottom = s.eye_y + 0.72 * opened - 0.03 * max(0.0, squint)
    droop = 0.035 * sitter.cues.sag
    upper = [(inner, ends[0]), (s.eye_x - 0.09, top + 0.012), (s.eye_x + 0.05, top + 0.3 * droop),
             (outer - 0.06, s.eye_y - 0.55 * opened - 0.5 * s.eye_tilt + droop),
             (outer, ends[1] + droop)]  # fmt: skip
    lower = [(inner, ends[0]), (s.eye_x - 0.07, bottom - 0.012), (s.eye_x + 0.07, bottom),
             (outer, ends[1] + droop)]  # fmt: skip
    return open_curve(np.array(upper)), open_curve(np.array(lower))


def _iris(sitter: Sitter, side: float, gaze: NDArray[np.float64]) -> Points:
    """Return the pixel of an iris's centre, `(1, 2)`."""
    s = sitter.shape
    return sitter.pose.on_face(np.array([(side * s.eye_x, s.eye_y - 0.012)]) + gaze)


def _eyeball(canvas: Image, sitter: Sitter, opening: Points, iris: Points) -> None:
    """Draw white, iris, pupil and glint inside the opening between the lids."""
    colours, length = sitter.colours, sitter.pose.length
    ball, mask = canvas.copy(), blank()
    white = mixed((238, 235, 232), (222, 208, 190), sitter.cues.sag)
    fill(ball, opening, scaled(white, 0.8))  # the upper lid's shadow
    fill(ball, opening + np.array((0, length(0.025))), white)
    radius = length(sitter.shape.iris)
    disc(ball, iris, (radius, radius), scaled(colours.iris, 0.6))
    disc(ball, iris, (0.8 * radius, 0.8 * radius), colours.iris)
    disc(ball, iris, (0.42 * radius, 0.42 * radius), _PUPIL)
    glint = iris - np.array((0.35, 0.4)) * radius
    disc(ball, glint, (0.22 * radius, 0.22 * radius), _GLINT)
    fill(mask, opening, (255,))
    lay(canvas, ball, mask)


def _lash(sitter: Sitter) -> Colour:
    """Return the colour of the upper lashes; old ones are thin and light."""
    dark = mixed(scaled(sitter.colours.skin, 0.45), (28, 22, 22), 0.5 + 0.4 * sitter.womanly)
    return mixed(dark, sitter.colours.skin, 0.3 * sitter.cues.lips)


def _lower_lash(sitter: Sitter) -> Colour:
    return mixed(scaled(sitter.colours.skin, 0.62), (60, 40, 40), 0.15 + 0.25 * sitter.womanly)


def _crease(canvas: Image, sitter: Sitter, upper: Points) -> None:
    """Draw the crease of the upper lids; it sinks onto an old eye from the outside."""
    s, cues = sitter.shape, sitter.cues
    crease = max(0.0, s.crease)
    height = (0.045 + 0.03 * crease) * (1 - 0.6 * cues.sag)
    across = np.linspace(0, 1, len(upper))[:, None]
    hang = np.hstack([0.03 * cues.sag * across, 0.05 * cues.sag * across**2 - height])
    sides = sitter.pose.on_face(both_sides(upper + hang))
    shade = 1 - min(0.45, 0.10 + 0.2 * crease + 0.2 * cues.sag)
    stroke(canvas, sides, scaled(sitter.colours.skin, shade), sitter.pose.length(0.022))


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


_LIFT = 0.08


def draw_nose(canvas: Image, sitter: Sitter) -> None:
    """Draw what of the nose has edges."""
    s, pose, skin = sitter.shape, sitter.pose, sitter.colours.skin
    wide = s.nose_width * (1 + 0.10 * sitter.expression.cheeks)
    wing = np.array(
        [
            (0.80 * wide, s.nose_y - 0.12),
            (1.02 * wide, s.nose_y - 0.03),
            (0.86 * wide, s.nose_y + 0.05),
            (0.62 * wide, s.nose_y + 0.025),
        ]
    )
    wings = pose.on_face(both_sides(open_curve(wing)), _LIFT)
    stroke(canvas, wings, scaled(skin, 0.70), pose.length(0.024))
    base = np.array([(-0.3 * wide, s.nose_y + 0.045), (0, s.nose_y + 0.075),
                     (0.3 * wide, s.nose_y + 0.045)])  # fmt: skip
    stroke(canvas, [pose.on_face(open_curve(base), _LIFT)], scaled(skin, 0.76), pose.length(0.02))
    axes = (pose.length(0.26 * wide), pose.length(0.022))
    middle = np.array([(0.46 * wide, s.nose_y + 0.035)])
    for nostril in pose.on_face(both_sides(middle), _LIFT):
        disc(canvas, nostril, axes, scaled(skin, 0.38))


_INSIDE, _GUMS = (66.0, 22.0, 24.0), (176.0, 88.0, 88.0)


@dataclass(frozen=True)
class _Mouth:
    """Curves from the left corner to the right one, in the coordinates of the face."""

    top: Points
    upper: Points
    lower: Points
    bottom: Points


def draw_mouth(canvas: Image, sitter: Sitter) -> None:
    """Draw the mouth."""
    mouth, lips = _curves(sitter), sitter.colours.lips
    _between(canvas, sitter, mouth.upper, mouth.lower, _INSIDE)
    if sitter.expression.gape > 0.15:
        _teeth(canvas, sitter, mouth)
    _between(canvas, sitter, mouth.top, mouth.upper, scaled(lips, 0.88))
    _between(canvas, sitter, mouth.lower, mouth.bottom, lips)
    shine = 0.5 * (mouth.lower + mouth.bottom)[7:-7]
    pose = sitter.pose
    light = mixed(lips, (255, 236, 228), 0.22)
    stroke(canvas, [pose.on_face(shine)], light, pose.length(0.3 * sitter.shape.lip_lower))
    stroke(canvas, [pose.on_face(mouth.upper)], scaled(lips, 0.5), pose.length(0.02))


def _curves(sitter: Sitter) -> _Mouth:
    s, moved = sitter.shape, sitter.expression
    half = s.mouth_width * (1 + 0.22 * moved.widen)
    corner = s.mouth_y - 0.085 * moved.lift
    sagging = 0.03 * sitter.cues.sag
    gap = 0.5 * 0.2 * moved.gape * (0.6 + 0.4 * sitter.cues.growth)
    curl = 0.025 * max(0.0, moved.lift)

    def across(end: float, middle: float, bow: float = 0.0) -> Points:
        right = [(0.0, middle + bow), (0.13 * half / 0.37, middle - 0.4 * bow),
                 (0.62 * half, 0.55 * middle + 0.45 * end), (half, end)]  # fmt: skip
        return open_curve(np.vstack([mirrored(np.array(right[:0:-1])), np.array(right)]))

    end = corner + sagging
    middle = s.mouth_y + curl
    stretched = 1 - 0.2 * max(0.0, moved.lift)
    return _Mouth(
        top=across(end, middle - 0.6 * gap - s.lip_upper * stretched, 0.018),
        upper=across(end, middle - 0.6 * gap),
        lower=across(end, middle + 1.4 * gap),
        bottom=across(end, middle + 1.4 * gap + s.lip_lower * stretched),
    )


def _teeth(canvas: Image, sitter: Sitter, mouth: _Mouth) -> None:
    """Draw the upper teeth; a baby has none, and old teeth are darker."""
    share = sitter.expression.teeth
    edge = mouth.upper + share * (mouth.lower - mouth.upper)
    bright = mixed((242, 238, 230), (206, 188, 150), sitter.cues.folds)
    colour = _GUMS if sitter.person.age < 1 else bright
    _between(canvas, sitter, mouth.upper[2:-2], edge[2:-2], colour)


def _between(canvas: Image, sitter: Sitter, above: Points, below: Points, colour: Colour) -> None:
    fill(canvas, sitter.pose.on_face(np.vstack([above, below[::-1]])), colour)
