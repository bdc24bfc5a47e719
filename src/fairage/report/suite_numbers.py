"""The numbers of a suite's versions, gathered for tables, figures and sentences."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from fairage.audit.groups import GroupMeans
from fairage.audit.score_columns import AVERAGE_BIAS, MAE, bias_column
from fairage.report.groups import ordered_groups
from fairage.report.suite_metrics import metric_columns, score_predictions
from fairage.report.suite_runs import SuiteRuns, VersionRuns, baseline_index

__all__ = ["Hardest", "Number", "VersionNumbers", "baseline_of", "front_of", "version_numbers"]


@dataclass(frozen=True)
class Number:
    """One metric of one version, in years.

    Args:
        mean: Over the seeds.
        sd: Over the seeds; None for one seed.
        floor: The bias that chance alone gives; None for the MAE.
        floor_p95: What chance alone exceeds once in twenty times.
        low: Lower end of the 95 % interval over test faces.
        high: Its upper end.
        change: Less the baseline's mean; None for the baseline.
        change_low: Lower end of the change's interval.
        change_high: Its upper end.
    """

    mean: float
    sd: float | None
    floor: float | None
    floor_p95: float | None
    low: float | None = None
    high: float | None = None
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None

    @property
    def resolved(self) -> bool:
        """Whether the change's interval leaves 0 out."""
        low, high = self.change_low, self.change_high
        return low is not None and high is not None and (low > 0 or high < 0)

    @property
    def beyond_chance(self) -> bool:
        """Whether chance alone would hardly give so much."""
        return self.floor_p95 is not None and self.mean > self.floor_p95


@dataclass(frozen=True)
class Hardest:
    """The group of an attribute that is served worst.

    Args:
        name: The group.
        error: Its group error in years.
        n: Its faces.
        others: MAE of all other faces; NaN where there are none.
    """

    name: str
    error: float
    n: int
    others: float


@dataclass(frozen=True)
class VersionNumbers:
    """A version's metrics by column, and its group errors by attribute, means over seeds."""

    run: VersionRuns
    metrics: dict[str, Number]
    groups: dict[str, GroupMeans]

    @property
    def name(self) -> str:
        """The version's name in the report."""
        return self.run.title

    @property
    def mae(self) -> Number:
        """MAE."""
        return self.metrics[MAE]

    @property
    def average_bias(self) -> Number:
        """Average bias."""
        return self.metrics[AVERAGE_BIAS]

    @property
    def called(self) -> str:
        """The name within a sentence."""
        return "the baseline" if self.name == "baseline" else self.name

    def bias(self, attribute: str) -> Number:
        """Return the bias of an attribute."""
        return self.metrics[bias_column(attribute)]

    def group_error(self, attribute: str, group: str) -> float | None:
        """Return the error of one group; None where the version has no such faces."""
        groups = self.groups.get(attribute)
        if groups is None or group not in groups.names:
            return None
        return float(groups.means[groups.names.index(group)])

    def hardest(self, attribute: str) -> Hardest:
        """Return the group of an attribute with the largest error."""
        groups = self.groups[attribute]
        worst = int(np.argmax(groups.means))
        others = np.delete(groups.means, worst)
        mean = (
            float(np.average(others, weights=np.delete(groups.counts, worst)))
            if len(others)
            else math.nan
        )
        return Hardest(
            groups.names[worst], float(groups.means[worst]), int(groups.counts[worst]), mean
        )


def version_numbers(runs: SuiteRuns, summary: pl.DataFrame) -> list[VersionNumbers]:
    """Return each version's numbers; `summary` is the suite's summary frame."""
    columns = metric_columns(runs)
    found = []
    for version, row in zip(runs.versions, summary.iter_rows(named=True), strict=True):
        metrics = {
            column: _number(row, column) for column in columns if row[f"{column}_mean"] is not None
        }
        found.append(VersionNumbers(version, metrics, _mean_groups(version)))
    return found


def baseline_of(versions: list[VersionNumbers]) -> VersionNumbers:
    """Return experiment 0, which has no mitigation, or else the first version."""
    return versions[baseline_index([version.run for version in versions])]


def front_of(versions: list[VersionNumbers]) -> list[VersionNumbers]:
    """Return the versions that none beats on both MAE and average bias, by rising MAE."""
    front: list[VersionNumbers] = []
    for version in sorted(versions, key=lambda v: (v.mae.mean, v.average_bias.mean)):
        if not front or version.average_bias.mean < front[-1].average_bias.mean:
            front.append(version)
    return front


def _mean_groups(version: VersionRuns) -> dict[str, GroupMeans]:
    """Average the group errors over seeds; the seeds share faces, hence groups and counts."""
    scores = [score_predictions(frame) for frame in version.predictions]
    return {
        name: ordered_groups(
            name,
            GroupMeans(
                first.names,
                first.counts,
                np.mean([score.groups[name].means for score in scores], axis=0),
            ),
        )
        for name, first in scores[0].groups.items()
    }


def _number(row: Mapping[str, float], column: str) -> Number:
    return Number(
        mean=row[f"{column}_mean"],
        sd=row[f"{column}_sd"],
        floor=row.get(f"{column}_floor"),
        floor_p95=row.get(f"{column}_floor_p95"),
        low=row.get(f"{column}_low"),
        high=row.get(f"{column}_high"),
        change=row.get(f"{column}_change"),
        change_low=row.get(f"{column}_change_low"),
        change_high=row.get(f"{column}_change_high"),
    )
