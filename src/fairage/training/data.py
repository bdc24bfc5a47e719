"""What a head is trained and validated on: embeddings, targets, weights and groups of some rows."""

from collections.abc import Sequence, Sized
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from fairage._text import joined
from fairage.exceptions import ConfigError, DataError
from fairage.objectives import Objective, Targets
from fairage.objectives.fairness import Fairness, GroupLayout, Labels, Penalty, lay_out
from fairage.objectives.regression import BalancedMSE
from fairage.tables import UNKNOWN

LARGEST = 1e18
"""The square of an embedding's number must be one that single precision holds."""


@dataclass(frozen=True)
class Rows:
    """Rows to train or validate on.

    Args:
        embeddings: Shape `(n, dim)`.
        targets: True ages in years, shape `(n,)`, and what is known beside them.
        weights: Sample weights with mean 1, shape `(n,)`.
        groups: The group of each row, shape `(n,)`, for each attribute; fairness terms and the
            validation biases read them.
    """

    embeddings: Tensor
    targets: Targets
    weights: Tensor
    groups: Labels = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.targets)


def check_rows(train: Sized, valid: Sized) -> None:
    """Refuse a training without rows to train or to validate on."""
    if len(train) == 0 or len(valid) == 0:
        raise DataError(
            f"expected rows to train and to validate on, got {len(train)} and {len(valid)}, check "
            "the splits of the faces table"
        )


def check_embeddings(rows: Rows) -> None:
    """Refuse what no training could use, before its loss is blamed on the learning rate."""
    low, high = rows.embeddings.aminmax()
    if low > -LARGEST and high < LARGEST:
        return
    wrong = int((~(rows.embeddings.abs() < LARGEST)).any(dim=1).sum())
    raise DataError(
        f"expected embeddings that are finite and below {LARGEST:g}, got others in {wrong} of "
        f"{len(rows)} rows, check the backbone or scale the numbers"
    )


def check_batches(objective: Objective, rows: int) -> None:
    """Refuse batches that say nothing to the objective: they would leave the head untrained."""
    if isinstance(objective, BalancedMSE) and rows < 2:
        raise ConfigError(
            "expected batches of two rows or more for the objective 'balanced-mse', which compares "
            f"the rows of a batch, got {rows}, raise batch_size or add training rows"
        )


@dataclass(frozen=True)
class ImageRows:
    """Rows to train or validate on, each with the image of a face.

    Args:
        images: Path or URL of each image.
        targets: True ages in years, shape `(n,)`, and what is known beside them.
        weights: Sample weights with mean 1, shape `(n,)`.
        groups: The group of each row, shape `(n,)`, for each attribute.
        beside: Embeddings `(n, dim)` of other backbones, which stay as they are; the head sees
            them behind the embedding of the one that is fine-tuned.

    Examples:
        >>> ImageRows(("a.jpg",), Targets(torch.tensor([30.0, 40.0])), torch.ones(2))
        Traceback (most recent call last):
        fairage.exceptions.DataError: expected an age and a weight for each image, got 1 images, ...
    """

    images: tuple[str, ...]
    targets: Targets
    weights: Tensor
    groups: Labels = field(default_factory=dict)
    beside: Tensor | None = None

    def __post_init__(self) -> None:
        n = len(self.images)
        if not n == len(self.targets) == len(self.weights):
            raise DataError(
                f"expected an age and a weight for each image, got {n} images, "
                f"{len(self.targets)} ages and {len(self.weights)} weights, give one each a row"
            )
        if self.beside is not None and (self.beside.ndim != 2 or len(self.beside) != n):
            raise DataError(
                f"expected embeddings ({n}, dim) beside the images, got "
                f"{tuple(self.beside.shape)}, embed the same rows"
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labelled(self) -> Rows:
        """The same rows without an embedding, for what reads labels alone."""
        return Rows(torch.empty(len(self), 0), self.targets, self.weights, self.groups)


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
            rows lack it, or have a group of that size that no training row has.
    """
    layout = group_layout(term, train, valid)
    return ActiveFairness(
        term.start(layout),
        layout.membership(train.groups, len(train)),
        layout.membership(valid.groups, len(valid)),
    )


def skipped_attributes(term: Fairness, skipped: Sequence[str]) -> tuple[str, ...]:
    """Return the sentence on attributes that a fairness term leaves out, where there are any.

    Examples:
        >>> from fairage.objectives.fairness import make_fairness
        >>> skipped_attributes(make_fairness("gap"), ["race"])[0]
        'the fairness term leaves out race: fewer than two of its groups have 10 training rows'
    """
    if not skipped:
        return ()
    return (
        f"the fairness term leaves out {joined(skipped)}: fewer than two of "
        f"{'its' if len(skipped) == 1 else 'their'} groups have {term.min_rows} training rows",
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
        names, rows = np.unique(valid.groups[attribute], return_counts=True)
        large = set(names[rows >= term.min_rows].tolist())  # smaller ones are in no term anyway
        if large - known:
            raise DataError(
                f"expected training rows of each group of {attribute!r} in the validation rows, "
                f"got none of {sorted(large - known)}, split the faces anew or name other "
                "attributes in the fairness term"
            )
    return layout
