"""Sentences of a report on what its versions were trained on and measured by."""

from collections.abc import Iterable, Sequence

import numpy as np

from fairage.experiments.augmented import copies_told
from fairage.experiments.data import EmbeddedFaces
from fairage.experiments.recipe import Recipe
from fairage.report.words import attribute_title
from fairage.tables import SPLITS

__all__ = ["extras_told", "notes_told", "one_group_told", "tuned_told", "unused_told"]


def notes_told(recipes: Sequence[Recipe], data: EmbeddedFaces) -> tuple[str, ...]:
    """Return all sentences on versions that were trained on these faces."""
    return (
        *extras_told(recipes),
        *tuned_told(recipes),
        *copies_told(recipes, data),
        *one_group_told(data),
    )


def extras_told(recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """Return a sentence on each version that saw more than the faces table."""
    return tuple(
        f"{recipe.version} was trained on the extra faces {', '.join(recipe.extra_names)} as well."
        for recipe in recipes
        if recipe.extra_names
    )


def unused_told(recipes: Sequence[Recipe], extra_faces: Iterable[str]) -> tuple[str, ...]:
    """Return a sentence on each extra faces table that no version was trained on."""
    used = {name for recipe in recipes for name in recipe.extra_names}
    return tuple(
        f"No version was trained on the extra faces {name}, which were handed over."
        for name in extra_faces
        if name not in used
    )


def tuned_told(recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """Return a sentence on each version that trained the backbone along with the head."""
    return tuple(
        f"{recipe.version} trained the first backbone as well: "
        + ", ".join(f"{stage.train} in {stage.name}" for stage in recipe.backbone_stages)
        + "."
        for recipe in recipes
        if recipe.backbone_stages
    )


def one_group_told(data: EmbeddedFaces) -> tuple[str, ...]:
    """Return a sentence on each attribute without a gap, as all test faces are of one group."""
    labels = data.split(SPLITS[-1]).labels()
    groups = {name: np.unique(found).tolist() for name, found in labels.items()}
    return tuple(
        f"{attribute_title(name)} has one group only among the test faces ({found[0]}): it has no "
        "gaps, its bias is 0 and lowers the average bias."
        for name, found in groups.items()
        if len(found) == 1
    )
