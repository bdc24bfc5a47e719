"""Regression objectives: predictions and true ages as one number each, in hundreds of years."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from fairage.exceptions import ConfigError
from fairage.objectives.objective import OutputKind, Targets, weighted_mean

HUNDRED_YEARS = 100.0
SMALLEST, LARGEST = 0.01, 1000.0


@dataclass(frozen=True)
class MeanSquaredError:
    """The kit's loss: the weighted mean of `(p - y)^2`, ages in hundreds of years.

    Examples:
        >>> outputs, ages = torch.tensor([[0.3], [0.5]]), torch.tensor([30.0, 40.0])
        >>> round(MeanSquaredError()(outputs, Targets(ages), torch.ones(2)).item(), 6)
        0.005
    """

    fits: ClassVar[OutputKind] = "number"
    unit: ClassVar[float] = HUNDRED_YEARS

    def __call__(
        self, outputs: Tensor, targets: Targets, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return the loss; shapes `(batch, 1)`, `(batch,)` years, `(batch,)`."""
        return weighted_mean(_difference(outputs, targets) ** 2, weights, total)


@dataclass(frozen=True)
class MeanAbsoluteError:
    """The weighted mean of `|p - y|`, ages in hundreds of years."""

    fits: ClassVar[OutputKind] = "number"
    unit: ClassVar[float] = HUNDRED_YEARS

    def __call__(
        self, outputs: Tensor, targets: Targets, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return the loss; shapes as in `MeanSquaredError`."""
        return weighted_mean(_difference(outputs, targets).abs(), weights, total)


@dataclass(frozen=True)
class HuberLoss:
    """Squared up to `delta`, linear beyond: less swayed by outliers than the squared error.

    Args:
        delta: Where the loss turns linear, in years.
    """

    fits: ClassVar[OutputKind] = "number"
    unit: ClassVar[float] = HUNDRED_YEARS
    delta: float = 5.0

    def __post_init__(self) -> None:
        if not SMALLEST <= self.delta <= LARGEST:
            raise ConfigError(
                f"expected a delta of {SMALLEST:g}..{LARGEST:g} years, got {self.delta}, take 5"
            )

    def __call__(
        self, outputs: Tensor, targets: Targets, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return the loss; shapes as in `MeanSquaredError`."""
        difference = _difference(outputs, targets)
        zeros = torch.zeros_like(difference)
        losses = huber_loss(difference, zeros, reduction="none", delta=self.delta / HUNDRED_YEARS)
        return weighted_mean(losses, weights, total)


@dataclass(frozen=True)
class BalancedMSE:
    """Squared error without the pull to common ages, in hundreds of years.

    `-2 s^2 log softmax_j(-(p_i - y_j)^2 / 2 s^2)[i]` over the rows j of the batch.
    The ages y_j of the batch stand for the ages of the training rows, each as often as its weight
    says; a batch of one row says nothing. The loss can be negative where weights are below 1.
    Source: Ren et al., Balanced MSE for Imbalanced Visual Regression, CVPR 2022.

    Args:
        sigma: The noise s of an estimate, in years; the larger, the farther ages compete.

    Examples:
        >>> outputs, targets = torch.tensor([[0.3], [0.5]]), Targets(torch.tensor([30.0, 60.0]))
        >>> found = BalancedMSE(sigma=10.0)(outputs, targets, torch.ones(2))
        >>> round(found.item(), 4)
        0.0021
    """

    fits: ClassVar[OutputKind] = "number"
    unit: ClassVar[float] = HUNDRED_YEARS
    sigma: float = 5.0

    def __post_init__(self) -> None:
        if not SMALLEST <= self.sigma <= LARGEST:
            raise ConfigError(
                f"expected a sigma of {SMALLEST:g}..{LARGEST:g} years, got {self.sigma}, take 5"
            )

    def __call__(
        self, outputs: Tensor, targets: Targets, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return the loss; shapes as in `MeanSquaredError`."""
        spread = 2 * (self.sigma / HUNDRED_YEARS) ** 2
        distances = (outputs - targets.ages / HUNDRED_YEARS) ** 2
        own = distances.diagonal()
        # Rows of weight 0 stand for nobody; their own loss is finite so that 0 times it is 0.
        crowd = torch.logsumexp(weights.log() - (distances - own[:, None]) / spread, dim=1)
        losses = torch.where(weights > 0, spread * crowd, torch.zeros_like(crowd))
        return weighted_mean(losses, weights, total)


def _difference(outputs: Tensor, targets: Targets) -> Tensor:
    return outputs.squeeze(-1) - targets.ages / HUNDRED_YEARS
