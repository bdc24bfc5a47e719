"""Rates and quantiles of a group's errors, with limits from order statistics.

The limits of a quantile are the values between which the interval of the distribution function
holds the wanted share: exact (binomial) for rows, on the effective number of rows for persons and
weights (Woodruff 1952 with Korn and Graubard's number). An end that the rows do not bound is None.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.distributions import (
    LARGE,
    beta_cdf,
    clopper_pearson,
    normal_quantile,
    student_quantile,
    wilson,
)
from fairage.auditing.groups import Floats, Groups, Units
from fairage.auditing.means import UnitSums
from fairage.auditing.result_parts import Gap, Interval
from fairage.auditing.verdicts import pair_gap


def quantile_limits(
    ordered: Floats,
    share: float,
    *,
    units: np.ndarray | None = None,
    weights: Floats | None = None,
    level: float = 0.95,
) -> tuple[float | None, float | None]:
    """Return the limits of a quantile.

    Args:
        ordered: The values, rising, shape `(n,)`.
        share: Which quantile, in 0..1.
        units: Person of each value, in the same order.
        weights: Weight of each value, in the same order.
        level: Share of samples whose limits hold the true quantile, at least.

    Examples:
        >>> quantile_limits(np.arange(1.0, 101.0), 0.5)
        (40.0, 61.0)
        >>> quantile_limits(np.arange(1.0, 11.0), 0.9)[1] is None
        True
    """
    n = len(ordered)
    if n < 2:
        return None, None
    tail = (1 - level) / 2
    if units is None and weights is None:
        effective, below = float(n), np.arange(1, n + 1, dtype=np.float64)
    else:
        sizes = np.ones(n) if weights is None else weights
        below = np.cumsum(sizes) / sizes.sum()
        middle = ordered[min(int(np.searchsorted(below, share - 1e-9)), n - 1)]
        effective = rate_of((ordered <= middle).astype(np.float64), units, weights).effective
        below = below * effective
    many = _least_hits(share, effective, tail)
    few = effective - _least_hits(1 - share, effective, tail)
    high = int(np.searchsorted(below, many - 1e-9)) if many <= effective else n
    low = int(np.searchsorted(below, few + 1e-9, side="right")) if few >= 0 else -1
    return (
        None if low < 0 else float(ordered[min(low, n - 1)]),
        None if high >= n else float(ordered[high]),
    )


@lru_cache(maxsize=4096)
def _least_hits(share: float, n: float, tail: float) -> float:
    """Return the least number of hits in `n` that a rate of `share` reaches in `tail` of samples.

    More than `n` where even `n` hits are likelier than that.
    """
    deviation = math.sqrt(n * share * (1 - share))
    guess = n * share + normal_quantile(1 - tail) * deviation + 0.5
    if n > LARGE:
        return guess
    if beta_cdf(share, n, 1.0) > tail:
        return n + 1.0

    def enough(hits: float) -> bool:
        return beta_cdf(share, hits, n - hits + 1) <= tail

    low, high = math.floor(n * share), min(math.ceil(guess) + 1, math.floor(n))
    while not enough(high) and high < math.floor(n):
        high = min(high + 2, math.floor(n))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    if float(n).is_integer():
        return float(high)
    below, above = float(low), float(high) if enough(high) else n
    while above - below > 1e-4:
        half = (below + above) / 2
        below, above = (below, half) if enough(half) else (half, above)
    return above


@dataclass(frozen=True)
class Rate:
    """A share of rows, and the effective number of independent rows behind it.

    Args:
        value: The share; NaN without rows.
        n: Rows.
        units: Persons (rows, where identities are not known).
        effective: Effective number of independent rows.
        efficiency: Share of the units that unequal weights leave, (sum w)² / (n sum w²).
        persons: Which persons they are, from number 0; None where identities are not known.
    """

    value: float
    n: int
    units: int
    effective: float
    efficiency: float = 1.0
    persons: NDArray[np.bool_] | None = field(default=None, repr=False, compare=False)

    @property
    def size(self) -> float:
        """Units, less what unequal weights cost: what decides whether a group takes part."""
        return self.units * self.efficiency

    def interval(self, *, persons: bool, level: float = 0.95) -> Interval:
        """Return the rate with its exact limits; `persons`: whether units are persons."""
        n_persons = self.units if persons else None
        if not self.n:
            return Interval(math.nan, None, None, 0, n_persons)
        low, high = clopper_pearson(self.value * self.effective, self.effective, level)
        low, high = min(low, self.value), max(high, self.value)
        return Interval(self.value, low, high, self.n, n_persons)


def rate_of(hits: Floats, units: np.ndarray | None = None, weights: Floats | None = None) -> Rate:
    """Return the share of hits.

    Args:
        hits: 1 or 0 a row, shape `(n,)`.
        units: Person of each row, whole numbers from 0; each row is one where nothing is given.
        weights: Weight of each row.

    Examples:
        >>> rate = rate_of(np.array([1.0, 0.0, 1.0, 1.0]), units=np.array([0, 0, 1, 1]))
        >>> rate.value, rate.n, rate.units, rate.effective <= 4
        (0.75, 4, 2, True)
    """
    n = len(hits)
    if not n:
        return Rate(math.nan, 0, 0, 0.0)
    if units is None and weights is None:
        return Rate(float(hits.mean()), n, n, float(n))
    most = float(n) if weights is None else float(weights.sum() ** 2 / (weights**2).sum())
    rate = _clustered(UnitSums.of(hits, units, weights), n, most)
    persons = None if units is None else np.bincount(units) > 0
    return replace(rate, efficiency=min(most / n, 1.0), persons=persons)


def _clustered(sums: UnitSums, n: int, most: float) -> Rate:
    """Return the rate of `n` rows from its units' sums; at most `most` rows are independent."""
    value = min(max(sums.mean, 0.0), 1.0)
    if value in (0.0, 1.0) or len(sums) < 2:
        spread = float(sums.sizes.sum() ** 2 / (sums.sizes**2).sum())
        return Rate(value, n, len(sums), min(spread, most))
    variance = float(sums.residuals @ sums.residuals)
    effective = value * (1 - value) / variance if variance > 0 else most
    if n > len(sums):
        loss = student_quantile(0.975, max(n - 1, 1)) / student_quantile(0.975, len(sums) - 1)
        effective *= loss**2
    return Rate(value, n, len(sums), min(effective, most))


