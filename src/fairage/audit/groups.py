"""The error of each group of an attribute."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["GroupMeans", "group_means"]


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


def group_means(values: ArrayLike, labels: ArrayLike) -> GroupMeans:
    """Return the mean of the values in each group.

    Args:
        values: One number a row, shape `(n,)`; absolute errors in years give group errors.
        labels: The group of each row, shape `(n,)`.

    Examples:
        >>> group_means([1.0, 3.0, 5.0], ["f", "f", "m"]).means.tolist()
        [2.0, 5.0]
    """
    names, codes = np.unique(np.asarray(labels), return_inverse=True)
    counts = np.bincount(codes, minlength=len(names))
    sums = np.bincount(codes, weights=np.asarray(values, dtype=float), minlength=len(names))
    return GroupMeans(tuple(map(str, names)), counts, sums / counts)
