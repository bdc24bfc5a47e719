"""Heads: an embedding in, outputs of one kind out, and an age from them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import torch
from torch import Tensor, nn

from fairage.age_groups import MAX_AGE
from fairage.exceptions import ConfigError
from fairage.models.calibration import Calibration
from fairage.objectives.distribution import expected_age
from fairage.objectives.objective import N_AGES, OutputKind
from fairage.objectives.ordinal import N_THRESHOLDS
from fairage.objectives.regression import HUNDRED_YEARS


class QuickDropout(nn.Module):
    """Dropout whose mask is made of raw random bits, sixteen a number, or eight where they do.

    On wide embeddings, drawing the mask the usual way takes longer than everything else in a
    step; this is about ten times as fast. The share is rounded to a 65536th.

    Args:
        p: Share of the numbers set to zero in training; the others are scaled up to make up.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        eighth = (256 * p).is_integer()
        self.steps, self.integers = (256, torch.int8) if eighth else (65536, torch.int16)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the inputs, in training with some numbers set to zero."""
        dropped = round(self.p * self.steps)
        if not self.training or dropped == 0:
            return inputs
        a_word = 8 if self.steps == 256 else 4
        words = torch.empty(-(-inputs.numel() // a_word), dtype=torch.int64, device=inputs.device)
        numbers = words.random_(-(2**63), None).view(self.integers)[: inputs.numel()]
        # Compared in place: making bools and turning them into floats are both slow.
        kept = numbers.ge_(dropped - self.steps // 2).view(inputs.shape).to(inputs.dtype)
        scale = self.steps / (self.steps - dropped)
        return torch.addcmul(inputs.new_zeros(()), inputs, kept, value=scale)

    def extra_repr(self) -> str:
        """Return what `repr` shows."""
        return f"p={self.p}"


def dense(inputs: int, outputs: int) -> nn.Linear:
    """Return a dense layer with Keras' initial values, which the kit used."""
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def trunk(
    dim: int,
    hidden: Sequence[int],
    dropout: float,
    *,
    layer_norm: bool = False,
    hidden_dropout: float = 0.0,
) -> tuple[list[nn.Module], int]:
    """Return dropout and dense layers with ReLU, and the width of what comes out of them.

    Args:
        dim: Width of the embeddings.
        hidden: Width of each dense layer.
        dropout: Share of the embedding's numbers set to zero in training.
        layer_norm: Normalise what comes out of each dense layer.
        hidden_dropout: Share of each dense layer's numbers set to zero in training.
    """
    layers: list[nn.Module] = [QuickDropout(dropout)]
    for width in hidden:
        layers.append(dense(dim, width))
        layers += [nn.LayerNorm(width)] if layer_norm else []
        layers.append(nn.ReLU())
        layers += [QuickDropout(hidden_dropout)] if hidden_dropout else []
        dim = width
    return layers, dim


def check_trunk(hidden: Sequence[int], *dropouts: float) -> None:
    """Refuse a dropout or a width that cannot be."""
    if not all(0 <= share < 1 for share in dropouts) or any(width < 1 for width in hidden):
        raise ConfigError(
            f"expected dropouts from 0 to below 1 and hidden widths of 1 or more, got "
            f"{list(dropouts)} and {list(hidden)}, correct the head's options"
        )


class HeadKind(Protocol):
    """Makes layers from an embedding to raw outputs, and decodes those to ages.

    The last of the layers that has parameters is the head's last layer. `gives` says what the
    raw outputs are; an objective that `fits` them can train the head.
    """

    gives: ClassVar[OutputKind]

    def layers(self, dim: int) -> nn.Sequential:
        """Return new layers for embeddings of this width."""
        ...

    def decode(self, outputs: Tensor) -> Tensor:
        """Return ages in years `(batch,)` for raw outputs `(batch, k)`; a gradient flows."""
        ...


