"""The objective for ages that are known as ranges: how likely the range is, and how smooth."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from fairage.exceptions import ConfigError
from fairage.objectives.objective import N_AGES, OutputKind, Targets, weighted_mean


@dataclass(frozen=True)
class IntervalLoss:
    """Minus the log of the probability of the true range, plus `smoothness` times the roughness.

    Of a range `[low, high)` the probabilities of its whole years are added up; where the age itself
    is known, those of its two neighbouring years, each with its share. The roughness is the sum
    of the squared second differences of the distribution: within a range, which says nothing of
    its years, it draws the smoothest one.

    Args:
        smoothness: Weight of the roughness; 0 leaves it out.

    Examples:
        >>> low, high = torch.tensor([20.0]), torch.tensor([30.0])
        >>> targets = Targets(torch.tensor([25.0]), low=low, high=high)
        >>> loss = IntervalLoss(smoothness=0.0)(torch.zeros(1, 101), targets, torch.ones(1))
        >>> round(loss.exp().item(), 1)
        10.1
    """

    fits: ClassVar[OutputKind] = "distribution"
    unit: ClassVar[float] = 1.0
    smoothness: float = 3.0

    def __post_init__(self) -> None:
        if not 0 <= self.smoothness < math.inf:
            raise ConfigError(f"expected a smoothness of 0 or more, got {self.smoothness}, take 3")

    def __call__(
        self, outputs: Tensor, targets: Targets, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return the loss; outputs are logits `(batch, 101)`."""
        logs = torch.log_softmax(outputs, dim=1)
        losses = -torch.logsumexp(logs + years_of(targets).log(), dim=1)
        if self.smoothness:
            bends = logs.exp().diff(n=2, dim=1)
            losses = losses + self.smoothness * (bends**2).sum(dim=1)
        return weighted_mean(losses, weights, total)


def years_of(targets: Targets) -> Tensor:
    """Return how much each whole year 0..100 counts as the truth, 0..1, shape `(batch, 101)`.

    Examples:
        >>> years_of(Targets(torch.tensor([30.25])))[0, 29:33].tolist()
        [0.0, 0.75, 0.25, 0.0]
    """
    ages = targets.ages.clamp(0, N_AGES - 1)[:, None]
    years = torch.arange(N_AGES, dtype=ages.dtype, device=ages.device)
    nearest = (1 - (years - ages).abs()).clamp(min=0)
    if targets.low is None or targets.high is None:
        return nearest
    low, high = targets.low.clamp(max=N_AGES - 1)[:, None], targets.high[:, None]
    inside = (low <= years) & (years < high)
    return torch.where(inside.any(dim=1, keepdim=True), inside.to(ages.dtype), nearest)
