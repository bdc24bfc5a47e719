"""Drawings as SVG that stands inside a page: few shapes, the page's own colours, text escaped.

Written by hand and not by a plotting library, so that a page with twenty figures takes
milliseconds. There are no ids, so that figures of one page never get into each other's way.
"""

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from fairage._text import visible
from fairage.reports.figures.markers import marker_outline

# Names that the page's style sheet gives a light, a dark and a printed value.
INK, MUTED, GRID = "var(--ink)", "var(--muted)", "var(--grid)"
SURFACE, BAND = "var(--surface)", "var(--band)"
GROUPS = tuple(f"var(--group-{i})" for i in range(7))
BODY, SMALL = 12.0, 11.0
THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"

_HIDDEN = 'class="bar" aria-hidden="true"'
_NARROW, _WIDE = frozenset("ijl.,:;'|!()[] "), frozenset("mwMW%@\N{EM DASH}")


@dataclass(frozen=True)
class Size:
    """Width and height of a figure in CSS pixels; `narrow` tells the drawing to save room."""

    width: float
    height: float
    narrow: bool = False


class Drawing:
    """Collects the shapes of one figure; x runs to the right and y down, in CSS pixels.

    Examples:
        >>> drawing = Drawing()
        >>> drawing.text(3, 14, "a < b", size=SMALL)
        >>> drawing.svg(Size(40, 20), "A comparison").endswith('y="14">a &lt; b</text></svg>')
        True
    """

    def __init__(self) -> None:
        self._parts: list[str] = []

    def line(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        *,
        stroke: str = GRID,
        width: float = 0.8,
        dash: str = "",
        opacity: float = 1.0,
    ) -> None:
        """Draw a straight line."""
        self.lines([(start, end)], stroke=stroke, width=width, dash=dash, opacity=opacity)

    def lines(
        self,
        lines: Sequence[tuple[tuple[float, float], tuple[float, float]]],
        *,
        stroke: str = GRID,
        width: float = 0.8,
        dash: str = "",
        opacity: float = 1.0,
    ) -> None:
        """Draw straight lines that look alike, each from its start to its end."""
        steps = "".join(_step(start, end) for start, end in lines)
        if steps:
            look = _stroke(width, dash, opacity)
            self._parts.append(f'<path d="{steps}" stroke="{stroke}"{look}/>')

    def path(
        self,
        points: Sequence[tuple[float, float]],
        *,
        stroke: str,
        width: float = 1.8,
        dash: str = "",
        opacity: float = 1.0,
    ) -> None:
        """Draw a line through points, broken where one is not a number."""
        text, pen_down = "", False
        for x, y in points:
            is_finite = math.isfinite(x) and math.isfinite(y)
            text += f"{'L' if pen_down else 'M'}{_n(x)} {_n(y)}" if is_finite else ""
            pen_down = is_finite
        if text:
            self._parts.append(
                f'<path d="{text}" fill="none" stroke="{stroke}"{_stroke(width, dash, opacity)}/>'
            )

    def area(
        self, points: Sequence[tuple[float, float]], *, fill: str, opacity: float = 1.0
    ) -> None:
        """Fill the polygon of these points."""
        corners = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        self._parts.append(f'<polygon points="{corners}" fill="{fill}"{_opacity(opacity)}/>')

    def rect(
        self,
        corner: tuple[float, float],
        width: float,
        height: float,
        *,
        fill: str,
        opacity: float = 1.0,
        radius: float = 0.0,
    ) -> None:
        """Fill a rectangle; `corner` is its upper left one."""
        rounded = f' rx="{_n(radius)}"' if radius else ""
        self._parts.append(
            f'<rect x="{_n(corner[0])}" y="{_n(corner[1])}" width="{_n(max(width, 0.0))}" '
            f'height="{_n(max(height, 0.0))}" fill="{fill}"{rounded}{_opacity(opacity)}/>'
        )

    def marker(
        self,
        x: float,
        y: float,
        *,
        fill: str,
        shape: str = "circle",
        radius: float = 3.6,
        opacity: float = 1.0,
        hollow: bool = False,
    ) -> None:
        """Draw one of `MARKERS` with a rim, so that markers in a heap can be told apart."""
        self.markers(
            [(x, y)], fill=fill, shape=shape, radius=radius, opacity=opacity, hollow=hollow
        )

    def markers(
        self,
        points: Sequence[tuple[float, float]],
        *,
        fill: str,
        shape: str = "circle",
        radius: float = 3.6,
        opacity: float = 1.0,
        hollow: bool = False,
    ) -> None:
        """Draw the same marker at each point that is one."""
        finite = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
        if not finite:
            return
        inside, rim = (SURFACE, fill) if hollow else (fill, SURFACE)
        outline = marker_outline(shape, radius)
        path = "".join(f"M{_n(x)} {_n(y)}{outline}" for x, y in finite)
        self._parts.append(
            f'<path d="{path}" fill="{inside}" stroke="{rim}"'
            f"{_stroke(1.4 if hollow else 1.0, '', opacity)}/>"
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        fill: str = MUTED,
        size: float = BODY,
        anchor: str = "start",
        bold: bool = False,
        room: float = math.inf,
    ) -> None:
        """Write a text on the base line `y`, cut where it needs more than `room` pixels.

        What was cut is kept as its title, which browsers show under the pointer.
        """
        shown = fitted(text, room, size)
        whole = in_full(text)
        title = f"<title>{escape(whole)}</title>" if shown != whole else ""
        aligned = f' text-anchor="{anchor}"' if anchor != "start" else ""
        weight = ' font-weight="600"' if bold else ""
        look = "" if fill == MUTED else f' fill="{fill}"'
        look += "" if size == SMALL else f' font-size="{_n(size)}"'
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}"{look}{aligned}{weight}>{escape(shown)}{title}</text>'
        )

    def svg(self, size: Size, label: str) -> Markup:
        """Return the drawing as an `<svg>` element; `label` tells what it shows.

        An empty label marks a small drawing that only repeats what stands beside it.
        """
        shown = f'class="drawing" role="img" aria-label="{escape(in_full(label))}"'
        width, height = _n(size.width), _n(size.height)
        return Markup(  # every text in it was escaped
            f'<svg {shown if label else _HIDDEN} viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" fill="{MUTED}" font-size="{_n(SMALL)}">'
            f"{''.join(self._parts)}</svg>"
        )


