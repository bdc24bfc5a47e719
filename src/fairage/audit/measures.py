"""Error measures of every group, each with its interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage.audit.bootstrap import draw_means
from fairage.audit.groups import Groups, present_groups
from fairage.audit.intervals import Estimate, bootstrap_estimate, quantile_estimate, wilson
from fairage.audit.moments import group_moments
from fairage.audit.result import ErrorMeasures
from fairage.audit.sample import Floats, Quantity, Sample, gather
from fairage.audit.units import Units, design_effects, group_units

__all__ = ["WITHIN", "Measured", "mean_estimates", "measure", "proportions"]

WITHIN = (1, 3, 5, 10)


@dataclass(frozen=True)
class Measured:
    """Measures of each group by attribute, and the replicates of their means.

    Args:
        measures: One a group, by attribute.
        error_draws: Replicates of the group errors by attribute, each `(replicates, k)`.
        signed_draws: Replicates of the mean signed errors, likewise.
    """

    measures: dict[str, tuple[ErrorMeasures, ...]]
    error_draws: dict[str, Floats]
    signed_draws: dict[str, Floats]


def measure(
    errors: Quantity,
    signed: Quantity,
    sample: Sample,
    *,
    stds: Floats | None,
    replicates: int,
    rng: np.random.Generator,
) -> Measured:
    """Return the error measures of every group of every attribute of the sample.

    Means come from the bootstrap, quantiles from the bootstrap of order statistics, shares from
    Wilson's interval; identities that repeat make the latter two wider by their design effect.

    Args:
        errors: Absolute errors in years.
        signed: Signed errors in years.
        sample: The rows.
        stds: Standard deviations of the raters' ages, shape `(n,)`; NaN or 0 where unknown.
        replicates: Bootstrap replicates.
        rng: Source of chance.
    """
    squared = sample.quantity(errors.values * errors.values)
    options = _Draws(sample, replicates, rng)
    error_draws, signed_draws = options.draw(errors, joint=True), options.draw(signed, joint=True)
    square_draws = options.draw(squared, joint=False)
    hits = {years: sample.sums((errors.values <= years).astype(np.float64)) for years in WITHIN}
    epsilons = _epsilons(errors.values, stds, options)
    order = np.argsort(errors.values)
    found = {}
    for name, groups in sample.attributes.items():
        maes = mean_estimates(errors, groups, error_draws[name], sample)
        squares = mean_estimates(squared, groups, square_draws[name], sample)
        signs = mean_estimates(signed, groups, signed_draws[name], sample)
        quantiles = _quantiles(errors.values, order, groups, options)
        within = {years: proportions(own, groups, sample.units) for years, own in hits.items()}
        found[name] = tuple(
            ErrorMeasures(
                n=int(groups.counts[i]),
                mae=maes[i],
                rmse=squares[i].map(_root),
                signed=signs[i],
                median=quantiles[i][0],
                p90=quantiles[i][1],
                within={years: shares[i] for years, shares in within.items()},
                epsilon=epsilons.get((name, group)),
            )
            for i, group in enumerate(groups.names)
        )
    return Measured(found, error_draws, signed_draws)


def mean_estimates(
    quantity: Quantity, groups: Groups, draws: Floats, sample: Sample
) -> list[Estimate]:
    """Return the mean of each group with its percentile and BCa intervals.

    Args:
        quantity: The quantity.
        groups: The groups, in the sample's cells.
        draws: Replicates of the group means, shape `(replicates, k)`.
        sample: The rows.
    """
    means = groups.means(quantity.sums)
    moments = group_moments(quantity, groups, sample)
    sizes = group_units(groups, sample.units)
    with np.errstate(divide="ignore", invalid="ignore"):
        skewness = moments.cubes / (6 * moments.squares**1.5)
    skewness = np.where(moments.squares > 0, skewness, 0.0)
    return [
        bootstrap_estimate(
            means[i],
            draws[:, i],
            int(groups.counts[i]),
            units=int(sizes[i]),
            acceleration=float(skewness[i]),
        )
        for i in range(len(groups))
    ]


def proportions(hits: Floats, groups: Groups, units: Units | None) -> list[Estimate]:
    """Return the share of hits in each group with Wilson's interval.

    Args:
        hits: 1 or 0 a row, or their sums a cell, as the groups have it.
        groups: The groups.
        units: Identities of the rows; None where each row stands for itself.

    Examples:
        >>> from fairage.audit.groups import group_rows
        >>> hits = np.array([1.0, 0.0, 1.0])
        >>> [found.value for found in proportions(hits, group_rows(["a", "a", "b"]), None)]
        [0.5, 1.0]
    """
    effects = design_effects(hits, groups, units)
    successes = groups.sums(hits)
    return [
        wilson(float(successes[i]), int(n), effective=float(n / effects[i]))
        for i, n in enumerate(groups.counts)
    ]


@dataclass(frozen=True)
class _Draws:
    sample: Sample
    replicates: int
    rng: np.random.Generator

    def draw(self, quantity: Quantity, *, joint: bool) -> dict[str, Floats]:
        return draw_means(
            [quantity],
            self.sample.attributes,
            self.sample,
            replicates=self.replicates,
            rng=self.rng,
            joint=joint,
        )[0]


def _root(value: float) -> float:
    return float(np.sqrt(max(value, 0)))


def _quantiles(
    errors: Floats, order: NDArray[np.int64], groups: Groups, options: _Draws
) -> list[tuple[Estimate, Estimate]]:
    """Return median and 90th percentile of each group; `order` sorts all errors."""
    codes = options.sample.codes(groups)
    by_group = order[np.argsort(codes[order].astype(np.uint16), kind="stable")]
    parts = np.split(errors[by_group], np.cumsum(groups.counts)[:-1])
    found = []
    for share in (0.5, 0.9):
        ends = np.array([np.quantile(part, share) for part in parts])
        effects = np.ones(len(parts))
        if options.sample.units is not None:
            below = (errors <= ends[codes]).astype(np.float64)
            effects = design_effects(below, groups, options.sample.units)
        found.append(
            [
                quantile_estimate(
                    part,
                    share,
                    effective=len(part) / effect,
                    replicates=options.replicates,
                    rng=options.rng,
                )
                for part, effect in zip(parts, effects, strict=True)
            ]
        )
    return list(zip(*found, strict=True))


def _epsilons(
    errors: Floats, stds: Floats | None, options: _Draws
) -> dict[tuple[str, str], Estimate]:
    """Return the epsilon-error of each group that has rows with the raters' std."""
    known = np.zeros(0, dtype=bool) if stds is None else stds > 0
    if stds is None or not known.any():
        return {}
    sample = options.sample
    attributes = {
        name: present_groups(groups.names, sample.codes(groups)[known])
        for name, groups in sample.attributes.items()
    }
    own = gather(attributes, None if sample.units is None else sample.units.subset(known))
    values = 1 - np.exp(-(errors[known] ** 2) / (2 * stds[known] ** 2))
    quantity = own.quantity(values)
    draws = _Draws(own, options.replicates, options.rng).draw(quantity, joint=False)
    return {
        (name, group): estimate
        for name, groups in own.attributes.items()
        for group, estimate in zip(
            groups.names, mean_estimates(quantity, groups, draws[name], own), strict=True
        )
    }
