"""Rows that an estimator was handed over: checked, split, and turned into what training reads."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import ArrayLike, NDArray

from fairage.exceptions import DataError
from fairage.objectives import Targets
from fairage.tables import AGE, AGE_GROUP, AGE_STD, attribute_names, group_labels
from fairage.training.holdout import held_out
from fairage.training.labels import labels_table
from fairage.training.rows import Rows

__all__ = ["FitRows", "tensor_of"]

Floats = NDArray[np.float64]
OLDEST = 1000.0
"""Far above a person's age, as scikit-learn's checks of estimators use other targets."""


@dataclass(frozen=True)
class FitRows:
    """Rows that an estimator was handed over.

    Args:
        frame: Them as a faces table: ages, attributes, the raters' deviations where known.
        embeddings: Shape `(n, dim)`.
        weights: The user's sample weights, the largest as 1, shape `(n,)`.

    Examples:
        >>> rows = FitRows.of(np.eye(3), np.array([20.0, 30.0, 40.0]), sample_weight=[1, 0, 1])
        >>> rows.present().frame["age"].to_list()
        [20.0, 40.0]
    """

    frame: pl.DataFrame
    embeddings: NDArray[Any]
    weights: Floats

    @classmethod
    def of(
        cls,
        X: NDArray[Any],  # noqa: N803  # scikit-learn's name
        y: NDArray[Any],
        groups: object = None,
        sample_weight: ArrayLike | None = None,
        age_std: ArrayLike | None = None,
    ) -> "FitRows":
        """Return the rows, checked."""
        ages = np.asarray(y, dtype=np.float64)
        if ages.min() < 0 or ages.max() > OLDEST:
            raise DataError(
                f"expected ages of 0 years or more, up to {OLDEST:g}, got {ages.min():g}.."
                f"{ages.max():g}, correct them"
            )
        stds = None if age_std is None else _column("age_std", age_std, len(ages))
        if stds is not None and (stds < 0).any():
            raise DataError(
                f"expected age_std of 0 years or more, got {np.nanmin(stds):g}, correct it or "
                "write NaN where it is not known"
            )
        weights = np.ones(len(ages))
        if sample_weight is not None:
            weights = _column("sample_weight", sample_weight, len(ages))
            _check_weights(weights)
            weights = weights / weights.max()
        return cls(labels_table(ages, groups, stds), X, weights)

    def rows(self, keep: NDArray[np.bool_]) -> "FitRows":
        """Return the rows where the mask is true."""
        return FitRows(self.frame.filter(keep), self.embeddings[keep], self.weights[keep])

    def present(self) -> "FitRows":
        """Return the rows whose weight is above 0."""
        return self.rows(self.weights > 0)

    def split(self, fraction: float, seed: int) -> "tuple[FitRows, FitRows]":
        """Return rows to train and rows to validate on; where there are few, all do both."""
        chosen = held_out(self.frame, fraction, seed=seed)
        return (self.rows(~chosen), self.rows(chosen)) if chosen.any() else (self, self)

    def as_rows(self, weights: Floats) -> Rows:
        """Return what training reads; the weights are brought to mean 1."""
        stds = self.frame[AGE_STD].to_numpy() if AGE_STD in self.frame.columns else None
        names = [*attribute_names(self.frame), AGE_GROUP]
        return Rows(
            tensor_of(self.embeddings),
            Targets(
                tensor_of(self.frame[AGE].to_numpy()), None if stds is None else tensor_of(stds)
            ),
            tensor_of(weights / weights.mean()),
            {name: group_labels(self.frame, name) for name in names},
        )


def tensor_of(values: NDArray[Any]) -> torch.Tensor:
    """Return a copy of the numbers in single precision."""
    return torch.from_numpy(np.array(values, dtype=np.float32))


def _column(name: str, values: ArrayLike, n: int) -> Floats:
    column = np.asarray(values, dtype=np.float64)
    if column.shape != (n,):
        raise DataError(
            f"expected {name} of shape ({n},), got {column.shape}, give one number a row"
        )
    return column


def _check_weights(weights: Floats) -> None:
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise DataError("expected finite sample_weight of 0 or more, got others, correct them")
    if not weights.any():
        raise DataError("expected a sample_weight above zero, got zero in every row, raise some")
