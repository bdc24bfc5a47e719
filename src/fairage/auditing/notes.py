"""What a reader must know of how a table was read, and of estimates that are hardly ages."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from fairage._text import count
from fairage.auditing.groups import Floats
from fairage.auditing.result_parts import Note
from fairage.tables import UNKNOWN

if TYPE_CHECKING:
    from fairage.auditing.estimates import ModelRows
    from fairage.auditing.rows import RowReport, Rows

NO_COLUMNS: Mapping[str, str] = MappingProxyType({})
MONTHS = (10.0, 14.0)
FEW_ROWS = 5
FEW_YEARS = 5
MANY_ZEROS = 3
SHOWN = 5


def reading_notes(
    report: "RowReport",
    rows: "Rows",
    table_notes: tuple[str, ...] = (),
    models_unused: Mapping[str, str] = NO_COLUMNS,
) -> list[Note]:
    """Return what must be known of a table's rows and true ages.

    Args:
        report: How the table was read.
        rows: Its rows.
        table_notes: What the reader of the file says.
        models_unused: Why columns that may name models are not used.
    """
    notes = [Note("file", text) for text in table_notes]
    for column, reason in models_unused.items():
        text = f"All rows are audited as of one model; {column} is not used: {reason}."
        notes.append(Note("one_model", text))
    notes += _left_out_notes(report) + _ambiguity_notes(report, rows)
    for name, groups in rows.attributes.items():
        named = [group for group in groups.names if group != UNKNOWN]
        if len(named) == 1:
            text = f"{name} has one group only ({named[0]}): it has no gaps."
            notes.append(Note("one_group", text))
    return notes


def _left_out_notes(report: "RowReport") -> list[Note]:
    """Return the notes on rows and columns that do not count, or count twice."""
    notes = []
    if report.without_age:
        text = (
            f"{_rows(report.without_age)} without a true age {_were(report.without_age)} left out"
        )
        notes.append(Note("missing_ages", f"{text} ({_counts(report.reasons_age)})."))
    if report.duplicate_images:
        text = f"{_rows(report.duplicate_images)} with the image of an earlier row: they count."
        notes.append(Note("duplicate_images", text))
    for model, absent in report.absent_images.items():
        text = f"{model} has no row for {absent:,} of the images: they are not counted as failures."
        notes.append(Note("absent_images", text))
    for name, unknown in report.unknown.items():
        text = f"{name}: {_rows(unknown)} without a value: the group unknown."
        notes.append(Note("unknown_values", text))
    for name, reason in report.left_out.items():
        notes.append(Note("left_out", f"{name} is left out: {reason}."))
    if report.without_identity:
        text = f"{_rows(report.without_identity)} without an identity: each is a person of its own."
        notes.append(Note("missing_identities", text))
    return notes


def _ambiguity_notes(report: "RowReport", rows: "Rows") -> list[Note]:
    """Return the notes on what can be read in more than one way."""
    notes = []
    if report.decimal_commas:
        text = "Numbers are written with decimal commas: 31,5 is read as 31.5."
        notes.append(Note("decimal_commas", text))
    if report.last_years:
        text = (
            "Ranges of whole years count their last year: 20-29 ends where 30 begins. "
            "With --range-end open it ends at 29."
        )
        notes.append(Note("last_years", text))
    without_end = 0 if rows.high is None else int(np.isinf(rows.high).sum())
    if without_end:
        text = (
            f"{_rows(without_end)} with a range of true age that has no end: it has no mid-point, "
            "so they are in no mean; --oldest closes it."
        )
        notes.append(Note("open_ranges", text))
    for name, groups in report.binned.items():
        notes.append(Note("binned", f"{name} holds numbers; its bins: {', '.join(groups)}."))
    for name, sets in report.spellings.items():
        for names in sets:
            text = (
                f"{name}: {', '.join(names)} look like spellings of one group. They are kept "
                f"apart; --label {name}.{names[1]}={names[0]} joins them."
            )
            notes.append(Note("spellings", text))
    return notes


def estimate_notes(name: str, rows: "Rows", model: "ModelRows", *, several: bool) -> list[Note]:
    """Return what must be known of one model's estimates.

    Args:
        name: The model.
        rows: The rows.
        model: Its estimates of them.
        several: Whether there are other models, so that the model is named.
    """
    notes = []
    which = f"{name}: " if several else ""
    failed = int(model.failed.sum())
    if failed:
        text = (
            f"{which}{_rows(failed)} of {len(rows):,} without an estimate "
            f"({_counts(model.reasons)}): they count as failures. None is what is empty, no number "
            "or range, below 0 or above 120."
        )
        notes.append(Note("missing_estimates", text))
    without_end = 0 if model.high is None else int(np.isinf(model.high).sum())
    if without_end:
        text = (
            f"{which}{_rows(without_end)} with an estimated range that has no end: it has no "
            "mid-point, so they are in no mean; --oldest closes it."
        )
        notes.append(Note("open_estimates", text))
    if model.intervals is not None and np.isnan(model.intervals.lower[~model.failed]).all():
        text = f"{which}the columns of intervals hold none beside an estimate."
        notes.append(Note("no_intervals", text))
    return notes + _suspicion_notes(name, rows, model)


def _suspicion_notes(name: str, rows: "Rows", model: "ModelRows") -> list[Note]:
    """Return the notes on estimates that are hardly ages in years."""
    known = ~np.isnan(model.estimates) & ~np.isnan(rows.ages)
    values, ages = model.estimates[known], rows.ages[known]
    if not len(values):
        return []
    if _equals_truth(rows, model):
        text = f"{name} is identical to the true ages: is it the truth once more?"
        return [Note("estimates_equal_truth", text)]
    if len(values) > 1 and _is_constant(model):
        text = f"{name} is the same in every row: no model looks at a face like that."
        return [Note("constant_estimates", text)]
    if values.max() <= 1 and np.isin(values, (0, 1)).all():
        text = f"{name} holds only 0 and 1: these are answers, not ages."
        return [Note("binary_estimates", text)]
    if values.max() <= 1:
        text = f"{name} lies within 0..1: are these shares of 100 years?"
        return [Note("estimates_in_shares", text)]
    if _looks_like_months(values, ages):
        text = f"{name} is about twelve times the true age: are these months?"
        return [Note("estimates_in_months", text)]
    zeros = int(((values == 0) & (ages >= FEW_YEARS)).sum())
    if zeros >= MANY_ZEROS:
        text = (
            f"{name} is 0 in {_rows(zeros)} of people aged {FEW_YEARS} and over: where 0 means no "
            "estimate, give --missing 0."
        )
        return [Note("zero_estimates", text)]
    return []


def _equals_truth(rows: "Rows", model: "ModelRows") -> bool:
    """Return whether all estimates are the true ages, both ends where these are ranges."""
    there = ~model.failed
    if model.low is None and rows.low is None:
        return np.array_equal(model.estimates[there], rows.ages[there])
    pairs = ((model.low, rows.low), (model.high, rows.high))
    return all(
        mine is not None and truth is not None and np.array_equal(mine[there], truth[there])
        for mine, truth in pairs
    )


def _is_constant(model: "ModelRows") -> bool:
    there = ~model.failed
    ends = [model.estimates] if model.low is None else [model.low, model.high]
    return all(end is not None and end[there].min() == end[there].max() for end in ends)


def _looks_like_months(values: Floats, ages: Floats) -> bool:
    older = ages > 0
    if older.sum() < FEW_ROWS:
        return False
    with np.errstate(over="ignore"):  # ages of next to nothing
        ratio = np.median(values[older] / ages[older])
    return bool(MONTHS[0] <= ratio <= MONTHS[1])


def _counts(reasons: dict[str, int]) -> str:
    """Return the reasons with their rows, the first five of them by name."""
    parts = [f"{reason} {rows:,}" for reason, rows in list(reasons.items())[:SHOWN]]
    rest = sum(list(reasons.values())[SHOWN:])
    return ", ".join([*parts, f"others {rest:,}"] if rest else parts)


def _rows(number: int) -> str:
    return count(number, "row")


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
