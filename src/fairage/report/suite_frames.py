"""The two tables of a suite: one row a run (results), one row a version (summary)."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from fairage.audit.intervals import Estimate
from fairage.audit.resampling import NoiseFloor, noise_floors
from fairage.audit.score_columns import AVERAGE_BIAS, MAE, bias_column, metrics_of
from fairage.report.suite_intervals import VersionIntervals, version_intervals
from fairage.report.suite_metrics import labels_of, metric_columns, score_predictions
from fairage.report.suite_runs import SuiteRuns, VersionRuns
from fairage.tables import AGE, PREDICTION, SEED

__all__ = ["EXPERIMENT", "SEEDS", "VERSION", "results_frame", "summary_frame"]

EXPERIMENT, VERSION, SEEDS = "experiment", "version", "seeds"


def results_frame(runs: SuiteRuns) -> pl.DataFrame:
    """Return one row a version and seed: `experiment, version, seed, mae, ..., average_bias`.

    All in years, lower is better; a bias whose attribute a version lacks is null.
    """
    rows = [
        {EXPERIMENT: version.experiment, VERSION: version.version, SEED: seed}
        | metrics_of(score_predictions(frame))
        for version in runs.versions
        for seed, frame in zip(seeds(version), version.predictions, strict=True)
    ]
    schema: dict[str, type[pl.DataType]] = {
        EXPERIMENT: pl.String,
        VERSION: pl.String,
        SEED: pl.Int64,
        **dict.fromkeys(metric_columns(runs), pl.Float64),
    }
    return pl.DataFrame(rows, schema=schema)


def summary_frame(
    runs: SuiteRuns, *, permutations: int, rng: np.random.Generator, replicates: int = 1000
) -> pl.DataFrame:
    """Return one row a version, with these columns for each metric.

    - `_mean` and `_sd` over seeds; `_sd` is null for a single seed.
    - `_low` and `_high`: 95 % interval of the mean over test faces; that of a bias reaches down to
      0 where even groups may well give as much in half of the runs or more.
    - `_change`, `_change_low`, `_change_high`: the mean less the baseline's and its interval;
      null for the baseline itself.
    - of a bias, `_floor`: the bias expected when groups do not matter, and `_floor_p95`: what
      chance exceeds once in twenty times; both by shuffling labels, averaged over seeds.

    Args:
        runs: The suite.
        permutations: Shuffles a run and attribute.
        rng: Source of chance.
        replicates: Bootstrap draws of the test faces.
    """
    results = results_frame(runs)
    columns = metric_columns(runs)
    intervals = version_intervals(runs, replicates=replicates, rng=rng)
    rows = []
    for version, found in zip(runs.versions, intervals, strict=True):
        own = results.filter(
            (pl.col(EXPERIMENT) == version.experiment) & (pl.col(VERSION) == version.version)
        )
        floors = [_floors(frame, permutations, rng) for frame in version.predictions]
        row: dict[str, object] = {
            EXPERIMENT: version.experiment,
            VERSION: version.version,
            SEEDS: own.height,
        }
        for column in columns:
            row[f"{column}_mean"] = own[column].mean()
            row[f"{column}_sd"] = own[column].std()
            own_floors = [floor[column] for floor in floors if column in floor]
            row |= _interval_columns(column, found, own_floors)
            if column != MAE:
                row |= _mean_floor(column, own_floors)
        rows.append(row)
    schema = dict.fromkeys(rows[0], pl.Float64) | {
        EXPERIMENT: pl.String,
        VERSION: pl.String,
        SEEDS: pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema)


def seeds(version: VersionRuns) -> list[int]:
    """Return the seed of each of a version's runs; its number where the table does not say."""
    return [
        int(frame[SEED][0]) if SEED in frame.columns else number
        for number, frame in enumerate(version.predictions)
    ]


def _interval_columns(
    column: str, found: VersionIntervals, floors: Sequence[NoiseFloor]
) -> dict[str, float | None]:
    value = found.values.get(column)
    if value is not None and floors:
        by_chance = 2 * sum(floor.by_chance for floor in floors) >= len(floors)
        value = value.down_to(0.0, by_chance=by_chance)
    _, low, high = _ends(value)
    change, change_low, change_high = _ends(found.changes.get(column))
    return {
        f"{column}_low": low,
        f"{column}_high": high,
        f"{column}_change": change,
        f"{column}_change_low": change_low,
        f"{column}_change_high": change_high,
    }


def _ends(estimate: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)


def _floors(
    frame: pl.DataFrame, permutations: int, rng: np.random.Generator
) -> dict[str, NoiseFloor]:
    """Return the noise floor of each bias of one run, by column."""
    errors = np.abs(frame[PREDICTION].to_numpy() - frame[AGE].to_numpy())
    labels = labels_of(frame)
    by_attribute, average = noise_floors(errors, labels, permutations=permutations, rng=rng)
    found = {bias_column(name): floor for name, floor in by_attribute.items()}
    found[AVERAGE_BIAS] = average
    return found


def _mean_floor(column: str, floors: Sequence[NoiseFloor]) -> dict[str, float | None]:
    return {
        f"{column}_floor": float(np.mean([f.mean for f in floors])) if floors else None,
        f"{column}_floor_p95": float(np.mean([f.p95 for f in floors])) if floors else None,
    }
