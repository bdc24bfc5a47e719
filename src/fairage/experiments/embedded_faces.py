"""From faces tables to embedded faces: the faces, extra faces, copies, and a tuned backbone's."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairage._images import decoded, read_image_bytes
from fairage._random import numpy_rng
from fairage.datasets.oversampling import CopiedRows
from fairage.embeddings import BackboneSpec, Embeddings, EmbedOptions, embed, embed_copies
from fairage.embeddings.backbones.registry import EMBEDDED
from fairage.embeddings.store import Opened
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.inputs import (
    EmbeddedFaces,
    EmbeddedRows,
    Provenance,
    embedded_extra,
    embedded_faces,
    missing_extra,
)
from fairage.experiments.recipe import MAIN, AugmentationChoice, Recipe
from fairage.faces.detection import find_detector
from fairage.faces.views import Framing, view_from_name
from fairage.tables import SPLIT, SPLITS, Faces
from fairage.training import FineTuned


def embed_inputs(
    recipes: Sequence[Recipe],
    faces: Faces,
    options: EmbedOptions,
    extra_faces: Mapping[str, Faces],
    *,
    splits: Sequence[str] = SPLITS,
    leave_out: bool = False,
) -> "EmbeddedInputs":
    """Embed the faces, and the extra faces and copies that the recipes train on.

    Args:
        recipes: What is going to be trained.
        faces: Their faces table; its age groups are the extra faces' too.
        options: How they are embedded.
        extra_faces: Further faces by name; those that no recipe names are not embedded.
        splits: What must be there; rows of other splits are dropped before anything is embedded.
        leave_out: Leave out a recipe whose copies these faces do not allow.

    Raises:
        ConfigError: A recipe copies a group that no training face is in.
        DataError: A split is missing, or an image cannot be read.
    """
    opened: Opened = {}

    def with_provenance(
        embedded: EmbeddedFaces, table: Faces, framing: Framing | None = None
    ) -> EmbeddedFaces:
        quiet = options.changed(progress=False)
        return replace(embedded, provenance=Provenance(table.root, quiet, framing))

    def copies(train: Faces, copied: CopiedRows, choice: AugmentationChoice) -> Embeddings:
        augmentation, seed = choice.augmentation(), choice.seed
        return embed_copies(train, copied, augmentation, options, seed=seed, opened=opened)

    names = {name for recipe in recipes for name in recipe.extra_names}
    extras = {}
    for name, given in extra_faces.items():
        if name not in names:
            continue
        table = given.regrouped(faces.age_groups)
        embedded = embedded_extra(table, embed(table, options, opened=opened))
        extras[name] = with_provenance(embedded, table)
    for name in splits:
        faces.split(name)
    kept = faces.rows(faces.frame[SPLIT].is_in(splits).to_numpy())
    data = embedded_faces(kept, embed(kept, options, opened=opened), extras, splits)
    copying = Copying(copies, leave_out=leave_out)
    framing = framing_of(kept.split(SPLITS[0]).images, data.backbones, options.detector)
    return augmented_faces(recipes, with_provenance(data, faces, framing), copying)


_FEW, _ENOUGH = 8, 64


def framing_of(
    images: Sequence[str], backbones: Sequence[Mapping[str, Any]], detector: Path | None
) -> Framing | None:
    """Return how pictures frame the face in them, by some of them.

    It is None where no view of the backbones needs it, and where the detector finds no face in
    several of the first ones, as in drawn faces.

    Args:
        images: Paths or URLs.
        backbones: Their descriptions, for the views.
        detector: File of a face detector; None for the one in the box.
    """
    views = [view_from_name(backbone["view"]) for backbone in backbones]
    drawn = any(backbone.get("kind") == EMBEDDED for backbone in backbones)
    if drawn or all(view.needs_landmarks for view in views):
        return None
    finder, boxes, sizes = find_detector(detector), [], []
    chosen = numpy_rng(0, "framing").permutation(len(images))[:_ENOUGH]
    for number, row in enumerate(chosen):
        with suppress(DataError), decoded(read_image_bytes(images[row])) as pixels:
            faces = finder.faces(pixels)[:1]
            boxes += [face.box for face in faces]
            sizes += [pixels.shape[1::-1] for _ in faces]
        if number + 1 == _FEW and len(boxes) < _FEW // 2:
            return None
    return Framing.of(np.array(boxes), np.array(sizes, dtype=np.float64)) if boxes else None


EmbedCopies = Callable[[Faces, CopiedRows, AugmentationChoice], Embeddings]


@dataclass(frozen=True)
class Copying:
    """How copies are made.

    Args:
        embed: Embeds the chosen copies of training faces.
        leave_out: Leave out a recipe whose copies these faces do not allow, instead of failing.
    """

    embed: EmbedCopies
    leave_out: bool = False


@dataclass(frozen=True)
class EmbeddedInputs:
    """Faces that are embedded, and the recipes that they allow.

    Args:
        data: The faces, with the copies of each augmentation.
        recipes: Those whose copies could be chosen, or that want none.
        left_out: A sentence on each of the other recipes, by its `slug`.
        new_copies: Copies that were embedded now; the others were in the store.
    """

    data: EmbeddedFaces
    recipes: list[Recipe]
    left_out: dict[str, str] = field(default_factory=dict)
    new_copies: int = 0


def augmented_faces(
    recipes: Sequence[Recipe], data: EmbeddedFaces, copying: Copying
) -> EmbeddedInputs:
    """Return the faces with the copies that the recipes want, each kind embedded once.

    Training rows alone are copied.

    Raises:
        ConfigError: A recipe names a group that no training face is in, unless it is left out.
        DataError: It names an attribute that is not there, or an image cannot be read.
    """
    own = np.flatnonzero(data.frame[SPLIT].to_numpy() == SPLITS[0])
    train = data.faces.rows(own)
    chosen, left_out = _chosen(recipes, train, leave_out=copying.leave_out)
    copies, new = dict(data.copies), 0
    for choice, copied in chosen:
        if not len(copied.rows):
            copies[choice.key] = _no_copies(data, copied)
            continue
        embedded = copying.embed(train, copied, choice)
        copies[choice.key] = EmbeddedRows(own[embedded.rows], embedded.values, copied.notes)
        new += embedded.new
    kept = [recipe for recipe in recipes if recipe.slug not in left_out]
    return EmbeddedInputs(replace(data, copies=copies), kept, left_out, new)


def copies_sentences(recipes: Sequence[Recipe], data: EmbeddedFaces) -> tuple[str, ...]:
    """Return sentences on which versions were trained on how many copies, and what they miss."""
    versions: dict[str, list[str]] = {}
    for recipe in recipes:
        if recipe.augmentation is not None:
            versions.setdefault(recipe.augmentation.key, []).append(recipe.version)
    sentences = []
    for key, names in versions.items():
        copies = data.copies[key]
        faces = len(np.unique(copies.rows))
        who = ", ".join(names)
        sentences.append(
            f"{len(copies):,} augmented copies of {faces:,} training faces were trained on as well "
            f"by {who}."
        )
        sentences += [f"Their copies: {note}." for note in copies.notes]
    return tuple(sentences)


def left_out_sentence(recipe: Recipe, reason: object) -> str:
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
            reason = error.at("augmentation.copies")
            if not leave_out:
                raise reason.at(recipe.version) from error
            left_out[recipe.slug] = left_out_sentence(recipe, reason)
        else:
            chosen[choice.key] = (choice, copied)
    return list(chosen.values()), left_out


def _no_copies(data: EmbeddedFaces, copied: CopiedRows) -> EmbeddedRows:
    """Return what stands for the copies where all groups have their share without any."""
    none = np.empty((0, data.embeddings.shape[1]), dtype=np.float32)
    return EmbeddedRows(np.empty(0, dtype=np.int64), none, copied.notes)


def with_extra_faces(
    recipes: Sequence[Recipe], extra_faces: Mapping[str, Faces], *, leave_out: bool = False
) -> tuple[list[Recipe], dict[str, str]]:
    """Return the recipes whose extra faces are there, and a sentence on each other by its `slug`.

    This needs no embeddings.

    Raises:
        ConfigError: There are extra faces that no recipe names, unless recipes may be left out.
        DataError: Extra faces of a recipe are missing, unless it is left out and others are not.
    """
    names = list(dict.fromkeys(name for recipe in recipes for name in recipe.extra_names))
    unused = [name for name in extra_faces if name not in names]
    if unused and not leave_out:
        raise ConfigError(
            f"expected --extra-faces for what the recipes' stages name, {names}, got "
            f"{unused} as well, correct the name or leave it out"
        )
    missing = [name for name in names if name not in extra_faces]
    if missing and not leave_out:
        raise DataError(missing_extra(missing, extra_faces))
    left_out = {}
    for recipe in recipes:
        if own := [name for name in recipe.extra_names if name in missing]:
            left_out[recipe.slug] = left_out_sentence(recipe, missing_extra(own, extra_faces))
    kept = [recipe for recipe in recipes if recipe.slug not in left_out]
    if left_out and not kept:
        raise DataError(missing_extra(missing, extra_faces))
    return kept, left_out


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


def tuned_backbone(tuned: FineTuned, before: BackboneSpec) -> BackboneSpec:
    """Return the tuned backbone, which gets the view that it was tuned with."""
    return replace(before, name=str(tuned.backbone_folder))


def _seen(tuned: FineTuned, data: EmbeddedFaces) -> EmbeddedFaces:
    provenance = _provenance(data)
    embeddings = embed(data.faces, _options(tuned, provenance))
    first = {**tuned.description, "name": data.backbones[0]["name"]}  # not a folder of this run
    return replace(
        data,
        embeddings=_in_place(embeddings.values, data.embeddings),
        backbones=(first, *data.backbones[1:]),
    )


def _copies_seen(tuned: FineTuned, data: EmbeddedFaces, choice: AugmentationChoice) -> EmbeddedRows:
    """Return the very copies that were embedded before, as the tuned backbone sees them."""
    known, provenance = data.augmented(choice), _provenance(data)
    if not len(known):
        return known
    train = data.faces.split(SPLITS[0])
    copied = choice.chosen_copies().choose(train.frame, seed=choice.seed)
    options, augmentation = _options(tuned, provenance), choice.augmentation()
    embeddings = embed_copies(train, copied, augmentation, options, seed=choice.seed)
    return replace(known, embeddings=_in_place(embeddings.values, known.embeddings))


def _in_place(values: NDArray[np.float32], of: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put embeddings in the place of the first columns."""
    return np.concatenate([values, of[:, values.shape[1] :]], axis=1)


def _options(tuned: FineTuned, provenance: Provenance) -> EmbedOptions:
    before = provenance.options
    backbone = tuned_backbone(tuned, before.backbones[0])
    return before.changed(backbones=(backbone,), precision="fp32", batch_size=None, on_error="fail")


def _provenance(data: EmbeddedFaces) -> Provenance:
    assert data.provenance is not None, "stages that train the backbone need images"
    return data.provenance
