"""What the audit promises, with its limits, and whether a cell's tables keep it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coverage_cells import CELLS, Cell

__all__ = [
    "GROUPS",
    "PROMISES",
    "Failure",
    "Promise",
    "Record",
    "at_risk",
    "average",
    "broken",
    "figure",
    "judged",
    "limits",
]

AVERAGE = (0.94, 0.98)
GROUPS = {"mae", "mae_small", "mean_error", "mean_error_small", "median", "within_5"}
WIDTH = "width_ratio"
SHARE = 0.25  # of a cell's tables: a figure that fewer of them have is printed without a limit


@dataclass(frozen=True)
class Promise:
    """A figure with the limits that it must keep.

    Args:
        key: The figure.
        title: What it is.
        least: Its least value in every cell; None without a limit.
        most: Its largest value in every cell.
        average: Between what its mean over cells must lie.
    """

    key: str
    title: str
    least: float | None = None
    most: float | None = None
    average: tuple[float, float] | None = None


PROMISES = (
    Promise("mae", "MAE", 0.92, 0.99, AVERAGE),
    Promise("mae_small", "MAE of 10 to 29 rows", 0.88),
    Promise("mean_error", "mean error", 0.92, 0.99, AVERAGE),
    Promise("mean_error_small", "mean error of 10 to 29 rows", 0.92),
    Promise("median", "median error", 0.92, None, AVERAGE),
    Promise("within_5", "share within 5 years, CS(5)", 0.92, None, AVERAGE),
    Promise("failures", "share without an estimate", 0.92, None, AVERAGE),
    Promise("gaps", "all gaps of an attribute at once", 0.92, None, AVERAGE),
    Promise("rate_gaps", "all gaps of failure rates at once", 0.92, None, AVERAGE),
    Promise("bias", "bias", 0.91, None, AVERAGE),
    Promise("bias_above", "bias, where it is above 0", 0.91, 0.99),
    Promise("average_bias", "average bias", 0.91, None, AVERAGE),
    Promise("average_bias_above", "average bias, where it is above 0", 0.91, 0.99),
    Promise("mean_error_bias", "bias of mean errors", 0.91),
    Promise("mean_error_bias_above", "bias of mean errors, where it is above 0", 0.91, 0.99),
    Promise("average_mean_error_bias", "average bias of mean errors", 0.91),
    Promise("false_differ", "*differ* said of an attribute of equal groups", None, 0.065),
    Promise("false_headline", "*differ* in the headline, all groups equal", None, 0.065),
    Promise("false_half", "*differ* by MAE or mean error, that one equal", None, 0.065),
    Promise("false_rate_differ", "*differ* said of equal failure rates", None, 0.065),
    Promise("found_less_welch", "gaps found, less what Welch's test finds", -0.03),
    Promise("changes", "compare: all changes of an attribute at once", 0.92),
    Promise("change_overall", "compare: change of the overall MAE", 0.92),
    Promise("bias_change", "compare: change of a bias", 0.91),
    Promise("false_change", "compare: a change said of equal models", None, 0.065),
    Promise("suite_mae", "suite: MAE of one training", 0.92),
    Promise("suite_bias", "suite: bias of one training", 0.91),
    Promise("suite_mae_change", "suite: change of MAE against the baseline", 0.92),
    Promise("suite_bias_change", "suite: change of bias against the baseline", 0.91),
    Promise("false_resolved", "suite: some of equal versions held better", None, 0.065),
    Promise("crude", "by age: all gaps as they are, on the same rows, at once", 0.92),
    Promise("adjusted", "by age: all gaps at equal ages at once", 0.92),
    Promise("explained", "by age: what age explains of them, at once", 0.92),
    Promise("false_adjusted", "by age: a gap at equal ages where there is none", None, 0.065),
    Promise(WIDTH, "median width of the bias interval / the reference's", None, 1.3),
)


@dataclass
class Record:
    """What the tables of one cell gave.

    Args:
        tables: How many there were.
        sums: For each figure: tables that have it, its sum, the sum of its squares.
        widths: Width of the bias interval, ours and the reference's, of the tables that have both.
    """

    tables: int = 0
    sums: dict[str, list[float]] = field(default_factory=dict)
    widths: list[list[float]] = field(default_factory=list)

    def add(self, figures: Mapping[str, float]) -> None:
        """Count one table."""
        self.tables += 1
        values = dict(figures)
        if "width" in values:
            pair = [values.pop("width"), values.pop("reference_width")]
            self.widths.append([round(value, 5) for value in pair])
        for key, value in values.items():
            own = self.sums.setdefault(key, [0, 0.0, 0.0])
            own[0], own[1], own[2] = own[0] + 1, own[1] + value, own[2] + value**2

    def merge(self, other: "Record") -> None:
        """Count the tables of another record of the same cell."""
        self.tables += other.tables
        self.widths += other.widths
        for key, values in other.sums.items():
            own = self.sums.setdefault(key, [0, 0.0, 0.0])
            own[:] = [one + two for one, two in zip(own, values, strict=True)]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Record":
        """Return the record of a dictionary, as JSON holds it."""
        return cls(**values)


@dataclass(frozen=True)
class Failure:
    """A limit that is not kept."""

    promise: Promise
    cell: str
    value: float
    limit: float

    def __str__(self) -> str:
        return f"{self.promise.title}: {self.value:.3f} in {self.cell} (limit {self.limit:g})"


def figure(record: Record, key: str) -> tuple[float, float] | None:
    """Return a figure with its standard error; None where the cell does not have it."""
    if key == WIDTH:
        if not record.widths:
            return None
        ours, theirs = np.median(np.array(record.widths), axis=0).tolist()
        return (ours / theirs if theirs > 0 else math.inf if ours > 0 else 1.0), 0.0
    n, total, squares = record.sums.get(key, (0, 0.0, 0.0))
    if n < 1:
        return None
    mean = total / n
    variance = max(squares / n - mean**2, 0.0)
    return mean, math.sqrt(variance / n)


def judged(record: Record, key: str) -> tuple[float, float] | None:
    """Return a figure as `figure` does, where a quarter of the tables have it; else None."""
    tables = record.sums.get("groups", [0])[0] if key in GROUPS else record.tables
    if key != WIDTH and record.sums.get(key, [0])[0] < SHARE * tables:
        return None
    return figure(record, key)


def limits(cell: Cell) -> Iterator[tuple[Promise, float | None, float | None]]:
    """Yield the promises that have limits in this cell, with these."""
    for promise in PROMISES:
        if cell.only is not None and promise.key not in cell.only:
            continue
        own = cell.limits.get(promise.key)
        least = promise.least if own is None or promise.least is None else own
        most = promise.most if own is None or promise.most is None else own
        yield promise, least, most


def at_risk(cell: Cell, record: Record) -> list[str]:
    """Return the figures that lie within two standard errors of a limit."""
    risky = []
    for promise, least, most in limits(cell):
        own = judged(record, promise.key)
        if own is None:
            continue
        value, error = own
        near = [x for x in (least, most) if x is not None and abs(value - x) <= 2 * error]
        if near and promise.key != WIDTH:
            risky.append(promise.key)
    return risky


def broken(records: Mapping[str, Record]) -> list[Failure]:
    """Return the limits that are not kept, in cells and on average over them."""
    failures = []
    for name, record in records.items():
        for promise, least, most in limits(CELLS[name]):
            own = judged(record, promise.key)
            if own is None:
                continue
            if least is not None and own[0] < least:
                failures.append(Failure(promise, name, own[0], least))
            if most is not None and own[0] > most:
                failures.append(Failure(promise, name, own[0], most))
    for promise in PROMISES:
        mean = average(records, promise)
        if mean is None or promise.average is None:
            continue
        low, high = promise.average
        if not low <= mean <= high:
            failures.append(
                Failure(promise, "the average over cells", mean, low if mean < low else high)
            )
    return failures


def average(records: Mapping[str, Record], promise: Promise) -> float | None:
    """Return the mean of a figure over the cells where all limits apply."""
    values = [
        own[0]
        for name, record in records.items()
        if CELLS[name].only is None and (own := judged(record, promise.key)) is not None
    ]
    return float(np.mean(values)) if values else None
