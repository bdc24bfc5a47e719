"""How a head is trained: epochs, batches, the optimiser and its schedule."""

import math
from dataclasses import dataclass
from typing import Literal

from fairage.exceptions import ConfigError

__all__ = ["LEAST_MIXUP", "MOST_MIXUP", "TrainingSettings"]

LEAST_MIXUP, MOST_MIXUP = 0.001, 1000


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast a head is trained; the defaults are the kit's first stage.

    Args:
        epochs: At most so many passes over the training rows.
        batch_size: Rows a step.
        learning_rate: The optimiser's step size, at its highest.
        patience: Stop after so many epochs without a better one.
        weight_decay: Adam's L2 penalty, or AdamW's decoupled decay.
        optimizer: `"adam"` or `"adamw"`.
        schedule: `"constant"`, or `"cosine"`: down to 0 over all epochs.
        warmup: Epochs over which the step size first rises from 0.
        ema: Decay a step of an exponential moving average of the weights, which is then what is
            validated and kept; 0 keeps the weights themselves.
        mixup: Mix faces of about the same age, by shares from Beta(mixup, mixup); 0 mixes none.
        mixup_years: Standard deviation in years of the Gaussian in the difference of ages by
            which partners are drawn.

    Examples:
        >>> TrainingSettings(epochs=0)
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: expected epochs of 1 or more and finite, got 0, correct it
    """

    epochs: int = 50
    batch_size: int = 32
    learning_rate: float = 1e-4
    patience: int = 5
    weight_decay: float = 0.0
    optimizer: Literal["adam", "adamw"] = "adam"
    schedule: Literal["constant", "cosine"] = "constant"
    warmup: float = 0.0
    ema: float = 0.0
    mixup: float = 0.0
    mixup_years: float = 5.0

    def __post_init__(self) -> None:
        lowest = {
            "epochs": 1,
            "batch_size": 1,
            "patience": 1,
            "weight_decay": 0,
            "warmup": 0,
            "mixup_years": 0.5,
        }
        for name, limit in lowest.items():
            value = getattr(self, name)
            if not limit <= value < math.inf:
                raise ConfigError(
                    f"expected {name} of {limit:g} or more and finite, got {value!r}, correct it"
                )
        if not 0 < self.learning_rate < math.inf or not 0 <= self.ema < 1:
            raise ConfigError(
                "expected a learning_rate above 0 and finite, and an ema from 0 to below 1, got "
                f"{self.learning_rate!r} and {self.ema!r}, correct them"
            )
        if self.mixup and not LEAST_MIXUP <= self.mixup <= MOST_MIXUP:
            raise ConfigError(
                f"expected a mixup of 0 for none, or {LEAST_MIXUP}..{MOST_MIXUP}, got "
                f"{self.mixup!r}, take 1"
            )
        choices = {"optimizer": ("adam", "adamw"), "schedule": ("constant", "cosine")}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ConfigError.unknown_name(name, getattr(self, name), known)
