"""All versions of a suite held against each other: differences, and which of them are resolved.

Two versions are measured on the same faces, so that what the faces do to both cancels out: the
draws of all seed-averaged errors are joint. The luck of training is independent: each version has
draws of its own, of Student's t. Few seeds say little of a version's luck, so that for this purpose
it is taken to be no less than the mean of all versions, with the degrees of freedom of that mean
(Satterthwaite). One family holds all pairs of versions in all metrics, each metric with an equal
share of the 5 %: the largest studentised difference of the draws gives its critical value. A
difference is *resolved* where its interval at that value leaves 0 out, and so does its own at 95 %,
which takes each version's luck as it was seen. A version with one seed resolves nothing: another
training of it may give other numbers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fairage._random import numpy_rng
from fairage.auditing.bias_interval import biases
from fairage.auditing.distributions import student_quantile
from fairage.auditing.groups import Floats
from fairage.auditing.noise import GroupMeans
from fairage.auditing.suite_estimates import MetricEstimate, Z, satterthwaite

EQUAL = 1e-9
REPEATS = 5  # draws of the luck of training for each draw of faces
Blocks = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Difference:
    """A metric of one version less that of another, in years; below 0 the first is better.

    Args:
        value: The difference; of biases, that of the noise-corrected ones.
        low: Lower end of its own 95 % interval.
        high: Upper end.
        resolved: Whether it leaves 0 out when all versions and metrics are looked at together.
    """

    value: float
    low: float
    high: float
    resolved: bool


@dataclass(frozen=True)
class Measured:
    """A metric of a version, and where it comes from in the joint draws.

    Args:
        estimate: The metric.
        blocks: Columns of the draws: one for a mean; those of each attribute's groups for the
            mean of their biases.
        is_bias: Whether it is a bias.
        kind: What the metric is made of: two versions are only held against each other where it
            is the same, such as the attributes that an average bias is the mean of.
    """

    estimate: MetricEstimate
    blocks: Blocks
    is_bias: bool
    kind: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """The versions of a suite that were measured on the same faces.

    Args:
        metrics: Each metric's versions.
        groups: The MAE of each group, by (attribute, group); not in the family.
        critical: Critical value of the largest studentised difference of each metric.
    """

    metrics: Mapping[str, "_Versions"]
    groups: Mapping[tuple[str, str], "_Versions"]
    critical: Mapping[str, float]

    def difference(self, metric: str, version: int, other: int) -> Difference | None:
        """Return a metric of one version less that of another; None where one lacks it."""
        if metric not in self.metrics:
            return None
        return self.metrics[metric].between(version, other, self.critical[metric])

    def group_difference(
        self, attribute: str, group: str, version: int, other: int
    ) -> Difference | None:
        """Return the MAE of a group in one version less that in another, with its own interval.

        It is looked at alone and never *resolved*; None where one version lacks the group.
        """
        versions = self.groups.get((attribute, group))
        difference = None if versions is None else versions.between(version, other, 0.0)
        return None if difference is None else replace(difference, resolved=False)

    def is_lower(self, metric: str, version: int, other: int) -> bool:
        """Whether a metric of one version is below that of another, resolved."""
        difference = self.difference(metric, version, other)
        return difference is not None and difference.resolved and difference.value < 0

    def lowest(self, metric: str, versions: Sequence[int]) -> int | None:
        """Return the version that is below every other one, each resolved; None without one.

        Args:
            metric: The metric.
            versions: Those to choose from; one alone is the lowest of nothing.
        """
        if len(versions) < 2:
            return None
        lowest = (
            version
            for version in versions
            if all(self.is_lower(metric, version, v) for v in versions if v != version)
        )
        return next(lowest, None)


def compare_versions(
    metrics: Mapping[str, Mapping[int, Measured]],
    groups: Mapping[tuple[str, str], Mapping[int, Measured]],
    means: GroupMeans,
    *,
    units: int,
) -> Comparison:
    """Return the comparison of versions on the same faces.

    Args:
        metrics: Each metric of the versions that have it, by the version's number.
        groups: The same for the MAE of each group, by (attribute, group).
        means: Joint draws of the seed-averaged errors of all versions.
        units: Faces, or persons.
    """
    family = {name: _Versions.of(own, means, units) for name, own in metrics.items()}
    beside = {name: _Versions.of(own, means, units) for name, own in groups.items()}
    rng = numpy_rng(0, "suite", "luck of training")
    level = 1 - 0.05 / max(len(family), 1)
    critical = {name: own.critical(level, rng) for name, own in family.items()}
    return Comparison(family, beside, critical)


@dataclass(frozen=True)
class _Versions:
    """Versions in one metric.

    Args:
        places: Which versions, by number, `m` of them.
        measured: Their metric.
        face: Covariance of their noise over faces, shape `(m, m)`.
        draws: Centred draws of that noise, shape `(draws, m)`.
        units: Faces, or persons.
    """

    places: tuple[int, ...]
    measured: tuple[Measured, ...]
    face: Floats
    draws: Floats
    units: int

    @classmethod
    def of(cls, own: Mapping[int, Measured], means: GroupMeans, units: int) -> "_Versions":
        places, measured = tuple(own), tuple(own.values())
        if not measured[0].is_bias:
            columns = [one.blocks[0][0] for one in measured]
            face, draws = means.variance[np.ix_(columns, columns)], means.draws[:, columns]
        else:
            drawn = np.stack([_drawn_bias(one.blocks, means) for one in measured], axis=1)
            draws = drawn - drawn.mean(axis=0)
            face = np.atleast_2d(np.cov(draws.T))
        return cls(places, measured, face, draws, units)

    @cached_property
    def several(self) -> NDArray[np.bool_]:
        """Which versions have more than one seed, shape `(m,)`."""
        return np.array([one.estimate.seeds.count > 1 for one in self.measured])

    @cached_property
    def luck(self) -> tuple[Floats, float]:
        """Variance of each version's mean over seeds, shape `(m,)`, and its degrees of freedom.

        No less than if the version were as lucky as the mean of all; 0 for one seed.
        """
        seeds = [one.estimate.seeds for one in self.measured]
        counts = np.array([one.count for one in seeds])
        variances = np.array([(one.sd or 0.0) ** 2 for one in seeds])
        degrees = counts - 1.0
        if not (degrees * variances).any():
            return np.zeros(len(seeds)), 1.0
        mean = float(degrees @ variances / degrees.sum())
        freedom = float((degrees @ variances) ** 2 / (degrees @ variances**2))
        least = np.where(self.several, np.maximum(variances, mean), 0.0)
        return least / counts, max(freedom, 1.0)

    @cached_property
    def errors(self) -> Floats:
        """Standard errors of all differences, shape `(m, m)`; 0 where there is only rounding."""
        own, luck = np.diag(self.face), self.luck[0]
        squares = np.maximum(own[:, None] + own[None, :] - 2 * self.face, 0.0)
        errors = np.sqrt(squares + luck[:, None] + luck[None, :])
        values = np.abs([one.estimate.value for one in self.measured])
        least = EQUAL * np.maximum(values[:, None], values[None, :])
        return np.where(errors > least, errors, 0.0)

    def critical(self, level: float, rng: np.random.Generator) -> float:
        """Return what the largest studentised difference stays below in this share of draws."""
        total = np.tile(self.draws, (REPEATS, 1))
        variances, degrees = self.luck
        total += np.sqrt(variances) * rng.standard_t(degrees, total.shape)
        largest = np.zeros(len(total))
        for i in np.flatnonzero(self.several).tolist():
            others = np.flatnonzero(self.several & (self.errors[i] > 0))
            others = others[others > i]
            others = others[[self.measured[i].kind == self.measured[j].kind for j in others]]
            if len(others):
                distances = np.abs(total[:, [i]] - total[:, others]) / self.errors[i, others]
                np.maximum(largest, distances.max(axis=1), out=largest)
        return float(np.quantile(largest, level))

    def between(self, version: int, other: int, critical: float) -> Difference | None:
        """Return one version less another; None where one lacks the metric."""
        if not {version, other} <= set(self.places):
            return None
        i, j = self.places.index(version), self.places.index(other)
        if self.measured[i].kind != self.measured[j].kind:
            return None
        return self._difference(i, j, critical)

    def _difference(self, i: int, j: int, critical: float) -> Difference:
        first, second = self.measured[i].estimate, self.measured[j].estimate
        value = first.value - second.value
        several = bool(self.several[i] and self.several[j])
        if self.errors[i, j] == 0:
            equal = abs(value) <= EQUAL * max(abs(first.value), abs(second.value))
            value = 0.0 if equal else value
            return Difference(value, value, value, several and not equal)
        below, above = self._own_reach(i, j)
        family = self._family_reach(i, j, critical)
        resolved = value - max(below, family[0]) > 0 or value + max(above, family[1]) < 0
        return Difference(value, value - below, value + above, several and resolved)

    def _own_reach(self, i: int, j: int) -> tuple[float, float]:
        """Return how far the 95 % interval of a difference reaches below and above it."""
        seeds = [self.measured[place].estimate.seeds for place in (i, j)]
        luck = math.hypot(*(one.error for one in seeds))
        parts = [(one.error**2, one.count - 1.0) for one in seeds if one.count > 1]
        below, above = self._face_reach(i, j)
        if self.measured[i].is_bias:
            reach = student_quantile(0.975, satterthwaite(parts)) * luck if luck else 0.0
            return math.hypot(below, reach), math.hypot(above, reach)
        parts.append(((below / Z) ** 2, max(self.units - 1.0, 1.0)))
        half = student_quantile(0.975, satterthwaite(parts)) * math.hypot(below / Z, luck)
        return half, half

    def _family_reach(self, i: int, j: int, critical: float) -> tuple[float, float]:
        """Return how far the interval reaches at the family's critical value."""
        luck = critical * math.sqrt(self.luck[0][i] + self.luck[0][j])
        below, above = self._face_reach(i, j)
        return math.hypot(below * critical / Z, luck), math.hypot(above * critical / Z, luck)

    def _face_reach(self, i: int, j: int) -> tuple[float, float]:
        """Return how far the 95 % interval over faces reaches below and above a difference."""
        first, second = self.measured[i].estimate, self.measured[j].estimate
        if not self.measured[i].is_bias:
            variance = self.face[i, i] + self.face[j, j] - 2 * self.face[i, j]
            half = Z * math.sqrt(max(variance, 0.0))
            return half, half
        squares = self.face[i, i] * self.face[j, j]
        together = self.face[i, j] / math.sqrt(squares) if squares > 0 else 0.0
        below = _without_shared(first.below, second.above, together)
        return below, _without_shared(first.above, second.below, together)


def _drawn_bias(blocks: Blocks, means: GroupMeans) -> Floats:
    """Return the (average) bias in each draw, shape `(draws,)`."""
    columns = [list(block) for block in blocks]
    drawn = [biases(means.means[block] + means.draws[:, block]) for block in columns]
    return np.asarray(np.mean(drawn, axis=0))


def _without_shared(one: float, other: float, together: float) -> float:
    """Return the reach of a difference from those of its two sides, which share noise."""
    return math.sqrt(max(one**2 + other**2 - 2 * together * one * other, 0.0))
