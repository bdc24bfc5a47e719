"""Results of an audit as plain values, as a table, and as a small page for notebooks."""

import dataclasses
import html
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from fairage.audit.intervals import Estimate
from fairage.audit.parts import ALL
from fairage.audit.resampling import NoiseFloor

if TYPE_CHECKING:
    from fairage.audit.comparing import ComparisonResult
    from fairage.audit.result import AuditResult, ErrorMeasures, ModelAudit

__all__ = ["audit_frame", "audit_table_html", "comparison_frame", "comparison_table_html", "plain"]

SCHEMA: dict[str, Any] = {
    "model": pl.String,
    "attribute": pl.String,
    "group": pl.String,
    "measure": pl.String,
    "value": pl.Float64,
    "n": pl.Int64,
    "low": pl.Float64,
    "high": pl.Float64,
    "bca_low": pl.Float64,
    "bca_high": pl.Float64,
}


def plain(value: Any) -> Any:  # noqa: ANN401  # any part of a result
    """Return dicts, lists, numbers and text; NaN and infinity become None.

    Examples:
        >>> plain(Estimate(float("nan"), 0))["value"] is None
        True
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def audit_frame(result: "AuditResult") -> pl.DataFrame:
    """Return one row a number of every model."""
    rows = [
        (model.name, *row, *dataclasses.astuple(found))
        for model in result.models
        for *row, found in _numbers(model)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def comparison_frame(result: "ComparisonResult") -> pl.DataFrame:
    """Return one row a difference."""
    text, number = pl.String, pl.Float64
    schema: dict[str, Any] = {"attribute": text, "group": text, "measure": text}
    schema |= {"a": number, "b": number, "change": number, "n": pl.Int64}
    schema |= {"low": number, "high": number, "resolved": pl.Boolean}
    rows = []
    for found in result.differences:
        key = (found.attribute, found.group, found.measure, found.a, found.b)
        change = found.change
        rows.append((*key, change.value, change.n, change.low, change.high, found.resolved))
    return pl.DataFrame(rows, schema=schema, orient="row")


def audit_table_html(result: "AuditResult") -> str:
    """Return a table of the attributes' biases for notebooks."""
    rows = []
    for model in result.models:
        name = html.escape(model.name)
        rows.append((name, "MAE", _span(model.errors.mae), "", ""))
        for attribute in model.attributes:
            floor = attribute.floor
            rows.append(
                (
                    name,
                    f"bias of {html.escape(attribute.name)}",
                    _span(attribute.bias),
                    f"{floor.mean:.3f}",
                    f"{floor.corrected:.3f}",
                )
            )
        average = model.average_bias
        floor_mean, p_value = f"{average.floor.mean:.3f}", f"{average.floor.corrected:.3f}"
        rows.append((name, "average bias", _span(average.bias), floor_mean, p_value))
    title = f"Audit of {html.escape(result.name)}: {result.n:,} rows, years, 95 % intervals"
    return _table(title, ("model", "measure", "value", "noise floor", "p (Holm)"), rows)


def comparison_table_html(result: "ComparisonResult") -> str:
    """Return a table of the differences for notebooks."""
    rows = [
        (
            html.escape(f"{difference.attribute} {difference.group}"),
            html.escape(difference.measure),
            f"{difference.a:.3f}",
            f"{difference.b:.3f}",
            _span(difference.change),
            "yes" if difference.resolved else "no",
        )
        for difference in result.differences
    ]
    title = f"{html.escape(result.b)} less {html.escape(result.a)}: {result.n:,} images, years"
    return _table(title, ("attribute", "measure", "A", "B", "change", "resolved"), rows)


def _numbers(model: "ModelAudit") -> Iterator[tuple[str, str, str, Estimate]]:
    """Yield attribute, group, measure and number."""
    yield from _measures(ALL, ALL, model.errors)
    yield ALL, ALL, "average_bias", model.average_bias.bias
    yield ALL, ALL, "average_signed_bias", model.average_bias.signed_bias
    yield from _floor(ALL, "average_bias", model.average_bias.floor)
    for attribute in model.attributes:
        name = attribute.name
        for group in attribute.groups:
            yield from _measures(name, group.name, group.errors)
        for measure in ("bias", "signed_bias", "gap", "ratio", "gini"):
            found = getattr(attribute, measure)
            if found is not None:
                yield name, ALL, measure, found
        yield from _floor(name, "bias", attribute.floor)
        yield from _floor(name, "signed_bias", attribute.signed_floor)
        for pair in attribute.pairs:
            yield name, f"{pair.first} - {pair.second}", "gap", pair.gap
        if attribute.standardised is not None:
            for group_name, found in attribute.standardised.groups.items():
                yield name, group_name, "standardised_mae", found
            yield name, ALL, "standardised_bias", attribute.standardised.bias
            yield name, ALL, "standardised_gap", attribute.standardised.gap
    for crossing in model.intersections:
        for cell in crossing.cells:
            yield " x ".join(crossing.attributes), " x ".join(cell.groups), "mae", cell.mae
            yield " x ".join(crossing.attributes), " x ".join(cell.groups), "signed", cell.signed
    for policy in () if model.policy is None else model.policy.groups:
        yield policy.attribute, policy.group, "false_positive", policy.false_positive
        yield policy.attribute, policy.group, "challenged", policy.challenged


def _measures(
    attribute: str, group: str, errors: "ErrorMeasures"
) -> Iterator[tuple[str, str, str, Estimate]]:
    for measure in ("mae", "rmse", "signed", "median", "p90", "epsilon"):
        found = getattr(errors, measure)
        if found is not None:
            yield attribute, group, measure, found
    for years, share in errors.within.items():
        yield attribute, group, f"within_{years}", share


def _floor(
    attribute: str, measure: str, floor: NoiseFloor
) -> Iterator[tuple[str, str, str, Estimate]]:
    for part in ("mean", "p95", "p_value", "excess"):
        yield attribute, ALL, f"{measure}_floor_{part}", Estimate(getattr(floor, part), floor.n)


def _span(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return f"{found.value:.3f}"
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{title}</caption><tr>{top}</tr>{body}</table>"
