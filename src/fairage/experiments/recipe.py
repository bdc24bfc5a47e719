"""What parts of a recipe are made of: choices by name, how to train, which epoch is kept."""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from fairage._registry import build
from fairage.auditing.scoring import MIN_ROWS
from fairage.datasets.oversampling import Copies, make_copies
from fairage.exceptions import ConfigError
from fairage.faces.augmentation import Augmentation, make_augmentation
from fairage.models import HEADS, check_pair
from fairage.objectives import OBJECTIVES, Objective
from fairage.objectives.fairness import FAIRNESS, Fairness
from fairage.training import AFTER, AfterStep
from fairage.training.selection import Selection
from fairage.training.settings import LEAST_MIXUP, MOST_MIXUP, FineTuneSettings
from fairage.weighting import Weighting, make_weighting

__all__ = [
    "HEAD",
    "MAIN",
    "AugmentationChoice",
    "Choice",
    "ExpertsChoice",
    "FineTuningChoice",
    "Named",
    "NamedAugmentation",
    "Parts",
    "Recipe",
    "Select",
    "SelectRule",
    "Stage",
    "Strict",
    "Training",
    "TrainingChanges",
    "finetune_settings",
    "name_alone",
    "parts_of",
    "with_min_rows",
]


class Strict(BaseModel):
    """A part of a recipe: unknown keys are refused, and so are numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Choice(BaseModel):
    """Something chosen by name, with its options: `2b`, or `{name: 2b, attributes: [gender]}`."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str = Field(description="One of the names that fairage knows.")

    @property
    def options(self) -> dict[str, Any]:
        """The options beside the name."""
        return dict(self.__pydantic_extra__ or {})


def _mixing(value: float) -> float:
    if value and not LEAST_MIXUP <= value <= MOST_MIXUP:
        raise ValueError(f"0 for none, or {LEAST_MIXUP}..{MOST_MIXUP}")
    return value


Mixing = Annotated[float, AfterValidator(_mixing)]
"""How much is mixed."""


class Training(Strict):
    """How long and how fast the head is trained; the defaults are the kit's first stage."""

    epochs: int = Field(50, ge=1, description="At most so many passes over the training rows.")
    batch_size: int = Field(32, ge=1, description="Rows a step.")
    learning_rate: float = Field(1e-4, gt=0, description="The step size, at its highest.")
    patience: int = Field(5, ge=1, description="Epochs without a better one to stop.")
    weight_decay: float = Field(0.0, ge=0, description="Adam's L2 penalty, or AdamW's decay.")
    optimizer: Literal["adam", "adamw"] = Field("adam", description="The optimiser.")
    schedule: Literal["constant", "cosine"] = Field(
        "constant", description="Step size over time: as it is, or down to 0 over all epochs."
    )
    warmup: float = Field(0.0, ge=0, description="Epochs over which the step size first rises.")
    ema: float = Field(
        0.0, ge=0, lt=1, description="Decay a step of an average of the weights; 0 for none."
    )
    mixup: Mixing = Field(
        0.0, description="Mix faces of about the same age (C-Mixup); 0 mixes none."
    )
    mixup_years: float = Field(
        5.0, ge=0.5, description="Width in years of the Gaussian by which partners are drawn."
    )


class TrainingChanges(Strict):
    """What is trained otherwise than the recipe's `training` says; unset keys stay the recipe's."""

    epochs: int | None = Field(None, ge=1, description="As in `training`.")
    batch_size: int | None = Field(None, ge=1, description="As in `training`.")
    learning_rate: float | None = Field(None, gt=0, description="As in `training`.")
    patience: int | None = Field(None, ge=1, description="As in `training`.")
    weight_decay: float | None = Field(None, ge=0, description="As in `training`.")
    optimizer: Literal["adam", "adamw"] | None = Field(None, description="As in `training`.")
    schedule: Literal["constant", "cosine"] | None = Field(None, description="As in `training`.")
    warmup: float | None = Field(None, ge=0, description="As in `training`.")
    ema: float | None = Field(None, ge=0, lt=1, description="As in `training`.")
    mixup: Mixing | None = Field(None, description="As in `training`.")
    mixup_years: float | None = Field(None, ge=0.5, description="As in `training`.")

    def changed(self, training: Training) -> Training:
        """Return the training with these changes.

        Examples:
            >>> TrainingChanges.model_validate({"epochs": 3}).changed(Training()).epochs
            3
        """
        told = {name: getattr(self, name) for name in Training.model_fields}
        changes = {name: value for name, value in told.items() if value is not None}
        return training.model_copy(update=changes)


class Select(Strict):
    """Which epoch is kept, by validation alone."""

    rule: Literal["loss", "mae", "fair"] = Field(
        "loss",
        description="Lowest loss, lowest MAE, or lowest average bias among the nearly as accurate.",
    )
    delta: float = Field(
        0.03, ge=0, description="Share of the lowest MAE that `fair` may give up for fairness."
    )
    min_rows: int | None = Field(
        None,
        ge=2,
        description="Validation faces that a group must have to take part in biases; that of the "
        "command, 30 by default, if unset.",
    )

    def selection(self) -> Selection:
        """Return the rule as training takes it."""
        return Selection(self.rule, self.delta, self.min_rows or MIN_ROWS)

    @property
    def sees_biases(self) -> bool:
        """Whether other `min_rows` may choose another epoch."""
        return self.rule == "fair"


