"""Eyes: white, iris, lids, lashes, and the crease of the upper lid."""

import numpy as np
from numpy.typing import NDArray

from fairage.datasets.synthetic.drawing.colours import mixed, scaled
from fairage.datasets.synthetic.drawing.layers import blank, lay
from fairage.datasets.synthetic.drawing.pose import Points
from fairage.datasets.synthetic.drawing.sitter import Sitter
from fairage.datasets.synthetic.drawing.strokes import (
    Colour,
    Image,
    both_sides,
    disc,
    fill,
    open_curve,
    stroke,
)

__all__ = ["draw_eyes"]

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
