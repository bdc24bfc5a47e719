"""The groups of an attribute, the units of a sample, and which groups take part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairage.tables import UNKNOWN

Floats = NDArray[np.float64]
PRESENCE = 2_000_000  # persons times groups at a time


@dataclass(frozen=True)
class Groups:
    """Which group of one attribute each row belongs to, as numbers.

    Args:
        names: Groups in the attribute's order, shape `(k,)`.
        codes: Index of each row's group in `names`, shape `(n,)`.
        counts: Rows of each group, shape `(k,)`.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int64]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.names)

    def means(self, values: Floats) -> Floats:
        """Return the mean of a quantity, shape `(n,)`, in each group, shape `(k,)`."""
        sums = np.bincount(self.codes, weights=values, minlength=len(self.names))
        with np.errstate(invalid="ignore"):
            means: Floats = sums / self.counts
        return means

    def subset(self, keep: NDArray[np.bool_]) -> "Groups":
        """Return the same groups over the rows where the mask, shape `(n,)`, is true.

        Groups without a row stay, with a count of 0.
        """
        return self if keep.all() else groups_of(self.names, self.codes[keep])


@dataclass(frozen=True)
class Units:
    """The person of each row; rows of one person are not independent.

    Args:
        codes: Number of each row's person, 0 to `count - 1`, shape `(n,)`.
        count: How many persons there are.
    """

    codes: NDArray[np.int64]
    count: int

    def subset(self, keep: NDArray[np.bool_]) -> "Units":
        """Return the persons of the rows where the mask, shape `(n,)`, is true."""
        return self if keep.all() else self.at(np.flatnonzero(keep))

    def at(self, rows: NDArray[np.int64] | slice) -> "Units":
        """Return the persons of these rows, numbered anew."""
        codes = self.codes[rows]
        present = np.bincount(codes, minlength=self.count) > 0
        return Units((np.cumsum(present) - 1)[codes], int(present.sum()))


def groups_of(names: Sequence[str], codes: NDArray[np.integer]) -> Groups:
    """Return the groups with these names; `codes` holds the index of each row's group.

    Examples:
        >>> groups_of(("f", "m"), np.array([0, 1, 1])).counts.tolist()
        [1, 2]
    """
    counts = np.bincount(codes, minlength=len(names)).astype(np.int64)
    return Groups(tuple(names), codes.astype(np.int64, copy=False), counts)


def group_rows(labels: ArrayLike | Groups) -> Groups:
    """Return the groups of these labels, shape `(n,)`, in sorted order.

    Examples:
        >>> group_rows(["f", "f", "m"]).codes.tolist()
        [0, 0, 1]
    """
    if isinstance(labels, Groups):
        return labels
    names, codes = np.unique(np.asarray(labels), return_inverse=True)
    return groups_of(tuple(map(str, names)), codes)


def everyone(n: int) -> Groups:
    """Return the one group `all` of `n` rows."""
    return Groups(("all",), np.zeros(n, dtype=np.int64), np.array([n], dtype=np.int64))


def effective_sizes(
    groups: Groups, sizes: NDArray[np.int64], weights: Floats | None = None
) -> Floats:
    """Return the units of each group, less what unequal weights cost, shape `(k,)`.

    Args:
        groups: The groups.
        sizes: Units of each group, shape `(k,)`.
        weights: Weight of each row, shape `(n,)`; (sum w)² / (n sum w²) of the units are left.

    Examples:
        >>> rows = group_rows(["f", "f", "m", "m"])
        >>> effective_sizes(rows, rows.counts, np.array([1.0, 1.0, 3.0, 1.0])).round(2).tolist()
        [2.0, 1.6]
    """
    if weights is None:
        return sizes.astype(np.float64)
    k, codes = len(groups), groups.codes
    totals = np.bincount(codes, weights=weights, minlength=k)
    squares = np.bincount(codes, weights=weights**2, minlength=k)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.minimum(totals**2 / squares / groups.counts, 1)
    return np.asarray(np.where(groups.counts > 0, sizes * shares, 0.0))


def pair_persons(groups: Groups, units: Units) -> NDArray[np.int64]:
    """Return how many persons have a row in either group of each pair, shape `(k, k)`.

    The diagonal has the persons of each group. A person may have rows in several groups.

    Examples:
        >>> pair_persons(group_rows(["f", "m", "m"]), Units(np.array([0, 0, 1]), 2)).tolist()
        [[1, 2], [2, 2]]
    """
    k = len(groups)
    both = np.zeros((k, k))
    for rows, first, height in unit_chunks(units, max(PRESENCE // max(k, 1), 1)):
        places = (units.codes[rows] - first) * k + groups.codes[rows]
        present = (np.bincount(places, minlength=height * k) > 0).reshape(height, k)
        if present.sum() == height:  # nobody is in two groups
            both[np.diag_indices(k)] += present.sum(axis=0)
        else:
            present = present.astype(np.float64)
            both += present.T @ present
    own = np.diag(both)
    return np.asarray(own[:, None] + own[None, :] - both, dtype=np.int64)


def taking_part(
    groups: Groups, min_rows: int, sizes: NDArray[np.integer] | Floats | None = None
) -> NDArray[np.bool_]:
    """Return which groups take part in biases, floors, verdicts and averages, shape `(k,)`.

    Those with at least `min_rows` units, but for `unknown`.

    Args:
        groups: The groups.
        min_rows: Units that a group must have.
        sizes: Units of each group, shape `(k,)`; its rows where nothing is given.

    Examples:
        >>> taking_part(group_rows(["f"] * 3 + ["m"] * 2 + ["unknown"] * 9), 3).tolist()
        [True, False, False]
    """
    sizes = groups.counts if sizes is None else sizes
    known = np.array([name != UNKNOWN for name in groups.names], dtype=bool)
    return np.asarray((sizes >= min_rows) & known, dtype=bool)


def unit_chunks(units: Units, step: int) -> Iterator[tuple[NDArray[np.int64] | slice, int, int]]:
    """Yield the rows of some persons at a time, the first of these persons, and how many they are.

    Args:
        units: Persons; rows that are sorted by person are not copied.
        step: Persons at a time.

    Examples:
        >>> two = Units(np.array([1, 0]), 2)
        >>> [(rows.tolist(), first, n) for rows, first, n in unit_chunks(two, 1)]
        [([1], 0, 1), ([0], 1, 1)]
    """
    if units.count <= step:
        yield slice(None), 0, units.count
        return
    is_sorted = bool((units.codes[1:] >= units.codes[:-1]).all())
    order = None if is_sorted else np.argsort(units.codes, kind="stable")
    ordered = units.codes if order is None else units.codes[order]
    for first in range(0, units.count, step):
        last = min(first + step, units.count)
        start, end = np.searchsorted(ordered, [first, last]).tolist()
        yield slice(start, end) if order is None else order[start:end], first, last - first
