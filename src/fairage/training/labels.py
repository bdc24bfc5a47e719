"""Groups as users of scikit-learn hand them over: a mapping, a frame or an array of labels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.exceptions import DataError
from fairage.tables import AGE, AGE_STD, IDENTITY, IMAGE, UNKNOWN, attribute_names

__all__ = ["labels_table"]

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
