"""The recipes that one recipe stands for: of its stages, its experts, their joint training."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch

from fairage._registry import build
from fairage.embeddings import BackboneSpec
from fairage.exceptions import ConfigError, FairageError
from fairage.experiments.inputs import EmbeddedFaces, Origin
from fairage.experiments.recipe import HEAD, MAIN, Choice, ExpertsChoice, Recipe, Stage, parts_of
from fairage.experiments.training_data import Material, Taught
from fairage.faces.augmentation import Augmentation
from fairage.objectives import OBJECTIVES, Objective
from fairage.objectives.fairness import Fairness
from fairage.tables import AGE_GROUP
from fairage.training import Rows, Selection, TrainingSettings
from fairage.training.data import (
    ImageRows,
    check_batches,
    check_embeddings,
    check_rows,
    group_layout,
)
from fairage.training.settings import FineTuneSettings
from fairage.training.trainable_backbone import check_finetuning
from fairage.weighting import Weights

__all__ = [
    "BackboneTraining",
    "Span",
    "check_recipe",
    "check_spans",
    "expert_name",
    "expert_recipe",
    "expert_spans",
    "image_rows",
    "joint_recipe",
    "joint_span",
    "member_of",
    "sole_expert",
    "stage_recipe",
    "stage_spans",
    "trainable",
]

NONE = Choice(name="none")


def check_recipe(recipe: Recipe) -> None:
    """Raise a ConfigError that names what is wrong in the recipe or in what it stands for."""
    parts_of(recipe)
    if recipe.augmentation is not None:
        recipe.augmentation.augmentation()
        recipe.augmentation.chosen_copies()
    names = [stage.name for stage in recipe.stages]
    if len(set(names)) < len(names):
        raise ConfigError(f"expected a different name for each stage, got {names}, rename")
    for stage in recipe.stages:
        _check_stage(recipe, stage)
        _check_backbone_stages(recipe, stage)
    if recipe.experts is not None:
        told = recipe.experts
        for attribute in told.attributes or (AGE_GROUP, *told.weightings):
            parts_of(expert_recipe(recipe, told, attribute))
        parts_of(joint_recipe(recipe, told, members=1))


def _check_stage(recipe: Recipe, stage: Stage) -> None:
    """Check parts and settings, which do not know of which stage they are."""
    try:
        parts_of(stage_recipe(recipe, stage, known=()))
        if stage.trains_backbone:
            stage.finetune_settings(recipe.training)
    except ConfigError as error:
        raise error.at(f"stage {stage.name!r}") from error


def _check_backbone_stages(recipe: Recipe, stage: Stage) -> None:
    if not stage.trains_backbone:
        if stage.finetuning is not None:
            raise ConfigError(
                "expected finetuning in stages that train last:K blocks or all, got it in "
                f"{stage.name!r}, which trains the head, leave it out"
            )
        return
    if max(recipe.parts, recipe.members) > 1:
        raise ConfigError(
            f"expected one model where a stage trains the backbone, as {stage.name!r} does, got "
            f"parts {recipe.parts} and members {recipe.members}, each of which would have a "
            "backbone of its own, leave them out or write train: head"
        )


def stage_recipe(recipe: Recipe, stage: Stage, *, known: Iterable[str]) -> Recipe:
    """Return the recipe that this stage trains a head by.

    On an extra faces table, weights and fairness term that the stage inherits keep to the
    attributes which that table has.

    Args:
        recipe: The recipe that the stage belongs to.
        stage: The stage.
        known: Attributes of the stage's faces, `age_group` among them.
    """
    weighting, fairness = stage.weighting or recipe.weighting, stage.fairness or recipe.fairness
    if stage.data != MAIN:
        if stage.weighting is None:
            weighting = _kept_to(recipe.weighting, known) or NONE
        if stage.fairness is None and fairness is not None:
            fairness = _kept_to(fairness, known)
    changes = {
        "weighting": weighting,
        "fairness": None if fairness == NONE else fairness,
        "objective": stage.objective or recipe.objective,
        "select": stage.select or recipe.select,
    }
    return _changed(recipe, training=stage.changed(recipe.training), **changes)


def expert_recipe(recipe: Recipe, told: ExpertsChoice, attribute: str) -> Recipe:
    """Return the recipe that the expert of an attribute is trained by: its weights, no term."""
    default = Choice.model_validate({"name": "expert", "attribute": attribute})
    return _changed(recipe, weighting=told.weightings.get(attribute, default), fairness=None)


def sole_expert(recipe: Recipe) -> str | None:
    """Return the attribute whose expert the recipe trains alone; None where it does not."""
    if recipe.weighting.name != "expert" or recipe.stages or recipe.experts:
        return None
    return str(recipe.weighting.options.get("attribute", AGE_GROUP))


def joint_recipe(recipe: Recipe, told: ExpertsChoice, *, members: int) -> Recipe:
    """Return the recipe of the joint training of so many experts and their merge."""
    head = {"name": "experts", "members": [member_of(recipe)] * members, "merge": told.merge}
    return _changed(
        recipe,
        head=Choice.model_validate(head),
        objective=told.joint_objective or _reading_ages(recipe.objective),
        training=told.joint_training.changed(recipe.training),
    )


def member_of(recipe: Recipe) -> dict[str, Any]:
    """Return name and options of the recipe's head, as a member of another head."""
    return {"name": recipe.head.name, **recipe.head.options}


