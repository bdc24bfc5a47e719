"""Bootstrap replicates of group means: the units are drawn anew, with replacement.

A unit is a row, or an identity with all of its rows. Every replicate draws once for all
attributes, so that numbers which join several attributes have the right spread. Units of a small
group are drawn among themselves: each unit belongs to the smallest such group that it is in;
a group that is still missing from a replicate is drawn among itself. So no group ever vanishes.

Up to `PLAIN_UNITS` units every draw is made for real. Beyond that the cost of a replicate no
longer depends on the number of rows: the groups that together hold no more than `DRAWN_UNITS`
units, smallest first, are drawn for real; the sums over all other units are drawn from the normal
distribution with the covariance that the bootstrap has, computed in one pass. Each of the groups
that this concerns has more than a thousand units, where a mean is normal for all that matters.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fairage.audit.groups import Groups
from fairage.audit.large_sample import NormalSums, unit_table
from fairage.audit.sample import Floats, Quantity, Sample
from fairage.audit.units import Units, group_units

__all__ = ["draw_means"]

PLAIN_UNITS = 5_000
DRAWN_UNITS = 4_000
SMALL_GROUP = 50


def draw_means(
    quantities: Sequence[Quantity],
    attributes: Mapping[str, Groups],
    sample: Sample,
    *,
    replicates: int,
    rng: np.random.Generator,
    joint: bool = True,
) -> list[dict[str, Floats]]:
    """Return bootstrap replicates of the group means of one or more quantities.

    Args:
        quantities: Quantities; they share their draws.
        attributes: Groups by attribute, in the sample's cells; they share their draws.
        sample: The rows.
        replicates: How often the sample is drawn anew.
        rng: Source of chance.
        joint: Whether the large-sample draws of different groups must vary together; False is
            faster and right where each group is looked at alone.

    Returns:
        For each quantity the means by attribute, each of shape `(replicates, k)`.

    Examples:
        >>> from fairage.audit.groups import group_rows
        >>> from fairage.audit.sample import gather
        >>> rng = np.random.default_rng(0)
        >>> sample = gather({"x": group_rows(["a", "a", "b"])})
        >>> errors = sample.quantity(np.array([1.0, 3.0, 5.0]))
        >>> draws = draw_means([errors], sample.attributes, sample, replicates=4, rng=rng)
        >>> draws[0]["x"].shape
        (4, 2)
    """
    strata, keep = _strata(attributes, sample)
    means = [
        {name: groups.means(quantity.sums) for name, groups in attributes.items()}
        for quantity in quantities
    ]
    sums, counts = _drawn_sums(quantities, means, attributes, sample, strata, replicates, rng)
    if keep is not None:
        many = NormalSums(quantities, means, attributes, sample, keep)
        for total, extra in zip(sums, many.draw(replicates, rng, joint=joint), strict=True):
            for name in attributes:
                total[name] += extra[name]
    found: list[dict[str, Floats]] = [{} for _ in quantities]
    for name, groups in attributes.items():
        rows = np.maximum(counts[name], 1)
        draws = [own[name] + total[name] / rows for own, total in zip(means, sums, strict=True)]
        _refill(draws, counts[name] < 1, quantities, groups, sample, rng)
        for parts, own in zip(found, draws, strict=True):
            parts[name] = own
    return found


def _strata(
    attributes: Mapping[str, Groups], sample: Sample
) -> tuple[list[NDArray[np.int64]], NDArray[np.bool_] | None]:
    """Return the units of each stratum that is drawn for real, and which cells are not drawn.

    The latter is None where every unit is drawn for real.
    """
    units = sample.units
    total = sample.rows if units is None else units.count
    plain = total <= PLAIN_UNITS
    sizes = [group_units(groups, units) for groups in attributes.values()]
    small = _small_groups(np.concatenate(sizes), plain=plain)
    parts = np.split(small, np.cumsum([len(own) for own in sizes])[:-1])
    ranks = np.full(len(sample.counts), len(small), dtype=np.int64)
    for groups, own in zip(attributes.values(), parts, strict=True):
        np.minimum(ranks, own[groups.codes], out=ranks)
    if units is not None:
        by_unit = np.full(total, len(small), dtype=np.int64)
        np.minimum.at(by_unit, units.codes, ranks)
        ranks = by_unit
    keep = ranks == len(small)
    by_row = ranks if sample.cells is None else ranks[sample.cells]
    index = np.arange(total) if plain else np.flatnonzero(by_row < len(small))
    order = index[np.argsort(by_row[index], kind="stable")]
    edges = np.flatnonzero(np.diff(by_row[order])) + 1
    strata = [part for part in np.split(order, edges) if len(part)]
    if plain or not keep.any():
        return strata, None
    return strata, keep if units is None else keep[units.codes]


def _small_groups(sizes: NDArray[np.int64], *, plain: bool) -> NDArray[np.int64]:
    """Rank the small groups from 0 by size; a group that is not small has the last rank."""
    order = np.argsort(sizes, kind="stable")
    ordered = sizes[order]
    small = ordered < SMALL_GROUP if plain else np.cumsum(ordered) <= DRAWN_UNITS
    ranks = np.full(len(sizes), len(sizes), dtype=np.int64)
    ranks[order[small]] = np.arange(small.sum())
    return ranks


def _drawn_sums(
    quantities: Sequence[Quantity],
    means: list[dict[str, Floats]],
    attributes: Mapping[str, Groups],
    sample: Sample,
    strata: list[NDArray[np.int64]],
    replicates: int,
    rng: np.random.Generator,
) -> tuple[list[dict[str, Floats]], dict[str, Floats]]:
    """Draw the strata; return the sums of the residuals and the rows of each group."""
    drawn = np.concatenate(strata) if strata else np.empty(0, dtype=np.int64)
    extra = _extra_draws([len(part) for part in strata], replicates, rng)
    rows, unit = _rows_of(drawn, sample.units)
    sums: list[dict[str, Floats]] = [{} for _ in quantities]
    counts = {}
    for name, groups in attributes.items():
        codes = sample.codes(groups, rows)
        cells, shape = unit * len(groups) + codes, (len(drawn), len(groups))
        counts[name] = groups.counts + extra @ unit_table(cells, None, shape)
        for quantity, own, total in zip(quantities, means, sums, strict=True):
            residuals = quantity.values[rows] - own[name][codes]
            total[name] = extra @ unit_table(cells, residuals, shape)
    return sums, counts


def _refill(
    draws: list[Floats],
    empty: NDArray[np.bool_],
    quantities: Sequence[Quantity],
    groups: Groups,
    sample: Sample,
    rng: np.random.Generator,
) -> None:
    """Draw a group among itself in the replicates in which none of its units came up.

    Strata make this rare: it takes a group whose units all belong to smaller groups as well.
    """
    for group in np.flatnonzero(empty.any(axis=0)):
        rows = np.flatnonzero(sample.codes(groups) == group)
        units = rows if sample.units is None else sample.units.codes[rows]
        _, place, sizes = np.unique(units, return_inverse=True, return_counts=True)
        where = np.flatnonzero(empty[:, group])
        picks = rng.integers(0, len(sizes), (len(where), len(sizes)))
        drawn = sizes[picks].sum(axis=1)
        for own, quantity in zip(draws, quantities, strict=True):
            sums = np.bincount(place, weights=quantity.values[rows])
            own[where, group] = sums[picks].sum(axis=1) / drawn


def _extra_draws(sizes: list[int], replicates: int, rng: np.random.Generator) -> Floats:
    """Return how often each unit is drawn beyond once, shape `(replicates, units)`."""
    offsets = np.arange(replicates)[:, np.newaxis]
    parts: list[Floats] = [np.zeros((replicates, 0))]
    for size in sizes:
        picks = rng.integers(0, size, (replicates, size)) + offsets * size
        times = np.bincount(picks.ravel(), minlength=replicates * size)
        parts.append(times.reshape(replicates, size).astype(np.float64) - 1)
    return np.concatenate(parts, axis=1)


def _rows_of(
    drawn: NDArray[np.int64], units: Units | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of these units and the place of each row's unit among them."""
    if units is None:
        return drawn, np.arange(len(drawn))
    place = np.full(units.count, -1, dtype=np.int64)
    place[drawn] = np.arange(len(drawn))
    rows = np.flatnonzero(place[units.codes] >= 0)
    return rows, place[units.codes[rows]]
