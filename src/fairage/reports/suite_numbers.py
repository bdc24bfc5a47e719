"""The numbers of a suite's versions, gathered for tables, figures and sentences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairage._text import visible
from fairage.auditing.result_parts import Interval
from fairage.auditing.scoring import AVERAGE_BIAS, MAE, AttributeErrors, bias_column
from fairage.auditing.suite_comparison import Difference
from fairage.auditing.suite_estimates import MetricEstimate
from fairage.auditing.suite_runs import VersionRuns
from fairage.auditing.suite_statistics import FaceSet, SuiteStatistics, VersionStatistics
from fairage.reports.format import group_order
from fairage.tables import AGE_GROUP, group_names

BASELINE = "baseline"


@dataclass(frozen=True)
class Hardest:
    """The group of an attribute with the largest measured error, of those that take part.

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
    """A version: what it is, and its numbers.

    Args:
        number: Its place in the suite.
        run: What it is.
        statistics: Its numbers.
    """

    number: int
    run: VersionRuns
    statistics: VersionStatistics

    @property
    def name(self) -> str:
        """The version's name in the report."""
        return visible(self.run.title)

    @property
    def called(self) -> str:
        """The name within a sentence."""
        return "the baseline" if self.run.title == BASELINE else self.name

    @property
    def seeds(self) -> int:
        """How many seeds it was trained with."""
        return len(self.statistics.scores)

    @property
    def mae(self) -> MetricEstimate:
        """MAE."""
        return self.statistics.metrics[MAE]

    @property
    def average_bias(self) -> MetricEstimate | None:
        """Average bias; None where no attribute has two groups that take part."""
        return self.statistics.metrics.get(AVERAGE_BIAS)

    def bias(self, attribute: str) -> MetricEstimate | None:
        """Return the bias of an attribute; None where it has none."""
        return self.statistics.metrics.get(bias_column(attribute))

    def errors(self, attribute: str) -> dict[str, float]:
        """Return the mean error of each group that has faces, in the order to show them."""
        groups = self.statistics.groups[attribute]
        rising = group_names(self.run.predictions[0], AGE_GROUP)
        order = group_order(attribute, groups.names, rising)
        return {groups.names[i]: float(groups.errors[i]) for i in order if groups.counts[i]}

    def group_error(self, attribute: str, group: str) -> float | None:
        """Return the error of one group; None where the version has no such faces."""
        groups = self.statistics.groups.get(attribute)
        if groups is None or group not in groups.names:
            return None
        error = float(groups.errors[groups.names.index(group)])
        return None if math.isnan(error) else error

    def hardest(self, attribute: str) -> Hardest | None:
        """Return the group with the largest error; None where none takes part."""
        groups = self.statistics.groups[attribute]
        if not groups.takes_part.any():
            return None
        worst = int(np.argmax(np.where(groups.takes_part, groups.errors, -1.0)))
        error, n = float(groups.errors[worst]), int(groups.counts[worst])
        return Hardest(groups.names[worst], error, n, _others(groups, worst))


@dataclass(frozen=True)
class SetNumbers:
    """The versions of the same faces, and which differences between them are resolved."""

    faces: FaceSet
    versions: tuple[VersionNumbers, ...]

    @property
    def baseline(self) -> VersionNumbers:
        """The version that others are held against."""
        return next(v for v in self.versions if v.number == self.faces.baseline)

    @property
    def others(self) -> list[VersionNumbers]:
        """All versions but the baseline."""
        return [version for version in self.versions if version is not self.baseline]

    @property
    def one_seed(self) -> list[VersionNumbers]:
        """The versions with one seed."""
        return [version for version in self.versions if version.seeds == 1]

    def change(self, metric: str, version: VersionNumbers) -> Difference | None:
        """Return a metric of a version less the baseline's."""
        return self.faces.change(metric, version.number)

    def below(self, metric: str) -> list[VersionNumbers]:
        """Return the versions that are resolved below the baseline, lowest first."""
        return self._resolved(metric, -1)

    def above(self, metric: str) -> list[VersionNumbers]:
        """Return the versions that are resolved above the baseline, highest first."""
        return self._resolved(metric, 1)

    def lowest(self, metric: str) -> VersionNumbers | None:
        """Return the version that is resolved below every other one; None without one."""
        numbers = [version.number for version in self.versions]
        lowest = self.faces.comparison.lowest(metric, numbers)
        return next((v for v in self.versions if v.number == lowest), None)

    def _resolved(self, metric: str, sign: int) -> list[VersionNumbers]:
        changes = [(self.change(metric, version), version) for version in self.others]
        resolved = [
            (sign * change.value, version)
            for change, version in changes
            if change is not None and change.resolved and sign * change.value > 0
        ]
        return [version for _, version in sorted(resolved, key=lambda pair: -pair[0])]


@dataclass(frozen=True)
class SuiteNumbers:
    """The numbers of a suite.

    Args:
        statistics: Everything.
        sets: The versions of the same faces.
    """

    statistics: SuiteStatistics
    sets: tuple[SetNumbers, ...]

    @classmethod
    def of(cls, statistics: SuiteStatistics) -> "SuiteNumbers":
        """Return the numbers of a suite."""
        versions = [
            VersionNumbers(number, run, own)
            for number, (run, own) in enumerate(
                zip(statistics.runs.versions, statistics.versions, strict=True)
            )
        ]
        sets = (
            SetNumbers(faces, tuple(versions[number] for number in faces.versions))
            for faces in statistics.face_sets
        )
        return cls(statistics, tuple(sets))

    @property
    def versions(self) -> list[VersionNumbers]:
        """All versions, in order."""
        versions = [version for one in self.sets for version in one.versions]
        return sorted(versions, key=lambda version: version.number)

    @property
    def attributes(self) -> list[str]:
        """All attributes of any version, in order."""
        names = (name for version in self.versions for name in version.statistics.groups)
        return list(dict.fromkeys(names))

    @property
    def min_rows(self) -> int:
        """Faces (persons) that a group must have to take part."""
        return self.statistics.runs.min_rows

    def set_of(self, version: VersionNumbers) -> SetNumbers:
        """Return the set that a version belongs to."""
        return next(one for one in self.sets if version in one.versions)


def front_of(versions: Sequence[VersionNumbers]) -> list[VersionNumbers]:
    """Return the versions that none undercuts in both measured MAE and measured average bias.

    They come by rising MAE. Only of versions of the same faces.
    """
    measured = [
        (v.mae.mean, v.average_bias.mean, v) for v in versions if v.average_bias is not None
    ]
    front: list[VersionNumbers] = []
    lowest = math.inf
    for _, bias, version in sorted(measured, key=lambda one: one[:2]):
        if bias < lowest:
            front.append(version)
            lowest = bias
    return front


def estimate_interval(estimate: MetricEstimate) -> Interval:
    """Return the number that the interval of a metric is of, with it."""
    return Interval(estimate.value, _none_if_nan(estimate.low), _none_if_nan(estimate.high))


def difference_interval(difference: Difference) -> Interval:
    """Return a difference with its own interval."""
    return Interval(difference.value, _none_if_nan(difference.low), _none_if_nan(difference.high))


def _none_if_nan(end: float) -> float | None:
    return None if math.isnan(end) else end


def _others(groups: AttributeErrors, worst: int) -> float:
    counts = np.delete(groups.counts, worst)
    errors = np.delete(groups.errors, worst)[counts > 0]
    if not len(errors):
        return math.nan
    return float(np.average(errors, weights=counts[counts > 0]))
