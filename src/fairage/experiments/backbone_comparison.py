"""Backbones compared: each alone, and all together, with one recipe on one faces table or more."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fairage.embeddings import BackboneSpec
from fairage.exceptions import ConfigError, FairageError
from fairage.experiments.embedded_faces import embed_inputs, with_extra_faces
from fairage.experiments.fitting import check_fit
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.plan import (
    Plan,
    RunOptions,
    SuiteOutcome,
    Version,
    data_warnings,
    fit_warnings,
    notes_on,
)
from fairage.experiments.recipe import Recipe
from fairage.experiments.suite import backbone_title, rows_text, run_plan, software
from fairage.tables import Faces

EXPERIMENT, TOGETHER = "backbones", "all together"


def compare_backbones(
    recipe: Recipe,
    tables: Mapping[str, Faces],
    options: RunOptions,
    out: Path,
    *,
    concatenated: bool = False,
) -> SuiteOutcome:
    """Run the recipe on every backbone and faces table; see `run_plan`.

    Args:
        recipe: How each model is trained.
        tables: Faces tables by name, one or more.
        options: Each of its backbones is a version.
        out: Folder for results and report.
        concatenated: Add a version with the embeddings of all backbones side by side.

    Raises:
        ConfigError: As of `run_plan`, or a backbone is given twice, or the recipe copies a group
            that is not there.
        DataError: As of `run_plan`, or the recipe does not fit a faces table, or its extra faces
            are missing.
    """
    recipe = recipe.with_min_rows(options.min_rows)
    with_extra_faces([recipe], options.extra_faces)
    choices = _choices(options.embedding.backbones, concatenated=concatenated)
    embedded = _embedded(recipe, tables, choices, options)
    plan = Plan(
        title="Backbones compared",
        versions=embedded.versions,
        seeds=options.seeds,
        workers=options.workers,
        facts=_facts(recipe, tables, embedded.versions, options),
        backbones={version.recipe.slug: version.data.backbones for version in embedded.versions},
        notes=_notes(embedded.versions),
        warnings=embedded.warnings,
        min_rows=options.min_rows,
    )
    copies = sum(len(c) for version in embedded.versions for c in version.data.copies.values())
    return replace(run_plan(plan, out), copies=copies, new_copies=embedded.new_copies)


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


def _choices(
    backbones: tuple[BackboneSpec, ...], *, concatenated: bool
) -> dict[str, tuple[BackboneSpec, ...]]:
    names = version_names(backbones)
    choices: dict[str, tuple[BackboneSpec, ...]] = {
        name: (spec,) for name, spec in zip(names, backbones, strict=True)
    }
    if concatenated:
        if len(choices) < 2:
            raise ConfigError(
                f"expected two backbones or more to concatenate, got {names}, give another "
                "--backbone or leave out --concatenated"
            )
        choices[TOGETHER] = backbones
    return choices


@dataclass(frozen=True)
class _Embedded:
    """The versions, the augmented copies embedded for them now, and what the faces do not allow."""

    versions: list[Version]
    new_copies: int
    warnings: tuple[str, ...]


def _embedded(
    recipe: Recipe,
    tables: Mapping[str, Faces],
    choices: Mapping[str, tuple[BackboneSpec, ...]],
    options: RunOptions,
) -> _Embedded:
    """Embed every table with every choice of backbones, with the extra faces and copies."""
    versions, new, warnings, of_fits = [], 0, [], {}
    for table, faces in tables.items():
        experiment = table if len(tables) > 1 else EXPERIMENT
        for name, backbones in choices.items():
            embedding = options.embedding.changed(backbones=backbones)
            inputs = embed_inputs([recipe], options.grouped(faces), embedding, options.extra_faces)
            own = _named(recipe, experiment, name, inputs.data)
            try:
                of_fits[f"{experiment}, {name}"] = check_fit(own, inputs.data)
            except FairageError as error:
                raise error.at(f"{experiment}, {name}") from error
            versions.append(Version(own, inputs.data))
            new += inputs.new_copies
        own_warnings = data_warnings(versions[-1].data, options.min_rows)
        warnings += [_of_table(experiment, tables, warning) for warning in own_warnings]
    return _Embedded(versions, new, (*warnings, *fit_warnings(of_fits)))


def _notes(versions: Sequence[Version]) -> tuple[str, ...]:
    """Say for each table which versions saw more than it, and what it cannot measure."""
    notes = []
    experiments = list(dict.fromkeys(version.recipe.experiment for version in versions))
    for experiment in experiments:
        own = [version for version in versions if version.recipe.experiment == experiment]
        sentences = notes_on([version.recipe for version in own], own[0].data)
        notes += [_of_table(experiment, experiments, sentence) for sentence in sentences]
    return tuple(notes)


def _of_table(experiment: str, tables: Collection[str], sentence: str) -> str:
    return f"{experiment}: {sentence}" if len(tables) > 1 else sentence


def _named(recipe: Recipe, experiment: str, name: str, data: EmbeddedFaces) -> Recipe:
    """Return the recipe as a version; what was published for it is another backbone's."""
    titles = " and ".join(map(backbone_title, data.backbones))
    description = f"{recipe.version} on {titles}, {data.embeddings.shape[1]} numbers a face."
    named = {
        "experiment": experiment,
        "version": name,
        "description": description,
        "published": None,
    }
    return recipe.model_copy(update=named)


def _facts(
    recipe: Recipe,
    tables: Mapping[str, Faces],
    versions: Sequence[Version],
    options: RunOptions,
) -> dict[str, str]:
    per_table = len(versions) // len(tables)
    rows = {
        f"Faces of {table}": ", ".join(f"{split} {n}" for split, n in version.data.counts.items())
        for table, version in zip(tables, versions[::per_table], strict=True)
    }
    groups = {str(version.data.age_groups) for version in versions}
    extras = {
        f"Extra faces {name}": rows_text(extra) for name, extra in versions[0].data.extras.items()
    }
    return {
        "Recipe": f"{recipe.version}: {recipe.description}"
        if recipe.description
        else recipe.version,
        **rows,
        "Age groups": "; ".join(sorted(groups)),
        **extras,
        "Seeds": str(options.seeds),
        "Versions of software": software(),
    }
