"""Lines of several groups: errors along age, rates along a threshold."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fairage._text import number
from fairage.reports.figures.axes import (
    Key,
    Scale,
    legend,
    legend_height,
    limits,
    x_axis,
    y_axis,
)
from fairage.reports.figures.markers import marker
from fairage.reports.figures.svg import GROUPS, MUTED, SMALL, Drawing, Size, colour

WIDTH, PLOT = 420.0, 230.0
LEFT, RIGHT, HEAD, FOOT = 40.0, 12.0, 26.0, 40.0
MANY_POINTS = 24
SHADE = 0.15
SHADES = 0.4  # how far beyond all points a shade may stretch the axis
STROKES = ("", "7 4", "9 3 2 3", "2 3")


@dataclass(frozen=True)
class Curves:
    """Draws a line a group.

    Args:
        x: Shape `(m,)`.
        lines: Values of each group, shape `(m,)`, NaN where there is none.
        xlabel: What x is.
        ylabel: What the values are; it stands over the vertical axis.
        sign: Whether the values have signs; then a line stands at 0.
        vertical: A vertical line, with its name.
        ends: Ends of the vertical axis where they are fixed.
        bands: Lower and upper ends of the lines' intervals, shape `(m,)` each, drawn as a shade.
    """

    x: NDArray[np.float64]
    lines: Mapping[str, NDArray[np.float64]]
    xlabel: str
    ylabel: str
    sign: bool = False
    vertical: tuple[str, float] | None = None
    ends: tuple[float, float] | None = None
    bands: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(
        default_factory=dict
    )

    @property
    def size(self) -> Size:
        """The size that gives plot and legend their room."""
        return Size(WIDTH, HEAD + PLOT + FOOT + self._legend)

    def __call__(self, drawing: Drawing, size: Size) -> None:
        """Draw into an empty drawing."""
        if len(self.lines) > 1:
            legend(drawing, self._keys, 0, 0, size.width)
        top, right = self._legend + HEAD, size.width - RIGHT
        across, up = self._scales(top, right)
        drawing.text(0, top - 12, self.ylabel, size=SMALL)
        y_axis(drawing, up, LEFT, right, sign=self.sign)
        x_axis(drawing, across, top, top + PLOT, self.xlabel, line=not self.sign)
        if self.sign:
            drawing.line((LEFT, up(0)), (right, up(0)), stroke=MUTED, width=1.2)
        if self.vertical is not None:
            _vertical(drawing, across, *self.vertical, top)
        for name, (low, high) in self.bands.items():
            self._band(drawing, across, up, list(self.lines).index(name), low, high)
        for i, values in enumerate(self.lines.values()):
            self._line(drawing, across, up, i, values)

    @property
    def _few(self) -> bool:
        """Few points get markers, many get strokes, so that colour is never all that differs."""
        return len(self.x) <= MANY_POINTS

    @property
    def _keys(self) -> list[Key]:
        return [
            Key(name, colour(i), marker(i) if self._few else "", dash=self._dash(i))
            for i, name in enumerate(self.lines)
        ]

    @property
    def _legend(self) -> float:
        return legend_height(self._keys, WIDTH) + 6 if len(self.lines) > 1 else 0.0

    def _dash(self, i: int) -> str:
        return STROKES[i // len(GROUPS) % 4 if self._few else i % 4]

    def _scales(self, top: float, right: float) -> tuple[Scale, Scale]:
        """Return the scales of both axes: all points are seen, very wide shades are cut."""
        points = np.concatenate([np.zeros(1), *self.lines.values()])
        points = points[np.isfinite(points)]
        room_for_shades = SHADES * float(np.ptp(points))
        shades = np.concatenate([np.zeros(1), *(e for pair in self.bands.values() for e in pair)])
        clipped = np.clip(shades, points.min() - room_for_shades, points.max() + room_for_shades)
        span = limits([*points.tolist(), *clipped.tolist()], least=2.0)
        low, high = self.ends or (span.low if self.sign else 0.0, span.high)
        x_low, x_high = (float(self.x[0]), float(self.x[-1])) if len(self.x) else (0.0, 1.0)
        room = 0.03 * (x_high - x_low) or 1.0
        across = Scale(x_low - room, x_high + room, LEFT, right)
        return across, Scale(low, high, top + PLOT, top)

    def _line(
        self, drawing: Drawing, across: Scale, up: Scale, i: int, values: NDArray[np.float64]
    ) -> None:
        points = [
            (across(x), up.inside(y) if math.isfinite(y) else math.nan)
            for x, y in zip(self.x.tolist(), values.tolist(), strict=True)
        ]
        drawing.path(points, stroke=colour(i), dash=self._dash(i))
        if self._few:
            drawing.markers(points, fill=colour(i), shape=marker(i), radius=3)

    def _band(
        self,
        drawing: Drawing,
        across: Scale,
        up: Scale,
        i: int,
        low: NDArray[np.float64],
        high: NDArray[np.float64],
    ) -> None:
        """Fill each stretch of ages at which the interval is known."""
        is_known = np.isfinite(low) & np.isfinite(high)
        starts = np.flatnonzero(np.diff(np.concatenate([[False], is_known, [False]]).astype(int)))
        for first, last in zip(starts[::2], starts[1::2], strict=True):
            where = range(int(first), int(last))
            edge = [(across(self.x[k]), up.inside(high[k])) for k in where]
            edge += [(across(self.x[k]), up.inside(low[k])) for k in reversed(where)]
            if len(where) > 1:
                drawing.area(edge, fill=colour(i), opacity=SHADE)


def _vertical(drawing: Drawing, across: Scale, name: str, x: float, top: float) -> None:
    if not across.low <= x <= across.high:
        return
    at = across(x)
    drawing.line((at, top), (at, top + PLOT), stroke=MUTED, width=1.2, dash="4 3")
    left = at > (across.start + across.end) / 2
    drawing.text(
        at - 6 if left else at + 6, top + 11, name, anchor="end" if left else "start", size=SMALL
    )


STEPS = 8  # colours of the style sheet: .heat-0, the lightest, to .heat-7


@dataclass(frozen=True)
class MapCell:
    """Error in years and faces of a cell; one that takes no part has no colour."""

    value: float
    n: int
    takes_part: bool

    @property
    def text(self) -> str:
        """The error, or a dash."""
        return number(self.value, 1)


@dataclass(frozen=True)
class HeatMap:
    """A table of cells.

    Args:
        rows: Groups of the first attribute.
        columns: Groups of the second attribute.
        cells: By row and column; None where there is no face.
        scale: Errors of the lightest and the darkest colour, so that maps can share them.

    Examples:
        >>> cells = [[MapCell(2.0, 50, True), MapCell(9.0, 3, False)]]
        >>> heat_map = HeatMap(["f"], ["a", "b"], cells, (2.0, 4.0))
        >>> [heat_map.look(cell) for cell in cells[0]]
        ['heat-0', 'hatched']
    """

    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[MapCell | None]]
    scale: tuple[float, float]

    def look(self, cell: MapCell | None) -> str:
        """Return the style sheet's class of a cell."""
        if cell is None or not cell.takes_part or not math.isfinite(cell.value):
            return "hatched"
        low, high = self.scale
        share = (cell.value - low) / (high - low) if high > low else 0.0
        return f"heat-{int(min(max(share, 0.0) * STEPS, STEPS - 1))}"