def name_alone(value: object) -> object:
    """Return a name as the mapping that it stands for; anything else as it is."""
    return {"name": str(value)} if isinstance(value, str | int) else value


def _rule_alone(value: object) -> object:
    return {"rule": value} if isinstance(value, str) else value


Named = Annotated[Choice, BeforeValidator(name_alone)]
"""A choice that may be written as its name alone."""

SelectRule = Annotated[Select, BeforeValidator(_rule_alone)]
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
        told = json.dumps(self.model_dump(), sort_keys=True)
        return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()

    def augmentation(self) -> Augmentation:
        """Return what changes a copy, or raise a ConfigError for an unknown name or option."""
        return make_augmentation(self.name, **self.options)

    def chosen_copies(self) -> Copies:
        """Return what chooses the rows, or raise a ConfigError for an unknown name or option."""
        return make_copies(self.copies.name, **self.copies.options)


NamedAugmentation = Annotated[AugmentationChoice, BeforeValidator(name_alone)]
"""An augmentation that may be written as its name alone: one copy of every training face."""


class FineTuningChoice(Strict):
    """How the backbone is trained; `learning_rate` and all else of `training` is the head's too."""

    backbone_rate: float | None = Field(
        None, gt=0, lt=1, description="Step size of the backbone's last block; unset, the head's."
    )
    layer_decay: float = Field(
        1.0, gt=0, le=1, description="What it is multiplied by from a block to the one before."
    )
    batch_norm: Literal["keep", "adapt"] = Field(
        "keep", description="Keep the published statistics, or take those of the batches."
    )
    mirror: bool = Field(
        True, description="Mirror half of the pictures where the stage has no augmentation."
    )
    accumulate: int = Field(
        1, ge=1, description="Parts of a batch that go through one by one, to save memory."
    )
    gradient_checkpointing: bool = Field(
        False, description="Compute the inside of a block twice, to save memory."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Of the training passes; `auto` is bf16 on a GPU that has it."
    )


def finetune_settings(
    train: str, training: Training, choice: FineTuningChoice | None
) -> FineTuneSettings:
    """Return the settings of a stage that trains the backbone.

    The optimiser is AdamW, which without weight decay is Adam.

    Args:
        train: `last:K` or `all`.
        training: Of this stage.
        choice: What is set for the backbone; None for nothing.

    Raises:
        ConfigError: A number makes no sense, or Adam's L2 penalty or mixing is asked for.

    Examples:
        >>> found = finetune_settings("last:2", Training(epochs=30), None)
        >>> found.last, found.epochs, found.batch_norm
        (2, 30, 'keep')
    """
    if training.optimizer == "adam" and training.weight_decay > 0:
        raise ConfigError(
            "expected optimizer: adamw for weight_decay in a stage that trains the backbone, got "
            f"adam with weight_decay {training.weight_decay}, write optimizer: adamw"
        )
    if training.mixup > 0:
        raise ConfigError(
            "expected mixup: 0 in a stage that trains the backbone, as embeddings are mixed, not "
            f"pictures, got {training.mixup}, write mixup: 0 in that stage"
        )
    own = (choice or FineTuningChoice.model_validate({})).model_dump()
    return FineTuneSettings(
        train, **training.model_dump(exclude={"optimizer", "mixup", "mixup_years"}), **own
    )


MAIN, HEAD = "main", "head"


class Stage(TrainingChanges):
    """A span of training that starts from the weights which the one before left.

    What is not set is as the recipe says.
    """

    name: str = Field(description="Its name.", pattern=r"^[\w .+-]+$")
    data: str = Field(
        MAIN, description="`main`, or the name of a faces table handed over as --extra-faces."
    )
    train: str = Field(
        HEAD,
        pattern=r"^(head|all|last:[1-9]\d*)$",
        description="`head`, `last:K` blocks of the backbone and the head, or `all`.",
    )
    weighting: Named | None = Field(None, description="Weights of its training rows.")
    objective: Named | None = Field(None, description="Its loss.")
    fairness: Named | None = Field(None, description="Its fairness term; `none` for none.")
    select: SelectRule | None = Field(None, description="Which of its epochs is kept.")
    augmented: bool = Field(
        True, description="Whether the augmented copies belong to its training rows."
    )
    finetuning: FineTuningChoice | None = Field(
        None, description="How the backbone is trained, where `train` names it."
    )

    @property
    def trains_backbone(self) -> bool:
        """Whether the backbone trains along with the head."""
        return self.train != HEAD

    def finetune_settings(self, training: Training) -> FineTuneSettings:
        """Return how the backbone is trained, for the recipe's `training`."""
        return finetune_settings(self.train, self.changed(training), self.finetuning)


class ExpertsChoice(Strict):
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
    joint_training: TrainingChanges = Field(
        default_factory=lambda: TrainingChanges.model_validate({}),
        description="What is set otherwise than in `training` while the merge is trained.",
    )


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
