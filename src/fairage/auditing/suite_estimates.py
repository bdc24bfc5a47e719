"""The numbers of one version of a suite, and their intervals: over faces and over seeds.

The figure is what ONE training of the version gives on average over trainings. An MAE is a mean:
its variance is that between seeds, over the seeds, plus that of the seed-averaged errors over faces
(persons, where they are known); its degrees of freedom are Satterthwaite's. A bias is the mean over
seeds of the noise-corrected biases; its interval joins the mean of the seeds' intervals with
Student's t of the seeds (MOVER, Zou 2008). With one seed the interval is one over faces alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.bias_interval import BiasEstimate, bias_estimate, biases
from fairage.auditing.distributions import normal_quantile, student_quantile
from fairage.auditing.groups import Floats, Groups, Units, taking_part
from fairage.auditing.noise import GroupMeans, estimate_means
from fairage.auditing.result_parts import MEAN_ERROR, NoiseFloor
from fairage.auditing.scoring import AVERAGE_BIAS, MAE, bias_column
from fairage.auditing.verdicts import Family, at_once

Z = normal_quantile(0.975)


@dataclass(frozen=True)
class Seeds:
    """The spread of a number over the seeds of a version.

    Args:
        count: Seeds.
        sd: Standard deviation over them; None for one.
    """

    count: int
    sd: float | None

    @classmethod
    def of(cls, values: Sequence[float] | Floats) -> "Seeds":
        """Return the spread of one value a seed."""
        n = len(values)
        return cls(n, float(np.std(values, ddof=1)) if n > 1 else None)

    @property
    def error(self) -> float:
        """Standard error of their mean; 0 for one seed, of which it is not known."""
        return 0.0 if self.sd is None else self.sd / math.sqrt(self.count)


@dataclass(frozen=True)
class MetricEstimate:
    """One metric of one version, in years.

    Args:
        mean: Mean over seeds of what was measured.
        value: What the interval is of: the mean, of a bias the noise-corrected one.
        low: Lower end of the 95 % interval of one training's expected value.
        high: Its upper end.
        below: How far the interval over faces alone reaches below the value.
        above: How far it reaches above.
        sd: Standard deviation over seeds of what was measured; None for one seed.
        seeds: Spread of the value over the seeds.
        floor: Of a bias, what noise alone gives; None for an MAE.
    """

    mean: float
    value: float
    low: float
    high: float
    below: float
    above: float
    sd: float | None
    seeds: Seeds
    floor: NoiseFloor | None = None

    @property
    def corrected(self) -> float | None:
        """The noise-corrected bias; None for an MAE."""
        return None if self.floor is None else self.value

    @property
    def above_zero(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0


def mean_estimate(
    values: Sequence[float], limits: tuple[float, float], units: int
) -> MetricEstimate:
    """Return the estimate of a mean such as the MAE.

    Args:
        values: One a seed.
        limits: 95 % limits over faces of the mean of the seed-averaged errors.
        units: Faces or persons.

    Examples:
        >>> one = mean_estimate([4.0, 4.0], (3.9, 4.1), 500)
        >>> round(one.low, 2), round(one.high, 2)
        (3.9, 4.1)
    """
    value, seeds = float(np.mean(values)), Seeds.of(values)
    below, above = max(value - limits[0], 0.0), max(limits[1] - value, 0.0)
    ends = [_reach(face / Z, seeds, units) for face in (below, above)]
    low, high = max(value - ends[0], 0.0), value + ends[1]
    return MetricEstimate(value, value, low, high, below, above, seeds.sd, seeds)


def satterthwaite(parts: Sequence[tuple[float, float]]) -> float:
    """Return the degrees of freedom of a sum of variances, each with its own degrees.

    Examples:
        >>> satterthwaite([(1.0, 2.0), (1.0, 2.0)])
        4.0
        >>> satterthwaite([(0.0, 2.0), (1.0, 100.0)])
        100.0
    """
    total = sum(variance for variance, _ in parts)
    loss = sum(variance**2 / degrees for variance, degrees in parts if variance > 0)
    return total**2 / loss if loss > 0 else math.inf


def seed_bias_estimates(
    signed_errors: Floats, groups: Mapping[str, Groups], units: Units | None, min_rows: int
) -> dict[str, BiasEstimate]:
    """Return the bias of each attribute of one training, and the average bias, by column.

    They agree with the audit of the same predictions: a bias is above 0 only where a pair of
    groups differs, all pairs of all attributes, absolute and mean errors looked at together.
    Attributes with fewer than two groups that take part are left out.
    """
    quantities = {MAE: np.abs(signed_errors), MEAN_ERROR: signed_errors}
    means = estimate_means(quantities, groups, units=units, purpose="suite seed")
    names = [name for name in groups if _part(means, name, groups[name], min_rows).sum() > 1]
    parts = {
        (name, quantity): means.columns(name, quantity)[_part(means, name, groups[name], min_rows)]
        for name in names
        for quantity in quantities
    }
    family = at_once(means, parts)
    estimates = {bias_column(name): _agreed(family, [name]) for name in names}
    if names:
        several = len(names) > 1
        estimates[AVERAGE_BIAS] = (
            _agreed(family, names) if several else estimates[bias_column(names[0])]
        )
    return estimates


def version_biases(estimates: Sequence[Mapping[str, BiasEstimate]]) -> dict[str, MetricEstimate]:
    """Return the biases of a version from those of its seeds, by column."""
    return {
        column: _bias_of_seeds([estimate[column] for estimate in estimates])
        for column in estimates[0]
    }


def _bias_of_seeds(estimates: Sequence[BiasEstimate]) -> MetricEstimate:
    value, low, high, mean, floor, p975 = np.mean(
        [(e.corrected, e.low, e.high, e.value, e.floor.mean, e.floor.p975) for e in estimates],
        axis=0,
    ).tolist()
    seeds = Seeds.of([estimate.corrected for estimate in estimates])
    below, above = max(value - low, 0.0), max(high - value, 0.0)
    luck = 0.0
    if seeds.count > 1:
        luck = student_quantile(0.975, seeds.count - 1) * seeds.error
    return MetricEstimate(
        mean,
        value,
        max(value - math.hypot(below, luck), 0.0),
        value + math.hypot(above, luck),
        below,
        above,
        Seeds.of([estimate.value for estimate in estimates]).sd,
        seeds,
        NoiseFloor(floor, p975),
    )


def _reach(face_error: float, seeds: Seeds, units: int) -> float:
    """Return how far a 95 % interval reaches for these two errors."""
    if seeds.count == 1:
        return Z * face_error
    parts = [(seeds.error**2, seeds.count - 1.0), (face_error**2, max(units - 1.0, 1.0))]
    degrees = max(satterthwaite(parts), 1.0)
    return student_quantile(0.975, degrees) * math.hypot(face_error, seeds.error)


def _part(means: GroupMeans, name: str, groups: Groups, min_rows: int) -> NDArray[np.bool_]:
    return taking_part(groups, min_rows, means.sizes[means.columns(name, MAE)])


def _agreed(family: Family, attributes: Sequence[str]) -> BiasEstimate:
    """Return the (average) bias, made to agree with the limits of the pairs of groups."""
    means = family.means
    blocks = [family.parts[name, MAE] for name in attributes]
    estimate = bias_estimate(means.means, means.variance, means.draws, blocks)
    pairs = [
        np.array([(low, high) for *_, low, high in family.limits(name, MAE)]) for name in attributes
    ]
    least = float(np.mean([np.maximum(own[:, 0], 0).mean() for own in pairs]))
    most = float(np.mean([np.abs(own).max(axis=1).mean() for own in pairs]))
    low = max(estimate.low, least, 0.0) if any((own[:, 0] > 0).any() for own in pairs) else 0.0
    high = max(min(estimate.high, most), low)
    corrected = min(max(estimate.corrected, low), high)
    return BiasEstimate(max(estimate.value, 0.0), low, high, corrected, estimate.floor)


def average_noise_floor(
    signed_errors: Floats, groups: Mapping[str, Groups], units: Units | None, min_rows: int
) -> NoiseFloor | None:
    """Return what noise alone gives for the average bias; None where there is no bias.

    Examples:
        >>> from fairage.auditing.groups import group_rows
        >>> errors = np.random.default_rng(0).normal(size=400)
        >>> sides = {"side": group_rows(["left", "right"] * 200)}
        >>> floor = average_noise_floor(errors, sides, None, 30)
        >>> 0 < floor.mean < floor.p975 < 0.2
        True
    """
    means = estimate_means({MAE: np.abs(signed_errors)}, groups, units=units, purpose="suite seed")
    blocks = [
        means.columns(name, MAE)[part]
        for name in groups
        if (part := _part(means, name, groups[name], min_rows)).sum() > 1
    ]
    if not blocks:
        return None
    drawn = np.mean([biases(means.draws[:, block]) for block in blocks], axis=0)
    return NoiseFloor(float(drawn.mean()), float(np.quantile(drawn, 0.975)))
