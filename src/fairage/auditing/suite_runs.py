"""What the numbers of a suite are made from: versions, their predictions, on which faces."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from fairage.auditing.groups import Floats, Groups, Units
from fairage.auditing.row_columns import number_values
from fairage.auditing.scoring import (
    AVERAGE_BIAS,
    MAE,
    MIN_ROWS,
    Score,
    bias_column,
    label_groups,
    score_errors,
)
from fairage.exceptions import DataError
from fairage.tables import (
    AGE,
    AGE_GROUP,
    IDENTITY,
    IMAGE,
    PREDICTION,
    SEED,
    attribute_names,
    group_labels,
)

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
        predictions: One predictions table a seed, all of the same faces. A column `identity`
            names the person of each row.
    """

    experiment: str
    version: str
    title: str
    description: str
    published: dict[str, float] | None
    predictions: tuple[pl.DataFrame, ...]


@dataclass(frozen=True)
class SuiteRuns:
    """Everything that a suite's tables and report are made from.

    Args:
        title: Heading of the report.
        versions: In the order of the tables.
        facts: What was run on what: name and value, in the order to print.
        references: Published points of others on the same faces.
        study: The study's own published points on the same faces.
        truth: What bias a generator put into synthetic faces; None for real ones.
        notes: Further sentences, such as which versions were left out.
        warnings: What is wrong with the faces, or does not allow all of a version.
        comparable: The published numbers were measured on these very faces. Always taken as
            false where `truth` is given.
        min_rows: Rows, or persons where they are known, that a group must have to take part.
    """

    title: str
    versions: tuple[VersionRuns, ...]
    facts: dict[str, str]
    references: tuple[Reference, ...] = ()
    study: tuple[Reference, ...] = ()
    truth: str | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    comparable: bool = True
    min_rows: int = MIN_ROWS

    @property
    def has_published_peers(self) -> bool:
        """Whether the study's numbers may stand beside these."""
        published = any(version.published for version in self.versions)
        return self.comparable and self.truth is None and published

    @property
    def face_sets(self) -> list[list[int]]:
        """The versions, by number, that were measured on the same faces, each set in order."""
        sets: list[list[int]] = []
        for number, version in enumerate(self.versions):
            same = (s for s in sets if _same_faces(self.versions[s[0]], version))
            match = next(same, None)
            if match is None:
                sets.append([number])
            else:
                match.append(number)
        return sets


def check_runs(runs: SuiteRuns) -> None:
    """Refuse a suite without runs, and a version whose seeds were measured on different faces.

    Raises:
        DataError: There is no version, a version without predictions, or one whose predictions
            tables hold different faces.
    """
    if not runs.versions or not all(version.predictions for version in runs.versions):
        raise DataError(
            "expected at least one version and one predictions table a version, got "
            f"{[(v.version, len(v.predictions)) for v in runs.versions]}, run the suite first"
        )
    for version in runs.versions:
        first = version.predictions[0]
        if not all(_same_rows(first, frame) for frame in version.predictions[1:]):
            raise DataError(
                f"expected the same faces for every seed of the version {version.version!r}, got "
                "others, remove its folder and run the suite again"
            )


def baseline_index(versions: Sequence[VersionRuns]) -> int:
    """Return the place of the version that others are held against: experiment 0, or the first."""
    places = (i for i, v in enumerate(versions) if v.experiment == BASELINE_EXPERIMENT)
    return next(places, 0)


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


def metric_columns(runs: SuiteRuns) -> list[str]:
    """Return `mae`, one bias an attribute that any version has, and `average_bias`."""
    frames = [version.predictions[0] for version in runs.versions]
    names = dict.fromkeys(name for frame in frames for name in attribute_names(frame))
    return [MAE, *map(bias_column, [*names, AGE_GROUP]), AVERAGE_BIAS]


def seeds_of(version: VersionRuns) -> list[int]:
    """Return the seed of each of a version's runs; its number where the table does not say."""
    return [
        int(frame[SEED][0]) if SEED in frame.columns else number
        for number, frame in enumerate(version.predictions)
    ]


def score_predictions(frame: pl.DataFrame, *, min_rows: int = MIN_ROWS) -> Score:
    """Return the score of one predictions table, its age groups included."""
    groups, persons = groups_of_rows(frame), persons_of(frame)
    return score_errors(signed_errors(frame), groups, min_rows=min_rows, units=persons)


def signed_errors(frame: pl.DataFrame) -> Floats:
    """Return estimate minus true age of each row, in years, shape `(n,)`."""
    errors = frame[PREDICTION].cast(pl.Float64) - frame[AGE].cast(pl.Float64)
    return errors.to_numpy().astype(np.float64)


def groups_of_rows(frame: pl.DataFrame) -> dict[str, Groups]:
    """Return the group of each row for each attribute; age groups are the last."""
    names = [*attribute_names(frame), AGE_GROUP]
    return {name: label_groups(group_labels(frame, name)) for name in names}


def persons_of(frame: pl.DataFrame) -> Units | None:
    """Return the person of each row; None where no identity is known.

    A row without an identity is a person of its own.

    Examples:
        >>> persons_of(pl.DataFrame({"identity": ["a", None, "a", None]})).count
        3
    """
    if IDENTITY not in frame.columns:
        return None
    codes, count = number_values(frame[IDENTITY], IDENTITY)
    alone = codes < 0
    if alone.all():
        return None
    codes = codes.copy()
    codes[alone] = count + np.arange(int(alone.sum()))
    return Units(codes, count + int(alone.sum()))


def _same_faces(version: VersionRuns, other: VersionRuns) -> bool:
    one, two = version.predictions[0], other.predictions[0]
    return _same_rows(one, two) and np.array_equal(
        group_labels(one, AGE_GROUP), group_labels(two, AGE_GROUP)
    )


def _same_rows(frame: pl.DataFrame, other: pl.DataFrame) -> bool:
    return frame[IMAGE].equals(other[IMAGE]) and frame[AGE].equals(other[AGE])
