"""What a head is trained and validated on: embeddings, targets, weights and groups of some rows."""

from collections.abc import Sized
from dataclasses import dataclass, field

from torch import Tensor

from fairage.exceptions import ConfigError, DataError
from fairage.objectives import Objective, Targets
from fairage.objectives.fairness import Labels
from fairage.objectives.regression import BalancedMSE

__all__ = ["Rows", "check_batches", "check_embeddings", "check_rows"]

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
