"""The metrics of a suite's runs and the columns that hold them."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.audit.gaps import Score, score
from fairage.audit.score_columns import AVERAGE_BIAS, MAE, bias_column
from fairage.report.suite_runs import SuiteRuns
from fairage.tables import AGE, AGE_GROUP, PREDICTION, attribute_names, group_labels

__all__ = ["labels_of", "metric_columns", "score_predictions"]


def metric_columns(runs: SuiteRuns) -> list[str]:
    """Return `mae`, one bias an attribute that any version has, and `average_bias`."""
    frames = [frame for version in runs.versions for frame in version.predictions]
    names = dict.fromkeys(name for frame in frames for name in attribute_names(frame))
    return [MAE, *map(bias_column, [*names, AGE_GROUP]), AVERAGE_BIAS]


def score_predictions(frame: pl.DataFrame) -> Score:
    """Return MAE, biases and group errors of one predictions table, its age groups included."""
    return score(frame[AGE].to_numpy(), frame[PREDICTION].to_numpy(), labels_of(frame))


def labels_of(frame: pl.DataFrame) -> dict[str, NDArray[np.str_]]:
    """Return the group of each row, shape `(n,)`, for each attribute; age groups are the last."""
    names = [*attribute_names(frame), AGE_GROUP]
    return {name: group_labels(frame, name) for name in names}
