"""What earlier commands left in a folder: versions that its tables keep beside the new ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairage._files import is_sealed, read_json
from fairage.exceptions import ConfigError
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.plan import Plan, blind_sentences, extras_sentences, tuned_sentences
from fairage.experiments.recipe import Recipe
from fairage.experiments.recipe_files import recipe_from
from fairage.experiments.runner import damage_of, facts_of, run_of


@dataclass(frozen=True)
class VersionFolders:
    """A version and the folders of its runs, one a seed."""

    recipe: Recipe
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class EarlierVersions:
    """The versions of earlier commands, and how tables go with them.

    Args:
        kept: Those that were measured on the same faces, with the same backbones.
        damaged: A sentence on each that would be kept if its runs were whole, by its `slug`.
        order: The slugs of all earlier versions, in the order of the tables.
        notes: Sentences for the report.
    """

    kept: tuple[VersionFolders, ...] = ()
    damaged: dict[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def beside(self, new: Sequence[VersionFolders]) -> list[VersionFolders]:
        """Return these and new ones: in their earlier order, so that nothing trades places."""
        if not self.kept:
            return list(new)
        places = {slug: place for place, slug in enumerate(self.order)}
        return sorted(
            [*self.kept, *new], key=lambda version: places.get(version.recipe.slug, len(places))
        )


def earlier_versions(plan: Plan, path: Path) -> EarlierVersions:
    """Return the versions beside the plan's own that `suite.json` lists, if they fit.

    They do where faces, backbones, age groups and `min_rows` are the same; what they were trained
    on besides is their own.

    Args:
        plan: What is run now, without what failed or was left out.
        path: The file that the last command wrote into the folder.
    """
    described = _read(path)
    if described is None:
        return EarlierVersions(damaged={path.name: _damaged_list(path)})
    data = plan.versions[0].data
    if any(version.data is not data for version in plan.versions) or (
        described.get("min_rows") != plan.min_rows
    ):
        return EarlierVersions()
    recipes = [recipe for content in described.get("recipes", ()) for recipe in _recipes(content)]
    own = {version.recipe.slug for version in plan.versions} | set(plan.left_out)
    seeds = described.get("seeds", {})
    kept, damaged = [], {}
    for recipe in recipes:
        folders = _folders(path.parent / recipe.slug, seeds.get(recipe.slug, 0))
        if recipe.slug in own or not any(_fits(folder, recipe, data) for folder in folders):
            continue
        reasons = [f"{folder.name}: {why}" for folder in folders if (why := damage_of(folder))]
        if reasons:
            damaged[recipe.slug] = (
                f"{recipe.version}, of an earlier command, was left out: {'; '.join(reasons)}. "
                "Give its recipe again."
            )
        elif all(_fits(folder, recipe, data) for folder in folders):
            kept.append(VersionFolders(recipe, folders))
    order = tuple(recipe.slug for recipe in recipes)
    return EarlierVersions(tuple(kept), damaged, order, _sentences(kept, data))


def _read(path: Path) -> dict[str, Any] | None:
    """Return what `suite.json` says, nothing where there is none; None where it is damaged."""
    if not path.is_file():
        return {}
    try:
        described = read_json(path)
    except (OSError, ValueError):
        return None
    return described if is_sealed(described) else None


def _damaged_list(path: Path) -> str:
    return (
        f"Versions of earlier commands were left out: {path.name}, which lists them, is damaged or "
        "without a hash. Give their recipes again."
    )


def _recipes(content: dict[str, Any]) -> list[Recipe]:
    """Return the recipe, none where it is one of another fairage that this one does not know."""
    try:
        return [recipe_from(content, "suite.json")]
    except ConfigError:
        return []


def _folders(version: Path, seeds: int) -> tuple[Path, ...]:
    return tuple(version / f"seed-{seed}" for seed in range(seeds))


def _fits(folder: Path, recipe: Recipe, data: EmbeddedFaces) -> bool:
    """Whether the folder holds a run of this recipe that was measured on these faces."""
    fingerprint = (run_of(folder) or "").split("-")
    return fingerprint[:2] == [recipe.fingerprint, data.fingerprint]


def _sentences(kept: Sequence[VersionFolders], data: EmbeddedFaces) -> tuple[str, ...]:
    if not kept:
        return ()
    recipes = [version.recipe for version in kept]
    names = ", ".join(recipe.version for recipe in recipes)
    return (
        f"Kept from earlier commands, measured on the same faces: {names}.",
        *extras_sentences(recipes),
        *tuned_sentences(recipes),
        *[sentence for version in kept for sentence in _copies_sentences(version)],
        *blind_sentences(recipes, data),
    )


def _copies_sentences(version: VersionFolders) -> list[str]:
    recipe, copies = version.recipe, facts_of(version.folders[0])["copies"]
    if recipe.augmentation is None:
        return []
    return [
        f"{copies['number']:,} augmented copies were trained on as well by {recipe.version}.",
        *[f"Its copies: {note}." for note in copies["notes"]],
    ]
