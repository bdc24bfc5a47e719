"""What a recipe says of a stage that trains the backbone, beyond what every training has."""

from typing import Literal

from pydantic import Field

from fairage.exceptions import ConfigError
from fairage.experiments.recipe_choices import Strict, Training
from fairage.training.finetuning import FineTuneSettings

__all__ = ["FineTuningChoice", "finetune_settings"]


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
