"""From a matplotlib figure to SVG that stands inside a page: small, themed, deterministic."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import matplotlib
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from fairage.report.figures.palette import GRID, INK, MUTED, VARIABLES

__all__ = ["Size", "figure_svg", "responsive"]

PIXELS_PER_INCH = 72.0
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fairage",
    "font.family": "DejaVu Sans",
    "font.size": 11.0,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 11.0,
    "axes.labelsize": 10.5,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
}

_GEOMETRY = re.compile(r' (?:d|x|y|width|height|transform|points)="[^"]*"')
_LONG_NUMBER = re.compile(r"(\d\.\d\d)\d+")
_ID = re.compile(r' id="([^"]*)"')
_REFERENCE = re.compile(r'(?:xlink:href="#|url\(#)([^")]+)')


@dataclass(frozen=True)
class Size:
    """Width and height of a figure in CSS pixels; `narrow` tells the drawing to save room."""

    width: float
    height: float
    narrow: bool = False


def figure_svg(draw: Callable[[Figure, Size], None], size: Size, *, key: str, label: str) -> Markup:
    """Return the drawn figure as an `<svg>` element for one place in one page.

    Args:
        draw: Draws into an empty figure.
        size: The figure's size.
        key: Unique within the page; every id starts with it.
        label: What the figure shows, for readers who do not see it.

    Examples:
        >>> def draw(figure, size):
        ...     _ = figure.add_subplot().plot([1, 2], [3, 4])
        >>> print(figure_svg(draw, Size(200, 100), key="a", label="A line")[:31])
        <svg class="drawing" role="img"
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(size.width / PIXELS_PER_INCH, size.height / PIXELS_PER_INCH),
            dpi=PIXELS_PER_INCH,
            layout="constrained",
            facecolor="none",
        )
        canvas = FigureCanvasSVG(figure)
        draw(figure, size)
        for axes in figure.axes:
            axes.set_facecolor("none")
        file = io.StringIO()
        canvas.print_svg(file, metadata={"Date": None})
    return Markup(_inline(file.getvalue(), size, key, label))


def responsive(
    draw: Callable[[Figure, Size], None], wide: Size, narrow: Size, *, key: str, label: str
) -> Markup:
    """Return a figure drawn twice, for wide pages and for phones; the style sheet shows one."""
    on_phone = Size(narrow.width, narrow.height, narrow=True)
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(
        figure_svg(draw, wide, key=f"{key}-w", label=label),
        figure_svg(draw, on_phone, key=f"{key}-n", label=label),
    )


def _inline(text: str, size: Size, key: str, label: str) -> str:
    """Strip what a file needs and a page does not; make ids unique and colours themed."""
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r" font-family: [^;\"]*;", "", body)
    body = re.sub(r' transform="rotate\(-?0 [^"]*"', "", body)
    body = _GEOMETRY.sub(lambda m: _LONG_NUMBER.sub(r"\1", m[0]), body)
    body = _unique_ids(body, key)
    for value, name in VARIABLES.items():
        body = body.replace(value, f"var({name})")
    body = re.sub(r">\s*\n\s*<", ">\n<", body).strip()
    opening = (
        f'<svg class="drawing" role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {size.width:g} {size.height:g}" '
        f'style="max-width: {size.width:g}px">'
    )
    return f"{opening}\n{body}"


def _unique_ids(body: str, key: str) -> str:
    """Prefix every id that something refers to and drop the others."""
    used = set(_REFERENCE.findall(body))
    body = _ID.sub(lambda m: f' id="{key}-{m[1]}"' if m[1] in used else "", body)
    body = body.replace('xlink:href="#', f'href="#{key}-')
    return body.replace("url(#", f"url(#{key}-")