def figure_svg(draw: Callable[[Drawing, Size], None], size: Size, *, label: str) -> Markup:
    """Return the drawn figure as an `<svg>` element.

    Args:
        draw: Draws into an empty drawing of this size.
        size: The figure's size.
        label: What the figure shows, for readers who do not see it.
    """
    drawing = Drawing()
    draw(drawing, size)
    return drawing.svg(size, label)


def responsive(
    draw: Callable[[Drawing, Size], None], wide: Size, narrow: Size, *, label: str
) -> Markup:
    """Return a figure drawn twice, for wide pages and for phones; the style sheet shows one."""
    on_phone = Size(narrow.width, narrow.height, narrow=True)
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(
        figure_svg(draw, wide, label=label), figure_svg(draw, on_phone, label=label)
    )


def colour(index: int) -> str:
    """Return the colour of a group; from the eighth on they repeat, the markers shifted.

    Examples:
        >>> colour(0), colour(7) == colour(0)
        ('var(--group-0)', True)
    """
    return GROUPS[index % len(GROUPS)]


def text_width(text: str, size: float = BODY) -> float:
    """Return about how wide a text is, in CSS pixels; rather too wide than too narrow.

    Examples:
        >>> text_width("ill") < text_width("who") < text_width("WHO")
        True
    """
    return size * sum(map(_em, text))


def fitted(text: str, room: float, size: float = BODY) -> str:
    """Return the text, made visible, and cut with an ellipsis to what the room holds.

    Examples:
        >>> fitted("a rather long name", 60)
        'a rathe…'
    """
    shown = visible(text)
    if text_width(shown, size) <= room:
        return shown
    left = room - text_width("…", size)
    end = 0
    while end < len(shown) and left >= (width := text_width(shown[end], size)):
        left, end = left - width, end + 1
    return f"{shown[:end].rstrip()}…"


def in_full(text: str) -> str:
    r"""Return a text of any length with an escape for each character that cannot be seen.

    Examples:
        >>> in_full("a\x00b")
        'a\\x00b'
    """
    printable = text.isprintable() or text.replace(THIN_SPACE, "").isprintable()
    return text if printable else "".join(map(visible, text))


def _em(character: str) -> float:
    if character in _NARROW:
        return 0.36
    if character in _WIDE or unicodedata.east_asian_width(character) in "WF":
        return 1.0
    return 0.7 if character.isupper() else 0.63


def _step(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = ((_n(x), _n(y)) for x, y in (start, end))
    if x1 == x2:
        return f"M{x1} {y1}V{y2}"
    return f"M{x1} {y1}H{x2}" if y1 == y2 else f"M{x1} {y1}L{x2} {y2}"


def _n(value: float) -> str:
    """Return a coordinate, to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")


def _opacity(opacity: float) -> str:
    return f' opacity="{opacity:g}"' if opacity < 1 else ""


def _stroke(width: float, dash: str, opacity: float) -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f' stroke-width="{width:g}"{dashed}{_opacity(opacity)}'
