"""The contract of an objective: outputs, true ages and weights in, one loss out."""

from typing import Protocol

from torch import Tensor

from fairage.exceptions import DataError

__all__ = ["Objective", "weighted_mean"]


class Objective(Protocol):
    """Measures how far a head's outputs are from the true ages; lower is better."""

    def __call__(
        self, outputs: Tensor, ages: Tensor, weights: Tensor, total: float | None = None
    ) -> Tensor:
        """Return a scalar loss.

        Args:
            outputs: The head's raw outputs, shape `(batch, k)`.
            ages: True ages in years, shape `(batch,)`.
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
