"""Where things are on a drawn face: the turn of the head, the shape of the face."""

from dataclasses import dataclass
from functools import cached_property
from math import cos, hypot, sin

import numpy as np
from numpy.typing import NDArray

from fairage.synthetic.drawing.person import Cues, Person

CANVAS = 224
"""Side of the square that faces are drawn on, in pixels."""

Points = NDArray[np.float64]
"""Shape `(k, 2)`, x and y; or `(lines, k, 2)`."""

_DEPTH = 0.85
_FLATTENED = np.array((1 / 1.12, 1 / 1.7))


@dataclass(frozen=True)
class Pose:
    """How the head is turned and where it stands; angles in radians, lengths in pixels."""

    yaw: float
    pitch: float
    roll: float
    scale: float
    x: float
    y: float

    def on_face(self, points: Points, lift: float = 0.0) -> Points:
        """Return pixels of points on the front of the head, `lift` units above its surface."""
        inside = points * _FLATTENED
        flat = np.einsum("...j,...j->...", inside, inside)
        return self.at_depth(points, _DEPTH * np.sqrt(np.maximum(0, 1 - flat)) + lift)

    def on_outline(self, points: Points) -> Points:
        """Return pixels of points on the outline, where the chin stands before the skull."""
        return self.at_depth(points, 0.45 * np.clip((points[:, 1] - 0.2) / 1.1, 0, 1))

    def at_depth(self, points: Points, depth: float | NDArray[np.float64]) -> Points:
        """Return pixels of points so many units in front of the head's middle."""
        across, forward, middle = self._axes
        pixels: Points = points @ across
        pixels += np.multiply.outer(depth, forward)
        pixels += middle
        return pixels

    def length(self, units: float) -> float:
        """Return a length in pixels."""
        return units * self.scale

    @cached_property
    def _axes(self) -> tuple[Points, NDArray[np.float64], NDArray[np.float64]]:
        """Pixels of a step right and a step down `(2, 2)`, of a step forward, of the origin."""
        c, s = self.scale * cos(self.roll), self.scale * sin(self.roll)
        right, down = 0.5 + 0.5 * cos(self.yaw), 0.5 + 0.5 * cos(self.pitch)
        forward = c * sin(self.yaw) + s * sin(self.pitch), s * sin(self.yaw) - c * sin(self.pitch)
        across = np.array([(right * c, right * s), (-down * s, down * c)])
        return across, np.array(forward), np.array((self.x, self.y))

    @property
    def turned(self) -> float:
        """How far the head is turned from the front, in radians."""
        return hypot(self.yaw, self.pitch)


def draw_pose(rng: np.random.Generator) -> Pose:
    """Return a random pose: near the front mostly, up to half a right angle to the side."""
    yaw, pitch, roll, grow, x, y = rng.standard_normal(6)
    return Pose(
        yaw=float(np.clip(0.2 * yaw, -0.5, 0.5)),
        pitch=float(np.clip(0.09 * pitch, -0.22, 0.22)),
        roll=float(np.clip(0.08 * roll, -0.25, 0.25)),
        scale=58.0 * float(np.exp(np.clip(0.05 * grow, -0.12, 0.12))),
        x=112 + 4.0 * float(np.clip(x, -2.5, 2.5)),
        y=118 + 4.0 * float(np.clip(y, -2.5, 2.5)),
    )


@dataclass(frozen=True)
class Shape:
    """Lengths in units of half the face's width; heights grow downwards."""

    top: float
    temple: float
    cheek: float
    jaw: float
    jowl: float
    chin: float
    chin_width: float
    eye_x: float
    eye_y: float
    eye_width: float
    eye_open: float
    eye_tilt: float
    iris: float
    crease: float
    brow_y: float
    brow_thick: float
    brow_arch: float
    nose_y: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    lip_upper: float
    lip_lower: float
    ear: float
    neck: float


# A cue by which a network can tell the drawn groups apart in a controlled experiment: a caricature,
# no claim about people. Eye opening, eye tilt, lid crease, nose width, lip fullness, cheek width.
_ETHNIC = {
    "caucasian": (1.0, 0.010, 1.0, 0.92, 0.90, 0.98),
    "asian": (0.72, 0.040, 0.30, 1.02, 1.00, 1.04),
    "afroamerican": (0.98, 0.015, 0.85, 1.28, 1.45, 1.00),
}


