"""The fairness terms: mean gaps, variance, worst groups, worst rows, and adaptive weights."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from fairage.exceptions import ConfigError
from fairage.objectives.fairness.term import (
    BatchPenalty,
    GroupLayout,
    RunningGroupErrors,
    check_options,
)


@dataclass(frozen=True, kw_only=True)
class ComparesGroups:
    """What the terms that compare groups share.

    Args:
        attributes: Names; all where none are given.
        min_rows: Training rows that a group must have to count.
    """

    attributes: tuple[str, ...] | None = None
    min_rows: int = 10

    def __post_init__(self) -> None:
        check_options(**vars(self))


@dataclass(frozen=True, kw_only=True)
class Gap(ComparesGroups):
    """The average bias itself: `strength * mean_a mean_{g<h} |l_g - l_h|`, in years.

    Strength 1 weighs a year of average bias like a year of mean absolute error.

    Args:
        strength: Lambda.
        memory: Rows over which group errors are remembered, as small groups are absent from most
            batches; 0 compares within each batch alone (for batches that hold all rows).

    Examples:
        >>> import numpy as np, torch
        >>> from fairage.objectives.fairness.term import lay_out
        >>> labels = {"gender": np.array(["f", "f", "m"])}
        >>> layout = lay_out(labels, rows=3, attributes=None, min_rows=1)
        >>> penalty = Gap(memory=0).start(layout)
        >>> penalty.loss(torch.tensor([2.0, 4.0, 7.0]), layout.membership(labels, 3)).item()
        4.0
    """

    strength: float = 1.0
    memory: float = 500.0

    def start(self, layout: GroupLayout) -> "_GapPenalty":
        """Return a penalty for one training."""
        return _GapPenalty(self, layout)


class _GapPenalty(BatchPenalty):
    def __init__(self, term: Gap, layout: GroupLayout) -> None:
        self.errors = RunningGroupErrors(layout, term.memory)
        (self.left, self.right), weights = layout.pairs()
        self.weights = term.strength * weights

    def loss(self, errors: Tensor, membership: Tensor) -> Tensor | None:
        means, present = self.errors.update(errors, membership)
        weights = self.weights * present[self.left] * present[self.right]
        return (means[self.left] - means[self.right]).abs() @ weights


@dataclass(frozen=True, kw_only=True)
class Variance(ComparesGroups):
    """V-REx: `beta * mean_a Var_g l_g`, in years squared; large gaps count more than small ones.

    Source: Krueger et al., Out-of-Distribution Generalization via Risk Extrapolation, ICML 2021.

    Args:
        beta: Strength; 1 weighs a variance of 1 year squared like a year of error.
        memory: Rows over which group errors are remembered.
    """

    beta: float = 0.1
    memory: float = 500.0

    def start(self, layout: GroupLayout) -> "_VariancePenalty":
        """Return a penalty for one training."""
        return _VariancePenalty(self, layout)


class _VariancePenalty(BatchPenalty):
    def __init__(self, term: Variance, layout: GroupLayout) -> None:
        self.beta = term.beta
        self.errors = RunningGroupErrors(layout, term.memory)
        self.same = layout.same_attribute
        self.n_attributes = layout.n_attributes

    def loss(self, errors: Tensor, membership: Tensor) -> Tensor | None:
        means, present = self.errors.update(errors, membership)
        groups = (self.same @ present).clamp(min=1)
        distances = means - self.same @ (means * present) / groups
        return self.beta * (distances**2 @ (present / groups)) / self.n_attributes


@dataclass(frozen=True, kw_only=True)
class GroupDro(ComparesGroups):
    """`strength * sum_a sum_g q_g l_g`: each attribute's shares q move to its worst groups.

    After a batch q_g becomes q_g exp(eta l_g) / Z. Eta is meant for a whole epoch, whatever the
    batch size. Source: Sagawa et al., Distributionally Robust Neural Networks, ICLR 2020.

    Args:
        eta: How fast shares move, per epoch and year of error.
        strength: Weight of the term beside the objective.
        memory: Rows over which group errors are remembered.
    """

    eta: float = 0.1
    strength: float = 1.0
    memory: float = 500.0

    def start(self, layout: GroupLayout) -> "_GroupDroPenalty":
        """Return a penalty for one training."""
        return _GroupDroPenalty(self, layout)


class _GroupDroPenalty(BatchPenalty):
    def __init__(self, term: GroupDro, layout: GroupLayout) -> None:
        self.term, self.rows = term, layout.rows
        self.errors = RunningGroupErrors(layout, term.memory)
        self.same = layout.same_attribute
        self.logits = torch.zeros(len(layout.names))

    def shares(self) -> Tensor:
        """Each group's share q, shape `(k,)`; an attribute's shares sum to 1."""
        highest = torch.where(self.same > 0, self.logits, -math.inf).amax(dim=1)
        raw = (self.logits - highest).exp()
        return raw / (self.same @ raw)

    def loss(self, errors: Tensor, membership: Tensor) -> Tensor | None:
        means, present = self.errors.update(errors, membership)
        step = self.term.eta * len(errors) / self.rows
        self.logits += step * means.detach() * present
        return self.term.strength * (self.shares() * present) @ means


@dataclass(frozen=True, kw_only=True)
class BoundedGroupLoss(ComparesGroups):
    """`sum_g m_g (l_g - zeta)`: no group's error shall exceed zeta years.

    The multiplier m_g rises while group g exceeds the bound and falls back to 0 once it does not:
    `m_g <- min(largest, max(0, m_g + eta (l_g - zeta)))`, eta being meant for a whole epoch.
    Source: Agarwal, Dudik & Wu, Fair Regression, ICML 2019.

    Args:
        zeta: The bound on every group's mean absolute error, in years.
        eta: How fast multipliers move, per epoch and year of excess.
        largest: No multiplier exceeds it.
        memory: Rows over which group errors are remembered.
    """

    zeta: float = 5.0
    eta: float = 0.1
    largest: float = 10.0
    memory: float = 500.0

    def __post_init__(self) -> None:
        check_options(**{name: value for name, value in vars(self).items() if name != "zeta"})
        if not 0 <= self.zeta < 100:
            raise ConfigError(f"expected a zeta in 0..100 years, got {self.zeta}, take 5")

    def start(self, layout: GroupLayout) -> "_BoundPenalty":
        """Return a penalty for one training."""
        return _BoundPenalty(self, layout)


class _BoundPenalty(BatchPenalty):
    def __init__(self, term: BoundedGroupLoss, layout: GroupLayout) -> None:
        self.term, self.rows = term, layout.rows
        self.errors = RunningGroupErrors(layout, term.memory)
        self.multipliers = torch.zeros(len(layout.names))

    def loss(self, errors: Tensor, membership: Tensor) -> Tensor | None:
        means, present = self.errors.update(errors, membership)
        excess = (means - self.term.zeta) * present
        step = self.term.eta * len(errors) / self.rows
        self.multipliers.add_(step * excess.detach()).clamp_(0, self.term.largest)
        return self.multipliers.clone() @ excess


@dataclass(frozen=True)
class Cvar(BatchPenalty):
    """`strength` times the mean error of the worst share alpha of a batch's rows, whoever they are.

    It is `min_eta eta + mean((e_i - eta)+) / alpha`, solved exactly; no attribute is looked at.
    Source: Rockafellar & Uryasev, Optimization of conditional value-at-risk, 2000.

    Args:
        alpha: The share of the rows, in 0..1; 1 is the mean absolute error.
        strength: Weight of the term beside the objective.

    Examples:
        >>> penalty = Cvar(alpha=0.5)
        >>> errors = torch.tensor([1.0, 5.0, 3.0, 7.0])
        >>> penalty.loss(errors, torch.ones(4, 0)).item()
        6.0
    """

    attributes: ClassVar[tuple[str, ...]] = ()
    min_rows: ClassVar[int] = 1
    alpha: float = 0.2
    strength: float = 1.0

    def __post_init__(self) -> None:
        check_options(min_rows=self.min_rows, strength=self.strength)
        if not 0 < self.alpha <= 1:
            raise ConfigError(f"expected an alpha above 0 and up to 1, got {self.alpha}, take 0.2")

    def start(self, layout: GroupLayout) -> "Cvar":
        """Return itself: there is nothing to remember."""
        return self

    def loss(self, errors: Tensor, membership: Tensor) -> Tensor | None:
        """Return the mean of the worst share alpha of the errors."""
        rows = self.alpha * len(errors)
        worst = torch.topk(errors, math.ceil(rows)).values
        return self.strength * (worst[-1] + (worst - worst[-1]).sum() / rows)


@dataclass(frozen=True, kw_only=True)
class Adaptive(ComparesGroups):
    """After each epoch `w_g *= exp(eta (l_g - mean l))`, l being the validation group errors.

    The mean is over the groups of g's attribute. A row's weight is multiplied by the product of
    its groups' factors, divided by the product's mean over the training rows. The objective is
    left as it is: nothing is added to the loss.

    Args:
        eta: How fast weights move, per epoch and year.
        largest: No group's factor exceeds it, or falls below its inverse.
    """

    eta: float = 0.05
    largest: float = 20.0

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
        means = errors @ membership / counts.clamp(min=1)
        present = (counts > 0).to(means.dtype)
        averages = self.same @ (means * present) / (self.same @ present).clamp(min=1)
        self.logs.add_(self.term.eta * (means - averages) * present).clamp_(-self.limit, self.limit)
