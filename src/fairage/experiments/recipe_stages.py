"""The parts of a recipe that make one training several: stages, and an ensemble of experts."""

from typing import Literal

from pydantic import Field

from fairage.experiments.recipe_choices import (
    Named,
    SelectRule,
    Strict,
    Training,
    TrainingChanges,
)
from fairage.experiments.recipe_finetuning import FineTuningChoice, finetune_settings
from fairage.training.finetuning import FineTuneSettings

__all__ = ["HEAD", "MAIN", "ExpertsChoice", "Stage"]

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
