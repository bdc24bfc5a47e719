"""How a head is trained: epochs, batches, the optimiser and its schedule."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["TrainingSettings"]


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
