"""The statistics of a suite: the numbers of its versions, and all of them held against each other.

See `suite_estimates` for what an interval is of, `suite_comparison` for what is resolved.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from fairage.auditing.groups import Groups, everyone
from fairage.auditing.noise import GroupMeans, estimate_means
from fairage.auditing.result_parts import ALL
from fairage.auditing.scoring import (
    AVERAGE_BIAS,
    MAE,
    AttributeErrors,
    Score,
    bias_column,
    metrics_of,
    score_errors,
)
from fairage.auditing.suite_comparison import Comparison, Difference, Measured, compare_versions
from fairage.auditing.suite_estimates import (
    MetricEstimate,
    mean_estimate,
    seed_bias_estimates,
    version_biases,
)
from fairage.auditing.suite_runs import (
    SuiteRuns,
    VersionRuns,
    baseline_index,
    check_runs,
    groups_of_rows,
    metric_columns,
    persons_of,
    seeds_of,
    signed_errors,
)
from fairage.tables import SEED


@dataclass(frozen=True)
class VersionStatistics:
    """The numbers of a version.

    Args:
        scores: The score of each seed.
        metrics: Each metric it has, by column: MAE, biases, average bias.
        groups: Errors of the groups of each attribute, means over seeds.
    """

    scores: tuple[Score, ...]
    metrics: dict[str, MetricEstimate]
    groups: dict[str, AttributeErrors]


@dataclass(frozen=True)
class FaceSet:
    """The versions that were measured on the same faces.

    Args:
        versions: Their numbers.
        baseline: The one that the others are held against.
        comparison: All of them held against each other.
        faces: How many faces.
        persons: How many persons; None where identities are not known.
    """

    versions: tuple[int, ...]
    baseline: int
    comparison: Comparison
    faces: int
    persons: int | None

    def change(self, metric: str, version: int) -> Difference | None:
        """Return a metric of a version less the baseline's; None for the baseline itself."""
        if version == self.baseline:
            return None
        return self.comparison.difference(metric, version, self.baseline)


@dataclass(frozen=True)
class SuiteStatistics:
    """The statistics of a suite.

    Args:
        runs: What they are made from.
        versions: The numbers of each version, in order.
        face_sets: Versions of the same faces.
    """

    runs: SuiteRuns
    versions: tuple[VersionStatistics, ...]
    face_sets: tuple[FaceSet, ...]

    def face_set(self, version: int) -> FaceSet:
        """Return the set that a version belongs to."""
        return next(one for one in self.face_sets if version in one.versions)


def suite_statistics(runs: SuiteRuns) -> SuiteStatistics:
    """Return the statistics of a suite.

    Raises:
        DataError: There are no runs, or the seeds of a version have different faces.
    """
    check_runs(runs)
    versions: dict[int, VersionStatistics] = {}
    face_sets = []
    for numbers in runs.face_sets:
        own = [runs.versions[number] for number in numbers]
        work = _SameFaces(own, runs.min_rows)
        versions |= zip(numbers, work.statistics, strict=True)
        face_sets.append(
            FaceSet(
                tuple(numbers),
                numbers[baseline_index(own)],
                work.comparison(numbers),
                own[0].predictions[0].height,
                None if work.persons is None else work.persons.count,
            )
        )
    return SuiteStatistics(
        runs, tuple(versions[number] for number in sorted(versions)), tuple(face_sets)
    )


