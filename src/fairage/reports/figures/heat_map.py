"""Error where two attributes meet, as a table with a colour for each error.

A table and not a drawing: it can be scrolled on a phone, selected, and read aloud cell by cell.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fairage.reports.format import number

__all__ = ["STEPS", "HeatMap", "MapCell"]

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
