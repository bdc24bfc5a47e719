"""Quantiles of a group's errors with limits from order statistics.

The limits are the values between which the interval of the distribution function holds the wanted
share: exact (binomial) for rows, on the effective number of rows for persons and weights (Woodruff
1952 with Korn and Graubard's number). An end that the rows do not bound is None.
"""

import math
from functools import lru_cache

import numpy as np

from fairage.auditing.distributions import LARGE, beta_cdf, normal_quantile
from fairage.auditing.groups import Floats
from fairage.auditing.rates import rate_of

__all__ = ["quantile_limits"]


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
