"""Accuracy against fairness: MAE and average bias of versions, with published points."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairage.reports.figures.axes import Key, Scale, legend, legend_height, x_axis, y_axis
from fairage.reports.figures.svg import (
    BAND,
    BODY,
    INK,
    MUTED,
    SMALL,
    Drawing,
    Size,
    colour,
    fitted,
    text_width,
)

OURS, STUDY, REFERENCE, TRIAL = "ours", "study", "reference", "trial"
BACKGROUND = (STUDY, TRIAL)
FAR_OUT = 1.5
CROWD = 8
LEFT, RIGHT, HEAD, FOOT = 40.0, 14.0, 30.0, 42.0
LONGEST = 190.0  # pixels of a name
LOOKS = {
    OURS: (colour(0), "circle", "measured here"),
    STUDY: (MUTED, "cross", "published by the study"),
    REFERENCE: (colour(1), "diamond", "other published"),
    TRIAL: (MUTED, "circle", "other trials"),
}
RADII = {OURS: 4.4, STUDY: 3.0, REFERENCE: 4.0, TRIAL: 2.4}
NEAR = ((9, 0), (-9, 0), (0, 13), (0, -13), (9, 13), (9, -13), (-9, 13), (-9, -13))
FAR = ((22, 18), (22, -18), (-22, 18), (-22, -18), (0, 26), (0, -26), (34, 30), (34, -30))
MARKER = 5.0
Ends = tuple[float, float]


@dataclass(frozen=True)
class Point:
    """A result.

    Args:
        name: What it is called.
        mae: Its MAE in years.
        bias: Its average bias in years.
        kind: `OURS`, `STUDY`, `REFERENCE` or `TRIAL`.
        mae_ends: Ends of the interval of its MAE, where there is one.
        bias_ends: Ends of the interval of its average bias, where there is one.
    """

    name: str
    mae: float
    bias: float
    kind: str = OURS
    mae_ends: Ends | None = None
    bias_ends: Ends | None = None


@dataclass(frozen=True)
class Label:
    """A name to write beside a point.

    Args:
        x: The point, in pixels.
        y: The point, in pixels.
        text: The name.
        colour: Of the text.
        size: Of the text, in CSS pixels.
        optional: Leave the name out where there is no room for it.
        bold: Write it bold.
        across: Pixels that the point's error bar reaches to the left and to the right.
        up: Pixels that the other error bar reaches to the top and to the bottom.
    """

    x: float
    y: float
    text: str
    colour: str = INK
    size: float = BODY
    optional: bool = False
    bold: bool = False
    across: Ends = (0.0, 0.0)
    up: Ends = (0.0, 0.0)


@dataclass(frozen=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "_Box") -> float:
        """Area that both boxes cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)

    def outside(self, other: "_Box") -> float:
        """Area of this box that the other one does not cover."""
        return (self.right - self.left) * (self.bottom - self.top) - self.overlap(other)


