"""The kinds of heads: which layers, and how an age is decoded from what they put out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import torch
from torch import Tensor, nn

from fairage.models.layers import check_trunk, dense, trunk
from fairage.objectives.distribution import expected_age
from fairage.objectives.objective import OutputKind
from fairage.objectives.ordinal import N_THRESHOLDS
from fairage.objectives.regression import HUNDRED_YEARS
from fairage.objectives.targets import N_AGES

__all__ = ["Coral", "Corn", "DenseHead", "HeadKind", "LabelDistribution", "Linear", "Regression"]


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
class Regression(DenseHead):
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
class Linear(DenseHead):
    """The kit's head without the sigmoid: the age is not held in 0..100 years."""

    gives: ClassVar[OutputKind] = "number"

    def last(self, width: int) -> list[nn.Module]:
        """Return the last layer, which puts out the age in hundreds of years."""
        return [dense(width, 1)]

    def decode(self, outputs: Tensor) -> Tensor:
        """Return ages in years, shape `(batch,)`, for outputs `(batch, 1)`."""
        return outputs.squeeze(-1) * HUNDRED_YEARS


@dataclass(frozen=True)
class LabelDistribution(DenseHead):
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
class Coral(DenseHead):
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
class Corn(DenseHead):
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
