"""Faces with the embedded copies that recipes train on beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from fairage.datasets.oversampling import CopiedRows
from fairage.embeddings import Embeddings
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.data import EmbeddedFaces, EmbeddedRows
from fairage.experiments.recipe import Recipe
from fairage.experiments.recipe_augmentation import AugmentationChoice
from fairage.tables import SPLIT, SPLITS, Faces

__all__ = ["Augmented", "Copying", "augmented_faces", "copies_told", "left_out_told"]

EmbedCopies = Callable[[Faces, CopiedRows, AugmentationChoice], Embeddings]


@dataclass(frozen=True)
class Copying:
    """How copies are made.

    Args:
        root: Folder that the faces' relative paths start from.
        embed: Embeds the chosen copies of training faces.
        leave_out: Leave out a recipe whose copies these faces do not allow, instead of failing.
    """

    root: Path
    embed: EmbedCopies
    leave_out: bool = False


@dataclass(frozen=True)
class Augmented:
    """What came of it.

    Args:
        data: The faces, with the copies of each augmentation.
        recipes: Those whose copies could be chosen, or that want none.
        left_out: A sentence on each of the other recipes, by its `slug`.
        new: Copies that were embedded now; the others were in the store.
    """

    data: EmbeddedFaces
    recipes: list[Recipe]
    left_out: dict[str, str] = field(default_factory=dict)
    new: int = 0


def augmented_faces(recipes: Sequence[Recipe], data: EmbeddedFaces, copying: Copying) -> Augmented:
    """Return the faces with the copies that the recipes want, each kind embedded once.

    Training rows alone are copied.

    Raises:
        ConfigError: A recipe names a group that no training face is in, unless it is left out.
        DataError: It names an attribute that is not there, or an image cannot be read.
    """
    own = np.flatnonzero(data.frame[SPLIT].to_numpy() == SPLITS[0])
    train = Faces(data.frame[own], copying.root)
    chosen, left_out = _chosen(recipes, train, leave_out=copying.leave_out)
    copies, new = dict(data.copies), 0
    for choice, copied in chosen:
        if not len(copied.rows):
            copies[choice.key] = _no_copies(data, copied)
            continue
        found = copying.embed(train, copied, choice)
        copies[choice.key] = EmbeddedRows(own[found.rows], found.values, copied.notes)
        new += found.new
    kept = [recipe for recipe in recipes if recipe.slug not in left_out]
    return Augmented(replace(data, copies=copies), kept, left_out, new)


def copies_told(recipes: Sequence[Recipe], data: EmbeddedFaces) -> tuple[str, ...]:
    """Return sentences on which versions were trained on how many copies, and what they miss."""
    versions: dict[str, list[str]] = {}
    for recipe in recipes:
        if recipe.augmentation is not None:
            versions.setdefault(recipe.augmentation.key, []).append(recipe.version)
    told = []
    for key, names in versions.items():
        copies = data.copies[key]
        faces = len(np.unique(copies.rows))
        who = ", ".join(names)
        told.append(
            f"{len(copies):,} augmented copies of {faces:,} training faces were trained on as well "
            f"by {who}."
        )
        told += [f"Their copies: {note}." for note in copies.notes]
    return tuple(told)


def left_out_told(recipe: Recipe, reason: object) -> str:
    """Return the sentence that says of a recipe that it was left out, and why."""
    return f"{recipe.version} was left out: {reason}"


def _chosen(
    recipes: Sequence[Recipe], train: Faces, *, leave_out: bool
) -> tuple[list[tuple[AugmentationChoice, CopiedRows]], dict[str, str]]:
    """Choose the rows of each different augmentation, and say which recipes do not allow it."""
    chosen: dict[str, tuple[AugmentationChoice, CopiedRows]] = {}
    left_out = {}
    for recipe in recipes:
        choice = recipe.augmentation
        if choice is None or choice.key in chosen:
            continue
        try:
            copied = choice.chosen_copies().choose(train.frame, seed=choice.seed)
        except (ConfigError, DataError) as error:
            told = error.at("augmentation.copies")
            if not leave_out:
                raise told.at(recipe.version) from error
            left_out[recipe.slug] = left_out_told(recipe, told)
        else:
            chosen[choice.key] = (choice, copied)
    return list(chosen.values()), left_out


def _no_copies(data: EmbeddedFaces, copied: CopiedRows) -> EmbeddedRows:
    """Return what stands for the copies where all groups have their share without any."""
    none = np.empty((0, data.embeddings.shape[1]), dtype=np.float32)
    return EmbeddedRows(np.empty(0, dtype=np.int64), none, copied.notes)
