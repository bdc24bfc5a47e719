"""The mean of a group with its interval: ratio of sums over units, bootstrap-t where units are few.

A unit is a row, or a person where identities are known. A group's mean is the sum of its units'
sums over the sum of their sizes (weights), and its standard error the cluster-robust one. With at
most 200 units the law of the studentised mean is drawn by a bootstrap of the units, which carries
the skewness of errors (Efron 1981; Hall 1992); the draws depend on the values and the seed alone.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from fairage._random import numpy_rng
from fairage.auditing.distributions import normal_quantile, student_quantile
from fairage.auditing.groups import Floats

DRAWS = 2000
FEW_UNITS = 200  # up to here the bootstrap draws the law of a mean
LEAST_UNITS = 5  # below it, Student's t
LEAST_SPREAD = 0.2  # of the standard error, in a resample


@dataclass(frozen=True)
class UnitSums:
    """The units of one group: what enters its mean.

    Args:
        sums: Sum of weight times value of each unit, shape `(units,)`.
        sizes: Sum of weights (number of rows) of each unit, shape `(units,)`.

    Examples:
        >>> two = UnitSums(np.array([2.0, 4.0]), np.array([1.0, 1.0]))
        >>> two.mean, two.error
        (3.0, 1.0)
    """

    sums: Floats
    sizes: Floats

    @classmethod
    def of(
        cls, values: Floats, units: np.ndarray | None = None, weights: Floats | None = None
    ) -> "UnitSums":
        """Return the units of these rows; without `units` each row is one.

        Args:
            values: One number a row, shape `(n,)`.
            units: Unit of each row, whole numbers from 0, shape `(n,)`.
            weights: Weight of each row, shape `(n,)`; 1 where nothing is given.
        """
        sums = values if weights is None else values * weights
        if units is None:
            return cls(sums, np.ones(len(values)) if weights is None else weights)
        counts = np.bincount(units)
        present = counts > 0
        sizes = counts if weights is None else np.bincount(units, weights=weights)
        own = np.bincount(units, weights=sums)[present]
        return cls(own.astype(np.float64, copy=False), sizes[present].astype(np.float64))

    def __len__(self) -> int:
        return len(self.sums)

    @cached_property
    def mean(self) -> float:
        """The group's mean; NaN without units."""
        return float(self.sums.sum() / self.sizes.sum()) if len(self) else float("nan")

    @cached_property
    def residuals(self) -> Floats:
        """Each unit's influence on the mean, shape `(units,)`; their squares sum to `error`²."""
        n = len(self)
        factor = np.sqrt(n / max(n - 1, 1)) / self.sizes.sum()
        return np.asarray((self.sums - self.mean * self.sizes) * factor)

    @cached_property
    def error(self) -> float:
        """Standard error of the mean; 0 for one unit or equal values."""
        residuals = self.residuals
        error = float(np.sqrt(residuals @ residuals))
        return error if error > 1e-9 * abs(self.mean) else 0.0


def mean_limits(units: UnitSums, seed: int, level: float = 0.95) -> tuple[float, float] | None:
    """Return the limits of a group's mean; None for one unit.

    Args:
        units: The group.
        seed: Start of the random numbers.
        level: Share of samples whose limits hold the true mean.

    Examples:
        >>> low, high = mean_limits(UnitSums.of(np.arange(50.0)), seed=0)
        >>> bool(low < 24.5 < high)
        True
    """
    n, mean = len(units), units.mean
    if n < 2:
        return None
    tail = (1 - level) / 2
    if n > FEW_UNITS:
        reach = normal_quantile(1 - tail) * units.error
        return mean - reach, mean + reach
    if n < LEAST_UNITS:
        reach = student_quantile(1 - tail, n - 1) * units.error
        return mean - reach, mean + reach
    low, high = np.quantile(error_draws(units, seed), [tail, 1 - tail])
    return mean - float(high), mean - float(low)


def error_draws(units: UnitSums, seed: int) -> Floats:
    """Return sorted draws of mean minus true mean, shape `(DRAWS,)`, for at most 200 units.

    Args:
        units: The group, at least two units.
        seed: Start of the random numbers.
    """
    return studentised_draws(units, seed)[0]


def studentised_draws(units: UnitSums, seed: int) -> tuple[Floats, Floats]:
    """Return the same draws, and the standard error of each resample over that of the group.

    Draw times ratio is how far the resample's own mean lies from the group's: what a difference of
    two groups needs, whose standard error is made of both.
    """
    n, error = len(units), units.error
    if error == 0:
        return np.zeros(DRAWS), np.ones(DRAWS)
    if n < LEAST_UNITS:
        return error * _student_draws(n), np.ones(DRAWS)
    times = _resamples(seed, n)
    centred = units.sums - units.mean * units.sizes
    powers = np.stack([centred, units.sizes, centred**2, centred * units.sizes, units.sizes**2], 1)
    moved, sizes, squares, products, size_squares = (times @ powers).T
    shift = moved / sizes
    spread = squares - 2 * shift * products + shift**2 * size_squares
    errors = np.sqrt(np.maximum(spread, 0) * n / (n - 1)) / sizes
    ratios = np.maximum(errors / error, LEAST_SPREAD)
    draws = shift / ratios
    order = np.argsort(draws, kind="stable")
    return draws[order], ratios[order]


@lru_cache(maxsize=LEAST_UNITS)
def _student_draws(n: int) -> Floats:
    """Return evenly spaced quantiles of Student's t with `n - 1` degrees of freedom, rising."""
    shares = (np.arange(DRAWS) + 0.5) / DRAWS
    return np.array([student_quantile(float(share), n - 1) for share in shares])


@lru_cache(maxsize=16)
def _resamples(seed: int, n: int) -> Floats:
    """Return how often each of `n` units is drawn in each resample, shape `(DRAWS, n)`."""
    rng = numpy_rng(seed, "audit", "resamples", str(n))
    picks = rng.integers(0, n, (DRAWS, n)) + np.arange(DRAWS)[:, None] * n
    return np.bincount(picks.ravel(), minlength=DRAWS * n).reshape(DRAWS, n).astype(np.float64)