def _reading_ages(objective: Choice) -> Choice:
    chosen = build("objective", OBJECTIVES, objective.name, objective.options)
    return objective if chosen.fits == "number" else Choice(name="mae")


def _changed(recipe: Recipe, **changes: object) -> Recipe:
    """Return the recipe with these changes, and without the trainings that it is made of."""
    alone = {"stages": (), "experts": None, "parts": 1, "members": 1}
    return recipe.model_copy(update={**alone, **changes})


def _kept_to(choice: Choice, known: Iterable[str]) -> Choice | None:
    """Return the choice with the attributes that are known; None where it names no known one."""
    named = choice.options.get("attributes")
    if named is None:
        return choice
    kept = [name for name in named if name in set(known)]
    return Choice.model_validate({**choice.model_dump(), "attributes": kept}) if kept else None


TRANSFORMERS = "transformers"


@dataclass(frozen=True)
class BackboneTraining:
    """What a training of the first backbone has beside that of a head.

    Args:
        origin: Of the faces; its first backbone, as it was before any training, is trained.
        train: Training rows with their images and weights.
        valid: Validation rows with their images.
        settings: What trains, how fast, how long.
        augmentation: Changes each training picture anew in each epoch.
    """

    origin: Origin
    train: ImageRows
    valid: ImageRows
    settings: FineTuneSettings
    augmentation: Augmentation | None

    @property
    def spec(self) -> BackboneSpec:
        """The backbone before any training."""
        return self.origin.backbones[0]


def trainable(stage: Stage, faces: EmbeddedFaces) -> Origin:
    """Return the origin of faces on which a stage can train the backbone.

    It is the first backbone that is trained: the head sees its embedding first.

    Raises:
        ConfigError: It cannot be trained, or the images of these faces are not at hand.
    """
    if faces.origin is None:
        raise ConfigError(
            f"expected faces with their images for the stage {stage.name!r}, which trains the "
            f"backbone ({stage.train}), got embeddings alone, write train: {HEAD}"
        )
    first = faces.backbones[0]
    if first["kind"] != TRANSFORMERS:
        raise ConfigError(
            f"expected as first backbone one in the layout of {TRANSFORMERS} (config.json and "
            f"model.safetensors), which the stage {stage.name!r} trains ({stage.train}), got "
            f"{first['name']!r} of kind {first['kind']!r}, name such a one first and others after "
            f"it, or write train: {HEAD}"
        )
    return faces.origin


def image_rows(rows: Rows, faces: EmbeddedFaces) -> ImageRows:
    """Return the rows of these faces with images in the place of the first backbone's embeddings.

    Embeddings `(n, dim)` of further backbones stand beside the images.
    """
    beside = rows.embeddings[:, int(faces.backbones[0]["dim"]) :]
    return ImageRows(
        faces.images, rows.targets, rows.weights, rows.groups, beside if beside.shape[1] else None
    )


