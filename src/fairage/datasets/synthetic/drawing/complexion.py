"""The skin's surface: form, folds, lines and texture laid on the plain head."""

import numpy as np

from fairage.datasets.synthetic.drawing.layers import UNCHANGED, multiply
from fairage.datasets.synthetic.drawing.pose import CANVAS
from fairage.datasets.synthetic.drawing.relief import lights, rounding, shades
from fairage.datasets.synthetic.drawing.sitter import Sitter
from fairage.datasets.synthetic.drawing.strokes import Image
from fairage.datasets.synthetic.drawing.textures import cut, skin
from fairage.datasets.synthetic.drawing.wrinkles import draw_wrinkles

__all__ = ["draw_complexion"]

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
