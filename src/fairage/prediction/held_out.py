"""What intervals hold of calibration faces that are left out in turn: for the card of a model."""

from dataclasses import asdict
from typing import Any

import numpy as np

from fairage.auditing.result_parts import ALL, Interval
from fairage.prediction.calibration_rows import CalibrationRows, person_folds
from fairage.prediction.group_numbers import GroupNumbers, interval_numbers
from fairage.prediction.intervals import ConformalAges

_FOLDS = 5


def held_out_coverage(rows: CalibrationRows, level: float = 0.9) -> GroupNumbers:
    """Return what intervals hold, overall and by group, of faces that did not calibrate them.

    In turn each fifth of the faces, whole persons, is left out, and the others calibrate. All of
    them together calibrate a little better, so that this is on the careful side.

    Args:
        rows: The calibration faces.
        level: Share of true ages that the intervals are made for.

    Returns:
        `covered`, `width` and `open`; see `ConformalAges.coverage`.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> ages = rng.uniform(20, 40, 500)
        >>> rows = CalibrationRows(ages + rng.normal(0, 3, 500), ages, ages)
        >>> 0.87 < held_out_coverage(rows).overall["covered"].value < 0.93
        True
    """
    folds = person_folds(len(rows), folds=_FOLDS, identity=rows.identity)
    low, high = np.empty(len(rows)), np.empty(len(rows))
    for fold in range(_FOLDS):
        rest = folds == fold
        system = ConformalAges.fit(rows.rows(~rest))
        low[rest], high[rest] = system.interval(
            rows.predictions[rest], rows.spreads[rest], level=level
        )
    return interval_numbers(low, high, rows)


def for_card(numbers: GroupNumbers, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return one row a group for the card: attribute, group and some of its numbers as mappings."""
    parts = {ALL: {"": numbers.overall}, **numbers.groups}
    return [
        {"attribute": attribute, "group": group}
        | {name: _plain(own[name]) for name in names if name in own}
        for attribute, groups in parts.items()
        for group, own in groups.items()
    ]


def _plain(interval: Interval) -> dict[str, Any]:
    """Return an interval as JSON knows it, which has no NaN."""
    return {
        key: None if isinstance(value, float) and not np.isfinite(value) else value
        for key, value in asdict(interval).items()
    }
