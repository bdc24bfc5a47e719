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
    ├── claim                   Claim, where a published MAE was given
    └── own_measures            the user's own measures, by key

Errors are in years, lower is better. A mean error is estimate minus true age: above 0 is too old.
"""

from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairage.auditing.result_parts import (
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
from fairage.auditing.settings import AuditSettings
from fairage.exceptions import ConfigError

if TYPE_CHECKING:
    import polars as pl

    from fairage.auditing.columns import Columns
    from fairage.auditing.measures import Measure
    from fairage.auditing.rows import RowReport

__all__ = ["SCHEMA_VERSION", "AuditResult", "ModelAudit"]

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
        from fairage.auditing.export import audit_dict

        return audit_dict(self)

    def to_frame(self, part: str = "measures") -> "pl.DataFrame":
        """Return a table of one part: `measures`, `gaps`, `biases`, `failures`, `age`, `cells`.

        Raises:
            ConfigError: There is no such part.
        """
        from fairage.auditing.export import audit_frame

        return audit_frame(self, part)

    def save(self, path: str | Path) -> Path:
        """Write the page (`.html`), the numbers (`.json`) or a table (`.csv`, `.parquet`).

        Raises:
            ConfigError: The name ends otherwise.
        """
        from fairage.reports.saving import save_result

        return save_result(self, path)

    def _repr_html_(self) -> str:
        from fairage.reports.notebook import audit_view

        return audit_view(self)
