"""Versions to run, each a recipe on its faces: what is missing is trained, then the tables."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from fairage._files import locked_folder, write_text
from fairage._tables_io import read_table, write_table
from fairage._work import progress_bar
from fairage.auditing.suite_runs import SuiteRuns, VersionRuns
from fairage.auditing.suite_statistics import suite_statistics
from fairage.auditing.suite_summary import results_frame, summary_frame
from fairage.exceptions import ConfigError
from fairage.experiments.along import done_along
from fairage.experiments.failures import failures_of, told_at_last, without
from fairage.experiments.plan import Plan, SuiteOutcome, Version
from fairage.experiments.references import REFERENCES, is_challenge_test, study_points
from fairage.experiments.run_folder import PREDICTIONS, RUN, run_fingerprint
from fairage.experiments.runner import remove_scratch
from fairage.experiments.workers import Batch, Done, Job, run_batches
from fairage.reports.suite_page import suite_html

__all__ = ["SUITE", "run_plan"]

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