@dataclass(frozen=True)
class DenseHead(ABC):
    """Dropout and dense layers with ReLU, then a last layer that each kind has of its own.

    Args:
        hidden: Widths of the dense layers between the embedding and the last layer.
        dropout: Share of the embedding's numbers set to zero in training.
        layer_norm: Normalise what comes out of each dense layer.
        hidden_dropout: Share of each dense layer's numbers set to zero in training.
    """

    hidden: tuple[int, ...] = (128, 32)
    dropout: float = 0.5
    layer_norm: bool = False
    hidden_dropout: float = 0.0

    def __post_init__(self) -> None:
        check_trunk(self.hidden, self.dropout, self.hidden_dropout)

    def layers(self, dim: int) -> nn.Sequential:
        """Return new layers for embeddings of this width."""
        layers, width = trunk(
            dim,
            self.hidden,
            self.dropout,
            layer_norm=self.layer_norm,
            hidden_dropout=self.hidden_dropout,
        )
        return nn.Sequential(*layers, *self.last(width))

    @abstractmethod
    def last(self, width: int) -> list[nn.Module]:
        """Return the layers behind the dense ones, whose output is of this width."""


@dataclass(frozen=True)
class RegressionHead(DenseHead):
    """The kit's head: dropout, dense layers with ReLU, one output; the age in hundreds of years.

    Args:
        hidden: Widths of the dense layers between the embedding and the output.
        dropout: Share of the embedding's numbers set to zero in training.
        output: `"sigmoid"` keeps the age in 0..100 years; `"linear"` does not.
        layer_norm: Normalise what comes out of each dense layer.
        hidden_dropout: Share of each dense layer's numbers set to zero in training.
    """

    gives: ClassVar[OutputKind] = "number"
    output: Literal["sigmoid", "linear"] = "sigmoid"

    def last(self, width: int) -> list[nn.Module]:
        """Return the last layer, which puts out the age in hundreds of years."""
        return [dense(width, 1), *([nn.Sigmoid()] if self.output == "sigmoid" else [])]

    def decode(self, outputs: Tensor) -> Tensor:
        """Return ages in years, shape `(batch,)`, for outputs `(batch, 1)`."""
        return outputs.squeeze(-1) * HUNDRED_YEARS


@dataclass(frozen=True)
class LinearHead(DenseHead):
    """The kit's head without the sigmoid: the age is not held in 0..100 years."""

    gives: ClassVar[OutputKind] = "number"

    def last(self, width: int) -> list[nn.Module]:
        """Return the last layer, which puts out the age in hundreds of years."""
        return [dense(width, 1)]

    def decode(self, outputs: Tensor) -> Tensor:
        """Return ages in years, shape `(batch,)`, for outputs `(batch, 1)`."""
        return outputs.squeeze(-1) * HUNDRED_YEARS


@dataclass(frozen=True)
class LabelDistributionHead(DenseHead):
    """One logit for each age 0..100; the age is the mean of their softmax.

    Args:
        hidden: Widths of the dense layers between the embedding and the logits.
        dropout: Share of the embedding's numbers set to zero in training.
        layer_norm: Normalise what comes out of each dense layer.
        hidden_dropout: Share of each dense layer's numbers set to zero in training.
    """

    gives: ClassVar[OutputKind] = "distribution"
    hidden: tuple[int, ...] = (384,)

    def last(self, width: int) -> list[nn.Module]:
        """Return the last layer, which puts out a logit for each age."""
        return [dense(width, N_AGES)]

    def decode(self, outputs: Tensor) -> Tensor:
        """Return ages in years, shape `(batch,)`, for logits `(batch, 101)`."""
        return expected_age(outputs)


@dataclass(frozen=True)
class CoralHead(DenseHead):
    """One direction and a threshold for each year: logits of P(older than k), always in order.

    The age is the sum of the probabilities. At first every age is about as likely.

    Args:
        hidden: Widths of the dense layers between the embedding and the direction.
        dropout: Share of the embedding's numbers set to zero in training.
        layer_norm: Normalise what comes out of each dense layer.
        hidden_dropout: Share of each dense layer's numbers set to zero in training.
    """

    gives: ClassVar[OutputKind] = "coral"

    def last(self, width: int) -> list[nn.Module]:
        """Return the last layer, which puts out a logit for each year."""
        return [SharedDirection(width)]

    def decode(self, outputs: Tensor) -> Tensor:
        """Return ages in years, shape `(batch,)`, for logits `(batch, 100)`."""
        return torch.sigmoid(outputs).sum(dim=1)


