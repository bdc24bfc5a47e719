"""A suite: many recipes and seeds on the same faces, one results table and one report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from fairage.auditing.scoring import MIN_ROWS
from fairage.embeddings import BackboneSpec
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.augmented import Augmented, left_out_told
from fairage.experiments.data import EmbeddedFaces
from fairage.experiments.embedder import Embedder, handed_over
from fairage.experiments.fitting import check_fit
from fairage.experiments.notes import notes_told, unused_told
from fairage.experiments.plan import Plan, SuiteOutcome, Version
from fairage.experiments.recipe import Recipe
from fairage.experiments.recipe_model import with_min_rows
from fairage.experiments.versions import SUITE, run_plan
from fairage.tables import Faces

__all__ = [
    "SUITE",
    "SuiteOutcome",
    "SuiteSettings",
    "backbone_title",
    "rows_told",
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
        min_rows: Faces (persons, where they are known) that a group must have to take part in
            biases, averages and the choice of an epoch.
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
    min_rows: int = MIN_ROWS


def run_suite(
    recipes: Sequence[Recipe], faces: Faces, settings: SuiteSettings, out: Path
) -> SuiteOutcome:
    """Run what is not there yet, then write results, summary and report; see `run_plan`.

    Raises:
        ConfigError: As of `run_plan`.
        DataError: As of `run_plan`, or a recipe does not fit the faces and is not to be left out.
    """
    extra_faces, leave_out = settings.extra_faces, settings.leave_out
    recipes = [with_min_rows(recipe, settings.min_rows) for recipe in recipes]
    recipes, left_out = handed_over(recipes, extra_faces, leave_out=leave_out)
    embedder = Embedder(settings.backbones, settings.store, settings.on_error, settings.detector)
    augmented = embedder.embedded(recipes, faces, extra_faces, leave_out=leave_out)
    data = augmented.data
    fitting, left_out = _fitting(augmented, left_out, leave_out=leave_out)
    plan = Plan(
        title=settings.title,
        versions=[Version(recipe, data) for recipe in fitting],
        seeds=settings.seeds,
        workers=settings.workers,
        facts=_facts(data, settings),
        backbones=data.backbones,
        left_out=left_out,
        notes=(*notes_told(fitting, data), *unused_told(fitting, extra_faces)),
        truth=settings.truth,
        min_rows=settings.min_rows,
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


def rows_told(data: EmbeddedFaces) -> str:
    """Return how reports tell the rows of each split that is there: `train 60, valid 20`."""
    return ", ".join(f"{split} {n}" for split, n in data.counts.items() if n)


def _fitting(
    augmented: Augmented, left_out: dict[str, str], *, leave_out: bool
) -> tuple[list[Recipe], dict[str, str]]:
    """Return the recipes that these faces allow, and sentences on all that are left out."""
    fitting, left_out = [], left_out | augmented.left_out
    for recipe in augmented.recipes:
        try:
            check_fit(recipe, augmented.data)
        except (ConfigError, DataError) as error:
            if not leave_out:
                raise error.at(recipe.version) from error
            left_out[recipe.slug] = left_out_told(recipe, error)
        else:
            fitting.append(recipe)
    if not fitting:
        raise DataError(
            "expected a recipe that fits the faces, got none: " + "; ".join(left_out.values())
        )
    return fitting, left_out


def _facts(data: EmbeddedFaces, settings: SuiteSettings) -> dict[str, str]:
    return {
        "Faces table": settings.faces_name,
        "Faces": rows_told(data),
        **{f"Extra faces {name}": rows_told(extra) for name, extra in data.extras.items()},
        "Backbones": ", ".join(map(backbone_title, data.backbones)),
        "Width of the embedding": str(data.embeddings.shape[1]),
        "Seeds": str(settings.seeds),
        "Versions of software": software(),
    }
