"""The recipe: one way to train a model, checked key by key."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_serializer

from fairage._files import hash_of
from fairage._registry import build
from fairage._settings import Settings
from fairage.datasets.oversampling import Copies, make_copies
from fairage.faces.augmentation import Augmentation, make_augmentation
from fairage.models import HEADS, check_pair
from fairage.objectives import OBJECTIVES, Objective
from fairage.objectives.fairness import FAIRNESS, Fairness
from fairage.training import (
    AFTER,
    AfterStep,
    BackboneSettings,
    FineTuneSettings,
    Selection,
    TrainingSettings,
)
from fairage.training.training_settings import Trainable
from fairage.weighting import Weighting, make_weighting

MAIN, HEAD = "main", "head"


class Choice(BaseModel):
    """Something chosen by name, with its options: `2b`, or `{name: 2b, attributes: [gender]}`."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str = Field(description="One of the names that fairage knows.")

    @property
    def options(self) -> dict[str, Any]:
        """The options beside the name."""
        return dict(self.__pydantic_extra__ or {})


def name_alone(value: object) -> object:
    """Return a name as the mapping that it stands for; anything else as it is."""
    return {"name": str(value)} if isinstance(value, str | int) else value


def _rule_alone(value: object) -> object:
    return {"rule": value} if isinstance(value, str) else value


Named = Annotated[Choice, BeforeValidator(name_alone)]
"""A choice that may be written as its name alone."""

NamedRule = Annotated[Selection, BeforeValidator(_rule_alone)]
"""A selection that may be written as its rule alone."""


class AugmentationChoice(Choice):
    """Changed copies of training faces: `{name: kit, copies: {name: share, share: 0.5}, seed: 0}`.

    Options beside these keys are the augmentation's.
    """

    copies: Named = Field(
        default=Choice(name="all"), description="Which rows are copied how often."
    )
    seed: int = Field(0, description="Settles the changes, whatever the seed of the run.")

    @property
    def key(self) -> str:
        """Hash of the choice: what embedded copies are found by.

        Examples:
            >>> one, two = (AugmentationChoice(name="kit", seed=seed) for seed in (0, 1))
            >>> one.key == two.key
            False
        """
        text = json.dumps(self.model_dump(), sort_keys=True)
        return hash_of(text, size=8)

    def augmentation(self) -> Augmentation:
        """Return what changes a copy, or raise a ConfigError for an unknown name or option."""
        return make_augmentation(self.name, **self.options)

    def chosen_copies(self) -> Copies:
        """Return what chooses the rows, or raise a ConfigError for an unknown name or option."""
        return make_copies(self.copies.name, **self.copies.options)


NamedAugmentation = Annotated[AugmentationChoice, BeforeValidator(name_alone)]
"""An augmentation that may be written as its name alone: one copy of every training face."""


class Stage(Settings):
    """A training that starts from the weights which the one before left.

    What is not set is as the recipe says.
    """

    name: str = Field(description="Its name.", pattern=r"^[\w .+-]+$")
    data: str = Field(
        MAIN, description="`main`, or the name of a faces table handed over as --extra-faces."
    )
    train: Trainable = Field(
        HEAD, description="`head`, `last:K` blocks of the backbone and the head, or `all`."
    )
    training: TrainingSettings = Field(
        default_factory=TrainingSettings,
        description="What is set otherwise than in the recipe's `training`.",
    )
    weighting: Named | None = Field(None, description="Weights of its training rows.")
    objective: Named | None = Field(None, description="Its loss.")
    fairness: Named | None = Field(None, description="Its fairness term; `none` for none.")
    select: NamedRule | None = Field(None, description="Which of its epochs is kept.")
    augmented: bool = Field(
        True, description="Whether the augmented copies belong to its training rows."
    )
    finetuning: BackboneSettings | None = Field(
        None, description="How the backbone is trained, where `train` names it."
    )

    @field_serializer("training")
    def _changes(self, training: TrainingSettings) -> dict[str, Any]:
        return training.model_dump(exclude_unset=True)

    @property
    def trains_backbone(self) -> bool:
        """Whether the backbone trains along with the head."""
        return self.train != HEAD

    def finetune_settings(self, training: TrainingSettings) -> FineTuneSettings:
        """Return how the backbone is trained, for the recipe's `training`.

        Raises:
            ConfigError: Numbers do not go together, or Adam's L2 penalty or mixing is asked for.
        """
        own = {} if self.finetuning is None else dict(self.finetuning)
        return FineTuneSettings(
            train=self.train, **dict(with_changes(training, self.training)), **own
        )


