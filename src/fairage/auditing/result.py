"""The result of an audit, as frozen dataclasses; pages, frames and `audit.json` are made of these.

AuditResult                     one table, one or more models
├── columns, settings, rows     what was read how (`rows` counts what was left out, and why)
├── notes                       Note(name, text): what a reader must know
└── models: name -> ModelAudit
    ├── overall                 measure -> Interval, of all rows with an estimate
    ├── groups                  attribute -> group -> GroupAudit (measure -> Interval)
    ├── bias, corrected_bias, floors, spread            attribute -> numbers over its groups
    ├── mean_error_bias, mean_error_floors              the same of the mean errors
    ├── average_bias, average_corrected, average_floor, average_mean_error_bias
    ├── gaps                    attribute -> Gaps of its pairs, widest first
    ├── verdicts, verdict       attribute -> Verdict, and the one over all attributes
    ├── failures                Failures: rows without an estimate, by group
    ├── by_age                  ByAge: errors along age, and what of a gap comes from age
    ├── intersections           each pair of attributes crossed
    ├── age_check               AgeCheck, where a legal age was given
    ├── ranges                  Ranges, where ages or estimates are ranges
    ├── coverage                Coverage, where the model gives intervals
    ├── claim                   Claim, where a published MAE was given
    └── own_measures            the user's own measures, by key

Errors are in years, lower is better. A mean error is estimate minus true age: above 0 is too old.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.interval_coverage import Coverage, GroupCoverage
from fairage.auditing.measures import Measure
from fairage.auditing.result_parts import (
    ALL,
    MAE,
    AgeCheck,
    ByAge,
    Claim,
    Failures,
    Gap,
    GroupAudit,
    Intersection,
    Interval,
    NoiseFloor,
    Note,
    Ranges,
    Verdict,
)
from fairage.exceptions import ConfigError

if TYPE_CHECKING:
    from fairage.auditing.columns import Columns
    from fairage.auditing.rows import RowReport


SCHEMA_VERSION = 3


@dataclass(frozen=True)
class ModelAudit:
    """One model: see the tree above."""

    name: str
    n: int
    n_persons: int | None
    overall: dict[str, Interval]
    groups: dict[str, dict[str, GroupAudit]]
    bias: dict[str, Interval]
    corrected_bias: dict[str, float]
    floors: dict[str, NoiseFloor]
    spread: dict[str, dict[str, Interval]]
    mean_error_bias: dict[str, Interval]
    mean_error_floors: dict[str, NoiseFloor]
    average_bias: Interval | None
    average_corrected: float | None
    average_floor: NoiseFloor | None
    average_mean_error_bias: Interval | None
    gaps: dict[str, tuple[Gap, ...]]
    verdicts: dict[str, Verdict]
    verdict: Verdict
    failures: Failures
    by_age: ByAge
    intersections: tuple[Intersection, ...]
    age_check: AgeCheck | None = None
    ranges: Ranges | None = None
    coverage: Coverage | None = None
    claim: Claim | None = None
    own_measures: "dict[str, Measure]" = field(default_factory=dict)

    def __repr__(self) -> str:
        mae = self.overall.get(MAE)
        size = "no MAE" if mae is None else f"MAE {mae.value:.2f} years"
        return f"<ModelAudit {self.name!r}: {self.n:,} rows, {size}, {self.verdict.kind}>"


@dataclass(frozen=True, repr=False)
class AuditResult:
    """Everything that the audit of one table gives: see the tree above.

    With one model, its parts are those of the result too: `result.bias["gender"]`.
    """

    name: str
    columns: "Columns"
    settings: AuditSettings
    rows: "RowReport"
    notes: tuple[Note, ...]
    models: dict[str, ModelAudit]
    schema_version: int = SCHEMA_VERSION
    fairage_version: str = field(default_factory=lambda: version("fairage"))

    @property
    def model(self) -> ModelAudit:
        """The only model.

        Raises:
            ConfigError: There are several.
        """
        if len(self.models) != 1:
            raise ConfigError(
                f"expected one model, got {sorted(self.models)}, choose one: result.models[NAME]"
            )
        return next(iter(self.models.values()))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # the parts of the only model
        if name.startswith("_") or name not in ModelAudit.__dataclass_fields__:
            raise AttributeError(f"'AuditResult' object has no attribute {name!r}")
        return getattr(self.model, name)

    def __repr__(self) -> str:
        models = ", ".join(repr(model) for model in self.models.values())
        return f"<AuditResult of {self.name!r}: {self.rows.rows:,} rows; {models}>"

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and lists, as in `audit.json`; what is not a number becomes None."""
        return audit_dict(self)

    def to_frame(self, part: str = "measures") -> "pl.DataFrame":
        """Return a table of one part.

        `measures`, `gaps`, `biases`, `failures`, `age`, `cells` or `coverage`.

        Raises:
            ConfigError: There is no such part.
        """
        return audit_frame(self, part)

    def save(self, path: str | Path) -> Path:
        """Write the page (`.html`), the numbers (`.json`) or a table (`.csv`, `.parquet`).

        Raises:
            ConfigError: The name ends otherwise.
        """
        from fairage.reports.saving import save_result

        return save_result(self, path)

    def _repr_html_(self) -> str:
        from fairage.reports.saving import audit_view

        return audit_view(self)


