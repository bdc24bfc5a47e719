"""Faces that one model estimates and the other does not, compared by group.

A model that leaves out the hard faces looks better on those it keeps. Faces for which both fail
favour neither; what counts is where one fails alone. The share of B's lone failures less that of
A's is B's failure rate less A's. Its limits come from the exact limits of the two shares (MOVER),
and leave 0 out only where an exact sign test does too, at the level that Sidak leaves each group,
so that they hold for all groups at once.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.distributions import clopper_pearson
from fairage.auditing.failures import mae_if_withheld
from fairage.auditing.groups import Floats, Groups, Units, everyone, taking_part
from fairage.auditing.means import UnitSums
from fairage.auditing.measures import MEASURES, GroupErrors
from fairage.auditing.rates import Rate, group_rates, rate_gaps, rate_of
from fairage.auditing.result_parts import DIFFER, ByAttribute, Interval
from fairage.auditing.verdicts import verdict_of

LEVEL = 0.95
A, B = "a", "b"


@dataclass(frozen=True)
class FailureChange:
    """Shares of rows without an estimate.

    Args:
        a: Share of A.
        b: Share of B.
        change: B less A; limits hold for all groups that take part, and all rows, at once.
        takes_part: Whether the group is large enough to be compared.
    """

    a: Interval
    b: Interval
    change: Interval
    takes_part: bool

    @property
    def fails_more(self) -> str:
        """The model that fails more beyond chance, `a` or `b`; empty where neither does."""
        low, high = self.change.low, self.change.high
        if not self.takes_part or low is None or high is None:
            return ""
        return B if low > 0 else A if high < 0 else ""


@dataclass(frozen=True)
class PairedFailures(ByAttribute[FailureChange]):
    """Rows without an estimate of A and of B; a mapping: attribute -> group -> FailureChange.

    Args:
        overall: All rows with a true age.
        groups: Each group of each attribute.
        reasons: How many rows by what stands there instead, of `a` and of `b`.
        failing: Models that can be called better in nothing: those that fail more than the other,
            over all rows or in a group, or whose lone failures differ between groups.
        uneven: Models whose lone failures differ between the groups of these attributes.
        mae_if_withheld: MAE of A and of B if each row without an estimate had its group's P90
            error, by attribute; empty where no row fails.
    """

    overall: FailureChange
    groups: dict[str, dict[str, FailureChange]]
    reasons: dict[str, dict[str, int]]
    failing: frozenset[str]
    uneven: dict[str, tuple[str, ...]]
    mae_if_withheld: dict[str, dict[str, float]]

    @property
    def any(self) -> bool:
        """Whether a row has no estimate of A or of B."""
        return self.overall.a.value > 0 or self.overall.b.value > 0

    def more(self, model: str) -> list[tuple[str, str]]:
        """Return the groups, as (attribute, group), in which a model fails more beyond chance."""
        return [
            (attribute, group)
            for attribute, own in self.groups.items()
            for group, change in own.items()
            if change.fails_more == model
        ]


def compare_failures(
    failed: Mapping[str, NDArray[np.bool_]],
    absolute: Mapping[str, Floats],
    attributes: Mapping[str, Groups],
    *,
    reasons: Mapping[str, Mapping[str, int]],
    units: Units | None = None,
    weights: Floats | None = None,
    min_rows: int = 30,
    rate_margin: float = 0.05,
) -> PairedFailures:
    """Return the failures of `a` and `b` on the same rows, by group.

    Args:
        failed: Whether a row has no estimate, shape `(n,)`, of each model.
        absolute: Absolute errors in years, NaN where there is none, shape `(n,)`.
        attributes: Groups of all rows.
        reasons: Rows by what stands there instead of an estimate.
        units: Persons.
        weights: Survey weight of each row.
        min_rows: Units from which a group takes part.
        rate_margin: Largest gap of rates that counts as none in practice, a share.

    Examples:
        >>> from fairage.auditing.groups import group_rows
        >>> rows = np.arange(100)
        >>> failed = {"a": rows < 0, "b": rows < 20}
        >>> errors = {"a": np.ones(100), "b": np.where(rows < 20, np.nan, 1.0)}
        >>> compared = compare_failures(failed, errors, {}, reasons={"a": {}, "b": {}})
        >>> compared.overall.fails_more, sorted(compared.failing)
        ('b', ['b'])
    """
    paired = _Paired(failed, units, weights, min_rows)
    part = {name: paired.takes_part(groups) for name, groups in attributes.items()}
    numbers = 1 + sum(int(mask.sum()) for mask in part.values())
    level = LEVEL ** (1 / numbers)
    overall = paired.changes(everyone(len(failed[A])), np.array([True]), level)[0]
    groups = {
        name: dict(zip(own.names, paired.changes(own, part[name], level), strict=True))
        for name, own in attributes.items()
    }
    uneven = {side: paired.uneven(side, attributes, part, rate_margin) for side in (A, B)}
    every = [overall, *(change for own in groups.values() for change in own.values())]
    failing = {change.fails_more for change in every if change.fails_more}
    failing |= {side for side, names in uneven.items() if names}
    withheld = {name: _withheld(failed, absolute, own, weights) for name, own in attributes.items()}
    return PairedFailures(
        overall=overall,
        groups=groups,
        reasons={side: dict(reasons[side]) for side in (A, B)},
        failing=frozenset(failing),
        uneven=uneven,
        mae_if_withheld=withheld if any(each.any() for each in failed.values()) else {},
    )


@dataclass(frozen=True)
class _Paired:
    """Which rows fail, with what all rates need."""

    failed: Mapping[str, NDArray[np.bool_]]
    units: Units | None
    weights: Floats | None
    min_rows: int

    def alone(self, side: str) -> Floats:
        """Return 1 for rows that this model alone fails for, shape `(n,)`."""
        other = self.failed[A if side == B else B]
        return (self.failed[side] & ~other).astype(np.float64)

    def rates(self, hits: Floats, groups: Groups) -> list[Rate]:
        return group_rates(hits, groups, self.units, self.weights)

    def takes_part(self, groups: Groups) -> NDArray[np.bool_]:
        sizes = np.array([rate.units for rate in self.rates(np.zeros(len(groups.codes)), groups)])
        return taking_part(groups, self.min_rows, sizes)

    def changes(self, groups: Groups, part: NDArray[np.bool_], level: float) -> list[FailureChange]:
        """Return the change of each group; limits are at `level` for those that take part."""
        persons = self.units is not None
        shares = {side: self.rates(self.failed[side].astype(np.float64), groups) for side in (A, B)}
        return [
            FailureChange(
                a=shares[A][place].interval(persons=persons),
                b=shares[B][place].interval(persons=persons),
                change=self._change(groups.codes == place, level if part[place] else LEVEL),
                takes_part=bool(part[place]),
            )
            for place in range(len(groups))
        ]

    def _change(self, rows: NDArray[np.bool_], level: float) -> Interval:
        """Return the share of lone failures of B less that of A."""
        units = None if self.units is None else self.units.codes[rows]
        weights = None if self.weights is None else self.weights[rows]
        hits = {side: self.alone(side)[rows] for side in (A, B)}
        rates = {side: rate_of(values, units, weights) for side, values in hits.items()}
        a, b = rates[A], rates[B]
        persons = b.units if self.units is not None else None
        value = b.value - a.value
        if not b.n:
            return Interval(math.nan, None, None, 0, persons)
        low_a, high_a = _limits(a, level)
        low_b, high_b = _limits(b, level)
        sums = [UnitSums.of(hits[side], units, weights).residuals for side in (A, B)]
        scale = math.sqrt(float(sums[0] @ sums[0]) * float(sums[1] @ sums[1]))
        r = float(sums[0] @ sums[1]) / scale if scale > 0 else 0.0
        low = value - _distance(b.value - low_b, high_a - a.value, r)
        high = value + _distance(high_b - b.value, a.value - low_a, r)
        if not _one_sided(hits[B] - hits[A], units, level):
            low, high = min(low, 0.0), max(high, 0.0)
        return Interval(value, max(low, -1.0), min(high, 1.0), b.n, persons)

    def uneven(
        self,
        side: str,
        attributes: Mapping[str, Groups],
        part: Mapping[str, NDArray[np.bool_]],
        margin: float,
    ) -> tuple[str, ...]:
        """Return the attributes between whose groups the lone failures of a model differ."""
        hits = self.alone(side)
        rates = {
            name: {
                groups.names[place]: rate
                for place, rate in enumerate(self.rates(hits, groups))
                if part[name][place]
            }
            for name, groups in attributes.items()
        }
        gaps = rate_gaps("failures", rates, margin, persons=self.units is not None)
        return tuple(
            name
            for name, own in gaps.items()
            if verdict_of(name, own, margin, groups=(), rows=len(hits)).kind == DIFFER
        )


def _limits(rate: Rate, level: float) -> tuple[float, float]:
    low, high = clopper_pearson(rate.value * rate.effective, rate.effective, level)
    return min(low, rate.value), max(high, rate.value)


def _one_sided(differences: Floats, units: np.ndarray | None, level: float) -> bool:
    """Return whether one model fails alone for so many more units that an exact sign test says so.

    It is McNemar's; MOVER alone takes too little when one of the models never fails.
    """
    sums = differences if units is None else np.bincount(units, weights=differences)
    more, fewer = int((sums > 0).sum()), int((sums < 0).sum())
    low, high = clopper_pearson(more, more + fewer, level)
    return low > 0.5 or high < 0.5


def _distance(one: float, other: float, r: float) -> float:
    return math.sqrt(max(one * one + other * other - 2 * r * one * other, 0.0))


def _withheld(
    failed: Mapping[str, NDArray[np.bool_]],
    absolute: Mapping[str, Floats],
    groups: Groups,
    weights: Floats | None,
) -> dict[str, float]:
    """Return the MAE of each model if rows without an estimate had their group's P90 error."""
    return {
        side: mae_if_withheld(
            failed[side],
            absolute[side],
            groups,
            [_p90(absolute[side], groups.codes == place, weights) for place in range(len(groups))],
            _p90(absolute[side], np.ones(len(groups.codes), dtype=bool), weights),
            weights,
        )
        for side in (A, B)
    }


def _p90(absolute: Floats, rows: NDArray[np.bool_], weights: Floats | None) -> float:
    known = rows & np.isfinite(absolute)
    if not known.any():
        return math.nan
    group = GroupErrors(absolute[known], None, None if weights is None else weights[known])
    return MEASURES["p90"].compute(group)
