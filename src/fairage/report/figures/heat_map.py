"""Error where two attributes meet: a cell a pair of groups, darker for a larger error."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fairage.report.figures.palette import GRID, MUTED, SURFACE
from fairage.report.figures.svg import Size

__all__ = ["HeatMap"]

ROW, COLUMN, LABELS = 46.0, 92.0, 118.0
STEPS = ("#f2f6fa", "#d6e4f0", "#b3cfe5", "#86b4d6", "#5695c4", "#2f75ad", "#15558a", "#083a63")
LIGHT_TEXT, DARK_TEXT = "#ffffff", "#10131a"


@dataclass(frozen=True)
class HeatMap:
    """Draws a table of cells, each with its error and its number of faces.

    Args:
        rows: Groups of the first attribute.
        columns: Groups of the second attribute.
        values: Errors in years, shape `(rows, columns)`; NaN for a cell without a value.
        counts: Faces, shape `(rows, columns)`.
        minimum: Cells with fewer faces are hatched: their error says little.
        scale: Errors of the lightest and the darkest colour, so that maps can share them.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    minimum: int
    scale: tuple[float, float]

    @property
    def size(self) -> Size:
        """The size that gives every cell its room."""
        return Size(LABELS + COLUMN * len(self.columns), 40 + ROW * len(self.rows))

    def __call__(self, figure: Figure, size: Size) -> None:
        """Draw into an empty figure."""
        axes = figure.add_subplot()
        for row in range(len(self.rows)):
            for column in range(len(self.columns)):
                self._cell(axes, row, column)
        axes.set_xlim(0, len(self.columns))
        axes.set_ylim(len(self.rows), 0)
        axes.xaxis.tick_top()
        axes.set_xticks(np.arange(len(self.columns)) + 0.5, self.columns)
        axes.set_yticks(np.arange(len(self.rows)) + 0.5, self.rows)
        axes.spines[:].set_visible(False)

    def _cell(self, axes: Axes, row: int, column: int) -> None:
        value, n = self.values[row, column], int(self.counts[row, column])
        known = bool(np.isfinite(value)) and n >= self.minimum
        step = self._step(value) if known else 0
        axes.fill_between(
            [column + 0.02, column + 0.98],
            row + 0.03,
            row + 0.97,
            facecolor=STEPS[step] if known else "none",
            edgecolor=SURFACE if known else GRID,
            hatch=None if known else "////",
            lw=0,
        )
        ink = (LIGHT_TEXT if step >= 5 else DARK_TEXT) if known else MUTED
        told = f"{value:.1f}" if np.isfinite(value) else "\N{EN DASH}"
        axes.text(column + 0.5, row + 0.42, told, ha="center", va="center", color=ink)
        axes.text(
            column + 0.5,
            row + 0.74,
            f"n = {n:,}",
            ha="center",
            va="center",
            color=ink,
            fontsize=8.5,
        )

    def _step(self, value: float) -> int:
        """Return which of the colours an error has."""
        low, high = self.scale
        share = (value - low) / (high - low) if high > low else 0.0
        return int(np.clip(int(share * len(STEPS)), 0, len(STEPS) - 1))
