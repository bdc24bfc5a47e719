"""What a suite runs, with which options, and what reports say of it beside its numbers."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from fairage._text import joined
from fairage.age_groups import AgeGroups
from fairage.auditing.scoring import MIN_ROWS, group_biases, label_groups
from fairage.auditing.suite_runs import Reference
from fairage.datasets.table_warnings import leak_warnings, table_warnings
from fairage.embeddings import EmbedOptions
from fairage.exceptions import FairageError
from fairage.experiments.embedded_faces import copies_sentences
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.recipe import Recipe
from fairage.experiments.recipe_files import shipped_recipes
from fairage.experiments.schedule import Done
from fairage.tables import AGE, SPLITS, Faces
from fairage.training import Selection
from fairage.training.selection import no_bias_note


@dataclass(frozen=True)
class RunOptions:
    """How recipes are run.

    Args:
        embedding: How faces are embedded, and by which backbones.
        seeds: Runs of each recipe, with the seeds 0, 1, ...
        workers: Processes that train.
        min_rows: Faces (persons, where they are known) that a group must have to take part in
            biases, averages and the choice of an epoch.
        extra_faces: Further faces by name, which stages of recipes train on.
        age_groups: Groups of the true age; where None are given, those of the faces.
    """

    embedding: EmbedOptions
    seeds: int = 3
    workers: int = 1
    min_rows: int = MIN_ROWS
    extra_faces: Mapping[str, Faces] = field(default_factory=dict)
    age_groups: AgeGroups | None = None

    def grouped(self, faces: Faces) -> Faces:
        """Return the faces with the age groups of these options, where they name any."""
        return faces if self.age_groups is None else faces.regrouped(self.age_groups)


def notes_on(recipes: Sequence[Recipe], data: EmbeddedFaces) -> tuple[str, ...]:
    """Return all sentences on versions that were trained on these faces."""
    return (
        *extras_sentences(recipes),
        *tuned_sentences(recipes),
        *copies_sentences(recipes, data),
        *blind_sentences(recipes, data),
    )


def data_warnings(
    data: EmbeddedFaces, min_rows: int, splits: Sequence[str] = SPLITS
) -> tuple[str, ...]:
    """Return what is wrong with embedded faces, or too few for what is asked of them."""
    trained_on = [extra.split(SPLITS[0]).pictures for extra in data.extras.values()]
    return (
        *leak_warnings(data.frame, data.pictures, trained_on),
        *table_warnings(data.frame, min_rows=min_rows, splits=splits),
    )


def fit_warnings(by_version: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return what the faces do not allow of some versions, a sentence for all that share it.

    Examples:
        >>> fit_warnings({"gap": ["no race"], "variance": ["no race"]})
        ('gap and variance: no race.',)
    """
    versions: dict[str, list[str]] = {}
    for version, sentences in by_version.items():
        for sentence in sentences:
            versions.setdefault(sentence, []).append(version)
    return tuple(f"{joined(names)}: {sentence}." for sentence, names in versions.items())