def group_rates(
    hits: Floats, groups: Groups, units: Units | None = None, weights: Floats | None = None
) -> list[Rate]:
    """Return the rate of each group.

    Args:
        hits: 1 or 0 a row, shape `(n,)`.
        groups: The groups of the rows.
        units: Persons.
        weights: Weight of each row.
    """
    if units is None and weights is None:
        totals = np.bincount(groups.codes, weights=hits, minlength=len(groups))
        return [
            Rate(float(total / n) if n else math.nan, int(n), int(n), float(n))
            for total, n in zip(totals, groups.counts, strict=True)
        ]
    rates = []
    for group in range(len(groups)):
        rows = np.flatnonzero(groups.codes == group)
        rates.append(
            rate_of(
                hits[rows],
                None if units is None else units.codes[rows],
                None if weights is None else weights[rows],
            )
        )
    return rates


def rate_gaps(
    measure: str,
    rates: Mapping[str, Mapping[str, Rate]],
    margin: float,
    *,
    persons: bool,
    level: float = 0.95,
) -> dict[str, tuple[Gap, ...]]:
    """Return the gaps of all pairs of each attribute's groups; one family.

    Args:
        measure: Name of the rate.
        rates: The rates of the groups that take part, by attribute.
        margin: Largest gap that counts as none in practice, a share.
        persons: Whether units are persons.
        level: Share of samples in which all limits hold at once.

    Examples:
        >>> rates = {"gender": {"f": Rate(0.5, 200, 200, 200), "m": Rate(0.1, 200, 200, 200)}}
        >>> rate_gaps("failures", rates, 0.05, persons=False)["gender"][0].kind
        'differ'
    """
    pairs = sum(len(own) * (len(own) - 1) // 2 for own in rates.values())
    each = level ** (1 / max(pairs, 1))
    return {
        attribute: tuple(
            sorted(
                _gaps(measure, attribute, list(own.items()), margin, each, persons=persons),
                key=lambda gap: -gap.interval.value,
            )
        )
        for attribute, own in rates.items()
    }


def _gaps(
    measure: str,
    attribute: str,
    rates: Sequence[tuple[str, Rate]],
    margin: float,
    level: float,
    *,
    persons: bool,
) -> list[Gap]:
    ordered = sorted(rates, key=lambda pair: -pair[1].value)
    limits = {name: wilson(rate.value, rate.effective, level) for name, rate in ordered}
    gaps = []
    for place, (first, one) in enumerate(ordered):
        for second, other in ordered[place + 1 :]:
            gap = one.value - other.value
            (low, high), (less, more) = limits[first], limits[second]
            interval = Interval(
                gap,
                gap - math.hypot(one.value - low, more - other.value),
                gap + math.hypot(high - one.value, other.value - less),
                one.n + other.n,
                _persons_in(one, other) if persons else None,
            )
            gaps.append(pair_gap(attribute, (first, second), measure, interval, margin))
    return gaps


def _persons_in(one: Rate, other: Rate) -> int:
    """Return how many persons are behind two rates; some may be behind both."""
    if one.persons is None or other.persons is None:
        return one.units + other.units
    few, many = sorted((one.persons, other.persons), key=len)
    return int((many[: len(few)] | few).sum() + many[len(few) :].sum())
