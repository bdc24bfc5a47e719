"""Dots with intervals: biases over their noise floor, errors of groups, versions side by side."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fairage.auditing.result_parts import Interval, NoiseFloor
from fairage.reports.figures.axes import Key, Scale, legend, legend_height, limits, x_axis
from fairage.reports.figures.markers import marker
from fairage.reports.figures.svg import (
    BAND,
    BODY,
    GRID,
    INK,
    MUTED,
    SMALL,
    Drawing,
    Size,
    colour,
    text_width,
)

ROW, FOOT, HEAD = 28.0, 42.0, 8.0
NAMES = 0.36  # largest share of the width that names take
FAINT = 0.4
LEAST_SPAN = 2.0
BAR = 200.0, 16.0


@dataclass(frozen=True)
class BiasFloor:
    """An attribute's bias with its interval, without its noise, and what noise alone gives."""

    name: str
    bias: Interval
    corrected: float | None
    floor: NoiseFloor | None
    strong: bool = False


@dataclass(frozen=True)
class BiasFloors:
    """Draws one row an attribute: a grey bar for noise, a dot and its interval for the bias."""

    biases: Sequence[BiasFloor]

    def size(self, width: float) -> Size:
        """Return the size that gives every row its room."""
        keys = legend_height(self._keys, width)
        return Size(width, keys + HEAD + ROW * len(self.biases) + FOOT)

    def __call__(self, drawing: Drawing, size: Size) -> None:
        """Draw into an empty drawing."""
        legend(drawing, self._keys, 0, 0, size.width)
        top = legend_height(self._keys, size.width) + HEAD
        left = _names_width([bias.name for bias in self.biases], size.width)
        ends = [bias.bias.value for bias in self.biases] + [bias.bias.high for bias in self.biases]
        ends += [bias.floor.p975 for bias in self.biases if bias.floor is not None]
        highest = limits(ends, least=0.5).high
        scale = Scale(0.0, max(highest, 0.5), left, size.width - 14)
        bottom = top + ROW * len(self.biases)
        x_axis(drawing, scale, top, bottom, "Bias in years")
        for i, bias in enumerate(self.biases):
            self._row(drawing, scale, bias, top + ROW * (i + 0.5))

    @property
    def _keys(self) -> list[Key]:
        keys = [
            Key("bias, with 95 % interval", colour(0), "circle", dash=""),
            Key("noise-corrected", colour(0), "circle", hollow=True),
            Key("what noise alone may give", BAND, box=True),
            Key("noise floor", MUTED, dash=""),
        ]
        some_floor = any(bias.floor is not None for bias in self.biases)
        return keys if some_floor else keys[:2]

    def _row(self, drawing: Drawing, scale: Scale, bias: BiasFloor, y: float) -> None:
        _name(drawing, bias.name, scale.start, y, bold=bias.strong)
        if bias.floor is not None and math.isfinite(bias.floor.p975):
            width = scale.inside(bias.floor.p975) - scale(0)
            drawing.rect((scale(0), y - 8), width, 16, fill=BAND, opacity=0.5, radius=2)
            x = scale.inside(bias.floor.mean)
            drawing.line((x, y - 8), (x, y + 8), stroke=MUTED, width=1.6)
        _interval(drawing, scale, bias.bias, y)
        if bias.corrected is not None and math.isfinite(bias.corrected):
            x = scale.inside(bias.corrected)
            drawing.marker(x, y, fill=colour(0), radius=4.2, hollow=True)
        if math.isfinite(bias.bias.value):
            drawing.marker(scale(bias.bias.value), y, fill=colour(0), radius=5)


@dataclass(frozen=True)
class Panel:
    """What one axis of `GroupIntervals` shows.

    Args:
        title: What the axis is, with its unit.
        level: A dashed line to measure by, such as the value of all faces.
        sign: Whether the numbers have signs; then a line stands at 0.
    """

    title: str
    level: float | None = None
    sign: bool = False


@dataclass(frozen=True)
class GroupInterval:
    """A row: its name, its faces, and one number with its interval for each panel.

    `faint` tells that it is too small to be compared, or that nothing can be said of it.
    """

    name: str
    n: int | None
    intervals: Sequence[Interval]
    faint: bool = False


@dataclass(frozen=True)
class GroupIntervals:
    """Draws one row a group in each panel; panels stand side by side, on phones in a column.

    Args:
        rows: Top to bottom.
        panels: As many as each row has intervals.
    """

    rows: Sequence[GroupInterval]
    panels: Sequence[Panel]

    def size(self, width: float, *, narrow: bool = False) -> Size:
        """Return the size that gives every row its room."""
        height = HEAD + ROW * len(self.rows) + FOOT
        return Size(width, height * (len(self.panels) if narrow else 1), narrow)

    def __call__(self, drawing: Drawing, size: Size) -> None:
        """Draw into an empty drawing."""
        names = _names_width([row.name for row in self.rows], size.width)
        counts = max((text_width(_n(row), SMALL) for row in self.rows), default=0.0) + 8
        columns = 1 if size.narrow else len(self.panels)
        room = (size.width - names - counts) / columns
        for i, panel in enumerate(self.panels):
            left = names + room * (i % columns)
            top = HEAD + (size.height / len(self.panels)) * i if size.narrow else HEAD
            self._panel(drawing, i, panel, (left, left + room - 18, top))
            if i % columns == 0:
                self._names(drawing, names, size.width, top)

    def _panel(
        self, drawing: Drawing, i: int, panel: Panel, box: tuple[float, float, float]
    ) -> None:
        left, right, top = box
        intervals = [row.intervals[i] for row in self.rows]
        ends = [end for one in intervals for end in (one.value, one.low, one.high)]
        span = limits([*ends, panel.level, 0.0 if panel.sign else None])
        scale = Scale(span.low if panel.sign else max(span.low, 0.0), span.high, left, right)
        bottom = top + ROW * len(self.rows)
        x_axis(drawing, scale, top, bottom, panel.title, sign=panel.sign)
        if panel.sign:
            drawing.line((scale(0), top), (scale(0), bottom), stroke=MUTED, width=1.2)
        if panel.level is not None and math.isfinite(panel.level):
            x = scale(panel.level)
            drawing.line((x, top), (x, bottom), stroke=MUTED, width=1.2, dash="4 3")
        for k, (row, interval) in enumerate(zip(self.rows, intervals, strict=True)):
            y, opacity = top + ROW * (k + 0.5), FAINT if row.faint else 1.0
            _interval(drawing, scale, interval, y, opacity=opacity)
            if math.isfinite(interval.value):
                x = scale(interval.value)
                drawing.marker(x, y, fill=colour(0), radius=4.6, opacity=opacity)

    def _names(self, drawing: Drawing, left: float, right: float, top: float) -> None:
        for k, row in enumerate(self.rows):
            y = top + ROW * (k + 0.5)
            _name(drawing, row.name, left, y, faint=row.faint)
            drawing.text(right, y + 4, _n(row), anchor="end", size=SMALL)


