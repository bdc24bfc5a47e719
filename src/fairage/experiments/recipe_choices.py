"""What parts of a recipe are made of: choices by name, how to train, which epoch is kept."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from fairage.auditing.scoring import MIN_ROWS
from fairage.training.selection import Selection
from fairage.training.settings import LEAST_MIXUP, MOST_MIXUP

__all__ = [
    "Choice",
    "Named",
    "Select",
    "SelectRule",
    "Strict",
    "Training",
    "TrainingChanges",
    "name_alone",
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
