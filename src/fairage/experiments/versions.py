"""Versions to run, each a recipe on its faces: what is missing is trained, then the tables."""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from fairage.exceptions import ConfigError, FairageError
from fairage.experiments.along import done_along
from fairage.experiments.data import EmbeddedFaces
from fairage.experiments.recipe import Recipe
from fairage.experiments.references import REFERENCES, is_challenge_test, study_points
from fairage.experiments.run_folder import PREDICTIONS, RUN, run_fingerprint
from fairage.experiments.runner import remove_scratch
from fairage.experiments.workers import Batch, Job, run_batches
from fairage.files import locked_folder, write_text
from fairage.progress import progress_bar
from fairage.report import SuiteRuns, VersionRuns, results_frame, suite_html, summary_frame
from fairage.seeding import numpy_rng
from fairage.table_files import write_table

__all__ = ["SUITE", "Plan", "SuiteOutcome", "Version", "run_plan"]

SUITE, RESULTS, SUMMARY, REPORT = "suite.json", "results.csv", "summary.csv", "report.html"
PERMUTATIONS = 1000


@dataclass(frozen=True)
class Version:
    """A recipe and the faces that it is trained and measured on."""

    recipe: Recipe
    data: EmbeddedFaces


@dataclass(frozen=True)
class Plan:
    """What is to be run and told.

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
    """

    folder: Path
    summary: pl.DataFrame
    new_runs: int
    left_out: dict[str, str]
    seconds: float
    copies: int = 0
    new_copies: int = 0


def run_plan(plan: Plan, out: Path) -> SuiteOutcome:
    """Run what is not there yet, then write results, summary and report.

    Every run has a folder of its own, which appears when the run is whole; an interrupted plan
    goes on where it stopped and ends with the same tables. A version with a run that fails is left
    out of them, and what is wrong with it raised when all else is written.

    Raises:
        ConfigError: `out` holds runs of other faces, backbones or recipes, another command is at
            work there, or the loss of a training stopped being a finite number.
        DataError: `out` cannot be written.
    """
    _check_names(plan)
    with locked_folder(out):
        return _run_locked(plan, out)


def _run_locked(plan: Plan, out: Path) -> SuiteOutcome:
    todo = [_missing(version, plan.seeds, out) for version in plan.versions]
    started = time.monotonic()
    failed = _train(done_along(todo), plan.workers)
    seconds = time.monotonic() - started
    plan = _without(plan, failed)
    runs = _suite_runs(plan, out)
    summary = summary_frame(runs, permutations=PERMUTATIONS, rng=numpy_rng(0, "noise floor"))
    write_table(results_frame(runs), out / RESULTS)
    write_table(summary, out / SUMMARY)
    write_text(out / SUITE, json.dumps(_told(plan), indent=2) + "\n")
    write_text(out / REPORT, suite_html(runs, summary))
    if failed:
        raise _told_at_last(list(failed.values()), out / REPORT)
    new = sum(len(batch.jobs) for batch in todo)
    return SuiteOutcome(out, summary, new, plan.left_out, seconds)


def _check_names(plan: Plan) -> None:
    slugs = [version.recipe.slug for version in plan.versions]
    twice = sorted({slug for slug in slugs if slugs.count(slug) > 1})
    if twice:
        raise ConfigError(f"expected a different name for each version, got {twice} twice, rename")


def _jobs(version: Version, seeds: int, out: Path) -> list[Job]:
    recipe = version.recipe
    return [Job(recipe, seed, out / recipe.slug / f"seed-{seed}") for seed in range(seeds)]


def _missing(version: Version, seeds: int, out: Path) -> Batch:
    """Return the version's runs that are not there."""
    jobs = _jobs(version, seeds, out)
    there = [job for job in jobs if (job.folder / RUN).is_file()]
    fingerprint = run_fingerprint(version.recipe, version.data) if there else ""
    for job in there:
        told = json.loads((job.folder / RUN).read_text(encoding="utf-8"))
        if told["fingerprint"] != fingerprint:
            raise ConfigError(
                f"expected in {str(job.folder)!r} a run of these faces, backbones and this recipe, "
                "got one of others, give another --out or remove the folder"
            )
        remove_scratch(job.folder)  # of a run that was killed when it was whole
    return Batch([job for job in jobs if job not in there], version.data)


def _train(batches: list[Batch], workers: int) -> dict[str, FairageError]:
    """Run what is to do, and return what is wrong with versions of which a run failed, by slug."""
    total = sum(1 + len(job.along) for batch in batches for job in batch.jobs)
    failed: dict[str, FairageError] = {}
    with (
        tempfile.TemporaryDirectory(prefix="fairage-") as scratch,
        progress_bar("training", total, unit="runs") as advance,
    ):
        for done in run_batches(batches, workers=workers, scratch=Path(scratch)):
            advance(1)
            if done.error is not None:
                failed.setdefault(done.job.recipe.slug, done.error)
    return failed


def _without(plan: Plan, failed: dict[str, FairageError]) -> Plan:
    """Return the plan without versions that failed; where none is left, raise what is wrong."""
    left = [version for version in plan.versions if version.recipe.slug not in failed]
    if not left:
        raise next(iter(failed.values()))
    told = {
        slug: f"A training failed, which left out its version: {e}" for slug, e in failed.items()
    }
    return replace(plan, versions=left, left_out=plan.left_out | told)


def _told_at_last(failed: Sequence[FairageError], report: Path) -> FairageError:
    told = "; ".join(map(str, failed))
    return type(failed[0])(f"{told}; the other versions are whole, their report is {str(report)!r}")


def _suite_runs(plan: Plan, out: Path) -> SuiteRuns:
    versions = tuple(
        VersionRuns(
            experiment=version.recipe.experiment,
            version=version.recipe.version,
            title=version.recipe.version,
            description=version.recipe.description,
            published=version.recipe.published,
            predictions=tuple(
                pl.read_parquet(job.folder / PREDICTIONS) for job in _jobs(version, plan.seeds, out)
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
    )


def _told(plan: Plan) -> dict[str, Any]:
    return {
        "title": plan.title,
        "facts": plan.facts,
        "backbones": plan.backbones,
        "recipes": [version.recipe.model_dump(mode="json") for version in plan.versions],
        "left_out": plan.left_out,
    }
