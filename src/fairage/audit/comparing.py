"""The comparison of two models on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import polars as pl

from fairage.audit.columns import Columns
from fairage.audit.differences import Difference, paired_differences
from fairage.audit.export import comparison_frame, comparison_table_html, plain
from fairage.audit.findings import row_warnings
from fairage.audit.frames import Predictions
from fairage.audit.levelling import Levelling, level
from fairage.audit.pairing import pair_tables
from fairage.audit.result import ALL, SCHEMA_VERSION, AuditWarning
from fairage.audit.settings import AuditSettings

__all__ = ["ComparisonResult", "Difference", "compare"]


@dataclass(frozen=True)
class ComparisonResult:
    """What changes from A to B.

    Args:
        a: Name of A.
        b: Name of B.
        n: Images that both have predictions for.
        columns_a: Columns of A.
        columns_b: Columns of B.
        settings: Options.
        warnings: What a reader must know.
        differences: MAE, average bias, each bias, then each group error.
        levelling: Where each change of bias came from, by attribute.
        schema_version: Version of what `to_dict` returns.
        fairage_version: Version of the software.
    """

    a: str
    b: str
    n: int
    columns_a: Columns
    columns_b: Columns
    settings: AuditSettings
    warnings: tuple[AuditWarning, ...]
    differences: tuple[Difference, ...]
    levelling: tuple[Levelling, ...]
    schema_version: str = SCHEMA_VERSION
    fairage_version: str = field(default_factory=lambda: version("fairage"))

    def difference(self, measure: str, attribute: str = ALL, group: str = ALL) -> Difference:
        """Return one difference."""
        key = (measure, attribute, group)
        return next(d for d in self.differences if (d.measure, d.attribute, d.group) == key)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and lists, as in `compare.json`."""
        found: dict[str, Any] = plain(self)
        return found

    def to_frame(self) -> pl.DataFrame:
        """Return one row a difference."""
        return comparison_frame(self)

    def _repr_html_(self) -> str:
        return comparison_table_html(self)


def compare(
    a: Predictions,
    b: Predictions,
    *,
    age: str | None = None,
    prediction_a: str | None = None,
    prediction_b: str | None = None,
    attributes: Sequence[str] | None = None,
    identity: str | None = None,
    image: str | None = None,
    settings: AuditSettings | None = None,
) -> ComparisonResult:
    """Return what changes from model A to model B on the same images, and what of it is chance.

    Rows are paired by image. True ages and attributes are those of A. Both models are measured on
    the same bootstrap draws, so that what they share cancels out.

    Args:
        a: Predictions of A, as for `audit`.
        b: Predictions of B.
        age: Column of true ages in both.
        prediction_a: Column of predictions in A.
        prediction_b: Column of predictions in B.
        attributes: Attribute columns of A.
        identity: Column of who is on the image, in A.
        image: Column of the images' names in both.
        settings: Options; the defaults where nothing is given.

    Raises:
        ConfigError: A named column is not there.
        DataError: The tables are not predictions of the same images, or cannot be read.

    Examples:
        >>> one = {"image": ["a", "b", "c", "d"], "age": [20, 30, 40, 50], "sex": list("ffmm")}
        >>> other = one | {"prediction": [21, 31, 41, 51]}
        >>> few = AuditSettings(replicates=50)
        >>> found = compare(one | {"prediction": [24, 34, 41, 51]}, other, settings=few)
        >>> found.difference("bias", "sex").change.value
        -3.0
    """
    settings = AuditSettings() if settings is None else settings
    told: dict[str, Any] = {"age": age, "image": image}
    pair = pair_tables(
        a,
        b,
        settings.age_groups,
        told_a={
            **told,
            "predictions": prediction_a,
            "attributes": attributes,
            "identity": identity,
        },
        told_b={**told, "predictions": prediction_b, "attributes": ()},
    )
    differences = paired_differences(pair, settings)
    resolved = {d.attribute for d in differences if d.measure == "bias" and d.resolved}
    return ComparisonResult(
        a=pair.name_a,
        b=pair.name_b,
        n=len(pair.rows),
        columns_a=pair.columns_a,
        columns_b=pair.columns_b,
        settings=settings,
        warnings=tuple(row_warnings(pair.rows.report, pair.rows, settings)) + pair.warnings,
        differences=differences,
        levelling=tuple(
            level(
                name,
                groups.names,
                groups.means(pair.errors_a),
                groups.means(pair.errors_b),
                resolved=name in resolved,
            )
            for name, groups in pair.rows.attributes.items()
        ),
    )
