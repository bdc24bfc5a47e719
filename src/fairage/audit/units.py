"""What a sample is made of: rows, or identities where a person has several rows.

Rows of one identity are not independent, so intervals treat all of them as one draw.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairage.audit.groups import Groups

__all__ = [
    "Units",
    "cluster_sums",
    "design_effects",
    "group_units",
    "groups_of_units",
]


@dataclass(frozen=True)
class Units:
    """The identity of each row.

    Args:
        codes: Number of each row's identity, 0 to `count - 1`, shape `(n,)`.
        count: How many identities there are.
    """

    codes: NDArray[np.int64]
    count: int

    def subset(self, keep: NDArray[np.bool_]) -> "Units":
        """Return the identities of the rows where the mask, shape `(n,)`, is true."""
        found, codes = np.unique(self.codes[keep], return_inverse=True)
        return Units(codes.astype(np.int64), len(found))


def cluster_sums(
    values: NDArray[np.float64], groups: Groups, units: Units | None
) -> tuple[NDArray[np.float64], NDArray[np.integer]]:
    """Return the sum over each identity's rows in each group, and the group of each sum.

    Without identities every row is a sum of its own.

    Examples:
        >>> from fairage.audit.groups import group_rows
        >>> groups = group_rows(["a", "a", "b"])
        >>> one = Units(np.array([0, 0, 0]), count=1)
        >>> sums, of = cluster_sums(np.array([1.0, 2.0, 4.0]), groups, one)
        >>> sums.tolist(), of.tolist()
        ([3.0, 4.0], [0, 1])
    """
    if units is None:
        return values, groups.codes
    pairs = units.codes * len(groups) + groups.codes
    found, index = np.unique(pairs, return_inverse=True)
    sums = np.bincount(index, weights=values, minlength=len(found))
    return sums.astype(np.float64, copy=False), (found % len(groups)).astype(np.int64)


def group_units(groups: Groups, units: Units | None) -> NDArray[np.int64]:
    """Return the number of units in each group, shape `(k,)`."""
    if units is None:
        return groups.counts
    _, of = cluster_sums(np.zeros(len(groups.codes)), groups, units)
    return np.bincount(of, minlength=len(groups)).astype(np.int64)


def groups_of_units(groups: Groups, units: Units) -> Groups | None:
    """Return the group of each identity, or None where one has rows in several.

    Examples:
        >>> from fairage.audit.groups import group_rows
        >>> groups_of_units(group_rows(["a", "a", "b"]), Units(np.array([0, 0, 1]), 2)).codes
        array([0, 1])
        >>> groups_of_units(group_rows(["a", "b", "b"]), Units(np.array([0, 0, 1]), 2)) is None
        True
    """
    of = np.zeros(units.count, dtype=groups.codes.dtype)
    of[units.codes] = groups.codes
    if (of[units.codes] != groups.codes).any():
        return None
    counts = np.bincount(of, minlength=len(groups)).astype(np.int64)
    return replace(groups, codes=of, counts=counts)


def design_effects(
    values: NDArray[np.float64], groups: Groups, units: Units | None
) -> NDArray[np.float64]:
    """Return by how much identities inflate the variance of each group's mean, at least 1."""
    if units is None:
        return np.ones(len(groups))
    residuals = values - groups.means(values)[groups.codes]
    alone = groups.sums(residuals * residuals)
    sums, of = cluster_sums(residuals, groups, units)
    together = np.bincount(of, weights=sums * sums, minlength=len(groups))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = together / alone
    return np.where(np.isfinite(ratio), np.maximum(ratio, 1), 1.0)
