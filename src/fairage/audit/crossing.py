"""Errors in cells: along age by group, and where two attributes cross."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fairage.audit.bootstrap import draw_means
from fairage.audit.groups import Groups, present_groups
from fairage.audit.intervals import Estimate
from fairage.audit.measures import mean_estimates
from fairage.audit.result import AgePoint, Cell, Intersection
from fairage.audit.sample import Floats, Quantity, Sample

__all__ = ["Crossed", "Crossing", "age_steps", "cross", "step_ages"]

AGE_STEP = 5
MOST_CROSSED_GROUPS = 30


def age_steps(ages: Floats) -> Groups:
    """Return the groups of five years of true age; each is named after its first year.

    Examples:
        >>> age_steps(np.array([4.0, 7.0, 12.5, 13.0])).names
        ('0', '5', '10')
    """
    steps = (ages / AGE_STEP).astype(np.int64)
    return present_groups([str(AGE_STEP * step) for step in range(int(steps.max()) + 1)], steps)


def step_ages(steps: Groups) -> Floats:
    """Return the first year of each of the groups of `age_steps`, shape `(k,)`."""
    return np.array([float(name) for name in steps.names])


@dataclass(frozen=True)
class Crossed:
    """Groups crossed with others, where there are rows.

    Args:
        groups: The crossed groups, in the sample's cells; their names are mere numbers.
        pairs: Which group and which other group each of them is, shape `(k, 2)`.
    """

    groups: Groups
    pairs: NDArray[np.integer]


def cross(groups: Groups, codes: NDArray[np.integer], width: int, sample: Sample) -> Crossed:
    """Return groups crossed with others.

    Args:
        groups: Groups of one attribute, in the sample's cells.
        codes: Other group of each cell, from 0 to `width - 1`.
        width: How many other groups there are.
        sample: The rows.
    """
    both = groups.codes * width + codes
    names = [str(number) for number in range(len(groups) * width)]
    present = np.flatnonzero(np.bincount(both))
    return Crossed(
        present_groups(names, both, sample.counts),
        np.stack(np.divmod(present, width), axis=1),
    )


@dataclass(frozen=True)
class Crossing:
    """Measures crossed groups.

    Args:
        errors: Absolute errors in years.
        signed: Signed errors in years.
        sample: The rows.
        min_rows: Cells with fewer rows are listed, not ranked.
        replicates: Bootstrap replicates.
    """

    errors: Quantity
    signed: Quantity
    sample: Sample
    min_rows: int
    replicates: int

    def along_age(
        self, groups: Groups, steps: Groups, rng: np.random.Generator
    ) -> tuple[AgePoint, ...]:
        """Return error and signed error of each group in steps of five years of true age.

        More than 30 groups give nothing.

        Args:
            groups: The groups, in the sample's cells.
            steps: Groups of five years of true age, likewise.
            rng: Source of chance.
        """
        if len(groups) > MOST_CROSSED_GROUPS:
            return ()
        crossed = cross(groups, steps.codes, len(steps), self.sample)
        maes, signs = self._estimates(crossed.groups, rng)
        first = step_ages(steps)
        found = []
        for i, (group, step) in enumerate(crossed.pairs):
            low, n = float(first[step]), int(crossed.groups.counts[i])
            point = AgePoint(groups.names[group], low, low + AGE_STEP, n, maes[i], signs[i])
            found.append(point)
        return tuple(found)

    def intersections(
        self, attributes: Mapping[str, Groups], rng: np.random.Generator
    ) -> tuple[Intersection, ...]:
        """Return each pair of attributes crossed; attributes of more than 30 groups are left out.

        Args:
            attributes: Groups by attribute, in the sample's cells.
            rng: Source of chance.
        """
        few = {n: groups for n, groups in attributes.items() if len(groups) <= MOST_CROSSED_GROUPS}
        return tuple(
            Intersection((one, other), self._cells(few[one], few[other], rng))
            for one, other in combinations(few, 2)
        )

    def _cells(self, first: Groups, second: Groups, rng: np.random.Generator) -> tuple[Cell, ...]:
        crossed = cross(first, second.codes, len(second), self.sample)
        maes, signs = self._estimates(crossed.groups, rng)
        counts = crossed.groups.counts
        rows = [
            ((first.names[i], second.names[j]), int(counts[at]), maes[at], signs[at])
            for at, (i, j) in enumerate(crossed.pairs)
        ]
        return _ranked(rows, self.min_rows)

    def _estimates(
        self, crossed: Groups, rng: np.random.Generator
    ) -> tuple[list[Estimate], list[Estimate]]:
        draws = draw_means(
            [self.errors, self.signed],
            {"": crossed},
            self.sample,
            replicates=self.replicates,
            rng=rng,
            joint=False,
        )
        return (
            mean_estimates(self.errors, crossed, draws[0][""], self.sample),
            mean_estimates(self.signed, crossed, draws[1][""], self.sample),
        )


def _ranked(
    rows: list[tuple[tuple[str, str], int, Estimate, Estimate]], min_rows: int
) -> tuple[Cell, ...]:
    """Rank the cells with enough rows by their error; the others follow by their rows."""
    large = sorted((row for row in rows if row[1] >= min_rows), key=lambda row: -row[2].value)
    small = sorted((row for row in rows if row[1] < min_rows), key=lambda row: -row[1])
    ranked = [Cell(*row, rank) for rank, row in enumerate(large, 1)]
    return (*ranked, *(Cell(*row, None) for row in small))
