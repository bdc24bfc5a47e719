"""The contract of an objective: outputs, targets and weights in, one loss out."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import torch
from torch import Tensor

from fairage.exceptions import DataError

N_AGES = 101
"""Whole years 0..100: the length of a histogram of votes, the width of an age distribution."""


@dataclass(frozen=True)
class Targets:
    """The true ages of some rows.

    Args:
        ages: Years, shape `(n,)`.
        stds: Standard deviation of the raters' guesses in years, shape `(n,)`, NaN where it is
            not known; None where no row has one.
        votes: How many raters guessed each whole year 0..100, shape `(n, 101)`; a row of zeros
            where no vote is known, None where no row has one.
        low: Where the age is known as a range, its first year, shape `(n,)`; NaN in other rows,
            None where no row has one.
        high: The year at which the range is over, infinite in one without an end; as `low`.

    Examples:
        >>> Targets(torch.tensor([30.0, 70.0])).rows(torch.tensor([1])).ages
        tensor([70.])
    """

    ages: Tensor
    stds: Tensor | None = None
    votes: Tensor | None = None
    low: Tensor | None = None
    high: Tensor | None = None

    def __len__(self) -> int:
        return len(self.ages)

    def known(self) -> dict[str, Tensor]:
        """Return all that is known, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def rows(self, index: Tensor) -> "Targets":
        """Return the targets of these rows; index of shape `(batch,)`."""
        return Targets(**{n: value.index_select(0, index) for n, value in self.known().items()})

    def batch(self, start: int, stop: int) -> "Targets":
        """Return the targets from the row `start` up to the row before `stop`, without a copy."""
        return Targets(**{name: value[start:stop] for name, value in self.known().items()})

    def errors(self, ages: Tensor) -> Tensor:
        """Return absolute errors of these ages in years; of a range, the distance outside it.

        Examples:
            >>> low, high = torch.tensor([20.0, 70.0]), torch.tensor([30.0, torch.inf])
            >>> targets = Targets(torch.tensor([25.0, 75.0]), low=low, high=high)
            >>> targets.errors(torch.tensor([32.0, 99.0])).tolist()
            [2.0, 0.0]
        """
        errors = (ages - self.ages).abs()
        if self.low is None or self.high is None:
            return errors
        outside = torch.maximum(self.low - ages, ages - self.high).clamp(min=0)
        return torch.where(self.low.isnan(), errors, outside)

    def mixed(self, others: "Targets", shares: Tensor) -> "Targets":
        """Return the means of these targets and of others, one by one.

        A deviation is known where both are, and so are ranges, and votes, as shares of the raters.

        Args:
            others: Of as many rows, with the same things known.
            shares: Of these targets, 0..1, shape `(n,)`; the others have the rest.
        """
        stds = votes = None
        if self.stds is not None and others.stds is not None:
            stds = others.stds.lerp(self.stds, shares)
        if self.votes is not None and others.votes is not None:
            votes = _raters(others.votes).lerp(_raters(self.votes), shares[:, None])
            both_voted = self.votes.any(dim=1) & others.votes.any(dim=1)
            votes = votes * both_voted[:, None]
        low = high = None
        if self.low is not None and others.low is not None:
            low = others.low.lerp(self.low, shares)
        if self.high is not None and others.high is not None:
            high = others.high.lerp(self.high, shares)
            high = torch.where(self.high.isinf() | others.high.isinf(), torch.inf, high)
        return Targets(others.ages.lerp(self.ages, shares), stds, votes, low, high)


def _raters(votes: Tensor) -> Tensor:
    """Share of the raters who guessed each year."""
    return votes / votes.sum(dim=1, keepdim=True).clamp(min=1)


OutputKind = Literal["number", "distribution", "coral", "corn"]
"""What the raw outputs of a head are: a head and an objective go together if they agree on it."""


class Objective(Protocol):
    """Measures how far a head's outputs are from the true ages; lower is better.

    `fits` says which raw outputs it reads. `unit` is the number of years in which an error of one
    moves the loss by about one: 100 for losses on ages in hundreds of years. What is added to a
    loss, such as a fairness term in years, is divided by it.
    """

    fits: ClassVar[OutputKind]
    unit: ClassVar[float]

    def __call__(
        self, outputs: Tensor, targets: Targets, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return a scalar loss.

        Args:
            outputs: The head's raw outputs, shape `(batch, k)`.
            targets: True ages in years, shape `(batch,)`, and what is known beside them.
            weights: Sample weights, shape `(batch,)`.
            total: What the weighted sum of losses is divided by; the sum of the weights where
                none is given.
        """
        ...


def weighted_mean(losses: Tensor, weights: Tensor, total: float | None = None) -> Tensor:
    """Return `sum(w l) / total`; without a total, weight 0 removes a row and 2 counts it twice.

    Training passes the number of rows in the batch: as the weights have mean 1 over the training
    rows, the gradient is then an unbiased estimate of the weighted loss's, which it would not be
    if every batch were divided by the weights that it happens to hold.

    Examples:
        >>> weighted_mean(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 1.0])).item()
        2.0
    """
    if losses.numel() == 0:
        raise DataError("expected at least one row in a batch, got none, check the batch size")
    divisor = weights.sum() if total is None else total
    return (weights * losses).sum() / divisor
