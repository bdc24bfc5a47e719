"""Quantiles of the normal, Student and beta distributions, and exact limits of a rate.

The audit needs these few and no more, so that it does not depend on scipy; tests hold each against
scipy's.
"""

import math
from functools import lru_cache
from statistics import NormalDist

LARGE = 20_000.0  # from here on beta and Student are normal to three digits and more
TINY = 1e-300


def normal_quantile(share: float) -> float:
    """Return the value below which a share of the standard normal distribution lies.

    Examples:
        >>> round(normal_quantile(0.975), 3)
        1.96
    """
    return NormalDist().inv_cdf(share)


@lru_cache(maxsize=1024)
def student_quantile(share: float, degrees: float) -> float:
    """Return the value below which a share of Student's t with these degrees of freedom lies.

    Examples:
        >>> round(student_quantile(0.975, 4), 2), round(student_quantile(0.025, 4), 2)
        (2.78, -2.78)
    """
    if share <= 0.5:
        return 0.0 if share == 0.5 else -student_quantile(1 - share, degrees)
    if degrees > LARGE:
        return normal_quantile(share)
    x = beta_quantile(2 * (1 - share), degrees / 2, 0.5)
    return math.sqrt(degrees * (1 - x) / max(x, TINY))


def clopper_pearson(hits: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Return the exact limits of a rate; `hits` and `n` need not be whole numbers.

    Args:
        hits: How often it happened.
        n: In how many cases, the effective number where rows are not independent.
        level: Share of samples whose limits hold the true rate, at least.

    Examples:
        >>> [round(limit, 3) for limit in clopper_pearson(0, 30)]
        [0.0, 0.116]
    """
    if n <= 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = 0.0 if hits <= 0 else beta_quantile(tail, hits, n - hits + 1)
    high = 1.0 if hits >= n else beta_quantile(1 - tail, hits + 1, n - hits)
    return low, high


def wilson(rate: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's limits of a rate in `n` cases.

    Examples:
        >>> [round(limit, 3) for limit in wilson(0.5, 10)]
        [0.237, 0.763]
    """
    if n <= 0:
        return 0.0, 1.0
    z = normal_quantile((1 + level) / 2)
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low = 0.0 if rate <= 0 else max(0.0, middle - half)
    high = 1.0 if rate >= 1 else min(1.0, middle + half)
    return low, high


@lru_cache(maxsize=4096)
def beta_quantile(share: float, a: float, b: float) -> float:
    """Return the value below which a share of the beta distribution with `a`, `b` lies.

    Newton steps on the distribution function, kept inside a bracket that shrinks.

    Examples:
        >>> round(beta_quantile(0.5, 2, 2), 3)
        0.5
    """
    mean = a / (a + b)
    deviation = math.sqrt(mean * (1 - mean) / (a + b + 1))
    if min(a, b) > LARGE:
        return mean + normal_quantile(share) * deviation
    low, high = 0.0, 1.0
    x = min(max(mean + normal_quantile(share) * deviation, 0.01 * mean), 1 - 0.01 * (1 - mean))
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    for _ in range(200):
        miss = beta_cdf(x, a, b) - share
        low, high = (x, high) if miss < 0 else (low, x)
        density = math.exp(scale + (a - 1) * math.log(x) + (b - 1) * math.log1p(-x))
        step = x - miss / density if density > TINY else -1.0
        following = step if low < step < high else (low + high) / 2
        if abs(following - x) <= 1e-12 * max(x, 1e-6):
            return following
        x = following
    return x


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the share of the beta distribution with `a`, `b` that lies below `x`."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function (modified Lentz)."""
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > TINY else TINY)
    value = d
    for m in range(1, 2000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 + term * d
            d = 1 / (d if abs(d) > TINY else TINY)
            c = 1 + term / c
            c = c if abs(c) > TINY else TINY
            value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return value
