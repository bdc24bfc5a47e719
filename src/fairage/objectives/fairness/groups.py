"""The groups that a fairness term compares: those of the training rows that are large enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairage.exceptions import ConfigError, DataError
from fairage.tables import UNKNOWN

__all__ = ["GroupLayout", "Labels", "lay_out"]

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
    """

    names: tuple[tuple[str, str], ...]
    counts: Tensor
    attributes: Tensor
    rows: int

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
        found = np.zeros((rows, len(self.names)), dtype=np.float32)
        for column, (attribute, group) in enumerate(self.names):
            found[:, column] = labels[attribute] == group
        return torch.from_numpy(found)

    def pairs(self) -> tuple[Tensor, Tensor]:
        """Return the pairs of groups of the same attribute, `(2, pairs)`, and their weights.

        The weights make a sum over pairs the mean over attributes of the mean over pairs.
        """
        of = self.attributes.tolist()
        found = [(g, h) for g, h in combinations(range(len(of)), 2) if of[g] == of[h]]
        sizes = np.bincount([of[g] for g, _ in found], minlength=self.n_attributes)
        weights = [1 / (self.n_attributes * sizes[of[g]]) for g, _ in found]
        return torch.tensor(found).T, torch.tensor(weights, dtype=torch.float32)


def lay_out(
    labels: Labels, *, rows: int, attributes: Sequence[str] | None, min_rows: int
) -> GroupLayout:
    """Return the groups of the training rows that have at least `min_rows`, without `unknown`.

    Args:
        labels: Attributes of the training rows.
        rows: How many training rows there are.
        attributes: Names; all of the labels where None is given.
        min_rows: Rows that a group must have.

    Raises:
        ConfigError: An attribute that is named is not there.
        DataError: An attribute has fewer than two such groups, so that there is no gap in it.

    Examples:
        >>> labels = {"gender": np.array(["f", "m", "m"])}
        >>> lay_out(labels, rows=3, attributes=None, min_rows=1).names
        (('gender', 'f'), ('gender', 'm'))
    """
    names: list[tuple[str, str]] = []
    counts: list[int] = []
    of: list[int] = []
    chosen = tuple(labels if attributes is None else dict.fromkeys(attributes))
    if attributes is None and not chosen:
        raise DataError("expected attributes for the fairness term, got none, add a column")
    for number, attribute in enumerate(chosen):
        if attribute not in labels:
            raise ConfigError.unknown_name("attribute of the fairness term", attribute, labels)
        groups = _large_groups(attribute, labels[attribute], min_rows)
        names += [(attribute, group) for group in groups]
        counts += groups.values()
        of += [number] * len(groups)
    return GroupLayout(tuple(names), torch.tensor(counts), torch.tensor(of), rows)


def _large_groups(attribute: str, labels: NDArray[np.str_], min_rows: int) -> dict[str, int]:
    names, rows = np.unique(labels, return_counts=True)
    counts = dict(zip(map(str, names), rows.tolist(), strict=True))
    large = {g: n for g, n in counts.items() if g != UNKNOWN and n >= min_rows}
    if len(large) < 2:
        raise DataError(
            f"expected two groups or more of {attribute!r} with at least {min_rows} training rows "
            f"each for the fairness term, got {counts}, name other attributes or lower min_rows"
        )
    return large
