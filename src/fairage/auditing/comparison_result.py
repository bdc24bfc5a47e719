"""The result of a comparison as plain values (`compare.json`) and as a table."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.bias_change import Levelling
from fairage.auditing.changes import OVERALL, BiasKind, ChangeVerdict, GroupChange
from fairage.auditing.columns import Columns
from fairage.auditing.paired_failures import PairedFailures
from fairage.auditing.result import plain
from fairage.auditing.result_parts import MAE, Interval, Note

SCHEMA: dict[str, Any] = {
    "attribute": pl.String,
    "group": pl.String,
    "measure": pl.String,
    "a": pl.Float64,
    "b": pl.Float64,
    "change": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "n_persons": pl.Int64,
    "takes_part": pl.Boolean,
}
_Row = tuple[object, ...]
BIAS, FAILURES = "bias", "failures"


def comparison_dict(result: "ComparisonResult") -> dict[str, Any]:
    """Return a comparison as in `compare.json`: the names of its fields are the keys."""
    values: dict[str, Any] = plain(result)
    values["groups"] = {
        attribute: {name: _group(group) for name, group in groups.items()}
        for attribute, groups in result.groups.items()
    }
    failures = values["failures"]
    failures["failing"] = sorted(result.failures.failing)
    return values


def comparison_frame(result: "ComparisonResult") -> pl.DataFrame:
    """Return a comparison as a table, a row a number: A, B, change and limits."""
    return pl.DataFrame(list(_rows(result)), schema=SCHEMA, orient="row")


def _group(group: GroupChange) -> dict[str, Any]:
    facts = ("n", "n_persons", "takes_part", "reason", "identical", "a", "b")
    values: dict[str, Any] = plain({name: getattr(group, name) for name in facts})
    measures: dict[str, Any] = plain(group.measures)
    return values | measures


def _rows(result: "ComparisonResult") -> Iterator[_Row]:
    sides: tuple[float | None, float | None]
    a, b = result.values["a"], result.values["b"]
    for measure, change in result.overall.items():
        sides = (a.overall[measure], b.overall[measure])
        yield _row(OVERALL, OVERALL, measure, sides, change)
    if result.average_bias is not None:
        sides = (a.average_bias, b.average_bias)
        yield _row(OVERALL, OVERALL, BIAS, sides, result.average_bias)
    for attribute, change in result.bias.items():
        sides = (a.bias[attribute], b.bias[attribute])
        yield _row(attribute, OVERALL, BIAS, sides, change)
    for attribute, groups in result.groups.items():
        for name, group in groups.items():
            for measure, change in group.items():
                sides = (group.a[measure], group.b[measure])
                yield _row(attribute, name, measure, sides, change, takes_part=group.takes_part)
    yield from _failures(result)


def _failures(result: "ComparisonResult") -> Iterator[_Row]:
    overall = result.failures.overall
    sides = (overall.a.value, overall.b.value)
    yield _row(OVERALL, OVERALL, FAILURES, sides, overall.change)
    for attribute, groups in result.failures.items():
        for name, rates in groups.items():
            sides = (rates.a.value, rates.b.value)
            yield _row(attribute, name, FAILURES, sides, rates.change, takes_part=rates.takes_part)


def _row(
    attribute: str,
    group: str,
    measure: str,
    sides: tuple[float | None, float | None],
    change: Interval,
    *,
    takes_part: bool | None = None,
) -> _Row:
    limits = (change.value, change.low, change.high, change.n, change.n_persons)
    return (attribute, group, measure, *sides, *limits, takes_part)


COMPARISON_SCHEMA_VERSION = 3


@dataclass(frozen=True)
class ModelValues:
    """The numbers of one model on the rows that both estimate, in years.

    Args:
        overall: Each measure over all rows.
        bias: Measured bias of each attribute.
        corrected_bias: The same without what noise adds.
        average_bias: Mean of the measured biases; None without any.
        average_corrected: Noise-corrected mean of the biases; None without any.
    """

    overall: dict[str, float]
    bias: dict[str, float]
    corrected_bias: dict[str, float]
    average_bias: float | None
    average_corrected: float | None


@dataclass(frozen=True, repr=False)
class ComparisonResult:
    """What changes from A to B.

    Args:
        a: Name of A.
        b: Name of B.
        n: Rows for which both have an estimate.
        n_persons: Their persons; None where identities are not known.
        columns_a: Columns of A.
        columns_b: Columns of B.
        settings: Options.
        notes: What a reader must know.
        overall: Change of each measure over all rows, each with its own interval.
        groups: Change in each group; the limits of groups that take part hold at once.
        bias: Change of each attribute's bias; the limits hold for all attributes at once.
        average_bias: Change of the average bias, with its own interval; None without any.
        verdicts: One an attribute, and `overall`.
        bias_kinds: What can be said of the change of each attribute's bias.
        average_bias_kind: What can be said of that of the average bias; None without one.
        values: The numbers of each model, `a` and `b`; those of groups stand in `groups`.
        failures: Rows without an estimate.
        levelling: Where each change of bias comes from.
        identical: Whether A and B give the same estimates throughout; then nothing has an interval.
        schema_version: Version of what `to_dict` returns.
        fairage_version: Version of the software.
    """

    a: str
    b: str
    n: int
    n_persons: int | None
    columns_a: Columns
    columns_b: Columns
    settings: AuditSettings
    notes: tuple[Note, ...]
    overall: dict[str, Interval]
    groups: dict[str, dict[str, GroupChange]]
    bias: dict[str, Interval]
    average_bias: Interval | None
    verdicts: dict[str, ChangeVerdict]
    bias_kinds: dict[str, BiasKind]
    average_bias_kind: BiasKind | None
    values: dict[str, ModelValues]
    failures: PairedFailures
    levelling: dict[str, Levelling]
    identical: bool
    schema_version: int = COMPARISON_SCHEMA_VERSION
    fairage_version: str = field(default_factory=lambda: version("fairage"))

    def __repr__(self) -> str:
        change = self.overall[MAE].value
        kind = self.verdicts[OVERALL].kind
        return (
            f"<ComparisonResult of {self.a!r} and {self.b!r}: {self.n:,} rows, "
            f"MAE {change:+.2f} years, {kind}>"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and lists, as in `compare.json`; what is no number becomes None."""
        pass

        return comparison_dict(self)

    def to_frame(self) -> "pl.DataFrame":
        """Return a table of all changes, a row a number."""
        pass

        return comparison_frame(self)

    def save(self, path: str | Path) -> Path:
        """Write the page (`.html`), the numbers (`.json`) or a table (`.csv`, `.parquet`).

        Raises:
            ConfigError: The name ends otherwise.
        """
        from fairage.reports.saving import save_result

        return save_result(self, path)

    def _repr_html_(self) -> str:
        from fairage.reports.comparison_page import comparison_view

        view: str = comparison_view(self)
        return view
