"""Backbones compared: each alone, and all together, with one recipe on one faces table or more."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fairage.embeddings import BackboneSpec, embed
from fairage.exceptions import ConfigError
from fairage.experiments.data import EmbeddedFaces, embedded_faces
from fairage.experiments.fitting import check_fit
from fairage.experiments.recipe import Recipe
from fairage.experiments.suite import backbone_title, software
from fairage.experiments.versions import Plan, SuiteOutcome, Version, run_plan
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
    """

    backbones: tuple[BackboneSpec, ...]
    store: Path
    concatenated: bool = False
    seeds: int = 3
    workers: int = 1
    on_error: Literal["fail", "skip"] = "fail"
    detector: Path | None = None


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
        ConfigError: A backbone is given twice, or `out` holds other runs.
        DataError: The recipe does not fit a faces table.
    """
    choices = _choices(settings)
    versions = []
    for table, faces in tables.items():
        experiment = table if len(tables) > 1 else EXPERIMENT
        for name, backbones in choices.items():
            data = _embed(faces, backbones, settings)
            own = _named(recipe, experiment, name, data)
            check_fit(own, data)
            versions.append(Version(own, data))
    plan = Plan(
        title="Backbones compared",
        versions=versions,
        seeds=settings.seeds,
        workers=settings.workers,
        facts=_facts(recipe, tables, versions, settings),
        backbones={version.recipe.slug: version.data.backbones for version in versions},
    )
    return run_plan(plan, out)


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


def _embed(
    faces: Faces, backbones: tuple[BackboneSpec, ...], settings: BackbonesSettings
) -> EmbeddedFaces:
    found = embed(
        faces,
        backbones,
        store=settings.store,
        detector=settings.detector,
        on_error=settings.on_error,
    )
    return embedded_faces(faces, found)


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
    return {
        "Recipe": f"{recipe.version}: {recipe.description}"
        if recipe.description
        else recipe.version,
        **rows,
        "Seeds": str(settings.seeds),
        "Versions of software": software(),
    }
