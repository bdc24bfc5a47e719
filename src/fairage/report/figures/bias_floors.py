"""The bias of each attribute against its noise floor: beyond the grey bar is beyond chance."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fairage.report.figures.palette import BAND, MUTED, colour
from fairage.report.figures.svg import Size

__all__ = ["BiasFloor", "BiasFloors"]

ROW, FOOT = 34.0, 76.0
THICKNESS = 0.56


@dataclass(frozen=True)
class BiasFloor:
    """An attribute's bias and interval, and what chance alone gives: its mean and its 95 %."""

    name: str
    bias: float
    low: float | None
    high: float | None
    floor: float
    floor_p95: float


@dataclass(frozen=True)
class BiasFloors:
    """Draws one row an attribute: a grey bar for chance, a dot and its interval for the bias."""

    biases: Sequence[BiasFloor]

    def __call__(self, figure: Figure, size: Size) -> None:
        """Draw into an empty figure."""
        axes = figure.add_subplot()
        rows = range(len(self.biases))
        for row, bias in zip(rows, self.biases, strict=True):
            _draw_chance(axes, row, bias, named=row == 0)
            _draw_bias(axes, row, bias, named=row == 0)
        axes.set_yticks(rows, [bias.name for bias in self.biases])
        axes.set_ylim(len(self.biases) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.grid(visible=True, axis="x")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("Bias in years")
        figure.legend(loc="outside upper left", ncols=1 if size.narrow else 3)

    def size(self, width: float) -> Size:
        """The size that gives every row its room."""
        return Size(width, FOOT + ROW * len(self.biases))


def _draw_chance(axes: Axes, row: int, bias: BiasFloor, *, named: bool) -> None:
    axes.barh(
        row,
        bias.floor_p95,
        height=THICKNESS,
        color=BAND,
        alpha=0.45,
        lw=0,
        label="what chance alone may give" if named else None,
    )
    axes.plot(
        [bias.floor, bias.floor],
        [row - THICKNESS / 2, row + THICKNESS / 2],
        color=MUTED,
        lw=1.6,
        label="noise floor" if named else None,
    )


def _draw_bias(axes: Axes, row: int, bias: BiasFloor, *, named: bool) -> None:
    if bias.low is not None and bias.high is not None:
        axes.plot([bias.low, bias.high], [row, row], color=colour(0), lw=2.2)
    axes.plot(
        [bias.bias],
        [row],
        marker="o",
        markersize=8,
        color=colour(0),
        linestyle="none",
        label="bias, with 95 % interval" if named else None,
    )
