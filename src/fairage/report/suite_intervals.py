"""Intervals of a suite's numbers, and of each version's difference to the baseline.

All versions and seeds are measured on the same bootstrap draws of the test faces, so that what
they share cancels out of a difference; a version's seeds are averaged within each draw.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from fairage.audit.bootstrap import draw_means
from fairage.audit.gaps import biases
from fairage.audit.groups import ALL, Groups, everyone, group_rows
from fairage.audit.intervals import Ends, Estimate, bootstrap_estimate
from fairage.audit.sample import Floats, gather
from fairage.audit.score_columns import AVERAGE_BIAS, MAE, bias_column
from fairage.report.suite_metrics import labels_of
from fairage.report.suite_runs import SuiteRuns, VersionRuns, baseline_index
from fairage.tables import AGE, PREDICTION

__all__ = ["VersionIntervals", "version_intervals"]


@dataclass(frozen=True)
class VersionIntervals:
    """Each metric of a version, and its change from the baseline, by column.

    Args:
        values: Mean over seeds, with its interval over test faces; those of biases as replicates
            give them, before `Estimate.down_to`.
        changes: The same less the baseline's; below 0 is better. Empty for the baseline itself.
    """

    values: dict[str, Estimate]
    changes: dict[str, Estimate]


def version_intervals(
    runs: SuiteRuns, *, replicates: int, rng: np.random.Generator
) -> list[VersionIntervals]:
    """Return the intervals of each version; empty ones where versions have different faces.

    Args:
        runs: The suite.
        replicates: Bootstrap draws of the test faces.
        rng: Source of chance.
    """
    if not runs.same_faces:
        return [VersionIntervals({}, {}) for _ in runs.versions]
    frames = [frame for version in runs.versions for frame in version.predictions]
    known = {name: labels for frame in frames for name, labels in labels_of(frame).items()}
    attributes = {ALL: everyone(frames[0].height)}
    attributes |= {name: group_rows(labels) for name, labels in known.items()}
    errors = [_errors(frame) for frame in frames]
    sample = gather(attributes)
    quantities = [sample.quantity(values) for values in errors]
    draws = iter(draw_means(quantities, sample.attributes, sample, replicates=replicates, rng=rng))
    own = [
        _metrics(version, [next(draws) for _ in version.predictions]) for version in runs.versions
    ]
    plain = [
        _metrics(version, [_sample(frame, attributes) for frame in version.predictions])
        for version in runs.versions
    ]
    start = baseline_index(runs.versions)
    n = frames[0].height
    return [
        VersionIntervals(
            _estimates(plain[i], own[i], n, average="reflected", bias="percentile"),
            {}
            if i == start
            else _estimates(
                _less(plain[i], plain[start]),
                _less(own[i], own[start]),
                n,
                average="both",
                bias="both",
            ),
        )
        for i in range(len(runs.versions))
    ]


def _errors(frame: pl.DataFrame) -> Floats:
    errors: Floats = np.abs(frame[PREDICTION].to_numpy() - frame[AGE].to_numpy())
    return errors


def _sample(frame: pl.DataFrame, attributes: dict[str, Groups]) -> dict[str, Floats]:
    """The sample itself, in the form of a single draw."""
    errors = _errors(frame)
    return {name: groups.means(errors)[np.newaxis] for name, groups in attributes.items()}


def _metrics(version: VersionRuns, draws: list[dict[str, Floats]]) -> dict[str, Floats]:
    """Return each metric in each draw, mean over seeds, shape `(draws,)`."""
    names = labels_of(version.predictions[0])
    found = {MAE: np.mean([draw[ALL][:, 0] for draw in draws], axis=0)}
    for name in names:
        found[bias_column(name)] = np.mean([biases(draw[name]) for draw in draws], axis=0)
    found[AVERAGE_BIAS] = np.mean([found[bias_column(name)] for name in names], axis=0)
    return found


def _less(version: dict[str, Floats], baseline: dict[str, Floats]) -> dict[str, Floats]:
    return {name: values - baseline[name] for name, values in version.items() if name in baseline}


def _estimates(
    sample: dict[str, Floats], draws: dict[str, Floats], n: int, *, average: Ends, bias: Ends
) -> dict[str, Estimate]:
    """Return the intervals, with the ends that suit each metric: see `bootstrap_estimate`."""
    ends: dict[str, Ends] = {MAE: "percentile", AVERAGE_BIAS: average}
    return {
        name: bootstrap_estimate(float(values[0]), draws[name], n, ends=ends.get(name, bias))
        for name, values in sample.items()
    }
