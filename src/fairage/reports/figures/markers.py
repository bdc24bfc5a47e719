"""Markers of groups: shapes that can be told apart without their colour."""

from functools import lru_cache

MARKERS = ("circle", "square", "diamond", "up", "down", "plus", "cross")
GROUPS = 7  # so many groups have a colour of their own

# Steps, for a radius of 1, from the middle to the first corner and on from corner to corner.
_STEPS = {
    "square": ((-0.86, -0.86), (1.72, 0), (0, 1.72), (-1.72, 0)),
    "diamond": ((0, -1.2), (1.2, 1.2), (-1.2, 1.2), (-1.2, -1.2)),
    "up": ((0, -1.2), (1.1, 2.1), (-2.2, 0)),
    "down": ((0, 1.2), (1.1, -2.1), (-2.2, 0)),
    "plus": (
        *((-0.4, -1.2), (0.8, 0), (0, 0.8), (0.8, 0), (0, 0.8), (-0.8, 0)),
        *((0, 0.8), (-0.8, 0), (0, -0.8), (-0.8, 0), (0, -0.8), (0.8, 0)),
    ),
    "cross": (
        *((-1.13, -0.57), (0.56, -0.56), (0.57, 0.56), (0.57, -0.56), (0.56, 0.56), (-0.56, 0.57)),
        *(
            (0.56, 0.57),
            (-0.56, 0.56),
            (-0.57, -0.56),
            (-0.57, 0.56),
            (-0.56, -0.56),
            (0.56, -0.57),
        ),
    ),
}


def marker(index: int) -> str:
    """Return the marker of a group, so that colour is never the only difference.

    Examples:
        >>> marker(0), marker(7)
        ('circle', 'square')
    """
    return MARKERS[(index + index // GROUPS) % len(MARKERS)]


@lru_cache(maxsize=64)
def marker_outline(shape: str, radius: float) -> str:
    """Return a marker's outline as steps of an SVG path from its middle.

    Examples:
        >>> marker_outline("square", 5)
        'm-4.3-4.3l8.6 0l0 8.6l-8.6 0z'
    """
    if shape == "circle":
        half = f"a{radius:g} {radius:g} 0 1 0"
        return f"m{-radius:g} 0{half} {2 * radius:g} 0{half}{-2 * radius:g} 0z"
    (x, y), *steps = _STEPS[shape]
    corners = "".join(f"l{radius * dx:.3g} {radius * dy:.3g}" for dx, dy in steps)
    return f"m{radius * x:.3g} {radius * y:.3g}{corners}z".replace(" -", "-")
