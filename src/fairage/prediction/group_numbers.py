"""Shares and means of faces with known ages, overall and by group, with limits and n.

A face whose age is a range counts in each group, and on each side of an age, with the part of its
draws that lie there. Limits of shares are exact (Clopper-Pearson, 95 %) on as many independent
faces as there are: never more than these parts add up to, never more than one a person.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.age_groups import AgeGroups
from fairage.auditing.groups import Floats
from fairage.auditing.means import UnitSums, mean_limits
from fairage.auditing.rates import rate_of
from fairage.auditing.result_parts import ALL, Interval
from fairage.prediction.calibration_rows import CalibrationRows
from fairage.tables import AGE_GROUP

Numbers = Mapping[str, Interval]


@dataclass(frozen=True)
class GroupNumbers:
    """Some numbers of faces, each an Interval with its n.

    Args:
        overall: The numbers of all faces by name.
        groups: The same by attribute and group; `age_group` is the group of the true age.
    """

    overall: Numbers
    groups: Mapping[str, Mapping[str, Numbers]]

    def to_frame(self) -> pl.DataFrame:
        """Return one row a number: attribute, group, measure, value, low, high, n, n_persons."""
        parts = {ALL: {ALL: self.overall}, **self.groups}
        cells = [
            (attribute, group, name, *_cells(interval))
            for attribute, groups in parts.items()
            for group, numbers in groups.items()
            for name, interval in numbers.items()
        ]
        schema = {
            **dict.fromkeys(("attribute", "group", "measure"), pl.String),
            **dict.fromkeys(("value", "low", "high"), pl.Float64),
            **dict.fromkeys(("n", "n_persons"), pl.Int64),
        }
        return pl.DataFrame(cells, schema=schema, orient="row")


def by_group(
    rows: CalibrationRows,
    numbers: Callable[[NDArray[np.bool_]], Numbers],
    age_groups: AgeGroups | None = None,
) -> GroupNumbers:
    """Return the numbers of all rows and of each group of each attribute and of the true age.

    Args:
        rows: Faces with true ages.
        numbers: Takes which draws of the rows' ages are in a group, of shape `(n, draws)` or
            `(n, 1)`.
        age_groups: Groups of the true age; the default ones where nothing is given.
    """
    grouping = age_groups or AgeGroups()
    codes = grouping.codes(rows.draws())
    groups = {
        name: {group: numbers((own == group)[:, None]) for group in np.unique(own).tolist()}
        for name, own in rows.attributes.items()
    }
    groups[AGE_GROUP] = {group: numbers(codes == code) for code, group in enumerate(grouping.names)}
    return GroupNumbers(numbers(np.ones((len(rows), 1), dtype=bool)), groups)


def interval_numbers(
    low: Floats, high: Floats, rows: CalibrationRows, age_groups: AgeGroups | None = None
) -> GroupNumbers:
    """Return how well intervals hold the true ages of faces: `covered`, `width` and `open`.

    Args:
        low: Lower ends in years, `-inf` where open, shape `(n,)`.
        high: Upper ends, `inf` where open.
        rows: The faces.
        age_groups: Groups of the true age; the default ones where nothing is given.
    """
    ages, is_open = rows.draws(), np.isinf(low) | np.isinf(high)
    held = (low[:, None] <= ages) & (ages <= high[:, None])
    width = np.where(is_open, 0.0, high - low)

    def numbers(inside: NDArray[np.bool_]) -> dict[str, Interval]:
        return {
            "covered": share_of(held, inside, rows),
            "width": mean_of(width, inside & ~is_open[:, None], rows),
            "open": share_of(is_open[:, None], inside, rows),
        }

    return by_group(rows, numbers, age_groups)


def count_faces(weights: Floats, rows: CalibrationRows) -> float:
    """Return how many faces, or persons where known, these parts of faces are.

    Args:
        weights: What part of each row counts, in 0..1, shape `(n,)`.
        rows: The rows.

    Examples:
        >>> ages = np.array([15.0, 15.0, 15.0])
        >>> rows = CalibrationRows(ages, ages, ages, identity=np.array(["a", "a", "b"]))
        >>> count_faces(np.ones(3), rows), round(independent_faces(np.ones(3), rows), 2)
        (2.0, 1.8)
    """
    return float(np.minimum(_unit_sizes(weights, rows), 1).sum())


def independent_faces(weights: Floats, rows: CalibrationRows) -> float:
    """Return as how many independent faces these parts count, as persons with many weigh more."""
    sizes = _unit_sizes(weights, rows)
    if not sizes.any():
        return 0.0
    return min(float(sizes.sum() ** 2 / (sizes**2).sum()), count_faces(weights, rows))


def share_of(hits: NDArray[np.bool_], inside: NDArray[np.bool_], rows: CalibrationRows) -> Interval:
    """Return the share of hits among the draws of the rows' ages that are inside.

    Args:
        hits: Where it is so, shape `(n, draws)` or `(n, 1)`.
        inside: Which draws count, shape `(n, draws)` or `(n, 1)`.
        rows: The rows.
    """
    weights = inside.mean(axis=1)
    keep = weights > 0
    own = (hits & inside).mean(axis=1)[keep] / weights[keep]
    rate = rate_of(own, *_units_and_weights(keep, weights, rows))
    effective = min(rate.effective, independent_faces(weights, rows))
    return replace(rate, effective=effective).interval(persons=rows.units is not None)


def mean_of(values: Floats, inside: NDArray[np.bool_], rows: CalibrationRows) -> Interval:
    """Return the mean of a number of each row, shape `(n,)`, over the draws that are inside."""
    weights = inside.mean(axis=1)
    keep = weights > 0
    units = UnitSums.of(values[keep], *_units_and_weights(keep, weights, rows))
    low, high = mean_limits(units, seed=0) or (None, None)
    n_persons = None if rows.units is None else len(units)
    return Interval(units.mean, low, high, int(keep.sum()), n_persons)


def _unit_sizes(weights: Floats, rows: CalibrationRows) -> Floats:
    if rows.units is None:
        return weights
    return np.bincount(rows.units.codes, weights=weights).astype(np.float64)


def _units_and_weights(
    keep: NDArray[np.bool_], weights: Floats, rows: CalibrationRows
) -> tuple[NDArray[np.int64] | None, Floats | None]:
    units = None if rows.units is None else rows.units.codes[keep]
    return units, None if (weights[keep] == 1).all() else weights[keep]


def _cells(interval: Interval) -> tuple[float | None, float | None, float | None, int, int | None]:
    value = None if math.isnan(interval.value) else interval.value
    return value, interval.low, interval.high, interval.n, interval.n_persons
