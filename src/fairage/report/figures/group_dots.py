"""Group errors of several versions: a row a version, a dot a group of one attribute."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from fairage.audit.groups import GroupMeans
from fairage.report.figures.palette import GRID, SURFACE, colour, marker, marker_size
from fairage.report.figures.svg import Size

__all__ = ["GroupDots"]

LEAST_SPAN = 2.0
ROW, HEAD = 26.0, 62.0
LEGEND_LINE = 17.0


@dataclass(frozen=True)
class GroupDots:
    """Draws one attribute: names of versions down the side, the groups' errors along the row.

    Args:
        names: Versions, top to bottom.
        groups: Group errors of each version; a group that a version lacks has no dot there.
    """

    names: Sequence[str]
    groups: Sequence[GroupMeans]

    @property
    def size(self) -> Size:
        """The size that gives every row and the legend its room."""
        lines = (len(self._counts()) + 1) // 2
        return Size(400, HEAD + ROW * len(self.names) + LEGEND_LINE * lines)

    def __call__(self, figure: Figure, size: Size) -> None:
        """Draw into an empty figure."""
        axes = figure.add_subplot()
        rows = range(len(self.names))
        for row, groups in zip(rows, self.groups, strict=True):
            span = [groups.means.min(), groups.means.max()]
            axes.plot(span, [row, row], color=GRID, lw=3, solid_capstyle="round", zorder=1)
        for i, (name, n) in enumerate(self._counts().items()):
            axes.plot(
                [_error(groups, name) for groups in self.groups],
                list(rows),
                linestyle="none",
                marker=marker(i),
                color=colour(i),
                markeredgecolor=SURFACE,
                markersize=marker_size(i),
                label=f"{name} (n = {n:,})",
            )
        axes.set_yticks(list(rows), self.names)
        axes.set_ylim(len(self.names) - 0.5, -0.5)
        axes.set_xlim(*self._limits())
        axes.grid(visible=True, axis="x")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("Group error in years")
        figure.legend(loc="outside upper left", ncols=2, handletextpad=0.1, columnspacing=1.0)

    def _counts(self) -> dict[str, int]:
        """Faces of each group, by the first version that has it."""
        found: dict[str, int] = {}
        for groups in self.groups:
            for name, n in zip(groups.names, groups.counts, strict=True):
                found.setdefault(name, int(n))
        return found

    def _limits(self) -> tuple[float, float]:
        """Both ends of the axis: all dots, and never so few years that noise looks large."""
        low = min(float(groups.means.min()) for groups in self.groups)
        high = max(float(groups.means.max()) for groups in self.groups)
        margin = max(0.06 * (high - low), (LEAST_SPAN - (high - low)) / 2)
        return max(low - margin, 0.0), high + margin


def _error(groups: GroupMeans, name: str) -> float:
    return float(groups.means[groups.names.index(name)]) if name in groups.names else np.nan
