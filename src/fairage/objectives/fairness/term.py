"""The contract of a fairness term, and the running group errors that several of them keep."""

import math
from typing import Protocol

import torch
from torch import Tensor

from fairage.exceptions import ConfigError
from fairage.objectives.fairness.groups import GroupLayout

__all__ = ["BatchPenalty", "Fairness", "GroupErrors", "Penalty", "check_options"]

STRONGEST = 1000.0
FAINTEST = 1e-12


class Penalty(Protocol):
    """What one training keeps of a fairness term; two trainings never share one."""

    def loss(self, errors: Tensor, membership: Tensor) -> Tensor | None:
        """Return what a batch adds to the objective, in years, or None where nothing.

        Args:
            errors: Absolute errors in years, shape `(batch,)`, with their gradient.
            membership: Rows of `GroupLayout.membership`, shape `(batch, k)`.
        """
        ...

    def factors(self, membership: Tensor) -> Tensor | None:
        """Return what each row's weight is multiplied by, shape `(n,)`, or None where nothing.

        Asked for once at the start and once after every epoch, with all training rows.
        """
        ...

    def after_epoch(self, errors: Tensor, membership: Tensor) -> None:
        """See the absolute errors in years of all validation rows, shape `(n,)`."""
        ...


class BatchPenalty:
    """The part of a penalty that acts on batches alone: it leaves weights as they are."""

    def factors(self, membership: Tensor) -> Tensor | None:
        """Return None."""
        return None

    def after_epoch(self, errors: Tensor, membership: Tensor) -> None:
        """Learn nothing from validation."""


class Fairness(Protocol):
    """A fairness term as a recipe says it: options, from which each training starts a penalty.

    `attributes` are the attributes that it acts on, all where none are named; a group with fewer
    than `min_rows` training rows, and `unknown`, are left out of the term. Their rows still count
    in the objective and in the groups of other attributes.
    """

    @property
    def attributes(self) -> tuple[str, ...] | None:
        """Names of the attributes."""
        ...

    @property
    def min_rows(self) -> int:
        """Training rows that a group must have."""
        ...

    def start(self, layout: GroupLayout) -> Penalty:
        """Return a penalty for one training."""
        ...


class GroupErrors:
    """Mean error of each group, remembered over batches.

    Sums of errors and counts of rows both decay, so that a group that a batch does not hold keeps
    its mean. The value is the remembered mean; the gradient is that of an unbiased estimate from
    the rows of this batch alone: the sum of a group's errors, divided by the rows that a batch of
    this size holds of it on average.

    Args:
        layout: The groups.
        memory: Rows over which it remembers; 0 forgets every batch at once.
    """

    def __init__(self, layout: GroupLayout, memory: float) -> None:
        self.memory = memory
        self.shares = layout.counts / layout.rows
        self.sums = torch.zeros(len(layout.names))
        self.counts = torch.zeros(len(layout.names))

    def update(self, errors: Tensor, membership: Tensor) -> tuple[Tensor, Tensor]:
        """Return the group errors `(k,)` in years, and 1 where a group was seen, else 0."""
        inside = errors @ membership
        with torch.no_grad():
            keep = self._kept(len(errors))
            self.sums.mul_(keep).add_(inside)
            self.counts.mul_(keep).add_(membership.sum(dim=0))
            seen = (self.counts > 0).to(errors.dtype)
            remembered = self.sums / self.counts.clamp(min=FAINTEST)
            scale = 1 / (self.shares * len(errors))
        here = inside * scale
        return remembered + (here - here.detach()), seen

    def _kept(self, rows: int) -> Tensor:
        """What sums and counts are multiplied by; a faint memory decays no further."""
        if self.memory == 0:
            return torch.zeros_like(self.counts)
        keep = math.exp(-rows / self.memory)
        return torch.where(self.counts * keep > FAINTEST, keep, 1.0)


def check_options(
    *,
    min_rows: int,
    attributes: tuple[str, ...] | None = None,
    memory: float = 0.0,
    **strengths: float,
) -> None:
    """Refuse options that no training could use; `strengths` must lie above 0 and up to 1000."""
    if attributes is not None and not attributes:
        raise ConfigError(
            "expected attributes for the fairness term, got an empty list, name one or leave "
            "attributes out for all of the faces table"
        )
    if min_rows < 1 or not 0 <= memory < math.inf:
        raise ConfigError(
            f"expected min_rows of 1 or more and a memory of 0 rows or more, got {min_rows} and "
            f"{memory}, leave them at their defaults"
        )
    for name, value in strengths.items():
        if not 0 < value <= STRONGEST:
            raise ConfigError(
                f"expected {name} of the fairness term above 0 and up to {STRONGEST:g}, got "
                f"{value}, start from its default: far more than 1 leaves a model that no longer "
                "tells ages apart"
            )
