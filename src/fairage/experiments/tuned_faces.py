"""Faces as a backbone sees them that was fine-tuned after they had been embedded."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairage.embeddings import BackboneSpec, embed, embed_copies
from fairage.experiments.data import EmbeddedFaces, EmbeddedRows
from fairage.experiments.origin import Origin
from fairage.experiments.recipe_augmentation import AugmentationChoice
from fairage.experiments.recipe_stages import MAIN
from fairage.tables import SPLIT, SPLITS, Faces
from fairage.training.finetuning import FineTuned

__all__ = ["seen_by", "tuned_spec"]


def seen_by(
    tuned: FineTuned,
    data: EmbeddedFaces,
    *,
    source: str = MAIN,
    copies: AugmentationChoice | None = None,
) -> EmbeddedFaces:
    """Return the faces with the tuned backbone's embeddings in the place of those it gave before.

    They are computed in fp32, as epochs were judged and as the bundle says, and kept in the
    embedding store. Embeddings of further backbones stay as they are.

    Args:
        tuned: The first backbone of these faces, fine-tuned.
        data: The faces as they were embedded before, with extras and copies.
        source: Name of extra faces that are wanted too; `main` for none.
        copies: Augmentation whose copies are wanted too.
    """
    extras = {} if source == MAIN else {source: _seen(tuned, data.extra(source))}
    copied = {} if copies is None else {copies.key: _copies_seen(tuned, data, copies)}
    return replace(_seen(tuned, data), extras=extras, copies=copied)


def tuned_spec(tuned: FineTuned, before: BackboneSpec) -> BackboneSpec:
    """Return the tuned backbone, which gets the view that it was tuned with."""
    return replace(before, name=str(tuned.backbone_folder))


def _seen(tuned: FineTuned, data: EmbeddedFaces) -> EmbeddedFaces:
    origin = _origin(data)
    faces = Faces(data.frame, origin.root)
    found = embed(faces, [tuned_spec(tuned, origin.backbones[0])], **_options(origin))
    told = {**tuned.description, "name": data.backbones[0]["name"]}  # not a folder of this run
    return replace(
        data,
        embeddings=_in_place(found.values, data.embeddings),
        backbones=(told, *data.backbones[1:]),
    )


def _copies_seen(tuned: FineTuned, data: EmbeddedFaces, choice: AugmentationChoice) -> EmbeddedRows:
    """Return the very copies that were embedded before, as the tuned backbone sees them."""
    known, origin = data.augmented(choice), _origin(data)
    if not len(known):
        return known
    train = Faces(data.frame.filter(data.frame[SPLIT] == SPLITS[0]), origin.root)
    copied = choice.chosen_copies().choose(train.frame, seed=choice.seed)
    found = embed_copies(
        train,
        copied,
        choice.augmentation(),
        [tuned_spec(tuned, origin.backbones[0])],
        seed=choice.seed,
        **_options(origin),
    )
    return replace(known, embeddings=_in_place(found.values, known.embeddings))


def _in_place(values: NDArray[np.float32], of: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put embeddings in the place of the first columns."""
    return np.concatenate([values, of[:, values.shape[1] :]], axis=1)


def _options(origin: Origin) -> dict[str, Any]:
    told = origin.resources
    return {
        "store": told.store,
        "device": told.device,
        "detector": told.detector,
        "precision": "fp32",
        "progress": told.progress,
    }


def _origin(data: EmbeddedFaces) -> Origin:
    assert data.origin is not None, "stages that train the backbone need images"
    return data.origin
