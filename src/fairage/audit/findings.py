"""What a reader of an audit must be warned of, and the check of a published MAE."""

import math

import numpy as np

from fairage.audit.groups import Groups
from fairage.audit.intervals import Estimate
from fairage.audit.result import AuditWarning, Claim, ModelAudit
from fairage.audit.rows import ModelRows, RowReport, Rows
from fairage.audit.sample import Floats, Quantity
from fairage.audit.settings import AuditSettings
from fairage.audit.units import groups_of_units
from fairage.tables import MAX_AGE

__all__ = [
    "RESOLVED_GAP",
    "check_claim",
    "floor_warnings",
    "model_warnings",
    "row_warnings",
    "rows_to_resolve",
]

RESOLVED_GAP = 0.5
# (z of 95 % two-sided + z of 80 % power) squared: the gap is found in four of five samples.
POWER_FACTOR = 7.8489
MONTHS = (10, 14)


def row_warnings(report: RowReport, rows: Rows, settings: AuditSettings) -> list[AuditWarning]:
    """Return the warnings about the table and its true ages."""
    found = _left_out(report) + _read_as(report)
    for name, groups in rows.attributes.items():
        found += _group_warnings(name, groups, settings.min_rows)
    return found


def floor_warnings(rows: Rows) -> list[AuditWarning]:
    """Return a warning of the noise floors that shuffle rows although persons have several."""
    if rows.units is None or rows.units.count == len(rows):
        return []
    varying = [n for n, own in rows.attributes.items() if groups_of_units(own, rows.units) is None]
    if not varying:
        return []
    text = (
        f"Within persons there is more than one group of {', '.join(varying)}: labels are shuffled "
        "among rows, not persons, and the noise floor may be too small."
    )
    return [AuditWarning("varies_within_persons", text)]


def _left_out(report: RowReport) -> list[AuditWarning]:
    """Warn of rows and columns that do not count, or count twice."""
    found = []
    if report.without_age:
        text = f"{_rows(report.without_age)} without a true age: left out."
        found.append(AuditWarning("missing_ages", text))
    for name, count in report.without_prediction.items():
        if count:
            text = f"{_rows(count)} without a prediction in {name!r}: left out."
            found.append(AuditWarning("missing_predictions", text))
    if report.duplicate_images:
        text = f"{_rows(report.duplicate_images)} with the image of an earlier row: they count."
        found.append(AuditWarning("duplicate_images", text))
    for name, count in report.unknown.items():
        text = f"{name}: {_rows(count)} without a value: the group unknown."
        found.append(AuditWarning("unknown_values", text))
    for name, count in report.left_out.items():
        text = f"{name} has {count:,} groups, which is no attribute; it is left out."
        found.append(AuditWarning("too_many_groups", text))
    return found


def _read_as(report: RowReport) -> list[AuditWarning]:
    """Warn of numbers and bins that can be read in more than one way."""
    found = []
    if report.decimal_commas:
        text = "Numbers are written with decimal commas; they are read as such."
        found.append(AuditWarning("decimal_commas", text))
    if report.bins_across:
        text = (
            f"The true-age bins {', '.join(map(repr, report.bins_across))} lie in two age groups; "
            "they count where their middle is."
        )
        found.append(AuditWarning("bins_across_age_groups", text))
    return found


def _group_warnings(name: str, groups: Groups, min_rows: int) -> list[AuditWarning]:
    found = []
    if len(groups) == 1:
        text = f"{name} has one group only ({groups.names[0]}); it has no gaps."
        found.append(AuditWarning("one_group", text))
    small = [
        f"{group} ({n})"
        for group, n in zip(groups.names, groups.counts, strict=True)
        if n < min_rows
    ]
    if small:
        text = (
            f"{name}: too few rows to say anything about {', '.join(small)}; {min_rows} are "
            "needed to be ranked."
        )
        found.append(AuditWarning("small_groups", text))
    return found


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def model_warnings(
    name: str, rows: Rows, model: ModelRows, audit: ModelAudit
) -> list[AuditWarning]:
    """Return the warnings about one column of predictions."""
    found = _suspicious(name, rows.ages, model)
    which = f"{name}: " if len(rows.models) > 1 else ""
    for attribute in audit.attributes:
        short = [
            f"{group.name} ({group.errors.n:,} rows, about {group.rows_to_resolve:,} needed)"
            for group in attribute.groups
            if group.rows_to_resolve is not None and group.errors.n < group.rows_to_resolve
        ]
        if short:
            text = (
                f"{which}By {attribute.name.replace('_', ' ')} a gap of {RESOLVED_GAP} years could "
                f"go unnoticed in {', '.join(short)}."
            )
            found.append(AuditWarning("unresolved_gaps", text))
    return found