@dataclass(frozen=True)
class Span:
    """One training: what it starts from is settled by the order of spans.

    Args:
        name: Its name in logs; it also sets its random numbers apart.
        train: Training rows with their weights.
        valid: Validation rows.
        weights: The weights, with what the weighting says about them.
        objective: The loss.
        fairness: The fairness term.
        selection: Which epoch is kept.
        settings: Epochs, batches, optimiser.
        stage: Of which stage it is, if of one.
        backbone: What is needed to train the backbone along with the head, where that is wanted.
    """

    name: str
    train: Rows
    valid: Rows
    weights: Weights
    objective: Objective
    fairness: Fairness | None
    selection: Selection
    settings: TrainingSettings
    stage: Stage | None = None
    backbone: BackboneTraining | None = None


def stage_spans(recipe: Recipe, material: Material) -> list[Span]:
    """Return the recipe's stages; without stages and experts, its one training."""
    if not recipe.stages:
        if recipe.experts:
            return []
        attribute = sole_expert(recipe)
        name = "training" if attribute is None else expert_name(attribute)
        return [_span(recipe, material.taught(), name)]
    return [_stage_span(recipe, stage, material) for stage in recipe.stages]


def expert_spans(recipe: Recipe, material: Material) -> dict[str, Span]:
    """Return the training of each expert, by its attribute."""
    if recipe.experts is None:
        return {}
    told = recipe.experts
    taught = material.taught()
    attributes = told.attributes or tuple(taught.train.groups)
    for name in told.weightings:
        if name not in attributes:
            raise ConfigError.unknown_name("expert in experts.weightings", name, attributes)
    return {
        attribute: _span(expert_recipe(recipe, told, attribute), taught, expert_name(attribute))
        for attribute in attributes
    }


def joint_span(recipe: Recipe, material: Material, experts: int) -> Span | None:
    """Return the training of so many experts and their merge; None where nothing is to train."""
    told = recipe.experts
    if told is None or (not told.joint and told.merge == "average"):
        return None
    return _span(joint_recipe(recipe, told, members=experts), material.taught(), "joint")


def expert_name(attribute: str) -> str:
    """Return how an expert is called.

    Examples:
        >>> expert_name("age_group"), expert_name("gender")
        ('age expert', 'gender expert')
    """
    return f"{'age' if attribute == AGE_GROUP else attribute} expert"


def check_spans(recipe: Recipe, material: Material) -> None:
    """Raise what trainings of these rows would raise, without training."""
    experts = expert_spans(recipe, material)
    joint = joint_span(recipe, material, len(experts))
    for span in [*stage_spans(recipe, material), *experts.values(), *([joint] if joint else [])]:
        check_rows(span.train, span.valid)
        if span.fairness is not None:
            group_layout(span.fairness, span.train, span.valid)
        if span.backbone is None:
            _check_head(span)
        else:
            _check_backbone(span, span.backbone)


def _check_head(span: Span) -> None:
    check_embeddings(span.train)
    check_embeddings(span.valid)
    check_batches(span.objective, min(span.settings.batch_size, len(span.train)))


def _check_backbone(span: Span, told: BackboneTraining) -> None:
    try:
        check_batches(span.objective, told.settings.rows_at_once(len(span.train)))
        check_finetuning(told.spec, told.settings)
    except FairageError as error:
        raise error.at(f"stage {span.name!r}") from error


def _stage_span(recipe: Recipe, stage: Stage, material: Material) -> Span:
    taught = material.taught(stage.data, augmented=stage.augmented)
    own = stage_recipe(recipe, stage, known=taught.train.groups)
    span = replace(_span(own, taught, stage.name), stage=stage)
    if not stage.trains_backbone:
        return span
    changed = recipe.augmentation if stage.augmented and stage.data == MAIN else None
    backbone = BackboneTraining(
        trainable(stage, material.data),
        image_rows(span.train, taught.faces),
        image_rows(span.valid, taught.valid_faces),
        stage.finetune_settings(recipe.training),
        None if changed is None else changed.augmentation(),
    )
    return replace(span, backbone=backbone)


def _span(recipe: Recipe, taught: Taught, name: str) -> Span:
    parts = parts_of(recipe)
    weights = parts.weighting.weigh(taught.faces.frame)
    return Span(
        name,
        replace(taught.train, weights=torch.from_numpy(weights.values).float()),
        taught.valid,
        weights,
        parts.objective,
        parts.fairness,
        recipe.select.selection(),
        TrainingSettings(**recipe.training.model_dump()),
    )
