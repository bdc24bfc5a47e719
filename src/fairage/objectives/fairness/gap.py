"""Fairness terms on the spread of the group errors: mean gaps, and the variance."""

from dataclasses import dataclass

from torch import Tensor

from fairage.objectives.fairness.groups import GroupLayout
from fairage.objectives.fairness.term import BatchPenalty, GroupErrors, check_options

__all__ = ["Gap", "Variance"]


@dataclass(frozen=True)
class Gap:
    """The average bias itself: `strength * mean_a mean_{g<h} |l_g - l_h|`, in years.

    Strength 1 weighs a year of average bias like a year of mean absolute error.

    Args:
        strength: Lambda.
        memory: Rows over which group errors are remembered, as small groups are absent from most
            batches; 0 compares within each batch alone (for batches that hold all rows).
        attributes: Names; all where none are given.
        min_rows: Training rows that a group must have to count.

    Examples:
        >>> import numpy as np, torch
        >>> from fairage.objectives.fairness.groups import lay_out
        >>> labels = {"gender": np.array(["f", "f", "m"])}
        >>> layout = lay_out(labels, rows=3, attributes=None, min_rows=1)
        >>> penalty = Gap(memory=0).start(layout)
        >>> penalty.loss(torch.tensor([2.0, 4.0, 7.0]), layout.membership(labels, 3)).item()
        4.0
    """

    strength: float = 1.0
    memory: float = 500.0
    attributes: tuple[str, ...] | None = None
    min_rows: int = 10

    def __post_init__(self) -> None:
        check_options(
            min_rows=self.min_rows,
            attributes=self.attributes,
            memory=self.memory,
            strength=self.strength,
        )

    def start(self, layout: GroupLayout) -> "_GapPenalty":
        """Return a penalty for one training."""
        return _GapPenalty(self, layout)


class _GapPenalty(BatchPenalty):
    def __init__(self, term: Gap, layout: GroupLayout) -> None:
        self.errors = GroupErrors(layout, term.memory)
        (self.left, self.right), weights = layout.pairs()
        self.weights = term.strength * weights

    def loss(self, errors: Tensor, membership: Tensor) -> Tensor | None:
        found, seen = self.errors.update(errors, membership)
        weights = self.weights * seen[self.left] * seen[self.right]
        return (found[self.left] - found[self.right]).abs() @ weights


@dataclass(frozen=True)
class Variance:
    """V-REx: `beta * mean_a Var_g l_g`, in years squared; large gaps count more than small ones.

    Source: Krueger et al., Out-of-Distribution Generalization via Risk Extrapolation, ICML 2021.

    Args:
        beta: Strength; 1 weighs a variance of 1 year squared like a year of error.
        memory: Rows over which group errors are remembered.
        attributes: Names; all where none are given.
        min_rows: Training rows that a group must have to count.
    """

    beta: float = 0.1
    memory: float = 500.0
    attributes: tuple[str, ...] | None = None
    min_rows: int = 10

    def __post_init__(self) -> None:
        check_options(
            min_rows=self.min_rows, attributes=self.attributes, memory=self.memory, beta=self.beta
        )

    def start(self, layout: GroupLayout) -> "_VariancePenalty":
        """Return a penalty for one training."""
        return _VariancePenalty(self, layout)


class _VariancePenalty(BatchPenalty):
    def __init__(self, term: Variance, layout: GroupLayout) -> None:
        self.beta = term.beta
        self.errors = GroupErrors(layout, term.memory)
        self.same = layout.same_attribute
        self.n_attributes = layout.n_attributes

    def loss(self, errors: Tensor, membership: Tensor) -> Tensor | None:
        found, seen = self.errors.update(errors, membership)
        groups = (self.same @ seen).clamp(min=1)
        distances = found - self.same @ (found * seen) / groups
        return self.beta * (distances**2 @ (seen / groups)) / self.n_attributes
