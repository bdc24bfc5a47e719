"""A suite: many recipes and seeds on the same faces, one results table and one report."""

import json
import re
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fairage._files import sealed, settle_folder, write_text
from fairage._locks import locked_folder, scratch_folder
from fairage._partial_files import partial_files
from fairage._tables_io import write_table
from fairage._work import progress_bar, tell
from fairage.age_groups import AgeGroups
from fairage.auditing.suite_runs import SuiteRuns, VersionRuns
from fairage.auditing.suite_statistics import results_frame, suite_statistics, summary_frame
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.earlier import EarlierVersions, VersionFolders, earlier_versions
from fairage.experiments.embedded_faces import (
    EmbeddedInputs,
    embed_inputs,
    left_out_sentence,
    with_extra_faces,
)
from fairage.experiments.fitting import check_fit
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.plan import (
    REFERENCES,
    Plan,
    RunOptions,
    SuiteOutcome,
    Version,
    data_warnings,
    failures_of,
    failures_summary,
    fit_warnings,
    is_challenge_test,
    notes_on,
    study_points,
    unused_sentences,
    without,
)
from fairage.experiments.recipe import Recipe
from fairage.experiments.runner import (
    PREDICTIONS,
    damage_of,
    remove_scratch,
    run_fingerprint,
    run_of,
)
from fairage.experiments.schedule import Batch, Done, Job, run_batches, runs_by_ensembles
from fairage.faces_file import read_predictions
from fairage.reports.suite_page import suite_html
from fairage.tables import Faces


def run_suite(
    recipes: Sequence[Recipe],
    faces: Faces,
    options: RunOptions,
    out: Path,
    *,
    title: str = "Recipes compared",
    faces_name: str = "",
    truth: str | None = None,
    leave_out: bool = False,
) -> SuiteOutcome:
    """Run what is not there yet, then write results, summary and report; see `run_plan`.

    Args:
        recipes: One version each.
        faces: Faces table with the splits train, valid and test.
        options: Backbones, seeds, processes, extra faces.
        out: Folder for results, report and models.
        title: Heading of the report.
        faces_name: How the report names the faces table.
        truth: What a generator put into the faces, for the report.
        leave_out: Leave out a recipe that does not fit the faces, and say so, instead of failing.

    Raises:
        ConfigError: As of `run_plan`.
        DataError: As of `run_plan`, or a recipe does not fit the faces and is not to be left out.
    """
    extra_faces = options.extra_faces
    recipes = [recipe.with_min_rows(options.min_rows) for recipe in recipes]
    recipes, left_out = with_extra_faces(recipes, extra_faces, leave_out=leave_out)
    faces = options.grouped(faces)
    inputs = embed_inputs(recipes, faces, options.embedding, extra_faces, leave_out=leave_out)
    data = inputs.data
    fitting, left_out, warnings = _fitting(inputs, left_out, leave_out=leave_out)
    plan = Plan(
        title=title,
        versions=[Version(recipe, data) for recipe in fitting],
        seeds=options.seeds,
        workers=options.workers,
        facts=_facts(data, faces_name, options),
        backbones=data.backbones,
        left_out=left_out,
        notes=(*notes_on(fitting, data), *unused_sentences(fitting, extra_faces)),
        warnings=(*data_warnings(data, options.min_rows), *warnings),
        truth=truth,
        min_rows=options.min_rows,
    )
    n = sum(map(len, data.copies.values()))
    return replace(run_plan(plan, out), copies=n, new_copies=inputs.new_copies)


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


def rows_text(data: EmbeddedFaces) -> str:
    """Return how reports tell the rows of each split that is there: `train 60, valid 20`."""
    return ", ".join(f"{split} {n}" for split, n in data.counts.items() if n)


