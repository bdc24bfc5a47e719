"""Estimates of one model, row by row, and what stands where there is none; true ages likewise."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._demographics import is_missing
from fairage._table import Table
from fairage.age_groups import MAX_AGE
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.cells import (
    MOST_REASONS,
    Sentinels,
    bad_rows,
    texts_of,
    top_reasons,
    whole_column,
)
from fairage.auditing.groups import Floats
from fairage.auditing.interval_columns import (
    IntervalCells,
    IntervalColumns,
    ModelIntervals,
    read_intervals,
)
from fairage.auditing.years import YearCells, read_years
from fairage.exceptions import DataError

ABOVE = f"above {MAX_AGE:g}"
BELOW = "below 0"
INFINITE = "infinite"
OPEN = "range without an end"
MONTHS = "they look like months: divide them by 12"


@dataclass(frozen=True)
class ModelRows:
    """One model's estimates.

    Args:
        estimates: Estimated ages in years, mid-points of ranges, shape `(n,)`; NaN where there is
            no estimate, or a range without an end.
        low: Lower ends of estimated ranges, shape `(n,)`; None where all estimates are numbers.
        high: Their upper ends; `inf` where there is none.
        failed: Whether there is no estimate, shape `(n,)`.
        reasons: What stands there instead, and in how many rows.
        intervals: The model's own intervals; None where the table has none.
    """

    estimates: Floats
    low: Floats | None
    high: Floats | None
    failed: NDArray[np.bool_]
    reasons: dict[str, int]
    intervals: ModelIntervals | None = None


@dataclass(frozen=True)
class Estimates:
    """A column of estimates, over all rows of a table.

    Args:
        cells: Its cells.
        codes: Place in `names` of why a row has no estimate, -1 where it has one, shape `(n,)`.
        names: The reasons.
        intervals: The model's own intervals.
    """

    cells: YearCells
    codes: NDArray[np.int32]
    names: tuple[str, ...]
    intervals: IntervalCells | None = None

    def model_rows(self, keep: NDArray[np.bool_]) -> ModelRows:
        """Return the estimates of the rows where the mask, shape `(n,)`, is true.

        A range without an end is no estimate: hard faces could be withheld in that way.
        """
        codes = self.codes[keep]
        missing = codes >= 0
        low, high = self.cells.low[keep], self.cells.high[keep]
        is_open = ~missing & np.isinf(high)
        has_ranges = bool((low != high)[~missing].any())
        reasons = _counted(codes, self.names)
        if is_open.any():
            reasons[OPEN] = int(is_open.sum())
        return ModelRows(
            estimates=np.where(missing, np.nan, self.cells.middles[keep]),
            low=np.where(missing, np.nan, low) if has_ranges else None,
            high=np.where(missing, np.nan, high) if has_ranges else None,
            failed=missing | is_open,
            reasons=reasons,
            intervals=None if self.intervals is None else self.intervals.model_rows(keep),
        )


@dataclass(frozen=True)
class TrueAges:
    """A column of true ages, over all rows of a table.

    Args:
        cells: Its cells.
        known: Whether a row has a true age, shape `(n,)`.
        reasons: What stands in the other rows, and in how many.
    """

    cells: YearCells
    known: NDArray[np.bool_]
    reasons: dict[str, int]


@dataclass(frozen=True)
class _Reasons:
    """Why cells hold no age that can be used; `excused` are those that say so on purpose."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]
    excused: tuple[int, ...]


def read_estimates(
    table: Table,
    column: str,
    high: str | None,
    settings: AuditSettings,
    *,
    reason: str | None = None,
    interval: IntervalColumns | None = None,
) -> Estimates:
    """Return the estimates in a column, or from one column to another.

    There is none where a cell is empty, holds no number and no range, or a number below 0, above
    120 or infinite, or what `settings.missing` names.

    Args:
        table: The table.
        column: The column, or that of the lower ends.
        high: Column of the upper ends.
        settings: Options: `missing`, `range_end`, `oldest`.
        reason: Column that says why there is no estimate.
        interval: Columns of the model's own intervals.
    """
    sentinels = Sentinels.of(settings.missing)
    closed = settings.range_end == "closed"
    cells = read_years(table, column, high, closed=closed, sentinels=sentinels)
    cells = cells.closed_at(settings.oldest, column)
    reasons = _reasons(cells, sentinels, every_sentinel=True)
    if reason is not None:
        texts = texts_of(whole_column(table, reason), reason, expected="reasons")
        reasons = _with_given_reasons(reasons, texts)
    intervals = None
    if interval is not None:
        intervals = read_intervals(table, interval, reasons.codes < 0, settings.level)
    return Estimates(cells, reasons.codes, reasons.names, intervals)


