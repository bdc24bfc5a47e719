"""What a fairness term is: its contract, the groups it compares, group errors over batches."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairage.exceptions import ConfigError, DataError
from fairage.tables import UNKNOWN

Labels = Mapping[str, NDArray[np.str_]]
"""The group of each row, shape `(n,)`, for each attribute."""


@dataclass(frozen=True)
class GroupLayout:
    """The groups of all attributes side by side; an attribute's groups are neighbours.

    Args:
        names: Attribute and group, shape `(k,)`.
        counts: Training rows of each group, shape `(k,)`.
        attributes: Number of each group's attribute, from 0, shape `(k,)`.
        rows: Training rows.
        skipped: Attributes that nobody named, and that have fewer than two groups to compare.
    """

    names: tuple[tuple[str, str], ...]
    counts: Tensor
    attributes: Tensor
    rows: int
    skipped: tuple[str, ...] = ()

    @property
    def n_attributes(self) -> int:
        """How many attributes are compared."""
        return len({attribute for attribute, _ in self.names})

    @property
    def same_attribute(self) -> Tensor:
        """1 where two groups are of the same attribute and 0 elsewhere, shape `(k, k)`."""
        return (self.attributes[:, None] == self.attributes).float()

    def membership(self, labels: Labels, rows: int) -> Tensor:
        """Return 1 where a row belongs to a group and 0 elsewhere, shape `(rows, k)`.

        Rows of `unknown` and of groups that are too small belong to none of that attribute.
        """
        members = np.zeros((rows, len(self.names)), dtype=np.float32)
        for column, (attribute, group) in enumerate(self.names):
            members[:, column] = labels[attribute] == group
        return torch.from_numpy(members)

    def pairs(self) -> tuple[Tensor, Tensor]:
        """Return the pairs of groups of the same attribute, `(2, pairs)`, and their weights.

        The weights make a sum over pairs the mean over attributes of the mean over pairs.
        """
        numbers = self.attributes.tolist()
        pairs = [
            (g, h) for g, h in combinations(range(len(numbers)), 2) if numbers[g] == numbers[h]
        ]
        sizes = np.bincount([numbers[g] for g, _ in pairs], minlength=self.n_attributes)
        weights = [1 / (self.n_attributes * sizes[numbers[g]]) for g, _ in pairs]
        return torch.tensor(pairs).T, torch.tensor(weights, dtype=torch.float32)


def lay_out(
    labels: Labels, *, rows: int, attributes: Sequence[str] | None, min_rows: int
) -> GroupLayout:
    """Return the groups of the training rows that have at least `min_rows`, without `unknown`.

    Args:
        labels: Attributes of the training rows.
        rows: How many training rows there are.
        attributes: Names; where None is given, all of the labels that have two such groups.
        min_rows: Rows that a group must have.

    Raises:
        ConfigError: An attribute that is named is not there.
        DataError: A named attribute has fewer than two such groups, so that there is no gap in it,
            or none has two.

    Examples:
        >>> labels = {"gender": np.array(["f", "m", "m"])}
        >>> lay_out(labels, rows=3, attributes=None, min_rows=1).names
        (('gender', 'f'), ('gender', 'm'))
    """
    names: list[tuple[str, str]] = []
    counts: list[int] = []
    numbers: list[int] = []
    chosen = tuple(labels if attributes is None else dict.fromkeys(attributes))
    if attributes is None and not chosen:
        raise DataError("expected attributes for the fairness term, got none, add a column")
    small: dict[str, dict[str, int]] = {}
    for attribute in chosen:
        if attribute not in labels:
            raise ConfigError.unknown_name("attribute of the fairness term", attribute, labels)
        sizes = _group_sizes(labels[attribute])
        groups = {g: n for g, n in sizes.items() if g != UNKNOWN and n >= min_rows}
        if len(groups) < 2:
            small[attribute] = sizes
            continue
        names += [(attribute, group) for group in groups]
        counts += groups.values()
        numbers += [numbers[-1] + 1 if numbers else 0] * len(groups)
    if small and (attributes is not None or not names):
        attribute, sizes = next(iter(small.items()))
        raise DataError(
            f"expected two groups or more of {attribute!r} with at least {min_rows} training rows "
            f"each for the fairness term, got {sizes}, name other attributes, lower min_rows or "
            "add faces"
        )
    layout = GroupLayout(tuple(names), torch.tensor(counts), torch.tensor(numbers), rows)
    return replace(layout, skipped=tuple(small))


def _group_sizes(labels: NDArray[np.str_]) -> dict[str, int]:
    names, rows = np.unique(labels, return_counts=True)
    return dict(zip(map(str, names), rows.tolist(), strict=True))


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

    `attributes` are the attributes that it acts on; where none are named, all that have two groups
    to compare. A group with fewer
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


class RunningGroupErrors:
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
            decay = self._decay(len(errors))
            self.sums.mul_(decay).add_(inside)
            self.counts.mul_(decay).add_(membership.sum(dim=0))
            present = (self.counts > 0).to(errors.dtype)
            remembered = self.sums / self.counts.clamp(min=FAINTEST)
            scale = 1 / (self.shares * len(errors))
        here = inside * scale
        return remembered + (here - here.detach()), present

    def _decay(self, rows: int) -> Tensor:
        """What sums and counts are multiplied by; a faint memory decays no further."""
        if self.memory == 0:
            return torch.zeros_like(self.counts)
        decay = math.exp(-rows / self.memory)
        return torch.where(self.counts * decay > FAINTEST, decay, 1.0)


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
