"""Backbones compared: each alone, and all together, with one recipe on one faces table or more."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from fairage.auditing.scoring import MIN_ROWS
from fairage.embeddings import BackboneSpec
from fairage.exceptions import ConfigError, FairageError
from fairage.experiments.embedded_faces import Embedder, handed_over
from fairage.experiments.fitting import check_fit
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.plan import Plan, SuiteOutcome, Version, notes_told
from fairage.experiments.recipe import Recipe, with_min_rows
from fairage.experiments.suite import backbone_title, rows_told, run_plan, software
from fairage.tables import Faces

__all__ = ["BackbonesSettings", "compare_backbones", "version_names"]

EXPERIMENT, TOGETHER = "backbones", "all together"


@dataclass(frozen=True)
class BackbonesSettings:
    """What is compared, and how.

    Args:
        backbones: Each is a version.
        store: Folder of the embedding store.
        concatenated: Add a version with the embeddings of all backbones side by side.
        seeds: Runs of each version, with the seeds 0, 1, ...
        workers: Processes that train.
        on_error: `"fail"` or `"skip"` for an image that cannot be read.
        detector: File of the face detector for aligned views; None for what the environment
            variable `FAIRAGE_DETECTOR` names.
        extra_faces: Further faces by name, which stages of the recipe train on.
        min_rows: Faces (persons, where they are known) that a group must have to take part in
            biases, averages and the choice of an epoch.
    """

    backbones: tuple[BackboneSpec, ...]
    store: Path
    concatenated: bool = False
    seeds: int = 3
    workers: int = 1
    on_error: Literal["fail", "skip"] = "fail"
    detector: Path | None = None
    extra_faces: Mapping[str, Faces] = field(default_factory=dict)
    min_rows: int = MIN_ROWS


def compare_backbones(
    recipe: Recipe, tables: Mapping[str, Faces], settings: BackbonesSettings, out: Path
) -> SuiteOutcome:
    """Run the recipe on every backbone and faces table; see `run_plan`.

    Args:
        recipe: How each model is trained.
        tables: Faces tables by name, one or more.
        settings: What is compared.
        out: Folder for results and report.

    Raises:
        ConfigError: As of `run_plan`, or a backbone is given twice, or the recipe copies a group
            that is not there.
        DataError: As of `run_plan`, or the recipe does not fit a faces table, or its extra faces
            are missing.
    """
    recipe = with_min_rows(recipe, settings.min_rows)
    handed_over([recipe], settings.extra_faces)
    found = _embedded(recipe, tables, settings)
    plan = Plan(
        title="Backbones compared",
        versions=found.versions,
        seeds=settings.seeds,
        workers=settings.workers,
        facts=_facts(recipe, tables, found.versions, settings),
        backbones={version.recipe.slug: version.data.backbones for version in found.versions},
        notes=_notes(found.versions),
        min_rows=settings.min_rows,
    )
    copies = sum(len(c) for version in found.versions for c in version.data.copies.values())
    return replace(run_plan(plan, out), copies=copies, new_copies=found.new_copies)


def version_names(backbones: Sequence[BackboneSpec]) -> list[str]:
    """Return a short name for each backbone, all different.

    Examples:
        >>> texts = ["models/mobilenet", "models/facenet@crop:0.7", "facebook/dinov2-small"]
        >>> version_names([BackboneSpec.parse(text) for text in texts])
        ['mobilenet', 'facenet crop 0.7', 'dinov2-small']
    """
    short = [_short(Path(spec.name).name, spec) for spec in backbones]
    long = [_short(spec.name, spec) for spec in backbones]
    names = [s if short.count(s) == 1 else n for s, n in zip(short, long, strict=True)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"expected different backbones, got {twice} twice, name each once")
    return names


def _short(name: str, spec: BackboneSpec) -> str:
    """Join name and view with the characters alone that a version may have."""
    view = "" if spec.view == "whole" else f" {spec.view}"
    return re.sub(r"[^\w .+-]+", " ", f"{name}{view}").strip()


def _choices(settings: BackbonesSettings) -> dict[str, tuple[BackboneSpec, ...]]:
    names = version_names(settings.backbones)
    found: dict[str, tuple[BackboneSpec, ...]] = {
        name: (spec,) for name, spec in zip(names, settings.backbones, strict=True)
    }
    if settings.concatenated:
        if len(found) < 2:
            raise ConfigError(
                f"expected two backbones or more to concatenate, got {names}, give another "
                "--backbone or leave out --concatenated"
            )
        found[TOGETHER] = settings.backbones
    return found


@dataclass(frozen=True)
class _Embedded:
    """The versions, and how many augmented copies were embedded for them now."""

    versions: list[Version]
    new_copies: int


def _embedded(
    recipe: Recipe, tables: Mapping[str, Faces], settings: BackbonesSettings
) -> _Embedded:
    """Embed every table with every choice of backbones, with the extra faces and copies."""
    choices = _choices(settings)
    versions, new = [], 0
    for table, faces in tables.items():
        experiment = table if len(tables) > 1 else EXPERIMENT
        for name, backbones in choices.items():
            embedder = Embedder(backbones, settings.store, settings.on_error, settings.detector)
            found = embedder.embedded([recipe], faces, settings.extra_faces)
            own = _named(recipe, experiment, name, found.data)
            try:
                check_fit(own, found.data)
            except FairageError as error:
                raise error.at(f"{experiment}, {name}") from error
            versions.append(Version(own, found.data))
            new += found.new
    return _Embedded(versions, new)


def _notes(versions: Sequence[Version]) -> tuple[str, ...]:
    """Say for each table which versions saw more than it, and what it cannot measure."""
    notes = []
    experiments = list(dict.fromkeys(version.recipe.experiment for version in versions))
    for experiment in experiments:
        own = [version for version in versions if version.recipe.experiment == experiment]
        told = notes_told([version.recipe for version in own], own[0].data)
        where = f"{experiment}: " if len(experiments) > 1 else ""
        notes += [f"{where}{sentence}" for sentence in told]
    return tuple(notes)


def _named(recipe: Recipe, experiment: str, name: str, data: EmbeddedFaces) -> Recipe:
    """Return the recipe as a version; what was published for it is another backbone's."""
    titles = " and ".join(map(backbone_title, data.backbones))
    told = f"{recipe.version} on {titles}, {data.embeddings.shape[1]} numbers a face."
    named = {"experiment": experiment, "version": name, "description": told, "published": None}
    return recipe.model_copy(update=named)


def _facts(
    recipe: Recipe,
    tables: Mapping[str, Faces],
    versions: Sequence[Version],
    settings: BackbonesSettings,
) -> dict[str, str]:
    per_table = len(versions) // len(tables)
    rows = {
        f"Faces of {table}": ", ".join(f"{split} {n}" for split, n in version.data.counts.items())
        for table, version in zip(tables, versions[::per_table], strict=True)
    }
    extras = {
        f"Extra faces {name}": rows_told(extra) for name, extra in versions[0].data.extras.items()
    }
    return {
        "Recipe": f"{recipe.version}: {recipe.description}"
        if recipe.description
        else recipe.version,
        **rows,
        **extras,
        "Seeds": str(settings.seeds),
        "Versions of software": software(),
    }
