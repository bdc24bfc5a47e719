"""How heads and backbones are trained: epochs, batches, the optimiser. Declared here alone."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from fairage._settings import Settings

_LEAST_MIXUP, _MOST_MIXUP = 0.001, 1000
_LAST = re.compile(r"last:([1-9]\d*)")


def _check_mixup(value: float) -> float:
    if value and not _LEAST_MIXUP <= value <= _MOST_MIXUP:
        raise ValueError(f"0 for none, or {_LEAST_MIXUP}..{_MOST_MIXUP}")
    return value


def _check_train(value: str) -> str:
    if value not in ("head", "all") and not _LAST.fullmatch(value):
        raise ValueError("'head', 'last:K' (such as 'last:2') or 'all'")
    return value


Trainable = Annotated[str, AfterValidator(_check_train)]
"""What trains: `head`, `last:K` for the head and the last K blocks of the backbone, or `all`."""


class TrainingSettings(Settings):
    """How long and how fast to train; the defaults are the kit's first stage.

    Examples:
        >>> TrainingSettings(epochs=0)
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: epochs: expected 1 or more, got 0, correct it
    """

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
        0.0,
        ge=0,
        lt=1,
        description="Decay a step of an exponential moving average of the weights, which is then "
        "what is validated and kept; 0 for none.",
    )
    mixup: Annotated[float, AfterValidator(_check_mixup)] = Field(
        0.0,
        description="Mix faces of about the same age (C-Mixup), by shares from Beta(mixup, mixup); "
        "0 mixes none.",
    )
    mixup_years: float = Field(
        5.0, ge=0.5, description="Width in years of the Gaussian by which partners are drawn."
    )


class BackboneSettings(Settings):
    """How a backbone is trained along with the head, beyond what every training has."""

    backbone_rate: float | None = Field(
        None, gt=0, lt=1, description="Step size of the backbone's last block; unset, the head's."
    )
    layer_decay: float = Field(
        1.0, gt=0, le=1, description="What it is multiplied by from a block to the one before."
    )
    batch_norm: Literal["keep", "adapt"] = Field(
        "keep",
        description="Keep the statistics that the backbone was published with, or take those of "
        "the batches, in the blocks that train.",
    )
    mirror: bool = Field(
        True, description="Mirror half of the pictures where there is no augmentation."
    )
    accumulate: int = Field(
        1,
        ge=1,
        description="Parts of a batch that go through one by one, to save memory; the objective "
        "balanced-mse compares rows within a part only.",
    )
    gradient_checkpointing: bool = Field(
        False, description="Compute the inside of a block twice, to save memory."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto",
        description="Of the backbone's passes in training, weights and validation being in fp32; "
        "auto is bf16 on a GPU that has it.",
    )


class FineTuneSettings(TrainingSettings, BackboneSettings):
    """How a backbone is trained together with a head; the optimiser is AdamW.

    Biases and norms do not decay. AdamW without weight decay is Adam, so that one is fine too.

    Examples:
        >>> FineTuneSettings(train="last:2").last
        2
        >>> FineTuneSettings(train="last")
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: train: expected 'head', 'last:K' (such as 'last:2') or ...
    """

    train: Trainable = Field("all", description="What trains: head, last:K blocks and head, all.")

    @property
    def last(self) -> int | None:
        """How many of the backbone's last blocks train; None for the whole backbone."""
        if self.train == "all":
            return None
        match = _LAST.fullmatch(self.train)
        return int(match[1]) if match else 0

    def rows_at_once(self, rows: int) -> int:
        """Return how many of a batch's rows, or of fewer, go through the network together.

        Examples:
            >>> FineTuneSettings(batch_size=16, accumulate=3).rows_at_once(100)
            6
        """
        return -(-min(self.batch_size, rows) // self.accumulate)

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.optimizer == "adam" and self.weight_decay > 0:
            raise ValueError(
                "expected optimizer: adamw for weight_decay where the backbone is trained, got "
                f"adam with weight_decay {self.weight_decay}, write optimizer: adamw"
            )
        if self.mixup > 0:
            raise ValueError(
                "expected mixup: 0 where the backbone is trained, as embeddings are mixed, not "
                f"pictures, got {self.mixup}, write mixup: 0"
            )
        if not self.learning_rate < 1:
            raise ValueError(
                "expected a learning_rate below 1 where the backbone is trained, got "
                f"learning_rate {self.learning_rate:g}, lower it"
            )
        if self.accumulate > self.batch_size or self.warmup > self.epochs:
            raise ValueError(
                "expected accumulate up to batch_size and warmup up to epochs, got accumulate "
                f"{self.accumulate} of {self.batch_size} and warmup {self.warmup} of "
                f"{self.epochs}, correct them"
            )
        return self
