"""Numbers made of the group errors of an attribute - bias, gap, ratio, Gini - with intervals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from fairage.audit.gaps import biases
from fairage.audit.groups import Groups
from fairage.audit.intervals import Estimate, bootstrap_estimate
from fairage.audit.moments import acceleration, group_moments
from fairage.audit.result import PairGap
from fairage.audit.sample import Floats, Quantity, Sample
from fairage.audit.units import group_units

__all__ = [
    "BIAS",
    "GAP",
    "GINI",
    "RATIO",
    "Spread",
    "average_estimate",
    "bias_slopes",
    "gini",
    "pair_gaps",
    "spread_estimates",
]

MOST_PAIRED_GROUPS = 20


@dataclass(frozen=True)
class Spread:
    """A number made of group means: of replicates `(replicates, k)` one each, `(replicates,)`.

    Args:
        of: The number of each replicate.
        slopes: Its derivative by each group mean, `(k,)` to `(k,)`; for the BCa interval.
        even: Its value where all groups are alike.
    """

    of: Callable[[Floats], Floats]
    slopes: Callable[[Floats], Floats]
    even: float = 0.0


def bias_slopes(means: Floats) -> Floats:
    """Return the derivative of the bias by each group mean.

    Examples:
        >>> bias_slopes(np.array([3.0, 9.0, 5.0])).round(3).tolist()
        [-0.667, 0.667, 0.0]
    """
    k = len(means)
    slopes = np.zeros(k)
    if k > 1:
        slopes[np.argsort(means)] = (2 * np.arange(k) - (k - 1)) / (k * (k - 1) / 2)
    return slopes


def gini(means: Floats) -> Floats:
    """Return the Gini coefficient of each row of group means: `bias (k - 1) / (2 k mean)`.

    Examples:
        >>> gini(np.array([[1.0, 3.0]])).tolist()
        [0.25]
    """
    k = means.shape[1]
    found: Floats = biases(means) * (k - 1) / (2 * k * means.mean(axis=1))
    return found


def _range_slopes(means: Floats) -> Floats:
    slopes = np.zeros(len(means))
    slopes[means.argmax()] += 1
    slopes[means.argmin()] -= 1
    return slopes


def _ratio_slopes(means: Floats) -> Floats:
    slopes = np.zeros(len(means))
    slopes[means.argmax()] += 1 / means.min()
    slopes[means.argmin()] -= means.max() / means.min() ** 2
    return slopes


def _gini_slopes(means: Floats) -> Floats:
    k, mean = len(means), means.mean()
    per_mean: Floats = bias_slopes(means) / mean - biases(means[np.newaxis])[0] / (k * mean**2)
    return per_mean * (k - 1) / (2 * k)


def _ratio(means: Floats) -> Floats:
    found: Floats = means.max(axis=1) / np.maximum(means.min(axis=1), np.finfo(float).tiny)
    return found


BIAS = Spread(biases, bias_slopes)
GAP = Spread(lambda means: np.ptp(means, axis=1), _range_slopes)
RATIO = Spread(_ratio, _ratio_slopes, even=1.0)
GINI = Spread(gini, _gini_slopes)


def spread_estimates(
    spreads: Sequence[Spread],
    quantity: Quantity,
    groups: Groups,
    draws: Floats,
    sample: Sample,
    *,
    by_chance: bool = False,
) -> list[Estimate]:
    """Return numbers made of group means with their intervals.

    No replicate of a bias is ever 0, so that percentiles alone rule out even groups always. Where
    the noise floor does not, the interval reaches down to what even groups have.

    Args:
        spreads: Which numbers.
        quantity: The quantity whose group means they are made of.
        groups: The groups, in the sample's cells.
        draws: Replicates of the group means, shape `(replicates, k)`.
        sample: The rows.
        by_chance: Whether even groups may well give such numbers, as the noise floor tells.
    """
    means = groups.means(quantity.sums)
    moments = group_moments(quantity, groups, sample) if sample.units is None else None
    found = []
    for spread in spreads:
        slopes = spread.slopes(means)
        skewness = (
            acceleration(quantity, [(groups, slopes)], sample)
            if moments is None
            else moments.acceleration(slopes / groups.counts)
        )
        value = float(spread.of(means[np.newaxis])[0])
        own = bootstrap_estimate(
            value, spread.of(draws), sample.rows, units=sample.size, acceleration=skewness
        )
        found.append(own.down_to(spread.even, by_chance=by_chance))
    return found


def average_estimate(
    quantity: Quantity,
    attributes: Mapping[str, Groups],
    draws: Mapping[str, Floats],
    sample: Sample,
    *,
    by_chance: bool = False,
) -> Estimate:
    """Return the mean of the attributes' biases with its intervals; the draws are joint ones.

    The ends are reflected about the number, see `bootstrap_estimate`, and never below 0;
    `by_chance` is as for `spread_estimates`.
    """
    means = {name: groups.means(quantity.sums) for name, groups in attributes.items()}
    slopes = [
        (groups, bias_slopes(means[name]) / len(attributes)) for name, groups in attributes.items()
    ]
    found = bootstrap_estimate(
        float(np.mean([biases(own[np.newaxis])[0] for own in means.values()])),
        np.mean([biases(draws[name]) for name in attributes], axis=0),
        sample.rows,
        units=sample.size,
        acceleration=acceleration(quantity, slopes, sample),
        ends="reflected",
    )
    return found.down_to(0.0, by_chance=by_chance)


def pair_gaps(
    errors: Quantity, groups: Groups, draws: Floats, sample: Sample
) -> tuple[PairGap, ...]:
    """Return the gap of each pair of groups, widest first; none beyond 20 groups.

    A gap is resolved where its interval leaves 0 out. With many pairs some are by chance: the
    noise floor of the attribute is the judge of all of them together. A group of one row, or of
    one identity where these are known, has no interval and no gap that is resolved.
    """
    if len(groups) > MOST_PAIRED_GROUPS:
        return ()
    means = groups.means(errors.sums)
    sizes = group_units(groups, sample.units)
    found = []
    for i, j in combinations(np.argsort(-means, kind="stable").tolist(), 2):
        n = int(groups.counts[i] + groups.counts[j])
        smallest = int(min(sizes[i], sizes[j]))
        gap = bootstrap_estimate(means[i] - means[j], draws[:, i] - draws[:, j], n, units=smallest)
        resolved = gap.low is not None and gap.low > 0
        found.append(PairGap(groups.names[i], groups.names[j], gap, resolved))
    return tuple(sorted(found, key=lambda pair: -pair.gap.value))
