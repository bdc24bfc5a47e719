"""Objectives on a distribution over the ages 0..100: one logit a year, decoded by the mean."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from fairage.exceptions import ConfigError, DataError
from fairage.objectives.objective import N_AGES, OutputKind, Targets, weighted_mean

NARROWEST = 0.5


def expected_age(logits: Tensor) -> Tensor:
    """Return the mean of the distribution in years, shape `(batch,)`, for logits `(batch, 101)`.

    Examples:
        >>> round(expected_age(torch.zeros(1, 101)).item(), 3)
        50.0
    """
    years = torch.arange(N_AGES, dtype=logits.dtype, device=logits.device)
    return torch.softmax(logits, dim=1) @ years


def normal_distribution(means: Tensor, stds: Tensor) -> Tensor:
    """Return normal distributions on the years 0..100, each with sum 1, shape `(batch, 101)`.

    Args:
        means: Years, shape `(batch,)`; beyond 0..100 the nearest year stands for them.
        stds: Years, shape `(batch,)`, at least half a year.
    """
    years = torch.arange(N_AGES, dtype=means.dtype, device=means.device)
    distances = (years - means.clamp(0, N_AGES - 1)[:, None]) / stds[:, None]
    return torch.softmax(-(distances**2) / 2, dim=1)


@dataclass(frozen=True)
class LabelDistributionLoss:
    """`kl_weight` times KL(target || predicted), plus `mae_weight` times |mean - age| in years.

    The target is a normal distribution around the age, as wide as the raters disagreed, or the
    smoothed histogram of their votes. Source: Gao et al., Age Estimation Using Expectation of
    Label Distribution Learning, IJCAI 2018.

    Args:
        sigma: Standard deviation in years where the raters' is not known.
        use_votes: Take the histogram of votes where there is one.
        smoothing: Standard deviation in years of the Gaussian that smooths the votes.
        kl_weight: Weight of the divergence, in nats.
        mae_weight: Weight of the error of the mean, in years.

    Examples:
        >>> age, std = torch.tensor([30.0]), torch.tensor([9.0])
        >>> logits = normal_distribution(age, std).log()
        >>> targets = Targets(age, stds=std)
        >>> abs(round(LabelDistributionLoss()(logits, targets, torch.ones(1)).item(), 4))
        0.0
    """

    fits: ClassVar[OutputKind] = "distribution"
    unit: ClassVar[float] = 1.0
    sigma: float = 3.0
    use_votes: bool = False
    smoothing: float = 1.0
    kl_weight: float = 1.0
    mae_weight: float = 0.0

    def __post_init__(self) -> None:
        widths, weights = (self.sigma, self.smoothing), (self.kl_weight, self.mae_weight)
        if not all(NARROWEST <= width <= N_AGES for width in widths):
            raise ConfigError(
                f"expected a sigma and a smoothing of {NARROWEST}..{N_AGES} years, got "
                f"{self.sigma} and {self.smoothing}, take 3 and 1"
            )
        if not all(0 <= weight < math.inf for weight in weights) or sum(weights) == 0:
            raise ConfigError(
                "expected a kl_weight and a mae_weight of 0 or more, one above 0, got "
                f"{self.kl_weight} and {self.mae_weight}, take 1 and 0"
            )

    def __call__(
        self, outputs: Tensor, targets: Targets, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return the loss; outputs are logits `(batch, 101)`."""
        predicted = torch.log_softmax(outputs, dim=1)
        labels = self.distribution(targets)
        losses = self.kl_weight * (torch.xlogy(labels, labels) - labels * predicted).sum(dim=1)
        if self.mae_weight:
            years = torch.arange(N_AGES, dtype=outputs.dtype, device=outputs.device)
            losses = losses + self.mae_weight * (predicted.exp() @ years - targets.ages).abs()
        return weighted_mean(losses, weights, total)

    def distribution(self, targets: Targets) -> Tensor:
        """Return the wanted distribution of each row, shape `(batch, 101)`."""
        if self.use_votes:
            return self._of_votes(targets)
        return self._normal(targets)

    def _normal(self, targets: Targets) -> Tensor:
        stds = torch.full_like(targets.ages, self.sigma)
        if targets.stds is not None:
            clamped = targets.stds.clamp(min=NARROWEST)
            stds = torch.where(torch.isfinite(targets.stds), clamped, stds)
        return normal_distribution(targets.ages, stds)

    def _of_votes(self, targets: Targets) -> Tensor:
        if targets.votes is None:
            raise DataError(
                "expected votes of the raters, got none in the faces, "
                "leave use_votes out of the objective 'dldl' or add the votes"
            )
        years = torch.arange(N_AGES, dtype=targets.ages.dtype, device=targets.ages.device)
        kernel = normal_distribution(years, torch.full_like(years, self.smoothing))
        counts = targets.votes.sum(dim=1, keepdim=True)
        voted = (targets.votes / counts.clamp(min=1)) @ kernel
        return torch.where(counts > 0, voted, self._normal(targets))


@dataclass(frozen=True)
class MeanVarianceLoss:
    """CE + `mean_weight` (mean - y)^2 / 2 + `variance_weight` Var of the predicted distribution.

    The cross-entropy is with the age's two neighbouring whole years, so that a float age is kept.
    Source: Pan et al., Mean-Variance Loss for Deep Age Estimation from a Face, CVPR 2018.

    Args:
        mean_weight: Weight of the squared error of the mean, in years squared.
        variance_weight: Weight of the variance, in years squared.

    Examples:
        >>> logits = 50 * torch.eye(101)[[30]]
        >>> found = MeanVarianceLoss()(logits, Targets(torch.tensor([30.0])), torch.ones(1))
        >>> abs(round(found.item(), 4))
        0.0
    """

    fits: ClassVar[OutputKind] = "distribution"
    unit: ClassVar[float] = 1.0
    mean_weight: float = 0.2
    variance_weight: float = 0.05

    def __post_init__(self) -> None:
        if not all(0 <= w < math.inf for w in (self.mean_weight, self.variance_weight)):
            raise ConfigError(
                "expected a mean_weight and a variance_weight of 0 or more, got "
                f"{self.mean_weight} and {self.variance_weight}, take 0.2 and 0.05"
            )

    def __call__(
        self, outputs: Tensor, targets: Targets, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return the loss; outputs are logits `(batch, 101)`."""
        years = torch.arange(N_AGES, dtype=outputs.dtype, device=outputs.device)
        probabilities = torch.softmax(outputs, dim=1)
        means = probabilities @ years
        variances = (probabilities * (years - means[:, None]) ** 2).sum(dim=1)
        losses = (
            _two_years_cross_entropy(outputs, targets.ages)
            + self.mean_weight * (means - targets.ages) ** 2 / 2
            + self.variance_weight * variances
        )
        return weighted_mean(losses, weights, total)


def _two_years_cross_entropy(logits: Tensor, ages: Tensor) -> Tensor:
    ages = ages.clamp(0, N_AGES - 1)
    below = ages.floor().long()
    above = (below + 1).clamp(max=N_AGES - 1)
    share = ages - below
    lower, upper = (cross_entropy(logits, year, reduction="none") for year in (below, above))
    return (1 - share) * lower + share * upper
