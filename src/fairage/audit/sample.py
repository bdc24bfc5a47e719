"""Rows gathered in cells, and the sums of a quantity in each: all that most numbers need.

A cell holds the rows that share their groups in every attribute and five years of age. Sums over
the cells are computed once; every group, crossing and replicate is then made of some hundred
cells, whatever the number of rows. Where identities are known, or there would be more cells than
rows, each row is a cell of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage.audit.groups import Groups
from fairage.audit.units import Units

__all__ = ["Floats", "Quantity", "Sample", "gather"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Quantity:
    """A number of each row and its sums in each cell.

    Args:
        values: One number a row, shape `(n,)`.
        sums: Sum in each cell, shape `(cells,)`.
        squares: Sum of second powers.
        cubes: Sum of third powers.
    """

    values: Floats
    sums: Floats
    squares: Floats
    cubes: Floats


@dataclass(frozen=True)
class Sample:
    """Rows gathered in cells.

    Args:
        rows: How many rows there are.
        cells: Cell of each row, shape `(n,)`; None where each row is a cell of its own.
        counts: Rows of each cell, shape `(cells,)`.
        attributes: Groups by attribute: `codes` has one entry a cell, `counts` counts rows.
        units: Identities of the rows; None where each row stands for itself.
    """

    rows: int
    cells: NDArray[np.int64] | None
    counts: Floats
    attributes: dict[str, Groups]
    units: Units | None

    @property
    def size(self) -> int:
        """How many units there are: identities where these are known, else rows."""
        return self.rows if self.units is None else self.units.count

    def quantity(self, values: Floats) -> Quantity:
        """Return the sums of a quantity, shape `(n,)`, and of its powers in each cell."""
        squares = values * values
        cubes = squares * values
        return Quantity(values, self.sums(values), self.sums(squares), self.sums(cubes))

    def sums(self, values: Floats) -> Floats:
        """Return the sum of a quantity, shape `(n,)`, in each cell, shape `(cells,)`."""
        if self.cells is None:
            return values
        return np.bincount(self.cells, weights=values, minlength=len(self.counts)).astype(
            np.float64, copy=False
        )

    def codes(self, groups: Groups, rows: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return the group of each row, or of each of these rows."""
        if self.cells is None:
            return groups.codes if rows is None else groups.codes[rows]
        return groups.codes[self.cells if rows is None else self.cells[rows]]


def gather(attributes: Mapping[str, Groups], units: Units | None = None) -> Sample:
    """Return the rows gathered in the cells of these attributes.

    Args:
        attributes: Groups by attribute, `codes` with one entry a row.
        units: Identities of the rows; None where each row stands for itself.

    Examples:
        >>> from fairage.audit.groups import group_rows
        >>> sex, hair = group_rows(list("ffmmmf")), group_rows(list("rrrrrr"))
        >>> gather({"sex": sex, "hair": hair}).counts.tolist()
        [3.0, 3.0]
    """
    rows = len(next(iter(attributes.values())).codes)
    possible = float(np.prod([float(len(groups)) for groups in attributes.values()]))
    if units is not None or possible > rows:
        return Sample(rows, None, np.ones(rows), dict(attributes), units)
    cells = np.zeros(rows, dtype=np.int64)
    for groups in attributes.values():
        cells *= len(groups)
        cells += groups.codes
    counts = np.bincount(cells, minlength=int(possible))
    present = np.flatnonzero(counts)
    place = np.zeros(len(counts), dtype=np.int64)
    place[present] = np.arange(len(present))
    found, left = {}, present
    for name, groups in reversed(list(attributes.items())):
        found[name] = Groups(groups.names, left % len(groups), groups.counts)
        left = left // len(groups)
    ordered = {name: found[name] for name in attributes}
    return Sample(rows, place[cells], counts[present].astype(np.float64), ordered, None)
