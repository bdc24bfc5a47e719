"""From the coordinates of a face to pixels, as the head turns.

A face's coordinates: half the width of the face is 1; x grows to the right of the picture, y
downwards; the origin lies between the eyes of an adult.
"""

from dataclasses import dataclass
from functools import cached_property
from math import cos, hypot, sin

import numpy as np
from numpy.typing import NDArray

__all__ = ["CANVAS", "Points", "Pose", "draw_pose"]

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
        found: Points = points @ across
        found += np.multiply.outer(depth, forward)
        found += middle
        return found

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
