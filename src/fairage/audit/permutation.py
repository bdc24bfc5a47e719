"""Group errors when the labels of an attribute are dealt out anew among the rows.

Up to `PLAIN_ROWS` rows every permutation is drawn for real. Beyond that the cost of a permutation
no longer depends on the number of rows: the groups that together hold no more than `DRAWN_ROWS`
rows, smallest first, are drawn for real, without replacement; what is left over is one group (its
sum is known exactly) or several large ones, whose sums are drawn from the normal distribution
with the exact mean and covariance of a random partition of the rows that are left:
`cov(S_g, S_h) = s^2 M / (M - 1) (n_g [g = h] - n_g n_h / M)` for `M` rows with variance `s^2`.
Each of these groups has more than a thousand rows, where a mean is normal for all that matters.

Where identities are given and each of them lies in one group, labels are dealt out among persons,
as rows of one person are not independent. Beyond `PLAIN_ROWS` persons a group's mean is linearised
around the mean of all rows, which needs one number a person.
"""

import numpy as np
from numpy.typing import NDArray

from fairage.audit.groups import Groups
from fairage.audit.units import Units, groups_of_units

__all__ = ["permuted_means"]

PLAIN_ROWS = 10_000
DRAWN_ROWS = 4_000
BLOCK = 2_000_000


def permuted_means(
    values: NDArray[np.float64],
    groups: Groups,
    permutations: int,
    rng: np.random.Generator,
    *,
    units: Units | None = None,
) -> NDArray[np.float64]:
    """Return each group's mean under each random permutation of the labels.

    Args:
        values: One number a row, shape `(n,)`.
        groups: The groups, whose sizes stay as they are.
        permutations: How many times the labels are dealt out.
        rng: Source of chance.
        units: Identities; used where each lies in one group, else rows are shuffled.

    Returns:
        Means, shape `(permutations, k)`.

    Examples:
        >>> from fairage.audit.groups import group_rows
        >>> rng = np.random.default_rng(0)
        >>> permuted_means(np.array([1.0, 1.0, 4.0]), group_rows(["a", "a", "b"]), 1, rng).shape
        (1, 2)
    """
    if units is not None:
        of_person = groups_of_units(groups, units)
        if of_person is not None:
            return _person_means(values, units, of_person, permutations, rng)
    if len(values) <= PLAIN_ROWS:
        sums = _shuffled_sums(values, groups.counts, permutations, rng)
    else:
        sums = _drawn_sums(values, groups.counts, permutations, rng)
    return sums / groups.counts


def _person_means(
    values: NDArray[np.float64],
    units: Units,
    of_person: Groups,
    permutations: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Deal the groups out among persons; each takes its rows along."""
    sums = np.bincount(units.codes, weights=values, minlength=units.count)
    rows = np.bincount(units.codes, minlength=units.count).astype(np.float64)
    if units.count > PLAIN_ROWS:
        mean = float(values.mean())
        apart = _drawn_sums(sums - mean * rows, of_person.counts, permutations, rng)
        return mean + apart / (of_person.counts * float(rows.mean()))
    starts = np.concatenate([[0], np.cumsum(of_person.counts)[:-1]])
    block = max(1, BLOCK // units.count)
    found = []
    for first in range(0, permutations, block):
        order = np.tile(np.arange(units.count), (min(block, permutations - first), 1))
        rng.permuted(order, axis=1, out=order)
        totals = [np.add.reduceat(part[order], starts, axis=1) for part in (sums, rows)]
        found.append(totals[0] / totals[1])
    return np.concatenate(found)


def _shuffled_sums(
    values: NDArray[np.float64],
    counts: NDArray[np.int64],
    permutations: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Shuffle the values and cut them into runs of the groups' sizes."""
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    block = max(1, BLOCK // len(values))
    found = []
    for first in range(0, permutations, block):
        rows = np.tile(values, (min(block, permutations - first), 1))
        rng.permuted(rows, axis=1, out=rows)
        found.append(np.add.reduceat(rows, starts, axis=1))
    return np.concatenate(found)


def _drawn_sums(
    values: NDArray[np.float64],
    counts: NDArray[np.int64],
    permutations: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw the small groups for real and the large ones given what the small ones took."""
    order = np.argsort(counts, kind="stable")
    taken = np.cumsum(counts[order])
    small = order[:-1][taken[:-1] <= DRAWN_ROWS]
    large = np.setdiff1d(order, small)
    sums = np.empty((permutations, len(counts)))
    left = np.tile([values.sum(), np.square(values).sum()], (permutations, 1))
    drawn = int(counts[small].sum())
    if drawn:
        starts = np.concatenate([[0], np.cumsum(counts[small])[:-1]])
        picks = np.stack(
            [rng.choice(len(values), drawn, replace=False) for _ in range(permutations)]
        )
        rows = values[picks]
        sums[:, small] = np.add.reduceat(rows, starts, axis=1)
        left -= np.stack([rows.sum(axis=1), np.square(rows).sum(axis=1)], axis=1)
    sums[:, large] = _partition_sums(left, counts[large], rng)
    return sums


def _partition_sums(
    left: NDArray[np.float64], counts: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the sums of large groups that share the rows left; `left` holds sum and sum of squares.

    Independent normals with variance `n_g`, less their share of the total, have the covariance
    `n_g [g = h] - n_g n_h / M`.
    """
    rows = counts.sum()
    mean = left[:, :1] / rows
    variance = np.maximum(left[:, 1:] / rows - mean**2, 0) * rows / max(rows - 1, 1)
    draws = rng.standard_normal((len(left), len(counts))) * np.sqrt(counts)
    draws -= draws.sum(axis=1, keepdims=True) * (counts / rows)
    sums: NDArray[np.float64] = counts * mean + np.sqrt(variance) * draws
    return sums
