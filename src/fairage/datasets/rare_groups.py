"""Filling up rare groups: how many copies every combination of groups gets.

Rows that are alike in all attributes form a cell; a copy of any of them does the same. A group
lacks what it is short of its target, the share of its attribute's largest group, copies included.
Copies are added to the cell that lowers the sum of the squared lacks fastest: it gains in each
attribute where its group lacks, and loses where its group is the largest, as that raises the
targets. This stops when nothing lacks or when a copy anywhere would take away as much as it gives.
It is first tried with few copies a row, then with more, so that no face is copied more often than
needed; at last every copy that can be spared is taken back.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage.tables import UNKNOWN

_TINY = 1e-9
_BOLDNESS = 0.1
_MARGIN = 3.0


@dataclass(frozen=True)
class GroupCopies:
    """How many rows and copies a group has, and how many it should have.

    Args:
        attribute: Name of the attribute.
        group: Name of the group.
        rows: Its rows.
        copies: Copies of its rows.
        fewest: How often its least copied row is copied.
        target: Rows and copies that were aimed at; 0 where nothing was.
    """

    attribute: str
    group: str
    rows: int
    copies: int
    fewest: int
    target: float

    @property
    def reached(self) -> bool:
        """Whether the group has what was aimed at."""
        return self.rows + self.copies >= self.target - _TINY


@dataclass(frozen=True)
class GroupCells:
    """The combinations of groups that occur.

    Args:
        cell_of_row: Each row's cell, shape `(n,)`.
        sizes: Rows of each cell, shape `(cells,)`.
        groups: Each cell's group of each attribute, shape `(cells, attributes)`; groups are
            numbered through all attributes.
        attribute_of_group: Shape `(groups,)`.
        counted: Groups that are filled up: all but `unknown`, shape `(groups,)`.
    """

    cell_of_row: NDArray[np.int64]
    sizes: NDArray[np.int64]
    groups: NDArray[np.int64]
    attribute_of_group: NDArray[np.int64]
    counted: NDArray[np.bool_]

    def supports(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the rows and copies of every group, for the copies of every cell."""
        totals = np.repeat(self.sizes + counts, self.groups.shape[1])
        supports = np.bincount(self.groups.reshape(-1), totals, len(self.counted))
        return np.asarray(supports, dtype=np.float64)

    def largest(self, supports: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the support of the largest group of each attribute."""
        largest = np.zeros(self.groups.shape[1])
        np.maximum.at(largest, self.attribute_of_group, supports)
        return largest

    def lacks(self, counts: NDArray[np.int64], share: float, margin: float) -> NDArray[np.float64]:
        """Return what each group is short of the share, and of some rows more."""
        supports = self.supports(counts)
        largest = self.largest(supports)[self.attribute_of_group]
        more = np.minimum(margin, (1 - share) * largest / 2)
        targets = np.where(self.counted, share * largest + more, 0.0)
        return np.maximum(targets - supports, 0.0)


def make_cells(labels: dict[str, NDArray[np.str_]]) -> GroupCells:
    """Return the cells of rows whose group of each attribute is given, `(n,)` each."""
    codes: list[NDArray[np.int64]] = []
    attribute_of_group: list[int] = []
    names: list[str] = []
    for attribute, values in enumerate(labels.values()):
        group_names, code = np.unique(values, return_inverse=True)
        codes.append(code.reshape(-1) + len(names))
        names.extend(group_names.tolist())
        attribute_of_group.extend([attribute] * len(group_names))
    groups, cell_of_row = np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)
    cell_of_row = cell_of_row.reshape(-1)
    return GroupCells(
        cell_of_row=cell_of_row,
        sizes=np.bincount(cell_of_row),
        groups=groups,
        attribute_of_group=np.array(attribute_of_group),
        counted=np.array(names) != UNKNOWN,
    )


def copies_of_cells(cells: GroupCells, share: float, most: int) -> NDArray[np.int64]:
    """Return the copies of each cell, shape `(cells,)`, at most `most` a row.

    The limit on a row's copies rises by a quarter or more until all groups have their share.

    Examples:
        >>> cells = make_cells({"gender": np.array(["female"] * 3 + ["male"] * 10)})
        >>> copies_of_cells(cells, 0.5, most=100)
        array([2, 0])
    """
    limit = 1
    while True:
        limit = min(limit, most)
        counts = _fill(cells, share, limit * cells.sizes)
        if limit == most or not cells.lacks(counts, share, 0.0).max() > _TINY:
            return _spare(cells, share, counts)
        limit = max(limit + 1, limit * 5 // 4)


def supports_of(
    labels: dict[str, NDArray[np.str_]], times: NDArray[np.int64], share: float
) -> tuple[GroupCopies, ...]:
    """Return every group's rows, copies and target, for the copies of each row `(n,)`."""
    supports: list[GroupCopies] = []
    for attribute, values in labels.items():
        names = [str(name) for name in np.unique(values)]
        times_of = [times[values == name] for name in names]
        target = share * max(len(each) + int(each.sum()) for each in times_of)
        supports.extend(
            GroupCopies(
                attribute=attribute,
                group=name,
                rows=len(each),
                copies=int(each.sum()),
                fewest=int(each.min()),
                target=0.0 if name == UNKNOWN else target,
            )
            for name, each in zip(names, times_of, strict=True)
        )
    return tuple(supports)


def _fill(cells: GroupCells, share: float, limits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add copies, each cell within its limit, until nothing lacks or nothing helps."""
    counts = np.zeros_like(cells.sizes)
    while cells.lacks(counts, share, 0.0).max() > _TINY:
        lacks = cells.lacks(counts, share, _MARGIN)
        slope = _slope(cells, counts, lacks, share)
        slope[counts >= limits] = np.inf
        cell = int(np.argmin(slope + _TINY * counts / cells.sizes))
        if slope[cell] > -_TINY:
            break
        step = max(1, int(_BOLDNESS * lacks[cells.groups[cell]].max()))
        step = min(step, int(limits[cell] - counts[cell]))
        while step and _squares(cells, counts, cell, step, share) > (lacks**2).sum() - _TINY:
            step //= 2
        if not step:
            break
        counts[cell] += step
    return counts


def _squares(
    cells: GroupCells, counts: NDArray[np.int64], cell: int, step: int, share: float
) -> float:
    """Return the squared lacks if a cell had so many copies more."""
    more = counts.copy()
    more[cell] += step
    return float((cells.lacks(more, share, _MARGIN) ** 2).sum())


def _slope(
    cells: GroupCells, counts: NDArray[np.int64], lacks: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """Return half of what a copy in each cell adds to the squared lacks, at first order."""
    supports = cells.supports(counts)
    sums = np.bincount(cells.attribute_of_group, lacks, cells.groups.shape[1])
    is_largest = supports >= cells.largest(supports)[cells.attribute_of_group]
    by_group = np.where(is_largest, share * sums[cells.attribute_of_group], 0.0) - lacks
    return np.asarray(by_group[cells.groups].sum(axis=1), dtype=np.float64)


def _spare(cells: GroupCells, share: float, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Take back every copy without which no group lacks more than before."""
    before = None
    while before is None or (counts != before).any():
        before, counts = counts, counts.copy()
        for cell in np.argsort(-counts / cells.sizes, kind="stable"):
            counts[cell] = _needed(cells, share, counts, int(cell))
    return counts


def _needed(cells: GroupCells, share: float, counts: NDArray[np.int64], cell: int) -> int:
    """Return the fewest copies in a cell with which no group lacks more than with all of them."""
    allowed = cells.lacks(counts, share, 0.0) + _TINY
    trial = counts.copy()
    low, high = 0, int(counts[cell])
    while low < high:
        trial[cell] = (low + high) // 2
        if (cells.lacks(trial, share, 0.0) <= allowed).all():
            high = int(trial[cell])
        else:
            low = int(trial[cell]) + 1
    return low
