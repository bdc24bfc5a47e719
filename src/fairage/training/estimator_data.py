"""Groups as users of scikit-learn hand them over: a mapping, a frame or an array of labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import ArrayLike, NDArray

from fairage.age_groups import AgeGroups
from fairage.datasets.splits import Shares, split_faces
from fairage.exceptions import DataError
from fairage.objectives import Targets
from fairage.tables import (
    AGE,
    AGE_GROUP,
    AGE_STD,
    IDENTITY,
    IMAGE,
    SPLIT,
    UNKNOWN,
    attribute_names,
    group_labels,
    with_age_groups,
)
from fairage.training.data import Rows

ONE = "group"


def labels_table(
    ages: NDArray[np.float64], groups: object, stds: NDArray[np.float64] | None = None
) -> pl.DataFrame:
    """Return rows as a faces table: their number as `image`, their ages, and their attributes.

    A missing label is the group `unknown`. A column `identity` is no attribute; it keeps the rows
    of one person in one split.

    Args:
        ages: Years, shape `(n,)`.
        groups: None; a mapping or frame of label columns, each `(n,)`; or an array of labels of
            shape `(n,)`, the attribute `group`, or `(n, k)`, the attributes `group_0`, ...
        stds: Standard deviations of the raters' guesses in years, shape `(n,)`, NaN where unknown.

    Raises:
        DataError: A column has another length than the ages, or a name with a meaning of its own.

    Examples:
        >>> labels_table(np.array([30.0, 70.0]), {"gender": ["f", None]}).columns
        ['image', 'age', 'gender']
    """
    columns = {name: _text(labels) for name, labels in _columns(groups).items()}
    wrong = {name: len(labels) for name, labels in columns.items() if len(labels) != len(ages)}
    if wrong:
        raise DataError(
            f"expected {len(ages)} labels in each column of groups, one a row of X, got {wrong}, "
            "hand over a data frame or an array, which cross-validation splits like X"
        )
    labels = pl.DataFrame(columns)
    taken = set(columns) - {*attribute_names(labels), IDENTITY}
    if taken:
        raise DataError(
            f"expected names of attributes such as gender in groups, got {sorted(taken)}, which "
            "mean something else in a faces table, rename them"
        )
    numbers = [str(number) for number in range(len(ages))]
    frame = pl.DataFrame({IMAGE: numbers, AGE: ages, **columns})
    return frame if stds is None else frame.with_columns(pl.Series(AGE_STD, stds))


def _columns(groups: object) -> dict[str, Any]:
    if groups is None:
        return {}
    if isinstance(groups, Mapping):
        return {str(name): labels for name, labels in groups.items()}
    if hasattr(groups, "columns"):
        return {str(name): groups[name] for name in groups.columns}  # type: ignore[index]  # a data frame of any library
    labels = np.asarray(groups, dtype=object)
    if labels.ndim == 1:
        return {ONE: labels}
    if labels.ndim != 2:
        raise DataError(
            f"expected groups of shape (n,) or (n, attributes), got {labels.shape}, give one "
            "label a row and attribute"
        )
    return {f"{ONE}_{number}": column for number, column in enumerate(labels.T)}


def _text(labels: Any) -> pl.Series:  # noqa: ANN401  # a column of any library
    """Return labels as text; None, NaN and blanks are `unknown`."""
    values = np.asarray(labels, dtype=object)
    if values.ndim != 1:
        raise DataError(
            f"expected one label a row in each column of groups, got the shape {values.shape}, "
            "give each attribute a column of its own"
        )
    missing = [value is None or value != value for value in values]
    texts = [
        UNKNOWN if gone or not str(value).strip() else str(value)
        for value, gone in zip(values, missing, strict=True)
    ]
    return pl.Series(texts, dtype=pl.String)


FEWEST = 10


def held_out(frame: pl.DataFrame, fraction: float, *, seed: int) -> NDArray[np.bool_]:
    """Return which rows validate, shape `(n,)`, stratified by attributes and age groups.

    Fewer than ten rows are not split: then none is set aside.

    Args:
        frame: Rows as a faces table.
        fraction: Share of the rows to set aside.
        seed: Start of the random numbers.

    Examples:
        >>> ages = {"image": [str(i) for i in range(40)], "age": [30.0] * 20 + [70.0] * 20}
        >>> held_out(pl.DataFrame(ages), 0.2, seed=0).sum()
        np.int64(8)
    """
    if frame.height < FEWEST:
        return np.zeros(frame.height, dtype=bool)
    parts = split_faces(frame, Shares(1 - fraction, fraction, 0.0), seed=seed)
    chosen: NDArray[np.bool_] = parts[SPLIT].to_numpy() == "valid"
    for name in (*attribute_names(frame), AGE_GROUP):
        labels = group_labels(frame, name)
        chosen &= np.isin(labels, np.unique(labels[~chosen]))
    return chosen


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
        *,
        age_groups: AgeGroups | None = None,
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
        frame = labels_table(ages, groups, stds)
        return cls(with_age_groups(frame, age_groups or AgeGroups()), X, weights)

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