class ExpertsChoice(Settings):
    """One head for each attribute, trained with its own weights, and what merges their ages.

    The recipe's own weighting, objective, fairness term and selection are those of the joint
    training that follows.
    """

    attributes: tuple[str, ...] | None = Field(
        None, min_length=1, description="One expert each; all and `age_group` where none are named."
    )
    weightings: dict[str, Named] = Field(
        default_factory=dict,
        description="Weights of an attribute's expert where they are not the weighting `expert`.",
    )
    merge: Literal["dense", "average", "gate"] = Field(
        "dense", description="A linear layer, the mean, or shares that the embedding settles."
    )
    joint: bool = Field(
        True, description="Train experts and merge together; else the merge alone, if it can be."
    )
    joint_objective: Named | None = Field(
        None, description="Loss of that training; the recipe's where it reads ages, else `mae`."
    )
    joint_training: TrainingSettings = Field(
        default_factory=TrainingSettings,
        description="What is set otherwise than in `training` while the merge is trained.",
    )

    @field_serializer("joint_training")
    def _changes(self, training: TrainingSettings) -> dict[str, Any]:
        return training.model_dump(exclude_unset=True)


Text = Annotated[str, BeforeValidator(lambda v: str(v) if isinstance(v, int | float) else v)]


class Recipe(Settings):
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
    select: NamedRule = Field(default_factory=Selection, description="Which epoch is kept.")
    after: tuple[Named, ...] = Field((), description="Steps that follow the training, in order.")
    training: TrainingSettings = Field(
        default_factory=TrainingSettings, description="How long and how fast to train."
    )
    augmentation: NamedAugmentation | None = Field(
        None, description="Changed copies of training faces that are trained on as well."
    )
    stages: tuple[Stage, ...] = Field((), description="Trainings that follow each other.")
    experts: ExpertsChoice | None = Field(
        None, description="One head an attribute, merged; they start from the stages' head."
    )
    parts: int = Field(
        1, ge=1, description="RecipeParts that the training rows are split into, a model for each."
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
        said = {"experiment", "version", "description", "published"}
        content = self.model_dump(exclude=said)
        for stage, part in zip(self.stages, content["stages"], strict=True):
            part["training"] = dict(with_changes(self.training, stage.training))
        if self.experts is not None:
            joint = with_changes(self.training, self.experts.joint_training)
            content["experts"]["joint_training"] = dict(joint)
        for part in (content, *content["stages"]):
            if part["select"] is not None:
                part["select"] = Selection(**part["select"]).effect
        text = json.dumps(content, sort_keys=True)
        return hash_of(text, size=8)

    @property
    def backbone_stages(self) -> tuple[Stage, ...]:
        """Its stages that train the backbone along with the head."""
        return tuple(stage for stage in self.stages if stage.trains_backbone)

    @property
    def extra_names(self) -> tuple[str, ...]:
        """Names of the extra faces tables that its stages train on."""
        return tuple(dict.fromkeys(stage.data for stage in self.stages if stage.data != MAIN))

    def with_min_rows(self, min_rows: int) -> "Recipe":
        """Return the recipe with this `min_rows` in those of its selections that set none."""

        def filled(select: Selection) -> Selection:
            return select.changed(min_rows=min_rows) if select.min_rows is None else select

        stages = tuple(
            stage if stage.select is None else stage.changed(select=filled(stage.select))
            for stage in self.stages
        )
        return self.changed(select=filled(self.select), stages=stages)


def with_changes(training: TrainingSettings, changes: TrainingSettings) -> TrainingSettings:
    """Return the settings with those that are set in `changes`.

    Examples:
        >>> with_changes(TrainingSettings(epochs=9), TrainingSettings(batch_size=8)).epochs
        9
    """
    return training.changed(**changes.model_dump(exclude_unset=True))


@dataclass(frozen=True)
class RecipeParts:
    """What a recipe chooses by name, made with its options; the head is made by `make_head`."""

    weighting: Weighting
    objective: Objective
    fairness: Fairness | None
    after: tuple[AfterStep, ...]


def recipe_parts(recipe: Recipe) -> RecipeParts:
    """Return the parts that the recipe chooses; stages and experts are not among them.

    Raises:
        ConfigError: A name or an option is not known, or head and objective do not go together.
    """
    kind = build("head", HEADS, recipe.head.name, recipe.head.options)
    objective = build("objective", OBJECTIVES, recipe.objective.name, recipe.objective.options)
    check_pair(kind, objective)
    term = recipe.fairness
    return RecipeParts(
        weighting=make_weighting(recipe.weighting.name, **recipe.weighting.options),
        objective=objective,
        fairness=None if term is None else build("fairness", FAIRNESS, term.name, term.options),
        after=tuple(build("after", AFTER, step.name, step.options) for step in recipe.after),
    )
