"""Sentences of a report on what its versions were trained on and measured by."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from fairage.auditing.scoring import group_biases, label_groups
from fairage.experiments.embedded_faces import copies_told
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.recipe import Recipe, Select
from fairage.training.selection import no_bias_note

__all__ = ["blind_told", "extras_told", "notes_told", "tuned_told", "unused_told"]


def notes_told(recipes: Sequence[Recipe], data: EmbeddedFaces) -> tuple[str, ...]:
    """Return all sentences on versions that were trained on these faces."""
    return (
        *extras_told(recipes),
        *tuned_told(recipes),
        *copies_told(recipes, data),
        *blind_told(recipes, data),
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


def blind_told(recipes: Sequence[Recipe], data: EmbeddedFaces) -> tuple[str, ...]:
    """Return a sentence on versions that were to take the fairest epoch and saw no bias."""
    groups = {name: label_groups(labels) for name, labels in data.split("valid").labels().items()}
    nothing = np.zeros(data.counts["valid"])

    def blind(select: Select | None) -> bool:
        if select is None or not select.sees_biases:
            return False
        members = group_biases(nothing, groups, min_rows=select.selection().min_rows)
        return all(math.isnan(own.bias) for own in members.values())

    names = [
        recipe.version
        for recipe in recipes
        if blind(recipe.select) or any(blind(stage.select) for stage in recipe.stages)
    ]
    if not names:
        return ()
    rows = next(r.select.selection().min_rows for r in recipes if r.version == names[0])
    return (f"{', '.join(names)}: {no_bias_note(rows)}",)