def _fitting(
    inputs: EmbeddedInputs, left_out: dict[str, str], *, leave_out: bool
) -> tuple[list[Recipe], dict[str, str], tuple[str, ...]]:
    """Return the recipes that these faces allow, and sentences on what they do not allow.

    The first are on the recipes that are left out, by `slug`; the second on those that are not.
    """
    fitting, left_out, warnings = [], left_out | inputs.left_out, {}
    for recipe in inputs.recipes:
        try:
            warnings[recipe.version] = check_fit(recipe, inputs.data)
        except (ConfigError, DataError) as error:
            if not leave_out:
                raise error.at(recipe.version) from error
            left_out[recipe.slug] = left_out_sentence(recipe, error)
        else:
            fitting.append(recipe)
    if not fitting:
        raise DataError(
            "expected a recipe that fits the faces, got none: " + "; ".join(left_out.values())
        )
    return fitting, left_out, fit_warnings(warnings)


def _facts(data: EmbeddedFaces, faces_name: str, options: RunOptions) -> dict[str, str]:
    return {
        "Faces table": faces_name,
        "Faces": rows_text(data),
        "Age groups": str(data.age_groups),
        **{f"Extra faces {name}": rows_text(extra) for name, extra in data.extras.items()},
        "Backbones": ", ".join(map(backbone_title, data.backbones)),
        "Width of the embedding": str(data.embeddings.shape[1]),
        "Seeds": str(options.seeds),
        "Versions of software": software(),
    }


SUITE, RESULTS, SUMMARY, REPORT = "suite.json", "results.csv", "summary.csv", "report.html"


def run_plan(plan: Plan, out: Path) -> SuiteOutcome:
    """Run what is not there yet, then write results, summary and report.

    Versions that an earlier command left in `out`, on the same faces and backbones, are kept in
    them, see `earlier_versions`. Every run has a folder of its own, which appears when the run is
    whole; an interrupted plan goes on where it stopped and ends with the same tables. A version
    with a run that fails is left out of them, and what is wrong with it raised when all else is
    written.

    Raises:
        ConfigError: `out` holds runs of other faces, backbones or recipes, or another command is
            at work there; or the loss of a training stopped being a finite number, or it does not
            fit the memory of the GPU.
        DataError: `out` cannot be written, or an image cannot be read while the backbone trains.
    """
    _check_names(plan)
    with locked_folder(out), scratch_folder() as scratch:
        _remove_leftovers(out)
        tell([*plan.left_out.values(), *plan.warnings])
        batches = runs_by_ensembles([_missing(version, plan, out) for version in plan.versions])
        total = sum(1 + len(job.experts) for batch in batches for job in batch.jobs)
        started, ended = time.monotonic(), []
        with progress_bar("training", total, unit="runs") as advance:
            for done in run_batches(batches, workers=plan.workers, scratch=scratch):
                ended.append(done)
                advance(1)
        seconds = time.monotonic() - started
        return _write_results(plan, out, ended, seconds)


_LEFT_RUN = re.compile(r"\.(seed-\d+)\.(?:partial|old)")


def _remove_leftovers(out: Path) -> None:
    """Remove what killed commands left half written in the locked folder, by our own names only.

    Checkpoints stay, as their training goes on; a run that was about to be replaced is put back.
    """
    for path, name in partial_files(out).items():
        if name in (SUITE, RESULTS, SUMMARY, REPORT):
            path.unlink()
    for path in sorted(out.glob("*/.seed-*")):
        if match := _LEFT_RUN.fullmatch(path.name):
            settle_folder(path.with_name(match[1]))


