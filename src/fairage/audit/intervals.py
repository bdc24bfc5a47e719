"""A number with its interval: bootstrap percentiles, BCa, and Wilson for proportions."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["CONFIDENCE", "Ends", "Estimate", "bootstrap_estimate", "quantile_estimate", "wilson"]

CONFIDENCE = 0.95
TAIL = (1 - CONFIDENCE) / 2
NORMAL = NormalDist()
Ends = Literal["percentile", "reflected", "both"]
Z = NORMAL.inv_cdf(1 - TAIL)


@dataclass(frozen=True)
class Estimate:
    """A number, the rows that it rests on and its 95 % interval.

    Args:
        value: The number.
        n: Rows that it rests on.
        low: Lower end of the interval (bootstrap; Wilson for a proportion); None where one unit
            alone tells nothing about the spread.
        high: Upper end.
        bca_low: Lower end of the bias-corrected and accelerated interval (BCa); None where the
            number has none (proportions, quantiles).
        bca_high: Its upper end.
    """

    value: float
    n: int
    low: float | None = None
    high: float | None = None
    bca_low: float | None = None
    bca_high: float | None = None

    def down_to(self, even: float, *, by_chance: bool) -> "Estimate":
        """Return the estimate of a number that has its least value, `even`, for even groups.

        No lower end lies below that, and where even groups may well give such a number the lower
        ends reach down to it: replicates alone would always rule it out.

        Args:
            even: What even groups have, such as 0 of a bias.
            by_chance: Whether they may well give such a number, as the noise floor tells.

        Examples:
            >>> Estimate(0.3, 10, 0.1, 0.6).down_to(0.0, by_chance=True).low
            0.0
            >>> Estimate(0.3, 10, -0.1, 0.6).down_to(0.0, by_chance=False).low
            0.0
        """
        low, bca_low = (
            None if end is None else even if by_chance else max(end, even)
            for end in (self.low, self.bca_low)
        )
        return replace(self, low=low, bca_low=bca_low)

    def map(self, function: Callable[[float], float]) -> "Estimate":
        """Return the estimate of a rising function of the number.

        Examples:
            >>> import math
            >>> Estimate(4.0, 10, 1.0, 9.0).map(math.sqrt)
            Estimate(value=2.0, n=10, low=1.0, high=3.0, bca_low=None, bca_high=None)
        """
        ends = (self.low, self.high, self.bca_low, self.bca_high)
        mapped = [None if end is None else function(end) for end in ends]
        return Estimate(function(self.value), self.n, *mapped)


def bootstrap_estimate(
    value: float,
    draws: NDArray[np.float64],
    n: int,
    *,
    units: int | None = None,
    acceleration: float | None = None,
    ends: Ends = "percentile",
) -> Estimate:
    """Return a number with the interval of its bootstrap replicates.

    The interval always holds the number itself: a bias is larger in most replicates than in the
    sample, so that without this its percentiles might lie wholly above it. The mean of several
    biases gathers that shift, and its percentiles miss the truth too often; reflected about the
    number they do not (see `tests/audit/test_coverage.py`).

    Args:
        value: The number in the sample.
        draws: The number in each replicate, shape `(replicates,)`.
        n: Rows that it rests on.
        units: Units (rows or identities) that it rests on, where that is not `n`.
        acceleration: Skewness of the influences over six; None leaves BCa out.
        ends: `percentile`; `reflected` about the number (the basic bootstrap); `both` is from the
            lower of the lower ends to the higher of the higher ends.

    Examples:
        >>> bootstrap_estimate(5.0, np.arange(11.0), 20).high
        9.75
        >>> bootstrap_estimate(4.0, np.arange(11.0), 20, ends="reflected").high
        7.75
    """
    if (n if units is None else units) < 2:
        return Estimate(float(value), int(n))
    low, high = _ends(value, draws, ends)
    if acceleration is None:
        return Estimate(float(value), int(n), low, high)
    return Estimate(float(value), int(n), low, high, *_bca(value, draws, acceleration))


def quantile_estimate(
    ordered: NDArray[np.float64],
    share: float,
    *,
    effective: float,
    replicates: int,
    rng: np.random.Generator,
) -> Estimate:
    """Return a quantile of sorted values with its bootstrap interval, at no cost in their number.

    The r-th smallest of n values drawn with replacement from the sample is the sample's quantile at
    the r-th smallest of n uniform numbers, which is a Beta(r, n - r + 1) number: that is drawn.

    Args:
        ordered: Values in rising order, shape `(n,)`.
        share: Which quantile, in 0..1.
        effective: Units that the values are worth; less than n where identities repeat.
        replicates: How many draws.
        rng: Source of chance.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> found = quantile_estimate(
        ...     np.arange(101.0), 0.5, effective=101, replicates=1000, rng=rng
        ... )
        >>> found.value, 35 < found.low < 45
        (50.0, True)
    """
    n = len(ordered)
    value = float(np.quantile(ordered, share))
    if effective < 2:
        return Estimate(value, n)
    rank = share * (effective - 1) + 1
    places = np.ceil(n * rng.beta(rank, effective - rank + 1, replicates)).astype(np.int64)
    return bootstrap_estimate(value, ordered[np.clip(places - 1, 0, n - 1)], n)


def wilson(successes: float, n: int, *, effective: float | None = None) -> Estimate:
    """Return a proportion with Wilson's interval.

    Args:
        successes: How many of the rows.
        n: Rows; none gives a value of NaN without interval.
        effective: Units that the rows are worth; n where nothing is given.

    Examples:
        >>> found = wilson(0, 10)
        >>> round(found.low, 3), round(found.high, 3)
        (0.0, 0.278)
    """
    if n == 0:
        return Estimate(float("nan"), 0)
    share, m = successes / n, n if effective is None else effective
    centre = (share + Z**2 / (2 * m)) / (1 + Z**2 / m)
    half = Z / (1 + Z**2 / m) * np.sqrt(share * (1 - share) / m + Z**2 / (4 * m**2))
    low, high = max(0.0, float(centre - half)), min(1.0, float(centre + half))
    return Estimate(float(share), int(n), min(low, float(share)), max(high, float(share)))


def _ends(value: float, draws: NDArray[np.float64], ends: Ends) -> tuple[float, float]:
    low, high = _around(value, draws, TAIL, 1 - TAIL)
    if ends == "percentile":
        return low, high
    mirrored = _around(value, 2 * value - draws, TAIL, 1 - TAIL)
    if ends == "reflected":
        return mirrored
    return min(low, mirrored[0]), max(high, mirrored[1])


def _around(
    value: float, draws: NDArray[np.float64], lower: float, upper: float
) -> tuple[float, float]:
    low, high = np.quantile(draws, [lower, upper])
    return min(float(low), float(value)), max(float(high), float(value))


def _bca(value: float, draws: NDArray[np.float64], acceleration: float) -> tuple[float, float]:
    """Shift the percentiles by the replicates' median bias and the skewness (Efron 1987)."""
    below = (draws < value).mean() + (draws == value).mean() / 2
    edge = 0.5 / len(draws)
    shift = NORMAL.inv_cdf(min(max(float(below), edge), 1 - edge))
    ends = []
    for z in (-Z, Z):
        moved = shift + z
        ends.append(NORMAL.cdf(shift + moved / (1 - acceleration * moved)))
    return _around(value, draws, min(ends), max(ends))
