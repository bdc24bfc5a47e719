"""The interval of a bias and of the average bias, and their noise-corrected values.

The plug-in bias T (mean gap between the measured group means) is too large where gaps are small,
and no bootstrap around it covers. Its test is inverted along the least favourable path (Stein): the
family of true means m(t) with bias t that are hardest to tell from the measured ones. Downwards the
means move along -V c, c the gradient of the bias, groups that meet are pooled (isotonic regression
in the measured order); upwards along V c. The interval holds every t at which neither a bias as
large as T nor one as small is a surprise: P(bias(m(t) + Z) >= T) and P(bias(m(t) + Z) <= T) both
are at least 2.5 %. The upper end takes the median of the noise for T where T is even smaller: an
unusually small bias does not make the interval shorter. The noise-corrected bias is the t at which
T is the median.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.groups import Floats
from fairage.auditing.result_parts import NoiseFloor

DOWN, MOST_DOWN, UP, FINE = 20, 240, 20, 3
ROUNDING = 1e-9  # of the largest mean: smaller gaps between errors that are all equal are none
REACH = 1.96  # standard errors up to which another order of the groups is thought of
MOST_MOVES, MOST_PLACES = 4, 12
UP_ERRORS = 5.0  # the path upwards ends so many standard errors above T
Blocks = Sequence[NDArray[np.int64]]


@dataclass(frozen=True)
class BiasEstimate:
    """A bias with its interval.

    Args:
        value: The plug-in bias T.
        low: Lower end, 0 or more.
        high: Upper end.
        corrected: Noise-corrected bias: the true bias at which T is the median.
        floor: What T is when all groups have the same true mean.
    """

    value: float
    low: float
    high: float
    corrected: float
    floor: NoiseFloor


def bias(group_means: Sequence[float] | Floats) -> float:
    """Return the mean of `|m_g - m_h|` over all pairs of groups; 0 for fewer than two groups.

    Examples:
        >>> round(bias([9.278401, 7.614077, 9.984631]), 6)
        1.580369
    """
    return float(biases(np.asarray(group_means, dtype=float)))


def biases(means: Floats) -> Floats:
    """Return the bias of the means on the last axis: `(..., k)` to `(...,)`.

    Examples:
        >>> biases(np.array([[4.0, 6.0], [5.0, 5.0]])).tolist()
        [2.0, 0.0]
    """
    k = means.shape[-1]
    if k < 2:
        return np.zeros(means.shape[:-1])
    if k == 2:
        return np.asarray(np.abs(means[..., 0] - means[..., 1]))
    weights = (2.0 * np.arange(1, k + 1) - k - 1) * 2 / (k * (k - 1))
    return np.asarray(np.maximum(np.sort(means, axis=-1) @ weights, 0.0))  # rounding is no bias


def bias_estimate(
    means: Floats, variance: Floats, draws: Floats, blocks: Blocks, *, level: float = 0.95
) -> BiasEstimate:
    """Return the (average) bias of some attributes with its interval.

    Args:
        means: Group means, shape `(columns,)`.
        variance: Their covariance, shape `(columns, columns)`.
        draws: Draws of mean minus true mean, shape `(draws, columns)`.
        blocks: The columns of each attribute's groups that take part; with several attributes the
            estimate is of the mean of their biases.
        level: Share of samples whose interval holds the true bias.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> two = np.array([4.0, 4.1]), np.eye(2) * 0.01, rng.normal(size=(2000, 2)) * 0.1
        >>> estimate = bias_estimate(*two, [np.arange(2)])
        >>> estimate.low, 0.2 < estimate.high < 0.5, round(estimate.value, 2)
        (0.0, True, 0.1)
    """
    used = np.concatenate(blocks)
    places = np.cumsum([0, *map(len, blocks)])
    own = [np.arange(a, b) for a, b in pairwise(places.tolist())]
    problem = _Problem(means[used], variance[np.ix_(used, used)], draws[:, used], own)
    return problem.estimate((1 - level) / 2)


@dataclass(frozen=True)
class _Problem:
    means: Floats
    variance: Floats
    draws: Floats
    blocks: Blocks

    def estimate(self, tail: float) -> BiasEstimate:
        value = float(self.average(self.means))
        alone = np.sort(self.average(self.draws))
        floor = NoiseFloor(float(alone.mean()), float(np.quantile(alone, 0.975)))
        gradient = self.gradient(self.means)
        error = math.sqrt(max(float(gradient @ self.variance @ gradient), 0.0))
        if error <= 1e-12 * max(value, 1e-12):
            value = value if value > ROUNDING * float(np.abs(self.means).max()) else 0.0
            return BiasEstimate(value, value, value, value, floor)
        path = [*self._down(value, gradient)[::-1], *self._up(value, error)]
        at = [0.0, *(float(self.average(point)) for point in path[1:])]
        drawn: dict[int, Floats] = {}

        def at_point(index: int) -> Floats:
            if index not in drawn:
                drawn[index] = self.average(path[index] + self.draws)
            return drawn[index]

        usual = max(value, float(np.median(alone)))
        low = _crossing(lambda i: float((at_point(i) >= value).mean()) - tail, at)
        high = _crossing(lambda i: tail - float((at_point(i) <= usual).mean()), at)
        corrected = _crossing(lambda i: 0.5 - float((at_point(i) <= value).mean()), at)
        high = max(high, self._other_order(gradient, usual, tail))
        return BiasEstimate(value, low, max(high, low), min(max(corrected, low), high), floor)

    def average(self, means: Floats) -> Floats:
        """Return the mean of the attributes' biases: `(..., columns)` to `(...,)`."""
        each = [biases(means[..., block]) for block in self.blocks]
        return np.asarray(np.sum(each, axis=0) / len(self.blocks))

    def gradient(self, means: Floats) -> Floats:
        """Return the derivative of the average bias by each mean."""
        gradient = np.zeros(len(means))
        for block in self.blocks:
            k = len(block)
            rank = np.empty(k)
            rank[np.argsort(means[block], kind="stable")] = np.arange(1, k + 1)
            gradient[block] = (2 * rank - k - 1) * 2 / (k * (k - 1)) / len(self.blocks)
        return gradient

    def _down(self, value: float, gradient: Floats) -> list[Floats]:
        """Return points of falling bias, from the measured means to equal means."""
        weights = 1 / np.maximum(np.diag(self.variance), 1e-300)
        weights = np.minimum(weights, 1e12 * weights.min())
        orders = [block[np.argsort(self.means[block], kind="stable")] for block in self.blocks]
        direction = self.variance @ gradient
        step = value / (DOWN * FINE) / max(float(gradient @ direction), 1e-300)
        points, last, x = [self.means], value, self.means.copy()
        for _ in range(MOST_DOWN):
            x = x - direction * step
            for order in orders:
                x[order] = _isotonic(x[order], weights[order])
            reached = float(self.average(x))
            if reached < last - value / DOWN:
                points.append(x.copy())
                last = reached
            if reached < 0.2 * value / DOWN:
                break
        equal = np.empty(len(x))
        for block in self.blocks:
            equal[block] = np.average(self.means[block], weights=weights[block])
        return [*points, equal]

    def _up(self, value: float, error: float) -> list[Floats]:
        """Return points of rising bias above the measured means."""
        points, x = [], self.means.copy()
        for _ in range(UP):
            for _ in range(FINE):
                gradient = self.gradient(x)
                direction = self.variance @ gradient
                slope = max(float(gradient @ direction), 1e-300)
                x = x + direction * (UP_ERRORS * error / (UP * FINE) / slope)
            points.append(x.copy())
        return points

    def _other_order(self, gradient: Floats, usual: float, tail: float) -> float:
        """Return the upper end if the true order of the groups is not the measured one; 0 if none.

        A group of few units may truly be the largest though it was measured in the middle: the
        path then leads along the order whose bias may be largest.
        """
        turned = np.zeros(len(gradient))
        for block in self.blocks:
            own = self.variance[np.ix_(block, block)]
            turned[block] = _widest_order(self.means[block], own) / len(self.blocks)
        if np.allclose(turned, gradient):
            return 0.0
        direction = self.variance @ turned
        error = math.sqrt(max(float(turned @ direction), 1e-300))
        steps = np.linspace(0.0, UP_ERRORS, 2 * UP) / error
        path = [self.means + direction * step for step in steps]
        at = [float(self.average(point)) for point in path]

        def rising(index: int) -> float:
            return tail - float((self.average(path[index] + self.draws) <= usual).mean())

        return _crossing(rising, at)


