"""The nose: wings, nostrils, tip; the form of its bridge is light and shade of `relief`."""

import numpy as np

from fairage.datasets.synthetic.drawing.colours import scaled
from fairage.datasets.synthetic.drawing.sitter import Sitter
from fairage.datasets.synthetic.drawing.strokes import Image, both_sides, disc, open_curve, stroke

__all__ = ["draw_nose"]

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
