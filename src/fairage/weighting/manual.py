"""Weights set by hand: the study's custom loss 3, or any table of group weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE_GROUP, UNKNOWN, attribute_names, group_labels
from fairage.weighting.weights import Weights, weights_from_raw

__all__ = ["STUDY_TABLE", "Manual"]

LARGEST = 1e30
STUDY_TABLE: Mapping[str, Mapping[str, float]] = {
    "gender": {"male": 0.35, "female": 0.5},
    "expression": {"happy": 2, "slightlyhappy": 1, "neutral": 1, "other": 7},
    "ethnicity": {"caucasian": 0.4, "afroamerican": 15, "asian": 4},
    AGE_GROUP: {"young": 0.8, "adult": 0.3, "senior": 1.5, "old": 10},
}


@dataclass(frozen=True)
class Manual:
    """The product of one weight an attribute, read from a table; by default the study's loss 3.

    A row of the group `unknown` has the factor 1 where the table does not name it. Any other
    group that the table lacks is an error.

    Args:
        table: Weight of each group of each attribute.

    Examples:
        >>> faces = pl.DataFrame({"age": [30.0, 30], "gender": ["f", "m"]})
        >>> Manual({"gender": {"f": 3, "m": 1}}).weigh(faces).values.tolist()
        [1.5, 0.5]
    """

    table: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: STUDY_TABLE)

    def __post_init__(self) -> None:
        if not self.table or not all(self.table.values()):
            raise ConfigError(
                f"expected a weight of each group of an attribute, got {dict(self.table)}, write "
                "for example table: {gender: {female: 2, male: 1}}"
            )

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the product of the table's weights for each row.

        Raises:
            DataError: An attribute is not there, a group has no weight, a weight is not positive,
                or products are beyond 1e-30..1e30.
        """
        raw = np.ones(faces.height)
        for attribute, weights in self.table.items():
            _check(attribute, weights, faces)
            labels = group_labels(faces, attribute)
            known = {UNKNOWN: 1.0, **weights}
            with np.errstate(over="ignore", under="ignore"):
                raw *= np.array([known[str(label)] for label in labels])
        _check_products(raw)
        groups = {name: dict(weights) for name, weights in self.table.items()}
        return weights_from_raw(raw, groups)


def _check_products(raw: NDArray[np.float64]) -> None:
    if raw.size and not (raw.min() >= 1 / LARGEST and raw.max() <= LARGEST):
        raise DataError(
            f"expected weights set by hand whose products are in {1 / LARGEST:g}..{LARGEST:g}, got "
            f"{raw.min():g}..{raw.max():g}, bring each attribute's weights near 1"
        )


def _check(attribute: str, weights: Mapping[str, float], faces: pl.DataFrame) -> None:
    if attribute not in (*attribute_names(faces), AGE_GROUP):
        raise DataError(
            f"expected the attribute {attribute!r} that the weights set by hand name, got "
            f"{attribute_names(faces)}, add the column or give a table of your own groups"
        )
    missing = set(map(str, group_labels(faces, attribute))) - set(weights) - {UNKNOWN}
    if missing:
        raise DataError(
            f"expected a weight set by hand for each group of {attribute!r}, got none for "
            f"{sorted(missing)} (known: {sorted(weights)}), give a table of your own groups"
        )
    wrong = {group: weight for group, weight in weights.items() if not 0 < weight < float("inf")}
    if wrong:
        raise DataError(f"expected positive weights for {attribute!r}, got {wrong}, correct them")