def read_true_ages(
    table: Table, column: str, high: str | None, settings: AuditSettings
) -> TrueAges:
    """Return the true ages in a column, or from one column to another.

    Raises:
        DataError: A cell holds something else than an age in 0..120, a range or nothing; no row
            has an age, or none has one with a mid-point.
    """
    sentinels = Sentinels.of(settings.missing)
    closed = settings.range_end == "closed"
    cells = read_years(table, column, high, closed=closed, sentinels=sentinels)
    cells = cells.closed_at(settings.oldest, column)
    reasons = _reasons(cells, sentinels, every_sentinel=False)
    known = reasons.codes < 0
    wrong = np.flatnonzero(~known & ~np.isin(reasons.codes, reasons.excused))
    columns = [column] if high is None else [column, high]
    if len(wrong):
        expected = f"years in 0..{MAX_AGE:g} or ranges such as '20-29'"
        remedy = MONTHS if _look_like_months(cells) else "correct or remove these rows"
        raise bad_rows(table, columns, expected, wrong, remedy=remedy)
    if not known.any():
        raise DataError(
            f"column {column!r}: expected true ages in years, got none in {table.rows:,} rows, "
            "name another column with --age"
        )
    if not np.isfinite(cells.middles[known]).any():
        raise DataError(
            f"column {column!r}: expected true ages with a mid-point, got only ranges without an "
            "end, close them with --oldest"
        )
    return TrueAges(cells, known, _counted(reasons.codes, reasons.names))


def check_any_estimate(
    model: ModelRows, estimates: Estimates, name: str, option: str = "--prediction"
) -> None:
    """Raise a DataError where a model has no estimate in any row."""
    n = len(model.failed)
    if model.failed.all() and OPEN in model.reasons:
        raise DataError(
            f"column {name!r}: expected estimates with a mid-point, got only ranges without an "
            "end, close them with --oldest"
        )
    if model.failed.all():
        counts = ", ".join(f"{reason}: {count:,}" for reason, count in model.reasons.items())
        remedy = f"name another column with {option}"
        raise DataError(
            f"column {name!r}: expected estimates in years, got none in {n:,} rows with a true "
            f"age ({counts}), {MONTHS if _look_like_months(estimates.cells) else remedy}"
        )


def _reasons(cells: YearCells, sentinels: Sentinels, *, every_sentinel: bool) -> _Reasons:
    """Return why cells hold no age from 0 to 120.

    Args:
        cells: The cells.
        sentinels: What a user named as missing.
        every_sentinel: Whether such a number counts as missing even where it could be an age.
    """
    codes, names = cells.codes.copy(), list(cells.texts)
    excused = [i for i, text in enumerate(names) if i == 0 or sentinels.has_text(text)]
    low, high = cells.low, cells.high
    too_high = (low > MAX_AGE) | (np.isfinite(high) & (high > MAX_AGE + 1))
    impossible = (codes < 0) & ((low < 0) | too_high | np.isinf(low))
    named = cells.is_number & sentinels.among(low)
    for value in np.unique(low[named if every_sentinel else named & impossible]):
        excused.append(len(names))
        _mark(codes, names, low == value, f"{value:g}")
    if impossible.any():
        _mark(codes, names, np.isinf(low), INFINITE)
        negative = np.unique(low[impossible & cells.is_number & (low < 0) & (low == np.floor(low))])
        for value in negative if len(negative) <= MOST_REASONS else ():
            _mark(codes, names, low == value, f"{value:g}")
        _mark(codes, names, low < 0, BELOW)
        _mark(codes, names, too_high, ABOVE)
    return _Reasons(codes, tuple(names), tuple(excused))


def _mark(codes: NDArray[np.int32], names: list[str], which: NDArray[np.bool_], name: str) -> None:
    """Give these rows, where they have none yet, a reason."""
    codes[which & (codes < 0)] = len(names)
    names.append(name)


def _with_given_reasons(reasons: _Reasons, values: pl.Series) -> _Reasons:
    """Return the reasons that a column gives, in rows without an estimate."""
    failed = np.flatnonzero(reasons.codes >= 0)
    texts = values[failed].str.strip_chars()
    distinct = texts.unique(maintain_order=True).drop_nulls()
    places = [-1 if is_missing(text) else len(reasons.names) + i for i, text in enumerate(distinct)]
    which = texts.cast(pl.Enum(distinct)).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
    own = np.array([*places, -1], dtype=np.int32)[which]
    codes = reasons.codes.copy()
    codes[failed] = np.where(own >= 0, own, codes[failed])
    return _Reasons(codes, (*reasons.names, *distinct), reasons.excused)


def _counted(codes: NDArray[np.int32], names: tuple[str, ...]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for name, count in zip(
        names, np.bincount(codes[codes >= 0], minlength=len(names)), strict=True
    ):
        counts[name] += int(count)
    return top_reasons(counts)


def _look_like_months(cells: YearCells) -> bool:
    """Return whether numbers above 120 look like ages in months."""
    values = cells.low[np.isfinite(cells.low)]
    return bool(
        len(values)
        and values.min() >= 0
        and values.max() <= 12 * MAX_AGE
        and np.median(values) > MAX_AGE / 2
    )