def _widest_order(means: Floats, variance: Floats) -> Floats:
    """Return the gradient of the order of groups whose bias has the largest upper limit.

    Beginning with the measured order, one group at a time is moved to where the limit grows most.
    """
    k = len(means)
    slopes = (2.0 * np.arange(1, k + 1) - k - 1) * 2 / (k * (k - 1))

    def limit(order: NDArray[np.int64]) -> float:
        own = float(slopes @ variance[np.ix_(order, order)] @ slopes)
        return float(slopes @ means[order]) + REACH * math.sqrt(max(own, 0.0))

    order = np.argsort(means, kind="stable")
    best = limit(order)
    for _ in range(MOST_MOVES):
        moves = [
            np.insert(np.delete(order, place), to, order[place])
            for place in range(k)
            for to in (range(k) if k <= MOST_PLACES else (0, k - 1))
            if to != place
        ]
        limits = [limit(move) for move in moves]
        if max(limits) <= best * (1 + 1e-9):
            break
        best, order = max(limits), moves[int(np.argmax(limits))]
    gradient = np.empty(k)
    gradient[order] = slopes
    return gradient


def _crossing(rising: Callable[[int], float], at: Sequence[float]) -> float:
    """Return where a rising function of the path's points reaches 0, interpolated.

    The first point's place where it is 0 or more there already, the last one's where it never is.
    """
    first, last = 0, len(at) - 1
    if rising(first) >= 0:
        return at[first]
    if rising(last) < 0:
        return at[last]
    while last - first > 1:
        middle = (first + last) // 2
        if rising(middle) >= 0:
            last = middle
        else:
            first = middle
    below, above = rising(first), rising(last)
    share = -below / (above - below)
    return float(at[first] + share * (at[last] - at[first]))


def _isotonic(values: Floats, weights: Floats) -> Floats:
    """Return the nearest rising values (weighted least squares): pool adjacent violators."""
    if (values[1:] >= values[:-1]).all():
        return values
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, total, count = value, weight, 1
        while blocks and blocks[-1][0] >= mean:
            other, heavy, many = blocks.pop()
            mean = (other * heavy + mean * total) / (heavy + total)
            total, count = heavy + total, many + count
        blocks.append((mean, total, count))
    return np.concatenate([np.full(count, mean) for mean, _, count in blocks])
