"""What a recipe stands for: its trainings, resolved once for the rows that they use."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from fairage._registry import build
from fairage.embeddings import EmbedOptions
from fairage.exceptions import ConfigError, FairageError
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.recipe import (
    HEAD,
    MAIN,
    Choice,
    ExpertsChoice,
    Recipe,
    Stage,
    recipe_parts,
    with_changes,
)
from fairage.experiments.training_data import TrainedRows, TrainingData
from fairage.faces.augmentation import Augmentation
from fairage.objectives import OBJECTIVES, Objective
from fairage.objectives.fairness import Fairness
from fairage.tables import AGE_GROUP
from fairage.training import (
    FineTuneSettings,
    ImageRows,
    Rows,
    Selection,
    TrainingSettings,
    check_finetuning,
)
from fairage.training.data import (
    check_batches,
    check_embeddings,
    check_rows,
    group_layout,
    skipped_attributes,
)
from fairage.weighting import Weights

NONE = Choice(name="none")


def check_recipe(recipe: Recipe) -> None:
    """Raise a ConfigError that names what is wrong in the recipe or in what it stands for."""
    recipe_parts(recipe)
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
        experts = recipe.experts
        for attribute in experts.attributes or (AGE_GROUP, *experts.weightings):
            recipe_parts(expert_recipe(recipe, experts, attribute))
        recipe_parts(joint_recipe(recipe, experts, members=1))


def _check_stage(recipe: Recipe, stage: Stage) -> None:
    """Check parts and settings, which do not know of which stage they are."""
    try:
        recipe_parts(stage_recipe(recipe, stage, known=()))
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
    return _changed(recipe, training=with_changes(recipe.training, stage.training), **changes)


def expert_recipe(recipe: Recipe, experts: ExpertsChoice, attribute: str) -> Recipe:
    """Return the recipe that the expert of an attribute is trained by: its weights, no term."""
    default = Choice.model_validate({"name": "expert", "attribute": attribute})
    return _changed(recipe, weighting=experts.weightings.get(attribute, default), fairness=None)


def sole_expert(recipe: Recipe) -> str | None:
    """Return the attribute whose expert the recipe trains alone; None where it does not."""
    if recipe.weighting.name != "expert" or recipe.stages or recipe.experts:
        return None
    return str(recipe.weighting.options.get("attribute", AGE_GROUP))


def joint_recipe(recipe: Recipe, experts: ExpertsChoice, *, members: int) -> Recipe:
    """Return the recipe of the joint training of so many experts and their merge."""
    head = {"name": "experts", "members": [member_of(recipe)] * members, "merge": experts.merge}
    return _changed(
        recipe,
        head=Choice.model_validate(head),
        objective=experts.joint_objective or _reading_ages(recipe.objective),
        training=with_changes(recipe.training, experts.joint_training),
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
        options: Of the faces; their first backbone, as it was before any training, is trained.
        train: Training rows with their images and weights.
        valid: Validation rows with their images.
        settings: What trains, how fast, how long.
        augmentation: Changes each training picture anew in each epoch.
    """

    options: EmbedOptions
    train: ImageRows
    valid: ImageRows
    settings: FineTuneSettings
    augmentation: Augmentation | None


