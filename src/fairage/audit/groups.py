"""The groups of an attribute, and the mean of a quantity in each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "ALL",
    "GroupMeans",
    "Groups",
    "everyone",
    "group_means",
    "group_rows",
    "present_groups",
    "subset",
]

ALL = "all"


@dataclass(frozen=True)
class Groups:
    """Which group of one attribute each row belongs to, as numbers.

    Args:
        names: Groups in sorted order, shape `(k,)`.
        codes: Index of each row's group in `names`, shape `(n,)`.
        counts: Rows of each group, all at least 1, shape `(k,)`.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int64]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.names)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of a quantity, shape `(n,)`, in each group, shape `(k,)`."""
        sums = np.bincount(self.codes, weights=values, minlength=len(self.names))
        return sums.astype(np.float64, copy=False)

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean of a quantity, shape `(n,)`, in each group, shape `(k,)`."""
        means: NDArray[np.float64] = self.sums(values) / self.counts
        return means


@dataclass(frozen=True)
class GroupMeans:
    """Mean of a quantity in each group of one attribute.

    Args:
        names: Groups in sorted order, shape `(k,)`.
        counts: Rows of each group, shape `(k,)`.
        means: Mean of each group, shape `(k,)`, in the quantity's unit.
    """

    names: tuple[str, ...]
    counts: NDArray[np.int64]
    means: NDArray[np.float64]


def group_rows(labels: ArrayLike | Groups) -> Groups:
    """Return the groups of these labels, shape `(n,)`; what is `Groups` already stays as it is.

    Examples:
        >>> group_rows(["f", "f", "m"]).codes.tolist()
        [0, 0, 1]
    """
    if isinstance(labels, Groups):
        return labels
    names, codes = np.unique(np.asarray(labels), return_inverse=True)
    counts = np.bincount(codes, minlength=len(names))
    return Groups(tuple(map(str, names)), codes.astype(np.int64, copy=False), counts)


def group_means(values: ArrayLike, labels: ArrayLike | Groups) -> GroupMeans:
    """Return the mean of the values in each group.

    Args:
        values: One number a row, shape `(n,)`; absolute errors in years give group errors.
        labels: The group of each row, shape `(n,)`.

    Examples:
        >>> group_means([1.0, 3.0, 5.0], ["f", "f", "m"]).means.tolist()
        [2.0, 5.0]
    """
    groups = group_rows(labels)
    means = groups.means(np.asarray(values, dtype=float))
    return GroupMeans(groups.names, groups.counts, means)


def everyone(n: int) -> Groups:
    """Return the one group `all` of `n` rows.

    Examples:
        >>> everyone(3)
        Groups(names=('all',), codes=array([0, 0, 0]), counts=array([3]))
    """
    return Groups((ALL,), np.zeros(n, dtype=np.int64), np.array([n], dtype=np.int64))


def present_groups(
    names: Sequence[str], codes: NDArray[np.integer], weights: NDArray[np.float64] | None = None
) -> Groups:
    """Return the groups that have rows, numbered anew.

    Args:
        names: Names of all groups, shape `(k,)`.
        codes: Index of each row's group in `names`, shape `(n,)`.
        weights: How many rows each entry of `codes` stands for; one where nothing is given.

    Examples:
        >>> present_groups(("young", "adult", "old"), np.array([0, 2, 2]))
        Groups(names=('young', 'old'), codes=array([0, 1, 1]), counts=array([1, 2]))
    """
    counts = np.bincount(codes, weights=weights, minlength=len(names)).astype(np.int64)
    present = np.flatnonzero(counts)
    place = np.zeros(len(names), dtype=np.int64)
    place[present] = np.arange(len(present))
    return Groups(tuple(names[int(i)] for i in present), place[codes], counts[present])


def subset(groups: Groups, keep: NDArray[np.bool_]) -> Groups:
    """Return the groups of the rows where the mask, shape `(n,)`, is true.

    Examples:
        >>> subset(group_rows(["a", "b", "c"]), np.array([True, False, True])).names
        ('a', 'c')
    """
    return groups if keep.all() else present_groups(groups.names, groups.codes[keep])
