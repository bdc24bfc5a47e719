"""The two tables of a suite: one row a run (results), one row a version (summary)."""

import math
from collections.abc import Sequence

import polars as pl

from fairage.auditing.scoring import MAE, metrics_of
from fairage.auditing.suite_comparison import Difference
from fairage.auditing.suite_estimates import MetricEstimate
from fairage.auditing.suite_runs import SuiteRuns, metric_columns, seeds_of
from fairage.auditing.suite_statistics import SuiteStatistics, suite_statistics
from fairage.tables import SEED

__all__ = ["EXPERIMENT", "SEEDS", "VERSION", "results_frame", "summary_frame"]

EXPERIMENT, VERSION, SEEDS = "experiment", "version", "seeds"


def results_frame(suite: SuiteRuns | SuiteStatistics) -> pl.DataFrame:
    """Return one row a version and seed: `experiment, version, seed, mae, ..., average_bias`.

    All in years, lower is better. A bias is null where the version lacks the attribute, or where
    fewer than two of its groups take part; the average is null where there is no bias.
    """
    statistics = _statistics(suite)
    versions = zip(statistics.runs.versions, statistics.versions, strict=True)
    rows = [
        {EXPERIMENT: runs.experiment, VERSION: runs.version, SEED: seed} | metrics_of(score)
        for runs, version in versions
        for seed, score in zip(seeds_of(runs), version.scores, strict=True)
    ]
    schema: dict[str, type[pl.DataType]] = {
        EXPERIMENT: pl.String,
        VERSION: pl.String,
        SEED: pl.Int64,
        **dict.fromkeys(metric_columns(statistics.runs), pl.Float64),
    }
    return pl.DataFrame(rows, schema=schema)


def summary_frame(suite: SuiteRuns | SuiteStatistics) -> pl.DataFrame:
    """Return one row a version: `experiment`, `version`, the number of `seeds`, and the metrics.

    Each metric has these columns, in years:

    - `_mean`, `_sd`: what was measured, over seeds; `_sd` is null for one seed.
    - `_low`, `_high`: 95 % interval of what one training gives, over faces and trainings; of a
      bias, that of the noise-corrected one. With one seed it is of these weights only.
    - `_change`, `_change_low`, `_change_high`: less the baseline's on the same faces, with its own
      95 % interval; of a bias, of the noise-corrected ones. Null for the baseline.
    - `_change_resolved`: whether the change leaves 0 out when all versions and metrics are looked
      at together; never with one seed.
    - of a bias, `_corrected`: without what noise adds; `_floor`: the bias to be expected if all
      groups had the same true error; `_floor_p975`: what noise exceeds once in forty times.
    """
    statistics = _statistics(suite)
    columns = metric_columns(statistics.runs)
    rows = [_row(statistics, number, columns) for number in range(len(statistics.versions))]
    schema: dict[str, type[pl.DataType]] = dict.fromkeys(rows[0], pl.Float64)
    schema |= {EXPERIMENT: pl.String, VERSION: pl.String, SEEDS: pl.Int64}
    schema |= {f"{column}_change_resolved": pl.Boolean for column in columns}
    return pl.DataFrame(rows, schema=schema)


def _statistics(suite: SuiteRuns | SuiteStatistics) -> SuiteStatistics:
    return suite if isinstance(suite, SuiteStatistics) else suite_statistics(suite)


def _row(statistics: SuiteStatistics, number: int, columns: Sequence[str]) -> dict[str, object]:
    runs, version = statistics.runs.versions[number], statistics.versions[number]
    row: dict[str, object] = {
        EXPERIMENT: runs.experiment,
        VERSION: runs.version,
        SEEDS: len(version.scores),
    }
    for column in columns:
        change = statistics.face_set(number).change(column, number)
        row |= _metric_cells(column, version.metrics.get(column)) | _change_cells(column, change)
    return row


def _metric_cells(column: str, estimate: MetricEstimate | None) -> dict[str, float | None]:
    is_bias = column != MAE
    names = [
        "mean",
        "sd",
        "low",
        "high",
        *(["corrected", "floor", "floor_p975"] if is_bias else []),
    ]
    if estimate is None:
        return {f"{column}_{name}": None for name in names}
    floor = estimate.floor
    values = {
        "mean": estimate.mean,
        "sd": estimate.sd,
        "low": _known(estimate.low),
        "high": _known(estimate.high),
        "corrected": estimate.corrected,
        "floor": None if floor is None else floor.mean,
        "floor_p975": None if floor is None else floor.p975,
    }
    return {f"{column}_{name}": values[name] for name in names}


def _change_cells(column: str, change: Difference | None) -> dict[str, float | bool | None]:
    return {
        f"{column}_change": None if change is None else change.value,
        f"{column}_change_low": None if change is None else _known(change.low),
        f"{column}_change_high": None if change is None else _known(change.high),
        f"{column}_change_resolved": None if change is None else change.resolved,
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
