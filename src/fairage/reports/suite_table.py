"""The tables of a suite: every number of its versions, and their changes from the baseline."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairage.auditing.scoring import AVERAGE_BIAS, MAE, bias_column
from fairage.auditing.suite_estimates import MetricEstimate
from fairage.reports.format import attribute_title, number, signed, span
from fairage.reports.suite_numbers import (
    SetNumbers,
    SuiteNumbers,
    VersionNumbers,
    difference_interval,
    estimate_interval,
)

__all__ = [
    "ChangeCell",
    "ChangeRow",
    "NumberCell",
    "NumberRow",
    "VersionRows",
    "change_rows",
    "columns_of",
    "version_rows",
]


@dataclass(frozen=True)
class NumberCell:
    """A number as text, its spread over seeds, and whether it is the lowest of all, resolved."""

    text: str
    spread: str = ""
    lowest: bool = False


@dataclass(frozen=True)
class NumberRow:
    """One kind of number of one version: `kind` is `ours` or `other`."""

    name: str
    kind: str
    cells: list[NumberCell]


@dataclass(frozen=True)
class VersionRows:
    """The rows of one version."""

    name: str
    experiment: str
    description: str
    rows: list[NumberRow]


@dataclass(frozen=True)
class ChangeCell:
    """A difference to the baseline, its interval, and whether it is resolved."""

    text: str
    span: str
    resolved: bool


@dataclass(frozen=True)
class ChangeRow:
    """The differences of one version."""

    name: str
    cells: list[ChangeCell]


def columns_of(numbers: SuiteNumbers) -> dict[str, str]:
    """Return the title of each column: the biases, the average, the MAE."""
    biases = {bias_column(name): attribute_title(name) for name in numbers.attributes}
    return {**biases, AVERAGE_BIAS: "Average", MAE: "MAE"}


def version_rows(numbers: SuiteNumbers, columns: Sequence[str]) -> list[VersionRows]:
    """Return each version's rows: what was measured, its interval, the study's, the floor."""
    return [
        VersionRows(
            version.name,
            version.run.experiment,
            version.run.description,
            _rows(version, numbers.set_of(version), columns),
        )
        for version in numbers.versions
    ]


def change_rows(numbers: SetNumbers, columns: Sequence[str]) -> list[ChangeRow]:
    """Return the change of each version but the baseline."""
    return [
        ChangeRow(version.name, [_change(numbers, version, column) for column in columns])
        for version in numbers.others
    ]


def _rows(version: VersionNumbers, own: SetNumbers, columns: Sequence[str]) -> list[NumberRow]:
    metrics = version.statistics.metrics
    lowest = {column: own.lowest(column) for column in columns}
    measured = [_measured(metrics.get(c), lowest=lowest[c] is version) for c in columns]
    rows = [NumberRow("measured", "ours", measured)]
    estimates = [metrics.get(column) for column in columns]
    if version.average_bias is not None:
        corrected = [NumberCell(_corrected(estimate)) for estimate in estimates]
        rows.append(NumberRow("noise-corrected", "other", corrected))
    spans = [NumberCell(_span(estimate)) for estimate in estimates]
    rows.append(NumberRow("95 % interval", "other", spans))
    if published := version.run.published:
        cells = [NumberCell(number(published.get(column))) for column in columns]
        rows.append(NumberRow("study", "other", cells))
    if version.average_bias is not None:
        floors = [NumberCell(_floor(estimate)) for estimate in estimates]
        rows.append(NumberRow("noise floor", "other", floors))
    return rows


def _measured(estimate: MetricEstimate | None, *, lowest: bool) -> NumberCell:
    if estimate is None:
        return NumberCell(number(None))
    spread = "" if estimate.sd is None else number(estimate.sd)
    return NumberCell(number(estimate.mean), spread, lowest)


def _corrected(estimate: MetricEstimate | None) -> str:
    known = estimate is not None and estimate.corrected is not None
    return number(estimate.corrected) if known and estimate is not None else ""


def _span(estimate: MetricEstimate | None) -> str:
    return "" if estimate is None else span(estimate_interval(estimate))


def _floor(estimate: MetricEstimate | None) -> str:
    if estimate is None or estimate.floor is None:
        return ""
    return f"{number(estimate.floor.mean)} ({number(estimate.floor.p975)})"


def _change(numbers: SetNumbers, version: VersionNumbers, column: str) -> ChangeCell:
    change = numbers.change(column, version)
    if change is None:
        return ChangeCell(number(None), "", resolved=False)
    inside = span(difference_interval(change), sign=True)
    return ChangeCell(signed(change.value), inside, change.resolved)