def extras_sentences(recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """Return a sentence on each version that saw more than the faces table."""
    return tuple(
        f"{recipe.version} was trained on the extra faces {', '.join(recipe.extra_names)} as well."
        for recipe in recipes
        if recipe.extra_names
    )


def unused_sentences(recipes: Sequence[Recipe], extra_faces: Iterable[str]) -> tuple[str, ...]:
    """Return a sentence on each extra faces table that no version was trained on."""
    used = {name for recipe in recipes for name in recipe.extra_names}
    return tuple(
        f"No version was trained on the extra faces {name}, which were handed over."
        for name in extra_faces
        if name not in used
    )


def tuned_sentences(recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """Return a sentence on each version that trained the backbone along with the head."""
    return tuple(
        f"{recipe.version} trained the first backbone as well: "
        + ", ".join(f"{stage.train} in {stage.name}" for stage in recipe.backbone_stages)
        + "."
        for recipe in recipes
        if recipe.backbone_stages
    )


def blind_sentences(recipes: Sequence[Recipe], data: EmbeddedFaces) -> tuple[str, ...]:
    """Return a sentence on versions that were to take the fairest epoch and saw no bias."""
    groups = {name: label_groups(labels) for name, labels in data.split("valid").labels().items()}
    nothing = np.zeros(data.counts["valid"])

    def blind(select: Selection | None) -> bool:
        if select is None or not select.sees_biases:
            return False
        members = group_biases(nothing, groups, min_rows=select.least_rows)
        return all(math.isnan(own.bias) for own in members.values())

    names = [
        recipe.version
        for recipe in recipes
        if blind(recipe.select) or any(blind(stage.select) for stage in recipe.stages)
    ]
    if not names:
        return ()
    rows = next(r.select.least_rows for r in recipes if r.version == names[0])
    return (f"{', '.join(names)}: {no_bias_note(rows)}",)


@dataclass(frozen=True)
class Version:
    """A recipe and the faces that it is trained and measured on."""

    recipe: Recipe
    data: EmbeddedFaces


@dataclass(frozen=True)
class Plan:
    """What is to be run, and what its report says of it.

    Args:
        title: Heading of the report.
        versions: In the order of the tables; their recipes have different names.
        seeds: Runs of each version, with the seeds 0, 1, ...
        workers: Processes that train.
        facts: What is run on what, for the report.
        backbones: Descriptions of the backbones, for `suite.json`.
        left_out: A sentence on each version that is not run, by its recipe's `slug`.
        truth: What a generator put into the faces, for the report.
        notes: Further sentences for the report.
        warnings: What is wrong with the faces, or does not allow all of a version.
        min_rows: Faces (persons, where they are known) that a group must have to take part.
    """

    title: str
    versions: Sequence[Version]
    seeds: int
    workers: int
    facts: dict[str, str]
    backbones: Any
    left_out: dict[str, str] = field(default_factory=dict)
    truth: str | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    min_rows: int = MIN_ROWS


@dataclass(frozen=True)
class SuiteOutcome:
    """Where a suite wrote what, and how much of it was new.

    Args:
        folder: Holds `results.csv`, `summary.csv`, `report.html` and a folder a version.
        summary: One row a version, as in `summary.csv`.
        new_runs: Runs that were trained now; the others were there already.
        left_out: A sentence on each recipe that does not fit the faces, by its `slug`.
        seconds: Time of training alone.
        copies: Augmented copies that were trained on.
        new_copies: Those of them that were embedded now.
        warnings: What is wrong with the faces, or does not allow all of a version.
    """

    folder: Path
    summary: pl.DataFrame
    new_runs: int
    left_out: dict[str, str]
    seconds: float
    copies: int = 0
    new_copies: int = 0
    warnings: tuple[str, ...] = ()


REFERENCES = (Reference("FaRL ViT-B/16 (CVPR 2024 benchmark)", mae=3.4325, average_bias=0.763),)

STUDY = "published"
"""The suite whose recipes hold what the study published."""

_ROWS, _MEAN_AGE = 1978, 33.0873


def is_challenge_test(test: pl.DataFrame) -> bool:
    """Return whether these are APPA-REAL's test faces with their apparent ages.

    Only there may the study's numbers and the references stand beside ours.
    """
    mean = test[AGE].mean()
    return test.height == _ROWS and isinstance(mean, float) and abs(mean - _MEAN_AGE) < 1e-3


def study_points() -> tuple[Reference, ...]:
    """Return the study's results of every version, in the order of its table.

    Examples:
        >>> [point.average_bias for point in study_points()][:2]
        [0.9256, 0.78]
    """
    rows = [(recipe.version, recipe.published) for recipe in shipped_recipes(STUDY)]
    return tuple(
        Reference(name, mae=row["mae"], average_bias=row["average_bias"])
        for name, row in rows
        if row
    )


def failures_of(plan: Plan, ended: Sequence[Done]) -> dict[str, FairageError]:
    """Return what is wrong with the first seed that failed of each version, by slug, in order."""
    failed = sorted((done for done in ended if done.error), key=lambda done: done.job.seed)
    first: dict[str, FairageError] = {}
    for version in plan.versions:
        slug = version.recipe.slug
        errors = (done.error for done in failed if done.job.recipe.slug == slug)
        error = next(errors, None)
        if error is not None:
            first[slug] = error
    return first


def without(plan: Plan, failed: Mapping[str, FairageError]) -> Plan:
    """Return the plan without versions that failed; where none is left, raise what is wrong."""
    left = [version for version in plan.versions if version.recipe.slug not in failed]
    if not left:
        raise next(iter(failed.values()))
    sentences = {
        slug: f"A training failed, which left out its version: {error}"
        for slug, error in failed.items()
    }
    return replace(plan, versions=left, left_out=plan.left_out | sentences)


def failures_summary(failed: Mapping[str, FairageError], report: Path) -> FairageError:
    """Return the one error that tells what is wrong with all versions that failed."""
    errors = list(failed.values())
    whole = f"the other versions are whole, their report is {str(report)!r}"
    return type(errors[0])(f"{'; '.join(map(str, errors))}; {whole}")
