"""What the report of a suite is made from: versions, their predictions, what was run on what."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from fairage.tables import AGE, IMAGE

__all__ = ["Reference", "SuiteRuns", "VersionRuns", "baseline_index", "with_distinct_titles"]

BASELINE_EXPERIMENT = "0"


@dataclass(frozen=True)
class Reference:
    """A published result on the same faces, to stand beside ours.

    Args:
        name: What it is, short enough for a label.
        mae: Its MAE in years.
        average_bias: Its average bias in years.
    """

    name: str
    mae: float
    average_bias: float


@dataclass(frozen=True)
class VersionRuns:
    """One version of one experiment, run with one or more seeds.

    Args:
        experiment: The experiment that it belongs to, for example `"1"`.
        version: Its name within the experiment.
        title: Its name in the report.
        description: What it is, in a sentence.
        published: The study's numbers by column of the results table (`mae`, `gender_bias`,
            `age_bias`, `average_bias`, ...); None for a version that the study does not have.
        predictions: One predictions table a seed, all of the same faces.
    """

    experiment: str
    version: str
    title: str
    description: str
    published: dict[str, float] | None
    predictions: tuple[pl.DataFrame, ...]


@dataclass(frozen=True)
class SuiteRuns:
    """Everything that a suite's report tells.

    Args:
        title: Heading of the report.
        versions: In the order of the tables.
        facts: What was run on what: name and value, in the order to print.
        references: Published points of others on the same faces.
        study: The study's own published points on the same faces.
        truth: What bias a generator put into synthetic faces; None for real ones.
        notes: Further sentences, such as which versions were left out.
        comparable: The published numbers were measured on these very faces. Always taken as
            false where `truth` is given.
    """

    title: str
    versions: tuple[VersionRuns, ...]
    facts: dict[str, str]
    references: tuple[Reference, ...] = ()
    study: tuple[Reference, ...] = ()
    truth: str | None = None
    notes: tuple[str, ...] = ()
    comparable: bool = True

    @property
    def has_published_peers(self) -> bool:
        """Whether the study's numbers may be held against these."""
        published = any(version.published for version in self.versions)
        return self.comparable and self.truth is None and published

    @property
    def same_faces(self) -> bool:
        """Whether all versions were measured on the same faces."""
        frames = [frame for version in self.versions for frame in version.predictions]
        return all(
            frame[IMAGE].equals(frames[0][IMAGE]) and frame[AGE].equals(frames[0][AGE])
            for frame in frames[1:]
        )


def baseline_index(versions: Sequence[VersionRuns]) -> int:
    """Return the place of the version that others are held against: experiment 0, or the first."""
    found = (i for i, v in enumerate(versions) if v.experiment == BASELINE_EXPERIMENT)
    return next(found, 0)


def with_distinct_titles(runs: SuiteRuns) -> SuiteRuns:
    """Return the suite with the experiment added to titles that several versions share."""
    titles = [version.title for version in runs.versions]
    versions = tuple(
        version
        if titles.count(version.title) == 1
        else replace(version, title=f"{version.title} ({version.experiment})")
        for version in runs.versions
    )
    return replace(runs, versions=versions)
