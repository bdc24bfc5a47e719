"""Where two attributes meet: the errors of each cell, and a verdict over all pairs of cells."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.groups import (
    Floats,
    Groups,
    Units,
    groups_of,
    pair_persons,
    taking_part,
)
from fairage.auditing.noise import GroupMeans, estimate_means
from fairage.auditing.result_parts import MAE, MEAN_ERROR, Cell, Intersection, Interval
from fairage.auditing.verdicts import at_once, pair_gap, verdict_of
from fairage.tables import AGE_GROUP, UNKNOWN

MOST_ATTRIBUTES = 6
MOST_CELLS = 100


def audit_intersections(
    signed_errors: Floats,
    attributes: Mapping[str, Groups],
    *,
    units: Units | None,
    weights: Floats | None,
    min_rows: int,
    margin: float,
    seed: int,
) -> tuple[Intersection, ...]:
    """Return pairs of attributes crossed: the first five and `age_group`, up to 100 cells each.

    The verdict of each has a family of its own and never enters the headline.

    Args:
        signed_errors: Estimate minus true age, shape `(n,)`.
        attributes: Groups of the rows for each attribute.
        units: Persons.
        weights: Survey weight of each row.
        min_rows: Units from which a cell takes part.
        margin: Largest gap in years that counts as none in practice.
        seed: Start of the random numbers.
    """
    crossed = []
    chosen = [name for name in attributes if name != AGE_GROUP][: MOST_ATTRIBUTES - 1]
    chosen += [AGE_GROUP] if AGE_GROUP in attributes else []
    for one, other in combinations(chosen, 2):
        names, cells = _cross(attributes[one], attributes[other])
        if not 1 < len(names) <= MOST_CELLS:
            continue
        name = f"{one} x {other}"
        means = estimate_means(
            {MAE: np.abs(signed_errors), MEAN_ERROR: signed_errors},
            {name: cells},
            units=units,
            weights=weights,
            seed=seed,
            purpose=f"cells {one} {other}",
        )
        crossed.append(_intersection((one, other), names, cells, means, min_rows, margin, units))
    return tuple(crossed)


def _cross(first: Groups, second: Groups) -> tuple[list[tuple[str, str]], Groups]:
    """Return the cells that have rows: their pair of groups, and which rows are in each."""
    pairs = first.codes * len(second) + second.codes
    present = np.bincount(pairs, minlength=len(first) * len(second)) > 0
    codes, index = np.flatnonzero(present), (np.cumsum(present) - 1)[pairs]
    names = [
        (first.names[code // len(second)], second.names[code % len(second)])
        for code in codes.tolist()
    ]
    return names, groups_of([" x ".join(pair) for pair in names], index)


def _intersection(
    attributes: tuple[str, str],
    names: list[tuple[str, str]],
    cells: Groups,
    means: GroupMeans,
    min_rows: int,
    margin: float,
    units: Units | None,
) -> Intersection:
    name = " x ".join(attributes)
    columns = {quantity: means.columns(name, quantity) for quantity in (MAE, MEAN_ERROR)}
    known = np.array([UNKNOWN not in pair for pair in names], dtype=bool)
    part = taking_part(cells, min_rows, means.effective[columns[MAE]]) & known
    gaps = []
    if part.sum() > 1:
        family = at_once(means, {(name, q): own[part] for q, own in columns.items()})
        together = None if units is None else pair_persons(cells, units)
        for quantity in (MAE, MEAN_ERROR):
            start = columns[quantity][0]
            for g, h, gap, low, high in family.limits(name, quantity):
                first, second = g - start, h - start
                pair = cells.names[first], cells.names[second]
                n = int(cells.counts[first] + cells.counts[second])
                persons = None if together is None else int(together[first, second])
                interval = Interval(gap, low, high, n, persons)
                gaps.append(pair_gap(name, pair, quantity, interval, margin))
    verdict = verdict_of(
        name,
        gaps,
        margin,
        groups=[cell for cell, takes in zip(cells.names, part, strict=True) if takes],
        left_out=[
            (name, cell, int(n))
            for cell, n, takes in zip(cells.names, cells.counts, part, strict=True)
            if not takes
        ],
        rows=int(cells.counts[part].sum()),
    )
    rows = [
        Cell(
            names[i],
            int(cells.counts[i]),
            None if units is None else int(means.sizes[columns[MAE][i]]),
            bool(part[i]),
            _interval(means, columns[MAE], i, cells, units, floor=0.0),
            _interval(means, columns[MEAN_ERROR], i, cells, units),
        )
        for i in range(len(names))
    ]
    ranked = sorted(rows, key=lambda cell: (not cell.takes_part, -cell.mae.value))
    return Intersection(attributes, tuple(ranked), verdict)


def _interval(
    means: GroupMeans,
    columns: NDArray[np.int64],
    cell: int,
    cells: Groups,
    units: Units | None,
    floor: float | None = None,
) -> Interval:
    column = int(columns[cell])
    low, high = means.limits(column) or (None, None)
    if floor is not None and low is not None:
        low = max(low, floor)
    persons = None if units is None else int(means.sizes[column])
    return Interval(float(means.means[column]), low, high, int(cells.counts[cell]), persons)
