"""The recipe: one way to train a model, checked key by key."""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from fairage._registry import build
from fairage.auditing.scoring import MIN_ROWS
from fairage.experiments.recipe_augmentation import NamedAugmentation
from fairage.experiments.recipe_choices import Choice, Named, Select, SelectRule, Strict, Training
from fairage.experiments.recipe_stages import MAIN, ExpertsChoice, Stage
from fairage.models import HEADS, check_pair
from fairage.objectives import OBJECTIVES, Objective
from fairage.objectives.fairness import FAIRNESS, Fairness
from fairage.training import AFTER, AfterStep
from fairage.weighting import Weighting, make_weighting

__all__ = ["Parts", "Recipe", "parts_of", "with_min_rows"]

Text = Annotated[str, BeforeValidator(lambda v: str(v) if isinstance(v, int | float) else v)]


class Recipe(Strict):
    """One version of one experiment."""

    experiment: Text = Field(description="The experiment that it belongs to.")
    version: Text = Field(description="Its name within the experiment.", pattern=r"^[\w .+-]+$")
    description: str = Field("", description="What it is, in a sentence.")
    weighting: Named = Field(Choice(name="none"), description="Weights of the training rows.")
    head: Named = Field(Choice(name="regression"), description="From the embedding to the age.")
    objective: Named = Field(Choice(name="mse"), description="The loss.")
    fairness: Named | None = Field(
        None, description="A term that is added to the loss so that groups fare alike."
    )
    select: SelectRule = Field(
        default_factory=lambda: Select.model_validate({}), description="Which epoch is kept."
    )
    after: tuple[Named, ...] = Field((), description="Steps that follow the training, in order.")
    training: Training = Field(default_factory=lambda: Training.model_validate({}))
    augmentation: NamedAugmentation | None = Field(
        None, description="Changed copies of training faces that are trained on as well."
    )
    stages: tuple[Stage, ...] = Field((), description="Trainings that follow each other.")
    experts: ExpertsChoice | None = Field(
        None, description="One head an attribute, merged; they start from the stages' head."
    )
    parts: int = Field(
        1, ge=1, description="Parts that the training rows are split into, a model for each."
    )
    members: int = Field(
        1, ge=1, description="Models trained alike but for their random numbers, averaged."
    )
    published: dict[str, float] | None = Field(
        None, description="Results that were published for it: mae, average_bias, gender_bias, ..."
    )

    @property
    def slug(self) -> str:
        """Name of the version's folder."""
        text = f"{self.experiment}-{self.version}".lower()
        return "".join(c if c.isalnum() else "-" for c in text)

    @property
    def fingerprint(self) -> str:
        """Hash of everything that changes the trained model."""
        told = self.model_dump(exclude={"experiment", "version", "description", "published"})
        for part in (told, *told["stages"]):
            if part["select"] is not None:
                part["select"] = _selecting(part["select"])
        training = told["training"]
        training |= {key: None for key, value in LATER.items() if training.get(key) == value}
        text = json.dumps(_older(told), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @property
    def backbone_stages(self) -> tuple[Stage, ...]:
        """Its stages that train the backbone along with the head."""
        return tuple(stage for stage in self.stages if stage.trains_backbone)

    @property
    def extra_names(self) -> tuple[str, ...]:
        """Names of the extra faces tables that its stages train on."""
        return tuple(dict.fromkeys(stage.data for stage in self.stages if stage.data != MAIN))


def with_min_rows(recipe: Recipe, min_rows: int) -> Recipe:
    """Return the recipe with the `min_rows` of its selections set where it leaves them unset."""

    def filled(select: Select) -> Select:
        unset = select.min_rows is None
        return select.model_copy(update={"min_rows": min_rows}) if unset else select

    stages = tuple(
        stage if stage.select is None else stage.model_copy(update={"select": filled(stage.select)})
        for stage in recipe.stages
    )
    return recipe.model_copy(update={"select": filled(recipe.select), "stages": stages})


def _selecting(select: dict[str, Any]) -> dict[str, Any]:
    """Return a selection without a `min_rows` that changes nothing."""
    blind = select["rule"] != "fair" or select["min_rows"] in (None, MIN_ROWS)
    return {key: value for key, value in select.items() if key != "min_rows" or not blind}


LATER = {"finetuning": None, "mixup": 0.0, "mixup_years": 5.0}
"""Keys that came later, and the value in `training` under which all is as it was before."""


def _older(told: Any) -> Any:  # noqa: ANN401  # any part of a recipe
    """Return the same without later keys that say nothing: so fingerprints last."""
    if isinstance(told, dict):
        kept = {k: v for k, v in told.items() if k not in LATER or v is not None}
        return {key: _older(value) for key, value in kept.items()}
    return [_older(part) for part in told] if isinstance(told, list | tuple) else told


@dataclass(frozen=True)
class Parts:
    """What a recipe chooses by name, made with its options; the head is made by `make_head`."""

    weighting: Weighting
    objective: Objective
    fairness: Fairness | None
    after: tuple[AfterStep, ...]


def parts_of(recipe: Recipe) -> Parts:
    """Return the parts that the recipe chooses; stages and experts are not among them.

    Raises:
        ConfigError: A name or an option is not known, or head and objective do not go together.
    """
    kind = build("head", HEADS, recipe.head.name, recipe.head.options)
    objective = build("objective", OBJECTIVES, recipe.objective.name, recipe.objective.options)
    check_pair(kind, objective)
    told = recipe.fairness
    return Parts(
        weighting=make_weighting(recipe.weighting.name, **recipe.weighting.options),
        objective=objective,
        fairness=None if told is None else build("fairness", FAIRNESS, told.name, told.options),
        after=tuple(build("after", AFTER, step.name, step.options) for step in recipe.after),
    )
