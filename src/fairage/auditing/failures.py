"""Rows without an estimate, counted by group: a vendor may withhold the faces that are hard."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.groups import Floats, Groups, Units, taking_part
from fairage.auditing.rates import group_rates, rate_gaps, rate_of
from fairage.auditing.result_parts import ALL, Failures
from fairage.auditing.verdicts import verdict_of

FAILURE = "failures"


def audit_failures(
    failed: NDArray[np.bool_],
    absolute: Floats,
    attributes: Mapping[str, Groups],
    *,
    p90: Mapping[str, Mapping[str, float]],
    reasons: Mapping[str, int],
    units: Units | None,
    weights: Floats | None,
    min_rows: int,
    margin: float,
) -> Failures:
    """Return the rates of missing estimates, by group, with their verdicts.

    Args:
        failed: Whether a row has no estimate, shape `(n,)`.
        absolute: Absolute errors in years; NaN where there is none, shape `(n,)`.
        attributes: Groups of all rows, with and without an estimate.
        p90: P90 error of each group in years, by attribute; `all` has that of all rows.
        reasons: Rows by what stands there instead of an estimate.
        units: Persons.
        weights: Survey weight of each row.
        min_rows: Units from which a group takes part.
        margin: Largest gap of rates that counts as none in practice, a share.
    """
    hits = failed.astype(np.float64)
    codes = None if units is None else units.codes
    persons = units is not None
    overall = rate_of(hits, codes, weights).interval(persons=persons)
    rates = {n: group_rates(hits, groups, units, weights) for n, groups in attributes.items()}
    part = {
        name: taking_part(groups, min_rows, np.array([rate.size for rate in rates[name]]))
        for name, groups in attributes.items()
    }
    judged = {
        name: {groups.names[i]: rates[name][i] for i in np.flatnonzero(part[name]).tolist()}
        for name, groups in attributes.items()
    }
    gaps = rate_gaps(FAILURE, judged, margin, persons=persons)
    verdicts = {
        name: verdict_of(
            name,
            gaps[name],
            margin,
            groups=list(judged[name]),
            left_out=[
                (name, group, int(n))
                for group, n in zip(groups.names, groups.counts, strict=True)
                if group not in judged[name]
            ],
            rows=int(groups.counts[part[name]].sum()),
        )
        for name, groups in attributes.items()
    }
    return Failures(
        overall=overall,
        reasons=dict(reasons),
        groups={
            name: {
                group: rate.interval(persons=persons)
                for group, rate in zip(groups.names, rates[name], strict=True)
            }
            for name, groups in attributes.items()
        },
        verdicts=verdicts,
        mae_if_withheld={
            name: mae_if_withheld(
                failed,
                absolute,
                groups,
                [p90[name].get(group, math.nan) for group in groups.names],
                p90[ALL][ALL],
                weights,
            )
            for name, groups in attributes.items()
        }
        if failed.any()
        else {},
    )


def mae_if_withheld(
    failed: NDArray[np.bool_],
    absolute: Floats,
    groups: Groups,
    p90: Sequence[float],
    overall: float,
    weights: Floats | None = None,
) -> float:
    """Return the MAE if each row without an estimate had the P90 error of its group.

    Args:
        failed: Whether a row has no estimate, shape `(n,)`.
        absolute: Absolute errors in years; NaN where there is none, shape `(n,)`.
        groups: Groups of all rows.
        p90: P90 error of each group in years, shape `(k,)`; NaN for a group without estimates.
        overall: P90 of all rows, which stands in for these.
        weights: Survey weight of each row.

    Examples:
        >>> from fairage.auditing.groups import group_rows
        >>> errors = np.array([1.0, 1.0, 2.0, np.nan])
        >>> genders = group_rows(["f", "f", "m", "m"])
        >>> mae_if_withheld(np.isnan(errors), errors, genders, [1.0, 2.0], 2.0)
        1.5
    """
    instead = np.where(np.isnan(p90), overall, p90)
    values = np.where(failed, instead[groups.codes], absolute)
    counted = np.isfinite(values)
    if not counted.any():
        return math.nan
    return float(np.average(values[counted], weights=None if weights is None else weights[counted]))
