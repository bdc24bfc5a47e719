"""Lines of several groups: error along age, rates along a threshold."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fairage.report.figures.palette import GROUPS, MUTED, SURFACE, colour, marker, marker_size
from fairage.report.figures.svg import Size

__all__ = ["Curves"]

PLOT, LEGEND_LINE = 270.0, 17.0
MANY_POINTS = 26
SHADE = 0.13
STROKES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Curves:
    """Draws a line a group.

    Args:
        x: Shape `(m,)`.
        lines: Values of each group, shape `(m,)`, NaN where there is none.
        xlabel: What x is.
        ylabel: What the values are.
        level: A horizontal line to measure by.
        vertical: A vertical line, with its name.
        limits: Ends of the vertical axis where they are fixed.
        bands: Lower and upper ends of the lines' intervals, shape `(m,)` each, drawn as a shade.
    """

    x: NDArray[np.float64]
    lines: Mapping[str, NDArray[np.float64]]
    xlabel: str
    ylabel: str
    level: float | None = None
    vertical: tuple[str, float] | None = None
    limits: tuple[float, float] | None = None
    bands: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(
        default_factory=dict
    )

    @property
    def size(self) -> Size:
        """The size that gives plot and legend their room."""
        lines = (len(self.lines) + 1) // 2 if len(self.lines) > 1 else 0
        return Size(400, PLOT + LEGEND_LINE * lines)

    def __call__(self, figure: Figure, size: Size) -> None:
        """Draw into an empty figure."""
        axes = figure.add_subplot()
        if self.level is not None:
            axes.axhline(self.level, color=MUTED, lw=0.9)
        for i, (name, values) in enumerate(self.lines.items()):
            self._line(axes, i, name, values)
        axes.grid(visible=True)
        axes.set_xlabel(self.xlabel)
        axes.set_ylabel(self.ylabel)
        if self.limits is not None:
            axes.set_ylim(*self.limits)
        if self.vertical is not None:
            _vertical(axes, *self.vertical)
        if len(self.lines) > 1:
            figure.legend(loc="outside upper left", ncols=2, handlelength=2)

    def _line(self, axes: Axes, i: int, name: str, values: NDArray[np.float64]) -> None:
        """Few points get markers, many get strokes, so that colour is never all that differs."""
        few = len(self.x) <= MANY_POINTS
        if name in self.bands:
            axes.fill_between(self.x, *self.bands[name], color=colour(i), alpha=SHADE, lw=0)
        axes.plot(
            self.x,
            values,
            color=colour(i),
            lw=1.8,
            ls=STROKES[i // len(GROUPS) % 4 if few else i % 4],
            marker=marker(i) if few else None,
            markersize=0.8 * marker_size(i),
            markeredgecolor=SURFACE,
            label=name,
        )


def _vertical(axes: Axes, name: str, x: float) -> None:
    axes.axvline(x, color=MUTED, lw=0.9, ls=(0, (4, 3)))
    axes.annotate(
        name,
        (x, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -2),
        textcoords="offset pixels",
        va="top",
        color=MUTED,
        fontsize=9.5,
    )
