"""Fine lines and age spots: they come one after the other, and deepen."""

import numpy as np

from fairage.datasets.synthetic.drawing.layers import blank, softened
from fairage.datasets.synthetic.drawing.pose import Points
from fairage.datasets.synthetic.drawing.relief import fold
from fairage.datasets.synthetic.drawing.sitter import Sitter
from fairage.datasets.synthetic.drawing.strokes import Image, both_sides, disc, open_curve, stroke

__all__ = ["draw_wrinkles"]

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


def _lines(layer: Image, sitter: Sitter, lines: Points, depth: float, width: float) -> None:
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
        _lines(layer, sitter, open_curve(furrow)[None], depth, width)


def _frown(layer: Image, sitter: Sitter) -> None:
    """Draw the two lines between the brows."""
    pinch = max(0.0, sitter.expression.pinch)
    depth = 1.3 * (sitter.cues.lines - 0.12) + 0.5 * pinch
    line = np.array([(0.07, -0.34), (0.085, -0.22), (0.07, -0.1)])
    _lines(layer, sitter, _both(line), depth, 0.022)


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
        _lines(layer, sitter, _both(line), depth - 0.15 * row, 0.018)


def _under_eyes(layer: Image, sitter: Sitter) -> None:
    """Draw the creases below the eyes: the edge of the bag, and one above it."""
    s, cues = sitter.shape, sitter.cues
    for row, depth in enumerate((1.0 * cues.bags, 1.2 * (cues.bags - 0.3))):
        y = s.eye_y + 0.20 - 0.08 * row + 0.03 * cues.sag
        line = np.array(
            [(s.eye_x - 0.2, y - 0.08), (s.eye_x - 0.06, y + 0.02), (s.eye_x + 0.14, y)]
        )
        _lines(layer, sitter, _both(line), 0.65 * depth, 0.018)


def _mouth(layer: Image, sitter: Sitter, rng: np.random.Generator) -> None:
    """Draw the folds beside nose and mouth, and the small lines above an old lip."""
    s, cues = sitter.shape, sitter.cues
    depth = 0.85 * cues.folds + 0.15 * sitter.expression.cheeks
    _lines(layer, sitter, _both(np.array(fold(sitter))), depth, 0.022)
    corner = np.array(
        [(s.mouth_width + 0.04, s.mouth_y + 0.05), (s.mouth_width + 0.07, 0.9 * s.chin)]
    )
    _lines(layer, sitter, _both(corner), (cues.folds - 0.35), 0.02)
    cheek = np.array([(0.66, 0.35), (0.68, 0.55), (0.62, 0.75)])
    _lines(layer, sitter, _both(cheek), 1.1 * (cues.sag - 0.35), 0.02)
    top = s.mouth_y - s.lip_upper
    for x in np.linspace(-0.2, 0.2, 6) + 0.01 * rng.standard_normal(6):
        small = np.array([(x, top - 0.12), (0.9 * x, top - 0.02)])
        _lines(layer, sitter, open_curve(small)[None], 1.2 * (cues.lips - 0.4), 0.016)


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
