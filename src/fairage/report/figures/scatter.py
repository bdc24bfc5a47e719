"""Accuracy against fairness: MAE and average bias of versions, with published points."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fairage.report.figures.labels import Label, place_labels
from fairage.report.figures.palette import BAND, INK, MUTED, SURFACE, colour
from fairage.report.figures.svg import Size

__all__ = ["OURS", "REFERENCE", "STUDY", "TRIAL", "Point", "Scatter"]

OURS, STUDY, REFERENCE, TRIAL = "ours", "study", "reference", "trial"
BACKGROUND = (STUDY, TRIAL)
FAR_OUT = 1.5
CROWD = 8
LOOKS = {
    OURS: (colour(0), "o", "measured here"),
    STUDY: (MUTED, "x", "published by the study"),
    REFERENCE: (colour(1), "D", "other published"),
    TRIAL: (MUTED, ".", "other trials"),
}


@dataclass(frozen=True)
class Point:
    """A result: its name, MAE and average bias in years, and the spread of both over seeds."""

    name: str
    mae: float
    bias: float
    kind: str = OURS
    mae_sd: float = 0.0
    bias_sd: float = 0.0


@dataclass(frozen=True)
class Scatter:
    """Draws the points over the band of average bias that chance alone gives.

    Args:
        points: In the order in which they may take the room for their names; in a crowd those
            of the front come first, and others go without where there is none.
        front: The points of ours that none of ours beats, joined by a line.
        floor: Average bias that chance gives on average.
        floor_p95: What chance exceeds once in twenty times: the upper edge of the band.
    """

    points: Sequence[Point]
    front: Sequence[Point]
    floor: float
    floor_p95: float

    @property
    def shown(self) -> list[Point]:
        """The points but for those of the background that would squeeze the others."""
        core = [p for p in self.points if p.kind not in BACKGROUND]
        mae, bias = max(p.mae for p in core), max(p.bias for p in core)
        near = [
            p for p in self.points if p.mae <= FAR_OUT * mae and p.bias <= max(FAR_OUT * bias, 1.3)
        ]
        return [p for p in self.points if p.kind not in BACKGROUND or p in near]

    def __call__(self, figure: Figure, size: Size) -> None:
        """Draw into an empty figure."""
        axes = figure.add_subplot()
        axes.grid(visible=True)
        axes.set_xlabel("MAE in years (left is more accurate)")
        axes.set_ylabel("Average bias in years (lower is fairer)")
        self._limits(axes)
        self._band(axes)
        for kind in (TRIAL, STUDY, REFERENCE, OURS):
            _plot(axes, [p for p in self.shown if p.kind == kind], kind)
        if len(self.front) > 1:
            axes.plot(
                [p.mae for p in self.front], [p.bias for p in self.front], color=colour(0), lw=0.9
            )
        figure.legend(loc="outside upper left", ncols=1 if size.narrow else 4, handletextpad=0.4)
        size_of_text = 10.0 if size.narrow else 11.0
        place_labels(figure, axes, [self._label(p, size_of_text) for p in self._named()])

    def _named(self) -> list[Point]:
        """The points that have names: those that must be named first, for the best places."""
        named = [p for p in self.shown if p.kind != TRIAL]
        return sorted(named, key=self._may_go_without)

    def _may_go_without(self, point: Point) -> bool:
        """Whether a name may be left out for want of room: in a crowd, all but the front's."""
        crowd = sum(p.kind == OURS for p in self.shown) > CROWD
        return point.kind == STUDY or (crowd and point.kind == OURS and point not in self.front)

    def _label(self, point: Point, size: float) -> Label:
        optional = self._may_go_without(point)
        if point.kind == STUDY:
            return Label(point.mae, point.bias, point.name, MUTED, size - 1, optional=optional)
        return Label(
            point.mae,
            point.bias,
            point.name,
            INK,
            size,
            bold=point.kind == OURS,
            optional=optional,
            reach=(point.mae_sd, point.bias_sd),
        )

    def _limits(self, axes: Axes) -> None:
        left = min(p.mae - p.mae_sd for p in self.shown)
        right = max(p.mae + p.mae_sd for p in self.shown)
        top = max([self.floor_p95, *(p.bias + p.bias_sd for p in self.shown)])
        margin = max(0.12 * (right - left), 0.1)
        axes.set_xlim(left - margin, right + margin)
        axes.set_ylim(0, 1.12 * top or 1)

    def _band(self, axes: Axes) -> None:
        axes.axhspan(
            0, self.floor_p95, color=BAND, alpha=0.35, lw=0, label="what chance alone gives"
        )
        axes.axhline(self.floor, color=MUTED, lw=0.9, ls=(0, (4, 3)))


def _plot(axes: Axes, points: Sequence[Point], kind: str) -> None:
    if not points:
        return
    face, shape, name = LOOKS[kind]
    axes.errorbar(
        [p.mae for p in points],
        [p.bias for p in points],
        xerr=[p.mae_sd for p in points] if kind == OURS else None,
        yerr=[p.bias_sd for p in points] if kind == OURS else None,
        linestyle="none",
        elinewidth=1.0,
        color=face,
        marker=shape,
        markersize=6.5,
        markeredgecolor=MUTED if kind == STUDY else SURFACE,
        label=name,
    )