NUMBER: dict[str, Any] = {
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "n_persons": pl.Int64,
}
MEASURE_FACTS = ("key", "title", "unit", "digits", "better", "meaning", "approximate")
KEYS: dict[str, Any] = {"model": pl.String, "attribute": pl.String, "group": pl.String}
_Row = tuple[object, ...]


def plain(value: Any) -> Any:  # noqa: ANN401  # any part of a result
    """Return dicts, lists, numbers and text; NaN and infinity become None.

    Examples:
        >>> plain(Interval(float("nan"), 1.0))
        {'value': None, 'low': 1.0, 'high': None, 'n': 0, 'n_persons': None}
    """
    if isinstance(value, GroupAudit):
        facts = {name: getattr(value, name) for name in ("n", "n_persons", "mean_age")}
        facts |= {"takes_part": value.takes_part, "reason": value.reason}
        return plain({**facts, **value.measures})
    if isinstance(value, Measure):
        return {name: getattr(value, name) for name in MEASURE_FACTS}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def audit_dict(result: "AuditResult") -> dict[str, Any]:
    """Return a result as in `audit.json`: the names of its fields are the keys."""
    values: dict[str, Any] = plain(result)
    return values


def audit_frame(result: "AuditResult", part: str = "measures") -> pl.DataFrame:
    """Return one part of a result as a table, a row a number.

    Args:
        result: The result.
        part: A name in `FRAME_PARTS`.

    Raises:
        ConfigError: There is no such part.
    """
    if part not in FRAME_PARTS:
        raise ConfigError.unknown_name("part", part, FRAME_PARTS)
    schema, rows = FRAME_PARTS[part]
    values = [(name, *row) for name, model in result.models.items() for row in rows(model)]
    return pl.DataFrame(values, schema=schema, orient="row")


def _numbers(interval: Interval) -> _Row:
    return dataclasses.astuple(interval)


def _measures(model: ModelAudit) -> Iterator[_Row]:
    for key, interval in model.overall.items():
        yield (ALL, ALL, key, *_numbers(interval), True)
    for attribute, groups in model.groups.items():
        for name, group in groups.items():
            for key, interval in group.items():
                yield (attribute, name, key, *_numbers(interval), group.takes_part)


def _gaps(model: ModelAudit) -> Iterator[_Row]:
    for attribute, gaps in model.gaps.items():
        yield from (_gap(attribute, gap) for gap in gaps)


def _gap(attribute: str, gap: Gap) -> _Row:
    return (attribute, gap.first, gap.second, gap.measure, *_numbers(gap.interval), gap.kind)