@dataclass(frozen=True)
class GroupDots:
    """Draws one attribute for several versions: a row a version, a dot a group.

    Args:
        names: Versions, top to bottom.
        errors: Group errors of each version; a group that a version lacks has no dot there.
        counts: Faces of each group.
    """

    names: Sequence[str]
    errors: Sequence[Mapping[str, float]]
    counts: Mapping[str, int]

    def size(self, width: float) -> Size:
        """Return the size that gives every row and the legend their room."""
        keys = legend_height(self._keys, width)
        return Size(width, keys + HEAD + ROW * len(self.names) + FOOT)

    def __call__(self, drawing: Drawing, size: Size) -> None:
        """Draw into an empty drawing."""
        legend(drawing, self._keys, 0, 0, size.width)
        top = legend_height(self._keys, size.width) + HEAD
        left = _names_width(self.names, size.width)
        span = limits([e for errors in self.errors for e in errors.values()], least=LEAST_SPAN)
        scale = Scale(max(span.low, 0.0), span.high, left, size.width - 14)
        x_axis(drawing, scale, top, top + ROW * len(self.names), "Group error in years")
        for i, (name, errors) in enumerate(zip(self.names, self.errors, strict=True)):
            self._row(drawing, scale, name, errors, top + ROW * (i + 0.5))

    @property
    def _keys(self) -> list[Key]:
        return [
            Key(f"{name} (n = {n:,})", colour(i), marker(i))
            for i, (name, n) in enumerate(self.counts.items())
        ]

    def _row(
        self, drawing: Drawing, scale: Scale, name: str, errors: Mapping[str, float], y: float
    ) -> None:
        _name(drawing, name, scale.start, y)
        finite = [error for error in errors.values() if math.isfinite(error)]
        if finite:
            ends = (scale(min(finite)), y), (scale(max(finite)), y)
            drawing.line(*ends, stroke=GRID, width=3)
        for i, group in enumerate(self.counts):
            if group in errors and math.isfinite(errors[group]):
                drawing.marker(scale(errors[group]), y, fill=colour(i), shape=marker(i), radius=4.4)


def gap_bar(gap: Interval, margin: float, ends: tuple[float, float]) -> Markup:
    """Return a small drawing of one gap and its limits over the margin, for a table's row.

    Args:
        gap: The gap.
        margin: Largest gap that counts as none in practice; shaded to both sides of 0.
        ends: Ends of the axis, below and above 0.
    """
    drawing, size = Drawing(), Size(*BAR)
    scale = Scale(*ends, 4.0, size.width - 4.0)
    middle = size.height / 2
    left, right = scale.inside(-margin), scale.inside(margin)
    drawing.rect((left, 1), right - left, size.height - 2, fill=BAND, opacity=0.4, radius=2)
    drawing.line((scale(0), 0), (scale(0), size.height), stroke=MUTED, width=1)
    _interval(drawing, scale, gap, middle)
    if math.isfinite(gap.value):
        drawing.marker(scale.inside(gap.value), middle, fill=colour(0), radius=3.6)
    return drawing.svg(size, "")


def _interval(
    drawing: Drawing, scale: Scale, interval: Interval, y: float, *, opacity: float = 1.0
) -> None:
    """Draw an interval; an end that nothing bounds runs, dotted, to the end of the axis."""
    if not math.isfinite(interval.value) or interval.low is None is interval.high:
        return
    value = interval.value
    low, high = (value if end is None else end for end in (interval.low, interval.high))
    parts = [(low, high, "")]
    parts += [(scale.low, value, "1 4")] if interval.low is None else []
    parts += [(value, scale.high, "1 4")] if interval.high is None else []
    for start, end, dash in parts:
        ends = (scale.inside(start), y), (scale.inside(end), y)
        drawing.line(*ends, stroke=colour(0), width=2.4, dash=dash, opacity=opacity)


def _names_width(names: Sequence[str], width: float) -> float:
    return min(max((text_width(name, BODY) for name in names), default=0.0), NAMES * width) + 14


def _name(
    drawing: Drawing, name: str, left: float, y: float, *, bold: bool = False, faint: bool = False
) -> None:
    """Write the name of a row so that it ends where the axis begins."""
    fill = MUTED if faint else INK
    drawing.text(left - 12, y + 4, name, anchor="end", fill=fill, bold=bold, room=left - 12)


def _n(row: GroupInterval) -> str:
    return "" if row.n is None else f"n = {row.n:,}"
