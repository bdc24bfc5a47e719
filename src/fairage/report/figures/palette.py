"""Colours of the figures: names that the page's style sheet gives a light and a dark value.

Matplotlib needs real colours, so each name is drawn as a hex value that stands for it and is
replaced by `var(--name)` in the finished SVG. The values are the light theme's, from the palette
of Okabe and Ito, which readers with any common colour-blindness can tell apart.
"""

__all__ = [
    "BAND",
    "GRID",
    "GROUPS",
    "INK",
    "MARKERS",
    "MUTED",
    "SURFACE",
    "VARIABLES",
    "colour",
    "marker",
    "marker_size",
]

INK = "#1b1d21"
MUTED = "#5d626b"
GRID = "#dfe1e5"
SURFACE = "#fefefd"
BAND = "#b9bec7"

GROUPS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4e")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")

VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    SURFACE: "--surface",
    BAND: "--band",
    **{value: f"--group-{i}" for i, value in enumerate(GROUPS)},
}


def colour(index: int) -> str:
    """Return the colour of a group; from the eighth on they repeat, the markers shifted.

    Examples:
        >>> colour(0), colour(7) == colour(0)
        ('#0072b2', True)
    """
    return GROUPS[index % len(GROUPS)]


def marker(index: int) -> str:
    """Return the marker of a group, so that colour is never the only difference.

    Examples:
        >>> marker(0), marker(7)
        ('o', 's')
    """
    return MARKERS[(index + index // len(GROUPS)) % len(MARKERS)]


def marker_size(index: int) -> float:
    """Return the size of a group's marker: triangles and crosses look smaller than they are."""
    return 8.5 if marker(index) in "^vPX" else 7.0
