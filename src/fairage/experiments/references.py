"""Published points that a report shows beside ours, and the faces they were measured on."""

import polars as pl

from fairage.auditing.suite_runs import Reference
from fairage.experiments.recipe import shipped_recipes
from fairage.tables import AGE

__all__ = ["REFERENCES", "is_challenge_test", "study_points"]

REFERENCES = (Reference("FaRL ViT-B/16 (CVPR 2024 benchmark)", mae=3.4325, average_bias=0.763),)

STUDY = "published"
"""The suite whose recipes hold what the study published."""

_ROWS, _MEAN_AGE = 1978, 33.0873


def is_challenge_test(test: pl.DataFrame) -> bool:
    """Return whether these are APPA-REAL's test faces with their apparent ages.

    Only there may the study's numbers and the references stand beside ours.
    """
    mean = test[AGE].mean()
    return test.height == _ROWS and isinstance(mean, float) and abs(mean - _MEAN_AGE) < 1e-3


def study_points() -> tuple[Reference, ...]:
    """Return the study's results of every version, in the order of its table.

    Examples:
        >>> [point.average_bias for point in study_points()][:2]
        [0.9256, 0.78]
    """
    rows = [(recipe.version, recipe.published) for recipe in shipped_recipes(STUDY)]
    return tuple(
        Reference(name, mae=row["mae"], average_bias=row["average_bias"])
        for name, row in rows
        if row
    )
