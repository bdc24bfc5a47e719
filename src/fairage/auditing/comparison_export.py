"""The result of a comparison as plain values (`compare.json`) and as a table."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from fairage.auditing.changes import OVERALL, GroupChange
from fairage.auditing.export import plain
from fairage.auditing.result_parts import Interval

if TYPE_CHECKING:
    from fairage.auditing.comparison_result import ComparisonResult

__all__ = ["comparison_dict", "comparison_frame"]

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
Row = tuple[object, ...]
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


def _rows(result: "ComparisonResult") -> Iterator[Row]:
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


def _failures(result: "ComparisonResult") -> Iterator[Row]:
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
) -> Row:
    limits = (change.value, change.low, change.high, change.n, change.n_persons)
    return (attribute, group, measure, *sides, *limits, takes_part)