def _write_results(plan: Plan, out: Path, ended: Sequence[Done], seconds: float) -> SuiteOutcome:
    failed = failures_of(plan, ended)
    plan = without(plan, failed)
    earlier = earlier_versions(plan, out / SUITE)
    plan = replace(plan, left_out=plan.left_out | earlier.damaged)
    listed = earlier.beside([_folders_of(version, plan, out) for version in plan.versions])
    statistics = suite_statistics(_suite_runs(plan, listed, earlier))
    summary = summary_frame(statistics)
    write_table(results_frame(statistics), out / RESULTS)
    write_table(summary, out / SUMMARY)
    write_text(out / SUITE, json.dumps(sealed(_description(plan, listed)), indent=2) + "\n")
    write_text(out / REPORT, suite_html(statistics))
    if failed:
        raise failures_summary(failed, out / REPORT)
    return SuiteOutcome(out, summary, len(ended), plan.left_out, seconds, warnings=plan.warnings)


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
    """Return the version's runs that are not there whole."""
    jobs = _jobs(version, plan, out)
    there = [job for job in jobs if job.folder.exists()]
    fingerprint = run_fingerprint(version.recipe, version.data) if there else ""
    whole = [job for job in there if _is_whole(job.folder, fingerprint)]
    for job in whole:
        remove_scratch(job.folder)  # of a run that was killed when it was whole
    return Batch([job for job in jobs if job not in whole], version.data)


def _is_whole(folder: Path, fingerprint: str) -> bool:
    """Whether the folder holds this run as it was written; of a damaged one, warn."""
    if run_of(folder) not in (fingerprint, None):
        raise ConfigError(
            f"expected in {str(folder)!r} a run of these faces, backbones and this recipe, "
            "got one of others, give another --out or remove the folder"
        )
    damage = damage_of(folder)
    if damage:
        warnings.warn(
            f"expected a whole run in {str(folder)!r}, got a damaged one ({damage}), it is "
            "trained again",
            stacklevel=2,
        )
    return not damage


def _folders_of(version: Version, plan: Plan, out: Path) -> VersionFolders:
    return VersionFolders(version.recipe, tuple(job.folder for job in _jobs(version, plan, out)))


def _suite_runs(
    plan: Plan, listed: Sequence[VersionFolders], earlier: EarlierVersions
) -> SuiteRuns:
    # The study's age bias is that of the default age groups.
    default = {slug: own == AgeGroups() for slug, own in _groupings(plan, listed).items()}
    versions = tuple(
        VersionRuns(
            experiment=one.recipe.experiment,
            version=one.recipe.version,
            title=one.recipe.version,
            description=one.recipe.description,
            published=one.recipe.published if default[one.recipe.slug] else None,
            predictions=tuple(read_predictions(folder / PREDICTIONS) for folder in one.folders),
        )
        for one in listed
    )
    comparable = all(default.values()) and all(
        is_challenge_test(version.predictions[0]) for version in versions
    )
    return SuiteRuns(
        title=plan.title,
        versions=versions,
        facts=plan.facts,
        references=REFERENCES if comparable else (),
        study=study_points() if comparable else (),
        comparable=comparable,
        truth=plan.truth,
        notes=(*plan.notes, *earlier.notes, *plan.left_out.values()),
        warnings=plan.warnings,
        min_rows=plan.min_rows,
    )


def _groupings(plan: Plan, listed: Sequence[VersionFolders]) -> dict[str, AgeGroups]:
    """Return the age groups of each version, by slug; what is kept has those of the others."""
    groups = {version.recipe.slug: version.data.age_groups for version in plan.versions}
    same = plan.versions[0].data.age_groups
    return {one.recipe.slug: groups.get(one.recipe.slug, same) for one in listed}


def _description(plan: Plan, listed: Sequence[VersionFolders]) -> dict[str, Any]:
    return {
        "title": plan.title,
        "facts": plan.facts,
        "backbones": plan.backbones,
        "recipes": [one.recipe.model_dump(mode="json") for one in listed],
        "seeds": {one.recipe.slug: len(one.folders) for one in listed},
        "left_out": plan.left_out,
        "warnings": plan.warnings,
        "notes": plan.notes,
        "min_rows": plan.min_rows,
        "age_groups": {
            slug: json.loads(groups.to_json()) for slug, groups in _groupings(plan, listed).items()
        },
    }
