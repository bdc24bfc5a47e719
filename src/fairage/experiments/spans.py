"""The trainings that a recipe's model goes through, each with its rows, weights and settings."""

from dataclasses import dataclass, replace

import torch

from fairage.exceptions import ConfigError, FairageError
from fairage.experiments.backbone_stages import BackboneTraining, image_rows, trainable
from fairage.experiments.derived import expert_recipe, joint_recipe, sole_expert, stage_recipe
from fairage.experiments.recipe_model import Recipe, parts_of
from fairage.experiments.recipe_stages import MAIN, Stage
from fairage.experiments.rows import Material, Taught
from fairage.objectives import Objective
from fairage.objectives.fairness import Fairness
from fairage.tables import AGE_GROUP
from fairage.training import Rows, Selection, TrainingSettings
from fairage.training.fairness import group_layout
from fairage.training.finetuning import check_finetuning
from fairage.training.rows import check_batches, check_embeddings, check_rows
from fairage.weighting import Weights

__all__ = ["Span", "check_spans", "expert_name", "expert_spans", "joint_span", "stage_spans"]


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
