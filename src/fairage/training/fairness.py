"""A fairness term at work in one training: its penalty, and who belongs to which group."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from fairage.exceptions import DataError
from fairage.objectives.fairness import Fairness, GroupLayout, Penalty, lay_out
from fairage.tables import UNKNOWN
from fairage.training.rows import Rows

__all__ = ["ActiveFairness", "group_layout", "start_fairness"]


@dataclass(frozen=True)
class ActiveFairness:
    """What a training needs of its fairness term.

    Args:
        penalty: The term's state in this training.
        train: Membership of the training rows, shape `(n, k)`.
        valid: Membership of the validation rows, shape `(m, k)`.
    """

    penalty: Penalty
    train: Tensor
    valid: Tensor

    def weighted(self, own: Tensor) -> Tensor:
        """Return the training rows' own weights, times the term's factors where it has some."""
        factors = self.penalty.factors(self.train)
        return own if factors is None else own * factors


def start_fairness(term: Fairness, train: Rows, valid: Rows) -> ActiveFairness:
    """Return the term with a new state.

    Raises:
        ConfigError: It names an attribute that is not there.
        DataError: An attribute has fewer than two groups that are large enough, or validation
            rows lack it, or have a group that no training row has.
    """
    layout = group_layout(term, train, valid)
    return ActiveFairness(
        term.start(layout),
        layout.membership(train.groups, len(train)),
        layout.membership(valid.groups, len(valid)),
    )


def group_layout(term: Fairness, train: Rows, valid: Rows) -> GroupLayout:
    """Return the groups that the term compares; raises as `start_fairness`."""
    layout = lay_out(
        train.groups, rows=len(train), attributes=term.attributes, min_rows=term.min_rows
    )
    for attribute in dict.fromkeys(attribute for attribute, _ in layout.names):
        if attribute not in valid.groups:
            raise DataError(
                f"expected {attribute!r} of the fairness term in the validation rows too, got "
                f"{sorted(valid.groups)}, hand it over with them or name other attributes"
            )
        known = {*np.unique(train.groups[attribute]).tolist(), UNKNOWN}
        found = set(np.unique(valid.groups[attribute]).tolist())
        if found - known:
            raise DataError(
                f"expected training rows of each group of {attribute!r} in the validation rows, "
                f"got none of {sorted(found - known)}, split the faces anew or name other "
                "attributes in the fairness term"
            )
    return layout
