"""How a head is trained: epochs, batches, the optimiser and its schedule."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fairage.exceptions import ConfigError

__all__ = ["LEAST_MIXUP", "MOST_MIXUP", "FineTuneSettings", "Resources", "TrainingSettings"]

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


_LAST = re.compile(r"last:([1-9]\d*)")


@dataclass(frozen=True)
class FineTuneSettings:
    """What is fine-tuned and how; the defaults are the kit's second stage.

    Args:
        train: `"head"`, `"last:K"` for the head and the last K blocks of the backbone, `"all"`.
        epochs: At most so many passes over the training rows.
        batch_size: Rows a step learns from.
        accumulate: Parts in which a batch goes through the network, one after another: so many
            times less memory for the same step. The objective `balanced-mse` compares rows
            within a part only.
        learning_rate: AdamW's step size for the head, at its highest.
        backbone_rate: The same for the backbone's last block; None for that of the head.
        layer_decay: What the step size is multiplied by from a block to the one before it.
        patience: Stop after so many epochs without a better one.
        weight_decay: AdamW's decay of matrices and kernels; biases and norms do not decay.
        schedule: `"constant"`, or `"cosine"`: down to 0 over all epochs.
        warmup: Epochs over which the step sizes first rise from 0.
        ema: Decay a step of an exponential moving average of the weights, which is then what is
            validated and kept; 0 keeps the weights themselves.
        precision: `"fp32"`, or `"bf16"` for the backbone's passes in training, its weights and
            all of validation being in fp32; `"auto"` takes bf16 on a GPU that has it.
        gradient_checkpointing: Compute what is inside a block twice, to keep less in memory.
        batch_norm: `"keep"` uses the statistics that the backbone was published with, `"adapt"`
            those of the batches, in the blocks that train.
        mirror: Mirror half of the pictures at random; an augmentation decides that by itself.

    Examples:
        >>> FineTuneSettings(train="last:2").last
        2
        >>> FineTuneSettings(train="last")
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: expected train to be 'head', 'last:K' (such as 'last:2') ...
    """

    train: str = "all"
    epochs: int = 30
    batch_size: int = 16
    accumulate: int = 1
    learning_rate: float = 1e-5
    backbone_rate: float | None = None
    layer_decay: float = 1.0
    patience: int = 5
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    warmup: float = 0.0
    ema: float = 0.0
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    gradient_checkpointing: bool = False
    batch_norm: Literal["keep", "adapt"] = "keep"
    mirror: bool = True

    def __post_init__(self) -> None:
        if self.train not in ("head", "all") and not _LAST.fullmatch(self.train):
            raise ConfigError(
                "expected train to be 'head', 'last:K' (such as 'last:2') or 'all', got "
                f"{self.train!r}, name one of them"
            )
        self._check_choices()
        self._check_numbers()

    @property
    def last(self) -> int | None:
        """How many of the backbone's last blocks train; None for the whole backbone."""
        if self.train == "all":
            return None
        found = _LAST.fullmatch(self.train)
        return int(found[1]) if found else 0

    def rows_at_once(self, rows: int) -> int:
        """Return how many of a batch's rows, or of fewer, go through the network together.

        Examples:
            >>> FineTuneSettings(batch_size=16, accumulate=3).rows_at_once(100)
            6
        """
        return -(-min(self.batch_size, rows) // self.accumulate)

    @property
    def rates(self) -> TrainingSettings:
        """What the step size over time depends on."""
        return TrainingSettings(self.epochs, schedule=self.schedule, warmup=self.warmup)

    def _check_choices(self) -> None:
        known = {
            "schedule": ("constant", "cosine"),
            "precision": ("auto", "fp32", "bf16"),
            "batch_norm": ("keep", "adapt"),
        }
        for name, choices in known.items():
            if getattr(self, name) not in choices:
                raise ConfigError.unknown_name(name, getattr(self, name), choices)

    def _check_numbers(self) -> None:
        rate = self.learning_rate if self.backbone_rate is None else self.backbone_rate
        wanted = {
            "epochs": self.epochs >= 1,
            "batch_size": self.batch_size >= 1,
            "accumulate": 1 <= self.accumulate <= max(1, self.batch_size),
            "learning_rate": 0 < self.learning_rate < 1,
            "backbone_rate": 0 < rate < 1,
            "layer_decay": 0 < self.layer_decay <= 1,
            "patience": self.patience >= 1,
            "weight_decay": 0 <= self.weight_decay < 1,
            "warmup": 0 <= self.warmup <= self.epochs,
            "ema": 0 <= self.ema < 1,
        }
        wrong = [name for name, holds in wanted.items() if not holds]
        if wrong:
            raise ConfigError(
                "expected epochs, batch_size and patience of 1 or more, accumulate of 1 up to "
                "batch_size, rates in 0..1, layer_decay above 0 up to 1, weight_decay and ema of "
                f"0 or more and below 1, warmup up to epochs, got {wrong[0]} "
                f"{getattr(self, wrong[0])!r}, correct it"
            )


@dataclass(frozen=True)
class Resources:
    """Where a fine-tuning runs and what it may take.

    Args:
        device: A torch device, or `auto`: the GPU where there is one.
        memory: GiB for decoded pictures; those that do not fit are read anew in every epoch.
        detector: File of the face detector for aligned views; None for what the environment
            variable `FAIRAGE_DETECTOR` names.
        store: Folder of the embedding store, which keeps what the detector finds; None for the
            one that commands use.
        progress: Whether to show a bar on a terminal.
    """

    device: str = "auto"
    memory: float = 4.0
    detector: Path | None = None
    store: Path | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        if not self.memory >= 0:
            raise ConfigError(f"expected memory of 0 GiB or more, got {self.memory}, correct it")
