"""The errors of an attribute's groups, each with its interval and its number of faces."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fairage.report.figures.palette import MUTED, colour
from fairage.report.figures.svg import Size

__all__ = ["GroupInterval", "GroupIntervals"]

ROW, FOOT = 27.0, 44.0
FAINT = 0.45


@dataclass(frozen=True)
class GroupInterval:
    """A group: its faces, its value, the ends of its interval where it has one.

    `faint` tells that the group is too small to say anything.
    """

    name: str
    n: int
    value: float
    low: float | None
    high: float | None
    faint: bool = False


@dataclass(frozen=True)
class GroupIntervals:
    """Draws one row a group, with a line at the value of all faces.

    Args:
        groups: Top to bottom.
        overall: The value of all faces together.
        xlabel: What the axis is.
    """

    groups: Sequence[GroupInterval]
    overall: float
    xlabel: str = "Group error in years"

    @property
    def size(self) -> Size:
        """The size that gives every row its room."""
        return Size(400, FOOT + ROW * len(self.groups))

    def __call__(self, figure: Figure, size: Size) -> None:
        """Draw into an empty figure."""
        axes = figure.add_subplot()
        axes.axvline(self.overall, color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=1)
        for row, group in enumerate(self.groups):
            _draw_group(axes, row, group)
        axes.set_yticks(range(len(self.groups)), [group.name for group in self.groups])
        axes.set_ylim(len(self.groups) - 0.5, -0.5)
        axes.grid(visible=True, axis="x")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(self.xlabel)
        axes.margins(x=0.08)
        right = axes.secondary_yaxis("right")
        right.set_yticks(
            range(len(self.groups)), [f"n = {group.n:,}" for group in self.groups], color=MUTED
        )
        right.spines["right"].set_visible(False)


def _draw_group(axes: Axes, row: int, group: GroupInterval) -> None:
    alpha = FAINT if group.faint else 1.0
    if group.low is not None and group.high is not None:
        axes.plot([group.low, group.high], [row, row], color=colour(0), lw=2.2, alpha=alpha)
    axes.plot(
        [group.value],
        [row],
        marker="o",
        markersize=7.5,
        color=colour(0),
        alpha=alpha,
        linestyle="none",
    )