def draw_shape(person: Person, cues: Cues, rng: np.random.Generator) -> Shape:
    """Return the proportions of one person: those of age, gender and group, and some of its own."""
    wide, tilt, crease, nose, lips, cheek = _ETHNIC[person.ethnicity]
    grown, own = cues.growth, iter(rng.standard_normal(24))
    manly = cues.puberty if person.gender == "male" else 0.0
    womanly = cues.puberty if person.gender == "female" else 0.0
    mouth_y = _mix(0.80, 0.88, grown) + 0.02 * next(own)
    lip = (1 - 0.5 * cues.lips) * lips * (1 + 0.12 * womanly - 0.1 * manly)
    return Shape(
        top=_mix(1.34, 1.42, grown) + 0.04 * next(own),
        temple=_mix(1.0, 0.95, grown) + 0.02 * next(own),
        cheek=cheek + 0.06 * (cues.fullness - 0.4) + 0.02 * next(own),
        jaw=_mix(0.86, 0.76, grown)
        + 0.10 * manly
        + 0.07 * (cues.fullness - 0.4)
        + 0.035 * next(own),
        jowl=0.09 * cues.sag,
        chin=_mix(1.13, 1.32, grown) + 0.07 * manly - 0.02 * womanly + 0.035 * next(own),
        chin_width=0.30 + 0.07 * manly - 0.03 * womanly + 0.025 * next(own),
        eye_x=_mix(0.43, 0.415, grown) + 0.012 * next(own),
        eye_y=_mix(0.20, 0.0, grown) + 0.02 * next(own),
        eye_width=_mix(0.225, 0.195, grown) + 0.008 * next(own),
        eye_open=(_mix(0.125, 0.092, grown) + 0.008 * womanly)
        * wide
        * (1 - 0.30 * cues.sag)
        * (1 + 0.08 * next(own)),
        eye_tilt=tilt - 0.025 * cues.sag + 0.01 * next(own),
        iris=_mix(0.105, 0.088, grown),
        crease=crease * (1 + 0.3 * next(own)),
        brow_y=_mix(-0.24, -0.225, grown) + 0.05 * manly + 0.03 * cues.sag + 0.015 * next(own),
        brow_thick=_mix(0.018, 0.036, grown) + 0.018 * manly - 0.010 * womanly + 0.006 * next(own),
        brow_arch=0.035 + 0.03 * womanly - 0.01 * manly + 0.01 * next(own),
        nose_y=_mix(0.47, 0.50, grown) + 0.035 * cues.sag + 0.02 * next(own),
        nose_width=nose
        * (_mix(0.185, 0.215, grown) + 0.012 * manly + 0.012 * cues.sag)
        * (1 + 0.07 * next(own)),
        mouth_y=mouth_y,
        mouth_width=_mix(0.28, 0.37, grown) + 0.02 * manly + 0.02 * next(own),
        lip_upper=0.062 * lip * (1 + 0.15 * next(own)),
        lip_lower=0.085 * lip * (1 + 0.15 * next(own)),
        ear=_mix(0.22, 0.27, grown) + 0.035 * cues.sag + 0.01 * next(own),
        neck=_mix(0.55, 0.62, grown) + 0.13 * manly + 0.02 * next(own),
    )


def outline(shape: Shape, *, grow: float = 0.0) -> Points:
    """Return control points of the head's outline, `(16, 2)`, clockwise from the top.

    Args:
        shape: The proportions.
        grow: Units by which the outline is moved outwards, for hair.
    """
    middle = 0.45 * shape.chin
    right = [
        (0.55 * shape.temple, -shape.top + 0.13),
        (0.93 * shape.temple, -0.62 * shape.top),
        (1.0 * shape.temple, -0.22),
        (0.985 * shape.cheek, 0.22),
        (0.5 * (shape.cheek + shape.jaw) + 0.05, middle),
        (shape.jaw + shape.jowl, 0.66 * shape.chin + 0.3 * shape.jowl),
        (shape.chin_width + 0.12 + 0.5 * shape.jowl, 0.93 * shape.chin),
    ]
    points = [(0.0, -shape.top), *right, (0.0, shape.chin)]
    points += [(-x, y) for x, y in reversed(right)]
    controls = np.array(points)
    if grow:
        controls *= 1 + grow / np.hypot(controls[:, 0], controls[:, 1])[:, None]
    return controls


def _mix(child: float, adult: float, grown: float) -> float:
    return child + (adult - child) * grown
