"""Ordinal objectives: for each whole year k below 100, is the person older than k?

A float age y has the level `clamp(y - k, 0, 1)` at the year k: the levels of 30.4 are thirty ones,
then 0.4, then zeros. Their sum is the age, and so is the sum of right probabilities.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from fairage.objectives.objective import N_AGES, OutputKind, Targets, weighted_mean

N_THRESHOLDS = N_AGES - 1


def levels(ages: Tensor) -> Tensor:
    """Return the level of each year 0..99, shape `(batch, 100)`, for ages `(batch,)`.

    Examples:
        >>> levels(torch.tensor([2.5]))[0, :4].tolist()
        [1.0, 1.0, 0.5, 0.0]
    """
    years = torch.arange(N_THRESHOLDS, dtype=ages.dtype, device=ages.device)
    return (ages[:, None] - years).clamp(0, 1)


@dataclass(frozen=True)
class CoralLoss:
    """The mean over the 100 years of the cross-entropy between P(older than k) and the level.

    The head shares one direction among the years, which keeps the probabilities in order.
    Source: Cao, Mirjalili & Raschka, Rank consistent ordinal regression, PRL 2020.

    Examples:
        >>> logits = 100 * (levels(torch.tensor([30.0])) - 0.5)
        >>> abs(round(CoralLoss()(logits, Targets(torch.tensor([30.0])), torch.ones(1)).item(), 4))
        0.0
    """

    fits: ClassVar[OutputKind] = "coral"
    unit: ClassVar[float] = 100.0

    def __call__(
        self, outputs: Tensor, targets: Targets, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return the loss; outputs are logits of P(older than k), shape `(batch, 100)`."""
        labels = levels(targets.ages)
        losses = binary_cross_entropy_with_logits(outputs, labels, reduction="none").mean(dim=1)
        return weighted_mean(losses, weights, total)


@dataclass(frozen=True)
class CornLoss:
    """As in CORAL, but each year asks only those who passed the year before.

    The logits are of P(older than k | older than k - 1); a row enters the year k with its level
    at k - 1. The product of the probabilities keeps them in order without a shared direction.
    Source: Shi, Cao & Raschka, Deep neural networks for rank-consistent ordinal regression based
    on conditional probabilities, Pattern Analysis and Applications 2023.

    Examples:
        >>> logits = 100 * (levels(torch.tensor([30.0])) - 0.5)
        >>> abs(round(CornLoss()(logits, Targets(torch.tensor([30.0])), torch.ones(1)).item(), 4))
        0.0
    """

    fits: ClassVar[OutputKind] = "corn"
    unit: ClassVar[float] = 100.0

    def __call__(
        self, outputs: Tensor, targets: Targets, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return the loss; outputs are conditional logits, shape `(batch, 100)`."""
        passed = levels(targets.ages)
        entered = torch.cat([torch.ones_like(passed[:, :1]), passed[:, :-1]], dim=1)
        losses = -(passed * logsigmoid(outputs) + (entered - passed) * logsigmoid(-outputs))
        return weighted_mean(losses.mean(dim=1), weights, total)
