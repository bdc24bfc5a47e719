"""Sentences of a report on what its versions were trained on and measured by."""

from collections.abc import Sequence

import numpy as np

from fairage.experiments.data import EmbeddedFaces
from fairage.experiments.recipe import Recipe
from fairage.report.words import attribute_title
from fairage.tables import SPLITS

__all__ = ["extras_told", "one_group_told", "tuned_told"]


def extras_told(recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """Return a sentence on each version that saw more than the faces table."""
    return tuple(
        f"{recipe.version} was trained on the extra faces {', '.join(recipe.extra_names)} as well."
        for recipe in recipes
        if recipe.extra_names
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