@dataclass(frozen=True)
class TrainingPhase:
    """One training: what it starts from is settled by the order of phases.

    Args:
        name: Its name in logs; it also sets its random numbers apart.
        train: Training rows with their weights.
        valid: Validation rows.
        weights: The weights, with what the weighting says about them.
        objective: The loss.
        fairness: The fairness term.
        selection: Which epoch is kept.
        settings: Epochs, batches, optimiser.
        weighting: Name of the weighting.
        source: The faces themselves, or the name of extra ones.
        augmented: Whether copies belong to the training rows.
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
    weighting: str
    source: str = MAIN
    augmented: bool = True
    backbone: BackboneTraining | None = None

    def on(self, data: TrainingData) -> "TrainingPhase":
        """Return the phase on the same rows with other embeddings; their weights stay."""
        rows = data.rows_for(self.source, augmented=self.augmented)
        return replace(
            self, train=replace(rows.train, weights=self.train.weights), valid=rows.valid
        )

    def check(self) -> tuple[str, ...]:
        """Return what the rows do not allow; raise what the training would raise of them."""
        check_rows(self.train, self.valid)
        warnings = self.weights.warnings(self.weighting)
        if self.fairness is not None:
            skipped = group_layout(self.fairness, self.train, self.valid).skipped
            warnings += skipped_attributes(self.fairness, skipped)
        if self.backbone is None:
            check_embeddings(self.train)
            check_embeddings(self.valid)
            check_batches(self.objective, min(self.settings.batch_size, len(self.train)))
            return warnings
        settings = self.backbone.settings
        try:
            check_batches(self.objective, settings.rows_at_once(len(self.train)))
            check_finetuning(self.backbone.options.backbones[0], settings)
        except FairageError as error:
            raise error.at(f"stage {self.name!r}") from error
        return warnings


@dataclass(frozen=True)
class RecipePhases:
    """All trainings that a recipe stands for, in their order: checked, and fitted, from here.

    Args:
        recipe: The recipe.
        data: The rows that they use.
        stages: The recipe's stages; without stages and experts, its one training.
        experts: The training of each expert, by its attribute.
        joint: The training of the experts and their merge; None where nothing is to train.
    """

    recipe: Recipe
    data: TrainingData
    stages: tuple[TrainingPhase, ...]
    experts: Mapping[str, TrainingPhase]
    joint: TrainingPhase | None

    def __iter__(self) -> Iterator[TrainingPhase]:
        yield from (*self.stages, *self.experts.values())
        if self.joint is not None:
            yield self.joint


def resolve_phases(recipe: Recipe, data: TrainingData) -> RecipePhases:
    """Return the trainings that a recipe stands for on these rows.

    Raises:
        ConfigError: A name does not fit the faces, or a stage cannot train the backbone.
        DataError: Extra faces or copies are missing, or a weighting does not fit the rows.
    """
    if recipe.stages:
        stages = tuple(_stage_phase(recipe, stage, data) for stage in recipe.stages)
    elif recipe.experts:
        stages = ()
    else:
        attribute = sole_expert(recipe)
        name = "training" if attribute is None else expert_name(attribute)
        stages = (_phase(recipe, data.rows_for(), name),)
    experts = _expert_phases(recipe, data)
    return RecipePhases(recipe, data, stages, experts, _joint_phase(recipe, data, len(experts)))


def expert_name(attribute: str) -> str:
    """Return how an expert is called.

    Examples:
        >>> expert_name("age_group"), expert_name("gender")
        ('age expert', 'gender expert')
    """
    return f"{'age' if attribute == AGE_GROUP else attribute} expert"


def _expert_phases(recipe: Recipe, data: TrainingData) -> dict[str, TrainingPhase]:
    experts = recipe.experts
    if experts is None:
        return {}
    rows = data.rows_for()
    attributes = experts.attributes or tuple(rows.train.groups)
    for name in experts.weightings:
        if name not in attributes:
            raise ConfigError.unknown_name("expert in experts.weightings", name, attributes)
    return {
        attribute: _phase(expert_recipe(recipe, experts, attribute), rows, expert_name(attribute))
        for attribute in attributes
    }


def _joint_phase(recipe: Recipe, data: TrainingData, members: int) -> TrainingPhase | None:
    experts = recipe.experts
    if experts is None or (not experts.joint and experts.merge == "average"):
        return None
    return _phase(joint_recipe(recipe, experts, members=members), data.rows_for(), "joint")


def _stage_phase(recipe: Recipe, stage: Stage, data: TrainingData) -> TrainingPhase:
    rows = data.rows_for(stage.data, augmented=stage.augmented)
    own = stage_recipe(recipe, stage, known=rows.train.groups)
    phase = _phase(own, rows, stage.name)
    phase = replace(phase, source=stage.data, augmented=stage.augmented)
    if not stage.trains_backbone:
        return phase
    changed = recipe.augmentation if stage.augmented and stage.data == MAIN else None
    backbone = BackboneTraining(
        _trainable(stage, data.data),
        _image_rows(phase.train, rows.faces),
        _image_rows(phase.valid, rows.valid_faces),
        stage.finetune_settings(recipe.training),
        None if changed is None else changed.augmentation(),
    )
    return replace(phase, backbone=backbone)


def _phase(recipe: Recipe, rows: TrainedRows, name: str) -> TrainingPhase:
    parts = recipe_parts(recipe)
    weights = parts.weighting.weigh(rows.faces.frame)
    return TrainingPhase(
        name,
        replace(rows.train, weights=torch.from_numpy(weights.values).float()),
        rows.valid,
        weights,
        parts.objective,
        parts.fairness,
        recipe.select,
        recipe.training,
        recipe.weighting.name,
    )


def _trainable(stage: Stage, faces: EmbeddedFaces) -> EmbedOptions:
    """Return how faces were embedded on which a stage can train the backbone.

    It is the first backbone that is trained: the head sees its embedding first.

    Raises:
        ConfigError: It cannot be trained, or the images of these faces are not at hand.
    """
    if faces.provenance is None:
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
    return faces.provenance.options


def _image_rows(rows: Rows, faces: EmbeddedFaces) -> ImageRows:
    """Return the rows of these faces with images in the place of the first backbone's embeddings.

    Embeddings `(n, dim)` of further backbones stand beside the images.
    """
    beside = rows.embeddings[:, int(faces.backbones[0]["dim"]) :]
    return ImageRows(
        faces.images, rows.targets, rows.weights, rows.groups, beside if beside.shape[1] else None
    )