@dataclass(frozen=True)
class CornHead(DenseHead):
    """A logit for each year of P(older than k | older than k - 1).

    The age is the sum over years of the product of the probabilities up to the year. At first
    every age is about as likely.

    Args:
        hidden: Widths of the dense layers between the embedding and the logits.
        dropout: Share of the embedding's numbers set to zero in training.
        layer_norm: Normalise what comes out of each dense layer.
        hidden_dropout: Share of each dense layer's numbers set to zero in training.
    """

    gives: ClassVar[OutputKind] = "corn"

    def last(self, width: int) -> list[nn.Module]:
        """Return the last layer, which puts out a logit for each year."""
        last = dense(width, N_THRESHOLDS)
        with torch.no_grad():
            last.bias.copy_(torch.log(N_THRESHOLDS - 0.5 - torch.arange(N_THRESHOLDS)))
        return [last]

    def decode(self, outputs: Tensor) -> Tensor:
        """Return ages in years, shape `(batch,)`, for conditional logits `(batch, 100)`."""
        return torch.sigmoid(outputs).cumprod(dim=1).sum(dim=1)


class SharedDirection(nn.Module):
    """CORAL's last layer: the same weights for every year, a bias for each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.direction = nn.Linear(width, 1, bias=False)
        nn.init.xavier_uniform_(self.direction.weight)
        older = 1 - (torch.arange(N_THRESHOLDS) + 0.5) / N_THRESHOLDS
        self.biases = nn.Parameter(torch.logit(older))

    def forward(self, features: Tensor) -> Tensor:
        """Return logits `(batch, 100)` for features `(batch, width)`."""
        logits: Tensor = self.direction(features) + self.biases
        return logits


def possible_ages(ages: Tensor) -> Tensor:
    """Return ages in years, those that nobody has being the nearest limit, 0 or 120."""
    return ages.clamp(0.0, MAX_AGE)


class AgeHead(nn.Module):
    """A head on standardised embeddings; mean and scale of the training rows travel with it.

    A `calibration`, where one is set after training, corrects the ages that `ages` gives back.

    Args:
        kind: The head's layers and decoding.
        dim: Width of the embeddings.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, kind: HeadKind, dim: int) -> None:
        super().__init__()
        self.kind = kind
        self.dim = dim
        self.calibration: Calibration | None = None
        self.layers = kind.layers(dim)
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(dim))

    def standardise_by(self, embeddings: Tensor) -> None:
        """Keep mean and standard deviation of these (training) embeddings, `(n, dim)`.

        A number that never varies keeps the scale 1.
        """
        deviation = embeddings.std(dim=0, correction=0)
        self.mean.copy_(embeddings.mean(dim=0))
        self.scale.copy_(torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)))

    def standardised(self, embeddings: Tensor) -> Tensor:
        """Return embeddings `(n, dim)` in units of the training rows' standard deviation."""
        return (embeddings - self.mean).div_(self.scale)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return raw outputs `(batch, k)` for embeddings `(batch, dim)`."""
        return self.from_standardised(self.standardised(embeddings))

    def from_standardised(self, standardised: Tensor) -> Tensor:
        """Return raw outputs for embeddings that are standardised already."""
        outputs: Tensor = self.layers(standardised)
        return outputs

    def copied_state(self) -> dict[str, Tensor]:
        """Return a copy of weights, mean and scale, which training does not change."""
        return {name: value.clone() for name, value in self.state_dict().items()}

    def parted(self) -> tuple[nn.Sequential, nn.Sequential]:
        """Return the layers before the last one with parameters, and the rest from it on."""
        having = [i for i, layer in enumerate(self.layers) if any(True for _ in layer.parameters())]
        layers = list(self.layers)
        return nn.Sequential(*layers[: having[-1]]), nn.Sequential(*layers[having[-1] :])

    @torch.inference_mode()
    def ages(self, embeddings: Tensor) -> Tensor:
        """Return estimated ages in years in 0..120, shape `(n,)`, without dropout."""
        self.eval()
        return self.ages_of(self.forward(embeddings))

    def ages_of(self, outputs: Tensor) -> Tensor:
        """Return the ages in years in 0..120, shape `(n,)`, that raw outputs stand for.

        A linear output and a calibration could give other ages than these.
        """
        ages = self.kind.decode(outputs)
        corrected = ages if self.calibration is None else self.calibration(ages)
        return possible_ages(corrected)
