"""The recipes that one recipe stands for: of its stages, its experts, their joint training."""

from collections.abc import Iterable
from typing import Any

from fairage._registry import build
from fairage.exceptions import ConfigError
from fairage.experiments.recipe_choices import Choice
from fairage.experiments.recipe_model import Recipe, parts_of
from fairage.experiments.recipe_stages import MAIN, ExpertsChoice, Stage
from fairage.objectives import OBJECTIVES
from fairage.tables import AGE_GROUP

__all__ = [
    "check_recipe",
    "expert_recipe",
    "joint_recipe",
    "member_of",
    "sole_expert",
    "stage_recipe",
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
        _check_backbone(recipe, stage)
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


def _check_backbone(recipe: Recipe, stage: Stage) -> None:
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
