"""Moments of a quantity within groups: what the BCa interval and variances are made of."""

from dataclasses import dataclass

import numpy as np

from fairage.audit.groups import Groups
from fairage.audit.sample import Floats, Quantity, Sample
from fairage.audit.units import cluster_sums

__all__ = ["GroupMoments", "acceleration", "group_moments"]


@dataclass(frozen=True)
class GroupMoments:
    """Sums over the units of each group of the second and third power of their residuals.

    Args:
        squares: Second powers, shape `(k,)`.
        cubes: Third powers, shape `(k,)`.
    """

    squares: Floats
    cubes: Floats

    def acceleration(self, slopes: Floats) -> float:
        """Return the BCa acceleration of `slopes @ sums`: its skewness over six."""
        spread = float(slopes**2 @ self.squares)
        return float(slopes**3 @ self.cubes) / (6 * spread**1.5) if spread > 0 else 0.0


def group_moments(quantity: Quantity, groups: Groups, sample: Sample) -> GroupMoments:
    """Return the moments of the residuals `value - mean of the group`.

    Examples:
        >>> from fairage.audit.groups import group_rows
        >>> from fairage.audit.sample import gather
        >>> groups = group_rows(["a", "a", "b"])
        >>> sample = gather({"x": groups})
        >>> group_moments(
        ...     sample.quantity(np.array([1.0, 3.0, 5.0])), sample.attributes["x"], sample
        ... ).squares.tolist()
        [2.0, 0.0]
    """
    means = groups.means(quantity.sums)
    if sample.units is None:
        raw = groups.sums(quantity.squares)
        squares = raw - groups.counts * means**2
        cubes = groups.sums(quantity.cubes) - 3 * means * raw + 2 * groups.counts * means**3
        # What is left of a difference of large sums is rounding, where all rows are equal.
        noise = squares <= 1e-12 * groups.counts * means**2
        return GroupMoments(np.where(noise, 0.0, squares), np.where(noise, 0.0, cubes))
    sums, of = cluster_sums(quantity.values - means[groups.codes], groups, sample.units)
    squared = sums * sums
    squares = np.bincount(of, weights=squared, minlength=len(groups)).astype(np.float64)
    cubes = np.bincount(of, weights=squared * sums, minlength=len(groups)).astype(np.float64)
    return GroupMoments(squares, cubes)


def acceleration(quantity: Quantity, slopes: list[tuple[Groups, Floats]], sample: Sample) -> float:
    """Return the BCa acceleration of a number made of the group means of several attributes.

    Args:
        quantity: The quantity.
        slopes: Groups, and the number's derivative by each of their means.
        sample: The rows.
    """
    influence = np.zeros(sample.rows)
    for groups, slope in slopes:
        if slope.any():
            codes = sample.codes(groups)
            own = slope / groups.counts
            influence += own[codes] * quantity.values - (own * groups.means(quantity.sums))[codes]
    if sample.units is not None:
        influence = np.bincount(sample.units.codes, weights=influence).astype(np.float64)
    squared = influence * influence
    spread = float(squared.sum())
    return float(squared @ influence) / (6 * spread**1.5) if spread > 0 else 0.0
