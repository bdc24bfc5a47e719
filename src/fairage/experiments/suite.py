"""A suite: many recipes and seeds on the same faces, one results table and one report."""

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from fairage._files import locked_folder, write_text
from fairage._tables_io import read_table, write_table
from fairage._work import progress_bar
from fairage.auditing.scoring import MIN_ROWS
from fairage.auditing.suite_runs import SuiteRuns, VersionRuns
from fairage.auditing.suite_statistics import results_frame, suite_statistics, summary_frame
from fairage.embeddings import BackboneSpec
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.embedded_faces import Augmented, Embedder, handed_over, left_out_told
from fairage.experiments.fitting import check_fit
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.plan import (
    REFERENCES,
    Plan,
    SuiteOutcome,
    Version,
    failures_of,
    is_challenge_test,
    notes_told,
    study_points,
    told_at_last,
    unused_told,
    without,
)
from fairage.experiments.recipe import Recipe, with_min_rows
from fairage.experiments.runner import PREDICTIONS, RUN, remove_scratch, run_fingerprint
from fairage.experiments.schedule import Batch, Done, Job, done_along, run_batches
from fairage.reports.suite_page import suite_html
from fairage.tables import Faces

__all__ = [
    "SUITE",
    "SuiteOutcome",
    "SuiteSettings",
    "backbone_title",
    "rows_told",
    "run_plan",
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


SUITE, RESULTS, SUMMARY, REPORT = "suite.json", "results.csv", "summary.csv", "report.html"


def run_plan(plan: Plan, out: Path) -> SuiteOutcome:
    """Run what is not there yet, then write results, summary and report.

    Every run has a folder of its own, which appears when the run is whole; an interrupted plan
    goes on where it stopped and ends with the same tables. A version with a run that fails is left
    out of them, and what is wrong with it raised when all else is written.

    Raises:
        ConfigError: `out` holds runs of other faces, backbones or recipes, or another command is
            at work there; or the loss of a training stopped being a finite number, or it does not
            fit the memory of the GPU.
        DataError: `out` cannot be written, or an image cannot be read while the backbone trains.
    """
    _check_names(plan)
    with locked_folder(out):
        return _run_locked(plan, out)


def _run_locked(plan: Plan, out: Path) -> SuiteOutcome:
    todo = [_missing(version, plan, out) for version in plan.versions]
    started = time.monotonic()
    ended = _train(done_along(todo), plan.workers)
    seconds = time.monotonic() - started
    failed = failures_of(plan, ended)
    plan = without(plan, failed)
    statistics = suite_statistics(_suite_runs(plan, out))
    summary = summary_frame(statistics)
    write_table(results_frame(statistics), out / RESULTS)
    write_table(summary, out / SUMMARY)
    write_text(out / SUITE, json.dumps(_description(plan), indent=2) + "\n")
    write_text(out / REPORT, suite_html(statistics))
    if failed:
        raise told_at_last(failed, out / REPORT)
    return SuiteOutcome(out, summary, len(ended), plan.left_out, seconds)


def _check_names(plan: Plan) -> None:
    slugs = [version.recipe.slug for version in plan.versions]
    twice = sorted({slug for slug in slugs if slugs.count(slug) > 1})
    if twice:
        raise ConfigError(f"expected a different name for each version, got {twice} twice, rename")


def _jobs(version: Version, plan: Plan, out: Path) -> list[Job]:
    recipe = version.recipe
    return [
        Job(recipe, seed, out / recipe.slug / f"seed-{seed}", min_rows=plan.min_rows)
        for seed in range(plan.seeds)
    ]


def _missing(version: Version, plan: Plan, out: Path) -> Batch:
    """Return the version's runs that are not there."""
    jobs = _jobs(version, plan, out)
    there = [job for job in jobs if (job.folder / RUN).is_file()]
    fingerprint = run_fingerprint(version.recipe, version.data) if there else ""
    for job in there:
        written = json.loads((job.folder / RUN).read_text(encoding="utf-8"))
        if written["fingerprint"] != fingerprint:
            raise ConfigError(
                f"expected in {str(job.folder)!r} a run of these faces, backbones and this recipe, "
                "got one of others, give another --out or remove the folder"
            )
        remove_scratch(job.folder)  # of a run that was killed when it was whole
    return Batch([job for job in jobs if job not in there], version.data)


def _train(batches: list[Batch], workers: int) -> list[Done]:
    total = sum(1 + len(job.along) for batch in batches for job in batch.jobs)
    ended = []
    with (
        tempfile.TemporaryDirectory(prefix="fairage-") as scratch,
        progress_bar("training", total, unit="runs") as advance,
    ):
        for done in run_batches(batches, workers=workers, scratch=Path(scratch)):
            ended.append(done)
            advance(1)
    return ended


def _suite_runs(plan: Plan, out: Path) -> SuiteRuns:
    versions = tuple(
        VersionRuns(
            experiment=version.recipe.experiment,
            version=version.recipe.version,
            title=version.recipe.version,
            description=version.recipe.description,
            published=version.recipe.published,
            predictions=tuple(
                read_table(job.folder / PREDICTIONS) for job in _jobs(version, plan, out)
            ),
        )
        for version in plan.versions
    )
    comparable = all(is_challenge_test(version.predictions[0]) for version in versions)
    return SuiteRuns(
        title=plan.title,
        versions=versions,
        facts=plan.facts,
        references=REFERENCES if comparable else (),
        study=study_points() if comparable else (),
        comparable=comparable,
        truth=plan.truth,
        notes=(*plan.notes, *plan.left_out.values()),
        min_rows=plan.min_rows,
    )


def _description(plan: Plan) -> dict[str, Any]:
    return {
        "title": plan.title,
        "facts": plan.facts,
        "backbones": plan.backbones,
        "recipes": [version.recipe.model_dump(mode="json") for version in plan.versions],
        "left_out": plan.left_out,
        "min_rows": plan.min_rows,
    }
