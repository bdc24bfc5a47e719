"""The contract of an objective: outputs, targets and weights in, one loss out."""

from typing import ClassVar, Literal, Protocol

from torch import Tensor

from fairage.exceptions import DataError
from fairage.objectives.targets import Targets

__all__ = ["Objective", "OutputKind", "weighted_mean"]

OutputKind = Literal["number", "distribution", "coral", "corn"]
"""What the raw outputs of a head are: a head and an objective go together if they agree on it."""


class Objective(Protocol):
    """Measures how far a head's outputs are from the true ages; lower is better.

    `fits` says which raw outputs it reads. `unit` is the number of years in which an error of one
    moves the loss by about one: 100 for losses on ages in hundreds of years. What is added to a
    loss, such as a fairness term in years, is divided by it.
    """

    fits: ClassVar[OutputKind]
    unit: ClassVar[float]

    def __call__(
        self, outputs: Tensor, targets: Targets, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return a scalar loss.

        Args:
            outputs: The head's raw outputs, shape `(batch, k)`.
            targets: True ages in years, shape `(batch,)`, and what is known beside them.
            weights: Sample weights, shape `(batch,)`.
            total: What the weighted sum of losses is divided by; the sum of the weights where
                none is given.
        """
        ...


def weighted_mean(losses: Tensor, weights: Tensor, total: float | None = None) -> Tensor:
    """Return `sum(w l) / total`; without a total, weight 0 removes a row and 2 counts it twice.

    Training passes the number of rows in the batch: as the weights have mean 1 over the training
    rows, the gradient is then an unbiased estimate of the weighted loss's, which it would not be
    if every batch were divided by the weights that it happens to hold.

    Examples:
        >>> import torch
        >>> weighted_mean(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 1.0])).item()
        2.0
    """
    if losses.numel() == 0:
        raise DataError("expected at least one row in a batch, got none, check the batch size")
    divisor = weights.sum() if total is None else total
    return (weights * losses).sum() / divisor
