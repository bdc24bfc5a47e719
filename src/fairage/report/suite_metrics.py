"""The metrics of a suite's runs and the columns that hold them."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.audit.gaps import Score, score
from fairage.report.suite_runs import SuiteRuns
from fairage.tables import AGE, AGE_GROUP, PREDICTION, attribute_names, group_labels

__all__ = [
    "AVERAGE_BIAS",
    "MAE",
    "bias_column",
    "labels_of",
    "metric_columns",
    "metrics_of",
    "score_predictions",
]

MAE, AVERAGE_BIAS = "mae", "average_bias"


def bias_column(attribute: str) -> str:
    """Return the column of an attribute's bias; the derived age group's is `age_bias`.

    Examples:
        >>> bias_column("gender"), bias_column("age_group")
        ('gender_bias', 'age_bias')
    """
    return f"{'age' if attribute == AGE_GROUP else attribute}_bias"


def metric_columns(runs: SuiteRuns) -> list[str]:
    """Return `mae`, one bias an attribute that any version has, and `average_bias`."""
    frames = [frame for version in runs.versions for frame in version.predictions]
    names = dict.fromkeys(name for frame in frames for name in attribute_names(frame))
    return [MAE, *map(bias_column, [*names, AGE_GROUP]), AVERAGE_BIAS]


def score_predictions(frame: pl.DataFrame) -> Score:
    """Return MAE, biases and group errors of one predictions table, its age groups included."""
    return score(frame[AGE].to_numpy(), frame[PREDICTION].to_numpy(), labels_of(frame))


def metrics_of(found: Score) -> dict[str, float]:
    """Return MAE, each bias and average bias of a score, by column."""
    biases = {bias_column(name): value for name, value in found.biases.items()}
    return {MAE: found.mae, **biases, AVERAGE_BIAS: found.average_bias}


def labels_of(frame: pl.DataFrame) -> dict[str, NDArray[np.str_]]:
    """Return the group of each row, shape `(n,)`, for each attribute; age groups are the last."""
    names = [*attribute_names(frame), AGE_GROUP]
    return {name: group_labels(frame, name) for name in names}
