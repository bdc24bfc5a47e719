"""What an objective may know of the truth: ages, and what the raters said beside their mean."""

from dataclasses import dataclass

from torch import Tensor

__all__ = ["N_AGES", "Targets"]

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

    Examples:
        >>> import torch
        >>> Targets(torch.tensor([30.0, 70.0])).rows(torch.tensor([1])).ages
        tensor([70.])
    """

    ages: Tensor
    stds: Tensor | None = None
    votes: Tensor | None = None

    def __len__(self) -> int:
        return len(self.ages)

    def rows(self, index: Tensor) -> "Targets":
        """Return the targets of these rows; index of shape `(batch,)`."""
        return Targets(
            self.ages.index_select(0, index),
            None if self.stds is None else self.stds.index_select(0, index),
            None if self.votes is None else self.votes.index_select(0, index),
        )

    def batch(self, start: int, stop: int) -> "Targets":
        """Return the targets from the row `start` up to the row before `stop`, without a copy."""
        return Targets(
            self.ages[start:stop],
            None if self.stds is None else self.stds[start:stop],
            None if self.votes is None else self.votes[start:stop],
        )

    def mixed(self, others: "Targets", shares: Tensor) -> "Targets":
        """Return the means of these targets and of others, one by one.

        A deviation is known where both are, and so are votes, as shares of the raters.

        Args:
            others: Of as many rows, with the same things known.
            shares: Of these targets, 0..1, shape `(n,)`; the others have the rest.
        """
        stds = votes = None
        if self.stds is not None and others.stds is not None:
            stds = others.stds.lerp(self.stds, shares)
        if self.votes is not None and others.votes is not None:
            votes = _raters(others.votes).lerp(_raters(self.votes), shares[:, None])
            known = self.votes.any(dim=1) & others.votes.any(dim=1)
            votes = votes * known[:, None]
        return Targets(others.ages.lerp(self.ages, shares), stds, votes)


def _raters(votes: Tensor) -> Tensor:
    """Share of the raters who guessed each year."""
    return votes / votes.sum(dim=1, keepdim=True).clamp(min=1)
