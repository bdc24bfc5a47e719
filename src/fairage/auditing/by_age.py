"""Errors along age, and what part of a gap comes from who is older.

Two groups may differ only because one is older. For each pair of groups the rows of the bands of
five years where both have enough units are compared twice: as they are (crude), and with both
groups at their pooled ages (adjusted, direct standardisation). The difference of the two, in years,
is the part that ages explain. All three are linear in the means of the cells (group, band), so that
their error follows from the influence of each unit; bands are taken as given.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.age_cells import AgeCells, cells_of_rows, cells_of_units
from fairage.auditing.distributions import student_quantile
from fairage.auditing.groups import Floats, Groups, Units, everyone
from fairage.auditing.result_parts import (
    ALL,
    MAE,
    MEAN_ERROR,
    AdjustedGap,
    AgeBand,
    ByAge,
    Gap,
    Interval,
)
from fairage.tables import AGE_GROUP

BAND_YEARS = 5
BAND_UNITS = 5
LEAST_SHARE = 0.5
MOST_PAIRS = 45  # of one attribute: ten groups
NOTHING = Interval(float("nan"))
NO_GAPS: Mapping[str, Sequence[Gap]] = MappingProxyType({})
ROUNDING = 1e-9  # of the size of the means: errors that are all equal have no spread


def audit_by_age(
    ages: Floats,
    signed_errors: Floats,
    attributes: Mapping[str, Groups],
    takes_part: Mapping[str, NDArray[np.bool_]],
    *,
    units: Units | None = None,
    weights: Floats | None = None,
    gaps: Mapping[str, Sequence[Gap]] = NO_GAPS,
) -> ByAge:
    """Return errors along age, and the adjusted gaps of each attribute but `age_group`.

    Of attributes with more than ten groups the 45 pairs that are surest or widest are adjusted;
    limits hold for all pairs either way.

    Args:
        ages: True ages in years, shape `(n,)`.
        signed_errors: Estimate minus true age, shape `(n,)`.
        attributes: Groups of the rows for each attribute.
        takes_part: Which groups take part, by attribute.
        units: Persons; each row is a unit where nothing is given.
        weights: Survey weight of each row.
        gaps: The measured gaps by attribute, which say what pairs matter most.
    """
    values = {MAE: np.abs(signed_errors), MEAN_ERROR: signed_errors}
    tables = {ALL: everyone(len(ages))}
    tables |= {name: groups for name, groups in attributes.items() if name != AGE_GROUP}
    makers = _CellMaker(ages, tables, values, units, weights)
    along: dict[str, tuple[AgeBand, ...]] = {}
    adjusted: dict[str, tuple[AdjustedGap, ...]] = {}
    for name, groups in tables.items():
        cells = makers.cells(name)
        along[name] = _bands(groups, cells)
        if name != ALL:
            part = np.flatnonzero(takes_part[name])
            adjusted[name] = _pairs(name, groups, cells, part, gaps.get(name, ()))
    return ByAge(along, adjusted)


class _CellMaker:
    """Makes the cells of each attribute; of very many rows the sums are taken once for all."""

    def __init__(
        self,
        ages: Floats,
        tables: Mapping[str, Groups],
        values: Mapping[str, Floats],
        units: Units | None,
        weights: Floats | None,
    ) -> None:
        self.tables, self.values, self.units, self.weights = tables, values, units, weights
        self.bands = (ages // BAND_YEARS).astype(np.int64)
        self.width = int(self.bands.max(initial=0)) + 1
        self.plain = units is None and weights is None
        self.counts: Floats | None = None
        self.codes = {n: groups.codes * self.width + self.bands for n, groups in tables.items()}
        if self.plain:
            self._add_up()

    def _add_up(self) -> None:
        """Take the sums of powers; by the joint cells of all attributes where these are fewer."""
        self.centres = {name: float(own.mean()) for name, own in self.values.items()}
        moved = {name: own - self.centres[name] for name, own in self.values.items()}
        self.powers = {name: (own, own * own, own * own * own) for name, own in moved.items()}
        joint = math.prod(len(groups) for groups in self.tables.values()) * self.width
        if joint * 4 > len(self.bands):
            return
        codes = np.zeros(len(self.bands), dtype=np.int64)
        for groups in self.tables.values():
            codes = codes * len(groups) + groups.codes
        codes = codes * self.width + self.bands
        self.counts = np.bincount(codes, minlength=joint).astype(np.float64)
        self.powers = {
            name: tuple(np.bincount(codes, power, minlength=joint) for power in own)  # type: ignore[misc]  # three
            for name, own in self.powers.items()
        }
        sides = [len(groups) for groups in self.tables.values()]
        places = np.indices([*sides, self.width]).reshape(len(sides) + 1, joint)
        self.codes = {
            name: places[i] * self.width + places[-1] for i, name in enumerate(self.tables)
        }

    def cells(self, attribute: str) -> dict[str, AgeCells]:
        """Return the cells of an attribute for each quantity."""
        shape = (len(self.tables[attribute]), self.width)
        codes = self.codes[attribute]
        if self.plain:
            return {
                name: cells_of_rows(
                    shape, codes, self.counts, self.powers[name], self.centres[name]
                )
                for name in self.values
            }
        return cells_of_units(shape, codes, self.values, self.units, self.weights)


def _bands(groups: Groups, cells: Mapping[str, AgeCells]) -> tuple[AgeBand, ...]:
    """Return each cell that has rows, with its errors."""
    limits = {name: own.limits() for name, own in cells.items()}
    counts, sizes = cells[MAE].counts, cells[MAE].sizes
    bands = []
    for group, band in np.argwhere(counts > 0).tolist():
        n = int(counts[group, band])
        persons = None if cells[MAE].presence is None else int(sizes[group, band])
        mae, mean_error = (
            Interval(
                float(own.means[group, band]),
                _end(limits[name][0][group, band], least=0.0 if name == MAE else None),
                _end(limits[name][1][group, band]),
                n,
                persons,
            )
            for name, own in cells.items()
        )
        low = float(band * BAND_YEARS)
        name = groups.names[group]
        bands.append(AgeBand(name, low, low + BAND_YEARS, n, mae, mean_error))
    return tuple(bands)


def _end(value: float, least: float | None = None) -> float | None:
    if np.isnan(value):
        return None
    return float(value) if least is None else max(float(value), least)


def _pairs(
    attribute: str,
    groups: Groups,
    cells: Mapping[str, AgeCells],
    part: NDArray[np.int64],
    measured: Sequence[Gap],
) -> tuple[AdjustedGap, ...]:
    """Return crude, adjusted and explained gaps of the pairs that take part.

    Their limits hold for all pairs and both measures of the attribute at once (Sidak).
    """
    pairs = list(combinations(part.tolist(), 2))
    level = 0.95 ** (1 / max(2 * len(pairs), 1))
    gaps = []
    for one, other in _most_important(pairs, groups, measured):
        sizes = cells[MAE].sizes
        shared = np.flatnonzero((sizes[[one, other]] >= BAND_UNITS).all(axis=0))
        used = np.zeros(sizes.shape, dtype=bool)
        used[np.array([one, other])[:, None], shared] = True
        overlap = _Overlap(shared, cells[MAE].persons_in(used))
        for measure, own in cells.items():
            first, second = own.group_mean(one), own.group_mean(other)
            pair = (one, other) if first >= second else (other, one)
            names = groups.names[pair[0]], groups.names[pair[1]]
            gaps.append(_adjusted(attribute, names, own, pair, overlap, measure, level))
    return tuple(sorted(gaps, key=lambda gap: gap.measure != MAE))


def _most_important(
    pairs: Sequence[tuple[int, int]], groups: Groups, measured: Sequence[Gap]
) -> Sequence[tuple[int, int]]:
    """Return the pairs whose gaps are surest, then widest, where there are very many."""
    if len(pairs) <= MOST_PAIRS:
        return pairs
    rank: dict[frozenset[str], tuple[float, float]] = {}
    for gap in measured:
        names = frozenset((gap.first, gap.second))
        rank[names] = max(rank.get(names, (0.0, 0.0)), (gap.at_least, gap.interval.value))

    def importance(pair: tuple[int, int]) -> tuple[float, float]:
        return rank.get(frozenset(groups.names[i] for i in pair), (0.0, 0.0))

    return sorted(pairs, key=importance, reverse=True)[:MOST_PAIRS]


@dataclass(frozen=True)
class _Overlap:
    """The bands of age where both groups of a pair have enough units, and the persons in them."""

    bands: NDArray[np.int64]
    persons: int | None


def _adjusted(
    attribute: str,
    names: tuple[str, str],
    cells: AgeCells,
    pair: tuple[int, int],
    overlap: _Overlap,
    measure: str,
    level: float,
) -> AdjustedGap:
    g, h = pair
    shared = overlap.bands
    if not len(shared):
        return AdjustedGap(
            attribute, *names, measure, NOTHING, NOTHING, NOTHING, (), (0.0, 0.0), usable=False
        )
    share = tuple(float(cells.counts[i, shared].sum() / cells.counts[i].sum()) for i in pair)
    first, second = cells.totals[g, shared], cells.totals[h, shared]
    pooled = (first + second) / (first + second).sum()
    first, second = first / first.sum(), second / second.sum()
    crude, adjusted, explained = (
        _combination(cells, pair, overlap, mix, level)
        for mix in ((first, second), (pooled, pooled), (first - pooled, second - pooled))
    )
    return AdjustedGap(
        attribute,
        *names,
        measure,
        crude,
        adjusted,
        explained,
        tuple((float(b * BAND_YEARS), float((b + 1) * BAND_YEARS)) for b in shared.tolist()),
        (share[0], share[1]),
        usable=min(share) >= LEAST_SHARE,
    )


def _combination(
    cells: AgeCells,
    pair: tuple[int, int],
    overlap: _Overlap,
    mix: tuple[Floats, Floats],
    level: float,
) -> Interval:
    """Return sum(mix x means of the first) - sum(mix x means of the second), with its limits."""
    (g, h), bands = pair, overlap.bands
    value = float(mix[0] @ cells.means[g, bands] - mix[1] @ cells.means[h, bands])
    loads = np.zeros(cells.counts.shape)
    loads[g, bands], loads[h, bands] = mix[0], -mix[1]
    variance, degrees = cells.variance(loads, overlap.persons)
    n = int(cells.counts[[g, h]][:, bands].sum())
    tiny = ROUNDING * float(np.abs(cells.means[[g, h]][:, bands]).max())
    reach = 0.0
    if variance**0.5 > tiny:
        reach = student_quantile((1 + level) / 2, degrees) * variance**0.5
    elif abs(value) <= tiny:
        value = 0.0
    return Interval(value, value - reach, value + reach, n, overlap.persons)
