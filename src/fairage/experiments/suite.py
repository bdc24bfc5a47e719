"""A suite: many recipes and seeds on the same faces, one results table and one report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from fairage.datasets.copies import CopiedRows
from fairage.embeddings import BackboneSpec, Embeddings, embed, embed_copies
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.augmented import (
    Augmented,
    Copying,
    augmented_faces,
    copies_told,
    left_out_told,
)
from fairage.experiments.data import (
    EmbeddedFaces,
    embedded_extra,
    embedded_faces,
    missing_extra,
)
from fairage.experiments.fitting import check_fit
from fairage.experiments.recipe import Recipe
from fairage.experiments.recipe_augmentation import AugmentationChoice
from fairage.experiments.versions import SUITE, Plan, SuiteOutcome, Version, run_plan
from fairage.tables import Faces

__all__ = [
    "SUITE",
    "SuiteOutcome",
    "SuiteSettings",
    "backbone_title",
    "run_suite",
    "software",
]


@dataclass(frozen=True)
class SuiteSettings:
    """What a suite is run with.

    Args:
        title: Heading of the report.
        backbones: Whose embeddings are concatenated.
        store: Folder of the embedding store.
        seeds: Runs of each recipe, with the seeds 0, 1, ...
        workers: Processes that train.
        on_error: `"fail"` or `"skip"` for an image that cannot be read.
        leave_out: Leave out a recipe that does not fit the faces, and say so, instead of failing.
        truth: What a generator put into the faces, for the report.
        faces_name: How the report names the faces table.
        extra_faces: Further faces by name, which stages of recipes train on.
        detector: File of the face detector for aligned views; None for what the environment
            variable `FAIRAGE_DETECTOR` names.
    """

    title: str
    backbones: tuple[BackboneSpec, ...]
    store: Path
    seeds: int = 3
    workers: int = 1
    on_error: Literal["fail", "skip"] = "fail"
    leave_out: bool = False
    truth: str | None = None
    faces_name: str = ""
    extra_faces: Mapping[str, Faces] = field(default_factory=dict)
    detector: Path | None = None


def run_suite(
    recipes: Sequence[Recipe], faces: Faces, settings: SuiteSettings, out: Path
) -> SuiteOutcome:
    """Run what is not there yet, then write results, summary and report; see `run_plan`.

    Raises:
        ConfigError: `out` holds runs of other faces, backbones or recipes.
        DataError: A recipe does not fit the faces, unless it is to be left out.
    """
    recipes, left_out = _handed_over(recipes, settings)
    augmented = _embedded(recipes, faces, settings)
    data = augmented.data
    fitting, not_fitting = _fitting(augmented, leave_out=settings.leave_out)
    left_out |= not_fitting
    plan = Plan(
        title=settings.title,
        versions=[Version(recipe, data) for recipe in fitting],
        seeds=settings.seeds,
        workers=settings.workers,
        facts=_facts(data, settings),
        backbones=data.backbones,
        left_out=left_out,
        notes=(*_notes(fitting), *copies_told(fitting, data)),
        truth=settings.truth,
    )
    n = sum(map(len, data.copies.values()))
    return replace(run_plan(plan, out), copies=n, new_copies=augmented.new)


def backbone_title(backbone: dict[str, Any]) -> str:
    """Return how reports name a backbone, from its description.

    Examples:
        >>> backbone_title({"name": "models/mobilenet", "view": "whole", "flip": True})
        'mobilenet (whole, averaged with its mirror image)'
    """
    flip = ", averaged with its mirror image" if backbone.get("flip") else ""
    return f"{Path(str(backbone['name'])).name} ({backbone['view']}{flip})"


def software() -> str:
    """Return the versions of what trains."""
    return f"fairage {version('fairage')}, torch {version('torch')}"


def _embedded(recipes: Sequence[Recipe], faces: Faces, settings: SuiteSettings) -> Augmented:
    """Embed the faces, the extra faces and the copies that the recipes train on."""
    wanted = {name for recipe in recipes for name in recipe.extra_names}
    extras = {
        name: embedded_extra(extra, _embed(extra, settings))
        for name, extra in settings.extra_faces.items()
        if name in wanted
    }
    data = embedded_faces(faces, _embed(faces, settings), extras)
    copying = Copying(faces.root, partial(_embed_copies, settings), leave_out=settings.leave_out)
    return augmented_faces(recipes, data, copying)


def _embed(faces: Faces, settings: SuiteSettings) -> Embeddings:
    return embed(
        faces,
        settings.backbones,
        store=settings.store,
        detector=settings.detector,
        on_error=settings.on_error,
    )


def _embed_copies(
    settings: SuiteSettings, train: Faces, copied: CopiedRows, choice: AugmentationChoice
) -> Embeddings:
    return embed_copies(
        train,
        copied,
        choice.augmentation(),
        settings.backbones,
        store=settings.store,
        seed=choice.seed,
        detector=settings.detector,
        on_error=settings.on_error,
    )


def _handed_over(
    recipes: Sequence[Recipe], settings: SuiteSettings
) -> tuple[list[Recipe], dict[str, str]]:
    """Leave out recipes whose extra faces were not handed over, before anything is embedded."""
    wanted = {name for recipe in recipes for name in recipe.extra_names}
    unused = sorted(set(settings.extra_faces) - wanted)
    if unused and not settings.leave_out:
        raise ConfigError(
            f"expected --extra-faces for what the recipes' stages name, {sorted(wanted)}, got "
            f"{unused} as well, correct the name or leave it out"
        )
    left_out = {}
    for recipe in recipes:
        for name in set(recipe.extra_names) - set(settings.extra_faces):
            reason = missing_extra(name, settings.extra_faces)
            if not settings.leave_out:
                raise DataError(reason)
            left_out[recipe.slug] = left_out_told(recipe, reason)
    return [recipe for recipe in recipes if recipe.slug not in left_out], left_out


def _fitting(augmented: Augmented, *, leave_out: bool) -> tuple[list[Recipe], dict[str, str]]:
    """Split the recipes into those that these faces allow and the others."""
    fitting, left_out = [], dict(augmented.left_out)
    for recipe in augmented.recipes:
        try:
            check_fit(recipe, augmented.data)
        except (ConfigError, DataError) as error:
            if not leave_out:
                raise
            left_out[recipe.slug] = left_out_told(recipe, error)
        else:
            fitting.append(recipe)
    if not fitting:
        raise DataError(
            "expected a recipe that fits the faces, got none: " + "; ".join(left_out.values())
        )
    return fitting, left_out


def _notes(recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """Say which versions saw more than the faces table."""
    return tuple(
        f"{recipe.version} was trained on the extra faces {', '.join(recipe.extra_names)} as well."
        for recipe in recipes
        if recipe.extra_names
    )


def _facts(data: EmbeddedFaces, settings: SuiteSettings) -> dict[str, str]:
    return {
        "Faces table": settings.faces_name,
        "Faces": _rows(data),
        **{f"Extra faces {name}": _rows(extra) for name, extra in data.extras.items()},
        "Backbones": ", ".join(map(backbone_title, data.backbones)),
        "Width of the embedding": str(data.embeddings.shape[1]),
        "Seeds": str(settings.seeds),
        "Versions of software": software(),
    }


def _rows(data: EmbeddedFaces) -> str:
    return ", ".join(f"{split} {n}" for split, n in data.counts.items() if n)
