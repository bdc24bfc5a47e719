"""Embedding all that recipes train on: the faces, extra faces of stages, augmented copies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from fairage.datasets.oversampling import CopiedRows
from fairage.embeddings import BackboneSpec, Embeddings, embed, embed_copies
from fairage.embeddings.store import Opened
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.augmented import Augmented, Copying, augmented_faces, left_out_told
from fairage.experiments.data import EmbeddedFaces, embedded_extra, embedded_faces, missing_extra
from fairage.experiments.origin import Origin
from fairage.experiments.recipe import Recipe
from fairage.experiments.recipe_augmentation import AugmentationChoice
from fairage.tables import SPLIT, SPLITS, Faces
from fairage.training.finetuning import Resources

__all__ = ["Embedder", "handed_over"]


@dataclass(frozen=True)
class Embedder:
    """How faces and copies of faces become embeddings.

    Args:
        backbones: Whose embeddings are concatenated.
        store: Folder of the embedding store.
        on_error: `"fail"` or `"skip"` for an image that cannot be read.
        detector: File of the face detector for aligned views; None for what the environment
            variable `FAIRAGE_DETECTOR` names.
    """

    backbones: tuple[BackboneSpec, ...]
    store: Path
    on_error: Literal["fail", "skip"] = "fail"
    detector: Path | None = None

    def embedded(
        self,
        recipes: Sequence[Recipe],
        faces: Faces,
        extra_faces: Mapping[str, Faces],
        *,
        splits: Sequence[str] = SPLITS,
        leave_out: bool = False,
    ) -> Augmented:
        """Embed the faces, and the extra faces and copies that the recipes train on.

        Args:
            recipes: What is going to be trained.
            faces: Their faces table.
            extra_faces: Further faces by name; those that no recipe names are not embedded.
            splits: What must be there; rows of other splits are dropped before anything is
                embedded.
            leave_out: Leave out a recipe whose copies these faces do not allow.

        Raises:
            ConfigError: A recipe copies a group that no training face is in.
            DataError: A split is missing, or an image cannot be read.
        """
        wanted = {name for recipe in recipes for name in recipe.extra_names}
        opened: Opened = {}
        extras = {
            name: replace(
                embedded_extra(extra, self.embed(extra, opened)), origin=self._origin(extra)
            )
            for name, extra in extra_faces.items()
            if name in wanted
        }
        data = self._faces(faces, extras, splits, opened)
        copies = partial(self.embed_copies, opened=opened)
        copying = Copying(faces.root, copies, leave_out=leave_out)
        return augmented_faces(recipes, data, copying)

    def embed(self, faces: Faces, opened: Opened) -> Embeddings:
        """Return the embeddings of a faces table."""
        return embed(
            faces,
            self.backbones,
            store=self.store,
            detector=self.detector,
            on_error=self.on_error,
            opened=opened,
        )

    def embed_copies(
        self, train: Faces, copied: CopiedRows, choice: AugmentationChoice, opened: Opened
    ) -> Embeddings:
        """Return the embeddings of chosen copies of training faces."""
        return embed_copies(
            train,
            copied,
            choice.augmentation(),
            self.backbones,
            store=self.store,
            seed=choice.seed,
            detector=self.detector,
            on_error=self.on_error,
            opened=opened,
        )

    def _faces(
        self,
        faces: Faces,
        extras: Mapping[str, EmbeddedFaces],
        splits: Sequence[str],
        opened: Opened,
    ) -> EmbeddedFaces:
        for name in splits:
            faces.split(name)
        kept = faces.rows(faces.frame[SPLIT].is_in(splits).to_numpy())
        found = embedded_faces(kept, self.embed(kept, opened), extras, splits)
        return replace(found, origin=self._origin(faces))

    def _origin(self, faces: Faces) -> Origin:
        resources = Resources(detector=self.detector, store=self.store, progress=False)
        return Origin(faces.root, self.backbones, resources)


def handed_over(
    recipes: Sequence[Recipe], extra_faces: Mapping[str, Faces], *, leave_out: bool = False
) -> tuple[list[Recipe], dict[str, str]]:
    """Return the recipes whose extra faces are there, and a sentence on each other by its `slug`.

    It is asked before anything is embedded.

    Raises:
        ConfigError: There are extra faces that no recipe names, unless recipes may be left out.
        DataError: Extra faces of a recipe are missing, unless it is left out and others are not.
    """
    wanted = list(dict.fromkeys(name for recipe in recipes for name in recipe.extra_names))
    unused = [name for name in extra_faces if name not in wanted]
    if unused and not leave_out:
        raise ConfigError(
            f"expected --extra-faces for what the recipes' stages name, {wanted}, got "
            f"{unused} as well, correct the name or leave it out"
        )
    missing = [name for name in wanted if name not in extra_faces]
    if missing and not leave_out:
        raise DataError(missing_extra(missing, extra_faces))
    left_out = {}
    for recipe in recipes:
        if own := [name for name in recipe.extra_names if name in missing]:
            left_out[recipe.slug] = left_out_told(recipe, missing_extra(own, extra_faces))
    kept = [recipe for recipe in recipes if recipe.slug not in left_out]
    if left_out and not kept:
        raise DataError(missing_extra(missing, extra_faces))
    return kept, left_out
