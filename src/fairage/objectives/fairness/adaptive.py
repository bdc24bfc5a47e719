"""A fairness term that changes the sample weights: groups that fare worse in validation gain."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fairage.objectives.fairness.groups import GroupLayout
from fairage.objectives.fairness.term import check_options

__all__ = ["Adaptive"]


@dataclass(frozen=True)
class Adaptive:
    """After each epoch `w_g *= exp(eta (l_g - mean l))`, l being the validation group errors.

    The mean is over the groups of g's attribute. A row's weight is multiplied by the product of
    its groups' factors, divided by the product's mean over the training rows. The objective is
    left as it is: nothing is added to the loss.

    Args:
        eta: How fast weights move, per epoch and year.
        largest: No group's factor exceeds it, or falls below its inverse.
        attributes: Names; all where none are given.
        min_rows: Training rows that a group must have to count.
    """

    eta: float = 0.05
    largest: float = 20.0
    attributes: tuple[str, ...] | None = None
    min_rows: int = 10

    def __post_init__(self) -> None:
        check_options(
            min_rows=self.min_rows, attributes=self.attributes, eta=self.eta, largest=self.largest
        )

    def start(self, layout: GroupLayout) -> "_AdaptivePenalty":
        """Return a penalty for one training."""
        return _AdaptivePenalty(self, layout)


class _AdaptivePenalty:
    def __init__(self, term: Adaptive, layout: GroupLayout) -> None:
        self.term, self.same = term, layout.same_attribute
        self.logs = torch.zeros(len(layout.names))
        self.limit = abs(float(torch.tensor(term.largest).log()))

    def loss(self, errors: Tensor, membership: Tensor) -> Tensor | None:
        return None

    def factors(self, membership: Tensor) -> Tensor | None:
        raw = (membership @ self.logs).exp()
        return raw / raw.mean()

    def after_epoch(self, errors: Tensor, membership: Tensor) -> None:
        counts = membership.sum(dim=0)
        found = errors @ membership / counts.clamp(min=1)
        seen = (counts > 0).to(found.dtype)
        means = self.same @ (found * seen) / (self.same @ seen).clamp(min=1)
        self.logs.add_(self.term.eta * (found - means) * seen).clamp_(-self.limit, self.limit)
