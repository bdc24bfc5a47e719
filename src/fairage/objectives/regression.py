"""Regression objectives: predictions and true ages as one number each, in hundreds of years."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from fairage.exceptions import ConfigError
from fairage.objectives.objective import weighted_mean

__all__ = ["HUNDRED_YEARS", "HuberLoss", "MeanAbsoluteError", "MeanSquaredError"]

HUNDRED_YEARS = 100.0


@dataclass(frozen=True)
class MeanSquaredError:
    """The kit's loss: the weighted mean of `(p - y)^2`, ages in hundreds of years.

    Examples:
        >>> outputs, ages = torch.tensor([[0.3], [0.5]]), torch.tensor([30.0, 40.0])
        >>> round(MeanSquaredError()(outputs, ages, torch.ones(2)).item(), 6)
        0.005
    """

    def __call__(
        self, outputs: Tensor, ages: Tensor, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return the loss; shapes `(batch, 1)`, `(batch,)` years, `(batch,)`."""
        return weighted_mean(_difference(outputs, ages) ** 2, weights, total)


@dataclass(frozen=True)
class MeanAbsoluteError:
    """The weighted mean of `|p - y|`, ages in hundreds of years."""

    def __call__(
        self, outputs: Tensor, ages: Tensor, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return the loss; shapes as in `MeanSquaredError`."""
        return weighted_mean(_difference(outputs, ages).abs(), weights, total)


@dataclass(frozen=True)
class HuberLoss:
    """Squared up to `delta`, linear beyond: less swayed by outliers than the squared error.

    Args:
        delta: Where the loss turns linear, in years.
    """

    delta: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.delta < float("inf"):
            raise ConfigError(f"expected a delta above 0 years, got {self.delta}, correct it")

    def __call__(
        self, outputs: Tensor, ages: Tensor, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return the loss; shapes as in `MeanSquaredError`."""
        difference = _difference(outputs, ages)
        zeros = torch.zeros_like(difference)
        losses = huber_loss(difference, zeros, reduction="none", delta=self.delta / HUNDRED_YEARS)
        return weighted_mean(losses, weights, total)


def _difference(outputs: Tensor, ages: Tensor) -> Tensor:
    return outputs.squeeze(-1) - ages / HUNDRED_YEARS
