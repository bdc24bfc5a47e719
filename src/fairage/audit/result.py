"""What an audit finds, as frozen dataclasses; the report and `audit.json` are made of these.

AuditResult                     one table, one or more models side by side
├── columns, settings, rows     what was read how (`rows` counts what was left out)
├── warnings                    AuditWarning(name, text)
└── models: ModelAudit          one a prediction column
    ├── errors                  ErrorMeasures of all rows
    ├── average_bias            AverageBias: bias, signed bias, noise floor
    ├── attributes: AttributeAudit      `age_group` is the last one
    │   ├── groups: GroupAudit          ErrorMeasures and standardised MAE of each group
    │   ├── bias, signed_bias, gap, ratio, gini     Estimates over the group errors
    │   ├── floor, signed_floor         NoiseFloor of the bias and of the signed bias
    │   ├── pairs: PairGap              each pair's gap and whether it can be resolved
    │   ├── standardised                Standardised: the same at one age mix
    │   └── along_age: AgePoint         error and signed error by group and 5 years of age
    ├── along_age: AgePoint     of all rows
    ├── intersections: Intersection     each pair of attributes: Cells, worst first
    ├── policy                  PolicyAudit, where a legal age was given
    └── claim                   Claim, where a published MAE was given

All errors are in years and lower is better; every Estimate has its number of rows and its 95 %
interval. Signed errors are prediction less truth: below 0 means estimated too young.
"""

from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import polars as pl

from fairage.audit.columns import Columns
from fairage.audit.intervals import Estimate
from fairage.audit.parts import (
    ALL,
    AgePoint,
    AuditWarning,
    Cell,
    Claim,
    ErrorMeasures,
    GroupAudit,
    Intersection,
    PairGap,
    PolicyAudit,
    PolicyCurve,
    PolicyGroup,
    Standardised,
)
from fairage.audit.resampling import NoiseFloor
from fairage.audit.rows import RowReport
from fairage.audit.settings import AuditSettings

__all__ = [
    "ALL",
    "SCHEMA_VERSION",
    "AgePoint",
    "AttributeAudit",
    "AuditResult",
    "AuditWarning",
    "AverageBias",
    "Cell",
    "Claim",
    "ErrorMeasures",
    "GroupAudit",
    "Intersection",
    "ModelAudit",
    "PairGap",
    "PolicyAudit",
    "PolicyCurve",
    "PolicyGroup",
    "Standardised",
]

SCHEMA_VERSION = "2.0"


@dataclass(frozen=True)
class AttributeAudit:
    """The gaps of one attribute.

    Args:
        name: The attribute.
        groups: Its groups, in the attribute's order.
        bias: Mean gap over all pairs of groups.
        signed_bias: The same of the signed errors.
        gap: Worst less best group error.
        ratio: Worst over best group error.
        gini: Gini coefficient of the group errors, in 0..1.
        worst: Group with the largest error, of those with enough rows where there are any.
        best: Group with the smallest error, likewise.
        floor: What chance does to the bias.
        signed_floor: What chance does to the signed bias.
        pairs: Every pair of groups, widest gap first; empty beyond 20 groups.
        standardised: The same at one age mix; None for age groups or where groups share no ages.
        along_age: Errors along age by group; empty for age groups.
    """

    name: str
    groups: tuple[GroupAudit, ...]
    bias: Estimate
    signed_bias: Estimate
    gap: Estimate
    ratio: Estimate | None
    gini: Estimate | None
    worst: str
    best: str
    floor: NoiseFloor
    signed_floor: NoiseFloor
    pairs: tuple[PairGap, ...]
    standardised: Standardised | None
    along_age: tuple[AgePoint, ...]

    @property
    def beyond_chance(self) -> bool:
        """Whether shuffled labels hardly give such a bias (5 %, corrected by Holm)."""
        return self.floor.beyond_chance

    @property
    def extremes_resolved(self) -> bool:
        """Whether the worst group can be told apart from the best one.

        By the interval of their gap; beyond 20 groups, which have no pairs, by whether their own
        intervals stay clear of each other.
        """
        for pair in self.pairs:
            if {pair.first, pair.second} == {self.worst, self.best}:
                return pair.resolved
        worst, best = (self.group(name).errors.mae for name in (self.worst, self.best))
        return worst.low is not None and best.high is not None and worst.low > best.high

    def group(self, name: str) -> GroupAudit:
        """Return one group."""
        return next(group for group in self.groups if group.name == name)


@dataclass(frozen=True)
class AverageBias:
    """The mean over attributes.

    Args:
        bias: Mean of the biases.
        signed_bias: Mean of the signed biases.
        floor: What chance does to the former.
    """

    bias: Estimate
    signed_bias: Estimate
    floor: NoiseFloor


@dataclass(frozen=True)
class ModelAudit:
    """One model: see the tree above."""

    name: str
    errors: ErrorMeasures
    average_bias: AverageBias
    attributes: tuple[AttributeAudit, ...]
    along_age: tuple[AgePoint, ...]
    intersections: tuple[Intersection, ...]
    policy: PolicyAudit | None
    claim: Claim | None

    def attribute(self, name: str) -> AttributeAudit:
        """Return one attribute."""
        return next(attribute for attribute in self.attributes if attribute.name == name)


@dataclass(frozen=True)
class AuditResult:
    """Everything that an audit of one table finds: see the tree above."""

    name: str
    columns: Columns
    settings: AuditSettings
    rows: RowReport
    warnings: tuple[AuditWarning, ...]
    models: tuple[ModelAudit, ...]
    schema_version: str = SCHEMA_VERSION
    fairage_version: str = field(default_factory=lambda: version("fairage"))

    @property
    def n(self) -> int:
        """Rows behind every number."""
        return self.rows.used

    def model(self, name: str) -> ModelAudit:
        """Return one model."""
        return next(model for model in self.models if model.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and lists, as in `audit.json`; what is not a number becomes None."""
        from fairage.audit.export import plain

        found: dict[str, Any] = plain(self)
        return found

    def to_frame(self) -> pl.DataFrame:
        """Return one row a number: model, attribute, group, measure, value, n and interval."""
        from fairage.audit.export import audit_frame

        return audit_frame(self)

    def _repr_html_(self) -> str:
        from fairage.audit.export import audit_table_html

        return audit_table_html(self)
