"""Group errors at one age mix: direct standardisation, as epidemiologists compare death rates.

A group of old people has larger errors because they are old. Here each group's error is the mean
of its errors in bands of age, weighted by the share of all rows in each band. Only ages that every
group has take part: where a group has nobody, there is nothing to compare it with.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fairage.audit.bootstrap import draw_means
from fairage.audit.crossing import cross, step_ages
from fairage.audit.gaps import biases
from fairage.audit.groups import Groups
from fairage.audit.intervals import Estimate, bootstrap_estimate
from fairage.audit.resampling import CHANCE
from fairage.audit.result import Standardised
from fairage.audit.sample import Floats, Quantity, Sample
from fairage.audit.units import group_units

__all__ = ["age_bands", "standardise"]

BAND_YEARS = 10
BAND_ROWS = 5


def standardise(
    errors: Quantity,
    groups: Groups,
    steps: Groups,
    sample: Sample,
    *,
    min_rows: int,
    replicates: int,
    rng: np.random.Generator,
) -> Standardised | None:
    """Return the group errors at the age mix of all rows; None where groups share no ages.

    The bands begin and end with the first and the last ten years of age in which every group has
    five rows; in between they are wider where a group has fewer. Groups with fewer than `min_rows`
    rows are left out. The mix is taken as given in the intervals; that of a bias reaches down to 0
    where replicates centred on even groups give as much once in twenty times.

    Args:
        errors: Absolute errors in years.
        groups: Groups of the attribute, in the sample's cells.
        steps: Groups of five years of true age, in the sample's cells.
        sample: The rows.
        min_rows: Rows that a group must have.
        replicates: Bootstrap replicates.
        rng: Source of chance.
    """
    large = np.flatnonzero(groups.counts >= min_rows)
    ages = step_ages(steps)[steps.codes]
    rows = np.zeros((len(groups), int(ages.max()) // BAND_YEARS + 1))
    np.add.at(rows, (groups.codes, (ages // BAND_YEARS).astype(np.int64)), sample.counts)
    edges = age_bands(rows[large]) if len(large) > 1 else np.zeros(0)
    width = len(edges) - 1
    if width < 2:
        return None
    outside = (ages < edges[0]) | (ages >= edges[-1])
    bands = np.where(outside, width, np.searchsorted(edges, ages, side="right") - 1)
    inside = np.bincount(bands, weights=sample.counts, minlength=width + 1)[:width]
    mix = inside / inside.sum()
    crossed = cross(groups, bands, width + 1, sample)
    cells = crossed.groups
    draws = draw_means([errors], {"": cells}, sample, replicates=replicates, rng=rng)[0][""]
    places = np.zeros((len(groups), width + 1), dtype=np.int64)
    places[tuple(crossed.pairs.T)] = np.arange(len(cells))
    place = places[large, :width]
    means: Floats = cells.means(errors.sums)[place] @ mix
    mixed: Floats = draws[:, place] @ mix
    sizes = cells.counts[place].sum(axis=1)
    units = _units(groups, ~outside, sample)[large]
    bias, gap = _spreads(means, mixed, int(sizes.sum()), int(units.min()))
    own = cells.sums(errors.sums)[place].sum(axis=1) / sizes
    return Standardised(
        bands=tuple(float(edge) for edge in edges[:-1]),
        end=float(edges[-1]),
        covered=float(inside.sum() / sample.rows),
        mix=tuple(float(share) for share in mix),
        groups={
            groups.names[g]: bootstrap_estimate(
                means[i], mixed[:, i], int(sizes[i]), units=int(units[i])
            )
            for i, g in enumerate(large)
        },
        crude_bias=float(biases(own[np.newaxis])[0]),
        bias=bias,
        gap=gap,
        left_out=tuple(name for i, name in enumerate(groups.names) if i not in large),
    )


def _units(groups: Groups, keep: NDArray[np.bool_], sample: Sample) -> NDArray[np.int64]:
    """Return the rows, or identities where these are known, of each group in the cells kept."""
    codes = groups.codes[keep]
    counts = np.bincount(codes, weights=sample.counts[keep], minlength=len(groups))
    kept = replace(groups, codes=codes, counts=counts.astype(np.int64))
    return group_units(kept, None if sample.units is None else sample.units.subset(keep))


def _spreads(means: Floats, mixed: Floats, n: int, units: int) -> tuple[Estimate, Estimate]:
    """Return bias and gap of the means, `(k,)`, from their replicates, `(replicates, k)`.

    No interval where the smallest group has one unit, which tells nothing about the spread.
    """
    value = float(biases(means[np.newaxis])[0])
    by_chance = float((biases(mixed - mixed.mean(axis=0)) >= value).mean()) >= CHANCE
    bias = bootstrap_estimate(value, biases(mixed), n, units=units)
    gap = bootstrap_estimate(float(np.ptp(means)), np.ptp(mixed, axis=1), n, units=units)
    return bias.down_to(0.0, by_chance=by_chance), gap.down_to(0.0, by_chance=by_chance)


def age_bands(rows: Floats) -> Floats:
    """Return the edges of the age bands: every group has at least five rows in each.

    Args:
        rows: Rows of each group in each ten years of age, shape `(k, bands)`.

    Returns:
        Lower edges and the upper edge of the last band, in years; none where no ten years have
        five rows of every group.

    Examples:
        >>> age_bands(np.array([[2.0, 9, 4, 9, 9, 1], [5.0, 5, 9, 1, 9, 9]])).tolist()
        [10.0, 20.0, 40.0, 50.0]
    """
    shared = np.flatnonzero((rows >= BAND_ROWS).all(axis=0))
    if not len(shared):
        return np.zeros(0)
    first, last = int(shared[0]), int(shared[-1])
    edges, held = [first], np.zeros(len(rows))
    for band in range(first, last + 1):
        held += rows[:, band]
        if (held >= BAND_ROWS).all():
            edges.append(band + 1)
            held = np.zeros(len(rows))
    return np.array(edges, dtype=np.float64) * BAND_YEARS