def _biases(model: ModelAudit) -> Iterator[_Row]:
    for attribute, interval in model.bias.items():
        floor = model.floors[attribute]
        corrected = model.corrected_bias[attribute]
        yield (attribute, "bias", *_numbers(interval), corrected, floor.mean, floor.p975)
    for attribute, interval in model.mean_error_bias.items():
        floor = model.mean_error_floors[attribute]
        yield (attribute, "mean_error_bias", *_numbers(interval), None, floor.mean, floor.p975)
    for attribute, numbers in model.spread.items():
        for name, interval in numbers.items():
            yield (attribute, name, *_numbers(interval), None, None, None)
    if model.average_bias is not None and model.average_floor is not None:
        floor = model.average_floor
        numbers_ = _numbers(model.average_bias)
        yield (ALL, "bias", *numbers_, model.average_corrected, floor.mean, floor.p975)
    if model.average_mean_error_bias is not None:
        numbers_ = _numbers(model.average_mean_error_bias)
        yield (ALL, "mean_error_bias", *numbers_, None, None, None)


def _failures(model: ModelAudit) -> Iterator[_Row]:
    yield (ALL, ALL, *_numbers(model.failures.overall))
    for attribute, groups in model.failures.items():
        for group, interval in groups.items():
            yield (attribute, group, *_numbers(interval))


def _ages(model: ModelAudit) -> Iterator[_Row]:
    for attribute, bands in model.by_age.bands.items():
        for band in bands:
            for key, interval in (("mae", band.mae), ("mean_error", band.mean_error)):
                yield (attribute, band.group, band.low, band.high, key, *_numbers(interval))


def _cells(model: ModelAudit) -> Iterator[_Row]:
    for crossed in model.intersections:
        for cell in crossed.cells:
            for key, interval in (("mae", cell.mae), ("mean_error", cell.mean_error)):
                names = " x ".join(crossed.attributes), " x ".join(cell.groups)
                yield (*names, key, *_numbers(interval), cell.takes_part)


def _coverage(model: ModelAudit) -> Iterator[_Row]:
    coverage = model.coverage
    if coverage is None:
        return
    yield from _covered(ALL, ALL, coverage.overall)
    for attribute, groups in coverage.items():
        for name, group in groups.items():
            yield from _covered(attribute, name, group)


def _covered(attribute: str, group: str, covered: GroupCoverage) -> Iterator[_Row]:
    for key in ("covered", "mean_width", "median_width"):
        limits = (covered.low, covered.high, covered.kind) if key == "covered" else (None,) * 3
        numbers = _numbers(getattr(covered, key))
        yield (attribute, group, key, *numbers, *limits, covered.takes_part)


FRAME_PARTS: dict[str, Any] = {
    "measures": (
        {**KEYS, "measure": pl.String, **NUMBER, "takes_part": pl.Boolean},
        _measures,
    ),
    "gaps": (
        {
            "model": pl.String,
            "attribute": pl.String,
            "first": pl.String,
            "second": pl.String,
            "measure": pl.String,
            **NUMBER,
            "kind": pl.String,
        },
        _gaps,
    ),
    "biases": (
        {
            "model": pl.String,
            "attribute": pl.String,
            "measure": pl.String,
            **NUMBER,
            "corrected": pl.Float64,
            "floor": pl.Float64,
            "floor_p975": pl.Float64,
        },
        _biases,
    ),
    "failures": ({**KEYS, **NUMBER}, _failures),
    "age": (
        {**KEYS, "from": pl.Float64, "to": pl.Float64, "measure": pl.String, **NUMBER},
        _ages,
    ),
    "cells": ({**KEYS, "measure": pl.String, **NUMBER, "takes_part": pl.Boolean}, _cells),
    "coverage": (
        {
            **KEYS,
            "measure": pl.String,
            **NUMBER,
            "joint_low": pl.Float64,
            "joint_high": pl.Float64,
            "kind": pl.String,
            "takes_part": pl.Boolean,
        },
        _coverage,
    ),
}
"""The parts of a result that are tables: columns, and what yields the rows of one model."""
