"""The intervals that a model gives with its estimates: which columns hold them, and their rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage._demographics import plain
from fairage._table import Table
from fairage._text import short
from fairage.auditing import column_names as usual
from fairage.auditing.cells import bad_rows
from fairage.auditing.groups import Floats
from fairage.auditing.years import read_numbers
from fairage.exceptions import ConfigError, DataError

LOWER, UPPER, LEVEL = usual.LIMITS
NO_INTERVAL = "name both ends with --interval LOWER,UPPER, or '' for none"


@dataclass(frozen=True)
class IntervalColumns:
    """The columns of one model's intervals.

    Args:
        lower: Lower ends.
        upper: Upper ends.
        level: The share of true ages that the intervals promise to hold; None where no column
            says so.
    """

    lower: str
    upper: str
    level: str | None = None

    @property
    def names(self) -> list[str]:
        """The columns that there are."""
        return [name for name in (self.lower, self.upper, self.level) if name is not None]


@dataclass(frozen=True)
class ModelIntervals:
    """One model's intervals.

    Args:
        lower: Lower ends in years, shape `(n,)`; `-inf` where the interval has none, NaN where
            there is no interval.
        upper: Upper ends; `inf` where the interval has none.
        level: The share of true ages that they promise to hold; None where nothing says so.
    """

    lower: Floats
    upper: Floats
    level: float | None


@dataclass(frozen=True)
class IntervalCells:
    """Intervals over all rows of a table; `levels` is NaN where a row has none."""

    columns: IntervalColumns
    lower: Floats
    upper: Floats
    levels: Floats
    level: float | None

    def model_rows(self, keep: NDArray[np.bool_]) -> ModelIntervals:
        """Return the intervals of the rows where the mask, shape `(n,)`, is true.

        Raises:
            DataError: Their levels are not all the same, or not that of `--level`.
        """
        lower, upper = self.lower[keep], self.upper[keep]
        own = np.unique(self.levels[keep][~np.isnan(lower)])
        levels = [f"{level:g}" for level in own[~np.isnan(own)][:3]]
        if len(levels) > 1 or (levels and len(own) > len(levels)):
            raise DataError(
                f"column {self.columns.level!r}: expected one level beside every interval of a "
                f"model, got {', '.join(levels) if len(levels) > 1 else f'{levels[0]} and none'}, "
                "audit intervals of different levels apart"
            )
        if levels and self.level is not None and own[0] != self.level:
            raise DataError(
                f"column {self.columns.level!r}: expected the level {self.level:g} of --level, got "
                f"{levels[0]}, leave out --level"
            )
        return ModelIntervals(lower, upper, float(own[0]) if levels else self.level)


def guess_intervals(
    columns: Sequence[str], predictions: Sequence[str], holds_ages: Callable[[str], bool]
) -> dict[str, IntervalColumns]:
    """Return the columns of each model's intervals, by its column of estimates.

    Those of `pred_a` are called `pred_a_lower` and `pred_a_upper`, or alike; a single model may
    have `lower` and `upper`. Beside them may stand `level`.

    Args:
        columns: Columns that hold no true age and no estimate.
        predictions: Columns of estimates that are numbers.
        holds_ages: Whether a column holds numbers.

    Raises:
        DataError: There is a column of lower ends and none of upper ends, or the other way round.

    Examples:
        >>> guess_intervals(["lower", "upper", "level"], ["prediction"], lambda name: True)
        {'prediction': IntervalColumns(lower='lower', upper='upper', level='level')}
    """
    by_name = {plain(name): name for name in columns}
    pairs = usual.low_high_pairs(columns)
    intervals = {}
    for name in predictions:
        stem = plain(name)
        pair = pairs.get(stem) or _pair(by_name, f"{stem}_", holds_ages)
        if pair is None and len(predictions) == 1:
            stem, pair = "", _pair(by_name, "", holds_ages)
        if pair is not None and any(map(holds_ages, pair)):
            level = by_name.get(f"{stem}_{LEVEL}" if stem else LEVEL)
            intervals[name] = IntervalColumns(*pair, level)
    return intervals


def named_intervals(
    interval: str | tuple[str, str], predictions: Sequence[str]
) -> dict[str, IntervalColumns]:
    """Return the columns that a caller names, for the only model; none for `""`.

    Raises:
        ConfigError: It names one column, or there are several models.
    """
    if interval == "":
        return {}
    if isinstance(interval, str):
        raise ConfigError(f"expected both columns of an interval, got {interval!r}, {NO_INTERVAL}")
    if len(predictions) != 1:
        raise ConfigError(
            f"expected one model beside the interval {interval}, got {list(predictions)}, name "
            f"the columns of each such as {f'{predictions[0]}_{LOWER}'!r}"
        )
    return {predictions[0]: IntervalColumns(*interval)}


def read_intervals(
    table: Table, columns: IntervalColumns, estimated: NDArray[np.bool_], level: float | None
) -> IntervalCells:
    """Return the intervals of the rows with an estimate; what stands in others does not count.

    An end that is empty beside one that is not, or infinite, is open.

    Args:
        table: The table.
        columns: The columns.
        estimated: Whether a row has an estimate, shape `(rows,)`.
        level: The level that a caller gives.

    Raises:
        DataError: A cell is no number, an interval ends before it begins, or a level is not
            between 0 and 1.
    """
    lower, upper = (
        np.where(estimated, read_numbers(table, name, estimated), np.nan)
        for name in (columns.lower, columns.upper)
    )
    given = ~(np.isnan(lower) & np.isnan(upper))
    lower = np.where(given & np.isnan(lower), -np.inf, lower)
    upper = np.where(given & np.isnan(upper), np.inf, upper)
    wrong = np.flatnonzero(given & ((lower > upper) | (lower == np.inf) | (upper == -np.inf)))
    if len(wrong):
        expected = "intervals that begin before they end"
        raise bad_rows(table, [columns.lower, columns.upper], expected, wrong)
    levels = np.full(len(lower), np.nan)
    if columns.level is not None:
        levels = read_numbers(table, columns.level, given)
        outside = np.flatnonzero(given & ~np.isnan(levels) & ~((levels > 0) & (levels < 1)))
        if len(outside):
            remedy = "write 0.9 for 90 %"
            raise bad_rows(table, columns.level, "levels between 0 and 1", outside, remedy=remedy)
    return IntervalCells(columns, lower, upper, levels, level)


def _pair(
    by_name: dict[str, str], stem: str, holds_ages: Callable[[str], bool]
) -> tuple[str, str] | None:
    """Return the columns `lower` and `upper` behind a stem; None where neither is there."""
    names = [by_name.get(f"{stem}{end}") for end in (LOWER, UPPER)]
    lower, upper = (name if name and holds_ages(name) else None for name in names)
    if lower and upper:
        return lower, upper
    only = lower or upper
    if only is None:
        return None
    other = names[1] if lower else names[0]
    if other is not None:  # it is there, without a number: every end is open
        return (only, other) if lower else (other, only)
    missing = UPPER if lower else LOWER
    raise DataError(
        f"column {short(only)}: expected the column {f'{stem}{missing}'!r} beside it, got none, "
        f"{NO_INTERVAL}"
    )
