"""The mouth: lips, the gap between them, teeth."""

from dataclasses import dataclass

import numpy as np

from fairage.datasets.synthetic.drawing.colours import mixed, scaled
from fairage.datasets.synthetic.drawing.pose import Points
from fairage.datasets.synthetic.drawing.sitter import Sitter
from fairage.datasets.synthetic.drawing.strokes import (
    Colour,
    Image,
    fill,
    mirrored,
    open_curve,
    stroke,
)

__all__ = ["draw_mouth"]

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