def rows_to_resolve(errors: Quantity, groups: Groups) -> list[int | None]:
    """Return the rows that each group needs for a gap of 0.5 years to the others to be found.

    Found means: in four of five samples a 95 % interval of the gap leaves 0 out. The others are
    taken to stay as many as they are, or to grow alike where they are too few themselves. None
    where a group's errors do not vary, or there are no others.

    Args:
        errors: Absolute errors in years.
        groups: The groups, in the sample's cells.

    Examples:
        >>> from fairage.audit.groups import group_rows
        >>> from fairage.audit.sample import gather
        >>> sample = gather({"x": group_rows(["a"] * 100 + ["b"] * 10_000)})
        >>> errors = sample.quantity(np.tile([1.0, 5.0], 5050))
        >>> rows_to_resolve(errors, sample.attributes["x"])
        [129, 253]
    """
    sums, squares = groups.sums(errors.sums), groups.sums(errors.squares)
    others = groups.counts.sum() - groups.counts
    return [
        _needed(
            _variance(sums[i], squares[i], int(groups.counts[i])),
            _variance(sums.sum() - sums[i], squares.sum() - squares[i], int(others[i])),
            int(others[i]),
        )
        for i in range(len(groups))
    ]


def _variance(total: float, squares: float, n: int) -> float:
    """Return the variance; NaN for fewer than two rows, 0 where only rounding differs."""
    if n < 2:
        return math.nan
    found = (squares - total**2 / n) / (n - 1)
    return found if found > 1e-12 * squares else 0.0


def _needed(own: float, others: float, rest: int) -> int | None:
    if not own > 0 or math.isnan(others):
        return None
    target = RESOLVED_GAP**2 / POWER_FACTOR
    room = target - others / rest
    # As many others as needed can hardly be had where the room left is tiny.
    alike = (own + others) / target
    return math.ceil(min(own / room, alike) if room > 0 else alike)


def check_claim(claimed: float | None, mae: Estimate) -> Claim | None:
    """Return whether these rows bear out a published MAE; None where none was given.

    Examples:
        >>> check_claim(3.26, Estimate(3.4325, 1977, 3.29, 3.57)).verdict
        'not reproduced'
    """
    if claimed is None:
        return None
    said = f"An MAE of {claimed:g} was published; these {mae.n:,} rows give {mae.value:.3f}"
    if abs(claimed - mae.value) <= _half_a_digit(claimed):
        return Claim(claimed, mae, "reproduced", f"{said}: it is reproduced.")
    if mae.low is None or mae.high is None:
        text = f"{said}: one row alone cannot tell."
        return Claim(claimed, mae, "within chance", text)
    span = f"({mae.low:.3f} to {mae.high:.3f})"
    if mae.low <= claimed <= mae.high:
        text = f"{said} {span}: not the same, but other rows of the same kind could give it."
        return Claim(claimed, mae, "within chance", text)
    text = f"{said} {span}: it is not reproduced."
    return Claim(claimed, mae, "not reproduced", text)


def _half_a_digit(number: float) -> float:
    """Return half a unit of the last digit that is written, three digits at most."""
    digits = len(f"{number:.3f}".rstrip("0").partition(".")[2])
    return 0.5 * 10.0 ** -max(digits, 1) + 1e-9


def _suspicious(name: str, ages: Floats, model: ModelRows) -> list[AuditWarning]:
    """Warn of predictions that are hardly ages in years."""
    values = model.predictions
    low, high = float(values.min()), float(values.max())
    if not model.signed.any():
        text = f"{name} is identical to the true ages: is it the truth once more?"
        return [AuditWarning("predictions_equal_truth", text)]
    if low == high:
        text = f"{name} is {low:g} in every row: no model looks at a face like that."
        return [AuditWarning("constant_predictions", text)]
    if set(np.unique(values[:1000])) <= {0.0, 1.0} and np.isin(values, (0, 1)).all():
        text = f"{name} holds only 0 and 1: these are answers, not ages."
        return [AuditWarning("binary_predictions", text)]
    found = []
    ratio = float(np.median(values)) / max(float(np.median(ages)), 1e-9)
    outside = int(((values < 0) | (values > MAX_AGE)).sum())
    if MONTHS[0] <= ratio <= MONTHS[1]:
        text = f"{name} is about twelve times the true age: are these months?"
        found.append(AuditWarning("predictions_in_months", text))
    elif low >= 0 and high <= 1:
        text = f"{name} lies within 0..1: are these shares of 100 years?"
        found.append(AuditWarning("predictions_in_shares", text))
    elif outside:
        text = f"{outside:,} predictions in {name} lie outside 0..{MAX_AGE:g} years; they count."
        found.append(AuditWarning("out_of_range_predictions", text))
    return found