@dataclass(frozen=True)
class Scatter:
    """Draws the points over the band of average bias that noise alone gives.

    Args:
        points: In the order in which they may take the room for their names; in a crowd those
            of the front come first, and others go without where there is none.
        front: The points of ours that none of ours beats, joined by a line.
        floor: Average bias that noise gives on average; None where that is not known.
        floor_p975: What noise exceeds once in forty times: the upper edge of the band.
    """

    points: Sequence[Point]
    front: Sequence[Point]
    floor: float | None = None
    floor_p975: float | None = None

    @property
    def shown(self) -> list[Point]:
        """The points but for those of the background that would squeeze the others."""
        core = [p for p in self.points if p.kind not in BACKGROUND]
        mae, bias = max(p.mae for p in core), max(p.bias for p in core)
        near = [
            p for p in self.points if p.mae <= FAR_OUT * mae and p.bias <= max(FAR_OUT * bias, 1.3)
        ]
        return [p for p in self.points if p.kind not in BACKGROUND or p in near]

    def __call__(self, drawing: Drawing, size: Size) -> None:
        """Draw into an empty drawing."""
        keys, columns = self._keys, 1 if size.narrow else 0
        legend(drawing, keys, 0, 0, size.width, columns)
        top = legend_height(keys, size.width, columns) + HEAD
        across, up = self._scales(top, size)
        drawing.text(0, top - 12, "Average bias in years (lower is fairer)", size=SMALL)
        self._band(drawing, across, up)
        y_axis(drawing, up, across.start, across.end)
        x_axis(drawing, across, top, up.start, "MAE in years (left is more accurate)")
        if len(self.front) > 1:
            line = [(across(p.mae), up(p.bias)) for p in self.front]
            drawing.path(line, stroke=colour(0), width=1)
        for kind in (TRIAL, STUDY, REFERENCE, OURS):
            for point in (p for p in self.shown if p.kind == kind):
                _draw_point(drawing, across, up, point)
        frame = (across.start, up.end, across.end, up.start)
        place_labels(drawing, [self._label(p, across, up) for p in self._named()], frame)

    @property
    def _keys(self) -> list[Key]:
        kinds = [kind for kind in LOOKS if any(p.kind == kind for p in self.shown)]
        keys = [Key(LOOKS[kind][2], LOOKS[kind][0], LOOKS[kind][1]) for kind in kinds]
        if self.floor_p975 is not None:
            keys.append(Key("what noise alone may give", BAND, box=True))
        return keys

    def _scales(self, top: float, size: Size) -> tuple[Scale, Scale]:
        shown = self.shown
        left = min(min(p.mae_ends or (p.mae,)) for p in shown)
        right = max(max(p.mae_ends or (p.mae,)) for p in shown)
        highest = max([self.floor_p975 or 0.0, *(max(p.bias_ends or (p.bias,)) for p in shown)])
        margin = max(0.12 * (right - left), 0.1)
        across = Scale(max(left - margin, 0.0), right + margin, LEFT, size.width - RIGHT)
        return across, Scale(0.0, 1.12 * highest or 1.0, size.height - FOOT, top)

    def _band(self, drawing: Drawing, across: Scale, up: Scale) -> None:
        if self.floor_p975 is not None:
            edge = up(self.floor_p975)
            width = across.end - across.start
            drawing.rect((across.start, edge), width, up(0) - edge, fill=BAND, opacity=0.35)
        if self.floor is not None:
            y = up(self.floor)
            drawing.line((across.start, y), (across.end, y), stroke=MUTED, width=1.2, dash="4 3")

    def _named(self) -> list[Point]:
        """The points that have names: those that must be named first, for the best places."""
        return sorted((p for p in self.shown if p.kind != TRIAL), key=self._may_go_without)

    def _may_go_without(self, point: Point) -> bool:
        """Whether a name may be left out for want of room: in a crowd, all but the front's."""
        crowd = sum(p.kind == OURS for p in self.shown) > CROWD
        return point.kind == STUDY or (crowd and point.kind == OURS and point not in self.front)

    def _label(self, point: Point, across: Scale, up: Scale) -> Label:
        x, y = across(point.mae), up(point.bias)
        study = point.kind == STUDY
        left, right = point.mae_ends or (point.mae, point.mae)
        low, high = point.bias_ends or (point.bias, point.bias)
        return Label(
            x,
            y,
            fitted(point.name, LONGEST, BODY),
            MUTED if study else INK,
            SMALL - 1 if study else SMALL,
            optional=self._may_go_without(point),
            bold=point.kind == OURS,
            across=(x - across(left), across(right) - x),
            up=(y - up(high), up(low) - y),
        )


def place_labels(
    drawing: Drawing, labels: Sequence[Label], frame: tuple[float, float, float, float]
) -> None:
    """Write each name at the first of sixteen places where it covers nothing; earlier ones first.

    A far place gets a line to its point. `frame` is left, top, right and bottom of the plot.
    """
    occupied = [box for label in labels for box in _cross(label)]
    for label in labels:
        boxes = [_box(label, offset) for offset in NEAR + FAR]
        costs = [sum(map(box.overlap, occupied)) + 4 * box.outside(_Box(*frame)) for box in boxes]
        best = min(range(len(costs)), key=lambda i: (round(costs[i]), i))
        if label.optional and costs[best] > 1:
            continue
        occupied.append(boxes[best])
        _write(drawing, label, (NEAR + FAR)[best], far=best >= len(NEAR))


def _draw_point(drawing: Drawing, across: Scale, up: Scale, point: Point) -> None:
    fill, shape, _ = LOOKS[point.kind]
    x, y = across(point.mae), up(point.bias)
    if point.mae_ends is not None:
        low, high = point.mae_ends
        drawing.line((across(low), y), (across(high), y), stroke=fill, width=1)
    if point.bias_ends is not None:
        low, high = point.bias_ends
        drawing.line((x, up(low)), (x, up(high)), stroke=fill, width=1)
    drawing.marker(x, y, fill=fill, shape=shape, radius=RADII[point.kind])


def _cross(label: Label) -> tuple[_Box, _Box]:
    """Room of the marker and its two error bars."""
    x, y = label.x, label.y
    return (
        _Box(x - label.across[0] - MARKER, y - MARKER, x + label.across[1] + MARKER, y + MARKER),
        _Box(x - MARKER, y - label.up[0] - MARKER, x + MARKER, y + label.up[1] + MARKER),
    )


def _box(label: Label, offset: tuple[int, int]) -> _Box:
    width = text_width(label.text, label.size) * (1.06 if label.bold else 1)
    height = 1.25 * label.size
    centre = label.x + offset[0] + (offset[0] > 0) * width / 2 - (offset[0] < 0) * width / 2
    middle = label.y - offset[1]
    return _Box(centre - width / 2, middle - height / 2, centre + width / 2, middle + height / 2)


def _write(drawing: Drawing, label: Label, offset: tuple[int, int], *, far: bool) -> None:
    x, y = label.x + offset[0], label.y - offset[1]
    if far:
        drawing.line((label.x, label.y), (x, y), stroke=label.colour, width=0.6)
    anchor = "start" if offset[0] > 0 else "end" if offset[0] < 0 else "middle"
    drawing.text(
        x,
        y + 0.36 * label.size,
        label.text,
        fill=label.colour,
        size=label.size,
        anchor=anchor,
        bold=label.bold,
    )