class _SameFaces:
    """Versions of the same faces: their joint draws, and each version's numbers.

    Attributes:
        tables: Groups of the rows for each attribute. The same attribute with other labels in
            another version is one of its own: the two are not held against each other.
        keys: The table of each attribute of each version.
    """

    def __init__(self, versions: Sequence[VersionRuns], min_rows: int) -> None:
        self.min_rows = min_rows
        frames = [version.predictions[0] for version in versions]
        self.persons = next((p for p in map(persons_of, frames) if p is not None), None)
        self.n = frames[0].height
        self.units = self.n if self.persons is None else self.persons.count
        self.tables: dict[tuple[str, int], Groups] = {}
        self.keys = [self._keys(groups_of_rows(frame)) for frame in frames]
        self.errors = [list(map(signed_errors, version.predictions)) for version in versions]
        self.means = self._joint_means()
        self.statistics = [self._statistics(place) for place in range(len(versions))]

    def comparison(self, numbers: Sequence[int]) -> Comparison:
        """Return all versions, which have these numbers in the suite, held against each other."""
        metrics: dict[str, dict[int, Measured]] = {}
        groups: dict[tuple[str, str], dict[int, Measured]] = {}
        for place, number in enumerate(numbers):
            for name, measured in self._measured(place).items():
                metrics.setdefault(name, {})[number] = measured
            for pair, measured in self._measured_groups(place).items():
                groups.setdefault(pair, {})[number] = measured
        return compare_versions(metrics, groups, self.means, units=self.units)

    def _keys(self, groups: Mapping[str, Groups]) -> dict[str, tuple[str, int]]:
        keys = {}
        for name, own in groups.items():
            number = 0
            while (name, number) in self.tables and not _same(self.tables[name, number], own):
                number += 1
            self.tables[name, number] = own
            keys[name] = name, number
        return keys

    def _joint_means(self) -> GroupMeans:
        quantities = {
            str(place): np.mean(np.abs(errors), axis=0) for place, errors in enumerate(self.errors)
        }
        attributes = {_text(key): groups for key, groups in self.tables.items()}
        tables = {ALL: everyone(self.n), **attributes}
        return estimate_means(quantities, tables, units=self.persons, purpose="suite")

    def _statistics(self, place: int) -> VersionStatistics:
        groups = {name: self.tables[key] for name, key in self.keys[place].items()}
        scores = [
            score_errors(errors, groups, min_rows=self.min_rows, units=self.persons)
            for errors in self.errors[place]
        ]
        biases = [
            seed_bias_estimates(errors, groups, self.persons, self.min_rows)
            for errors in self.errors[place]
        ]
        mae = self._mean(self._column(place, ALL, 0), [score.mae for score in scores])
        metrics = {MAE: mae, **version_biases(biases)}
        return VersionStatistics(tuple(scores), metrics, _mean_groups(scores))

    def _measured(self, place: int) -> dict[str, Measured]:
        """Return the metrics of a version with their columns in the joint draws."""
        statistics = self.statistics[place]
        column = self._column(place, ALL, 0)
        measured = {MAE: Measured(statistics.metrics[MAE], ((column,),), is_bias=False)}
        blocks, kinds = [], []
        for name, key in self.keys[place].items():
            if bias_column(name) not in statistics.metrics:
                continue
            part = np.flatnonzero(statistics.groups[name].takes_part)
            blocks.append(tuple(self._column(place, _text(key), group) for group in part.tolist()))
            kinds.append(_text(key))
            estimate = statistics.metrics[bias_column(name)]
            measured[bias_column(name)] = Measured(
                estimate, (blocks[-1],), is_bias=True, kind=(kinds[-1],)
            )
        if blocks:
            estimate = statistics.metrics[AVERAGE_BIAS]
            measured[AVERAGE_BIAS] = Measured(
                estimate, tuple(blocks), is_bias=True, kind=tuple(sorted(kinds))
            )
        return measured

    def _measured_groups(self, place: int) -> dict[tuple[str, str], Measured]:
        """Return the MAE of each group that takes part."""
        statistics, measured = self.statistics[place], {}
        for name, key in self.keys[place].items():
            groups = statistics.groups[name]
            for group in np.flatnonzero(groups.takes_part).tolist():
                column = self._column(place, _text(key), group)
                values = [float(score.groups[name].errors[group]) for score in statistics.scores]
                estimate = self._mean(column, values)
                measured[name, groups.names[group]] = Measured(
                    estimate, ((column,),), is_bias=False, kind=(_text(key),)
                )
        return measured

    def _column(self, place: int, table: str, group: int) -> int:
        return int(self.means.columns(table, str(place))[group])

    def _mean(self, column: int, values: Sequence[float]) -> MetricEstimate:
        limits = self.means.limits(column) or (math.nan, math.nan)
        return mean_estimate(values, limits, int(self.means.sizes[column]))


def _mean_groups(scores: Sequence[Score]) -> dict[str, AttributeErrors]:
    """Return the group errors averaged over seeds, which share faces and so groups."""
    return {
        name: replace(first, errors=np.mean([s.groups[name].errors for s in scores], axis=0))
        for name, first in scores[0].groups.items()
    }


def _same(groups: Groups, other: Groups) -> bool:
    return groups.names == other.names and bool((groups.codes == other.codes).all())


def _text(key: tuple[str, int]) -> str:
    name, number = key
    return f"{number}:{name}"


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
        "low": _none_if_nan(estimate.low),
        "high": _none_if_nan(estimate.high),
        "corrected": estimate.corrected,
        "floor": None if floor is None else floor.mean,
        "floor_p975": None if floor is None else floor.p975,
    }
    return {f"{column}_{name}": values[name] for name in names}


def _change_cells(column: str, change: Difference | None) -> dict[str, float | bool | None]:
    return {
        f"{column}_change": None if change is None else change.value,
        f"{column}_change_low": None if change is None else _none_if_nan(change.low),
        f"{column}_change_high": None if change is None else _none_if_nan(change.high),
        f"{column}_change_resolved": None if change is None else change.resolved,
    }


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else value
