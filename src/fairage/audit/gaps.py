"""Gaps between group errors: the bias of an attribute, and the average bias of several."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairage.audit.groups import GroupMeans, group_means
from fairage.exceptions import DataError

__all__ = ["Score", "bias", "biases", "score"]


@dataclass(frozen=True)
class Score:
    """The challenge's metric of one set of predictions, in years; lower is better throughout.

    Args:
        mae: Mean absolute error.
        biases: Bias of each attribute, in the attributes' order.
        average_bias: Mean of the biases.
        groups: Group errors of each attribute.
    """

    mae: float
    biases: dict[str, float]
    average_bias: float
    groups: dict[str, GroupMeans]


def bias(group_errors: ArrayLike) -> float:
    """Return the mean of `|MAE_g - MAE_h|` over all pairs of groups; 0 for fewer than two groups.

    Examples:
        >>> round(bias([9.278401, 7.614077, 9.984631]), 6)
        1.580369
    """
    return float(biases(np.asarray(group_errors, dtype=float)[np.newaxis])[0])


def biases(group_errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bias of each row of group errors: `(replicates, groups)` to `(replicates,)`.

    Examples:
        >>> biases(np.array([[4.0, 6.0], [5.0, 5.0]])).tolist()
        [2.0, 0.0]
    """
    k = group_errors.shape[1]
    if k < 2:
        return np.zeros(len(group_errors))
    # In rising order, i * (k - i) pairs span the step from the (i-1)-th error to the i-th.
    spans = np.arange(1, k) * np.arange(k - 1, 0, -1)
    steps = np.diff(np.sort(group_errors, axis=1), axis=1)
    found: NDArray[np.float64] = steps @ spans / (k * (k - 1) / 2)
    return found


def score(ages: ArrayLike, predictions: ArrayLike, attributes: Mapping[str, ArrayLike]) -> Score:
    """Return MAE, the bias of each attribute and the average bias.

    Args:
        ages: True ages in years, shape `(n,)`.
        predictions: Estimated ages in years, shape `(n,)`.
        attributes: The group of each row, shape `(n,)`, for each attribute.

    Examples:
        >>> score([20, 30, 40], [21, 30, 43], {"gender": ["f", "f", "m"]}).average_bias
        2.5
    """
    columns = {"ages": ages, "predictions": predictions, **attributes}
    shapes = {name: np.shape(column) for name, column in columns.items()}
    n = shapes["ages"][:1]
    if n in ((), (0,)) or any(shape != n for shape in shapes.values()):
        raise DataError(
            f"expected columns of one length, at least one row each, got the shapes {shapes}, "
            "give one value a row in each"
        )
    errors = np.abs(np.asarray(predictions, dtype=float) - np.asarray(ages, dtype=float))
    groups = {name: group_means(errors, labels) for name, labels in attributes.items()}
    found = {name: bias(means.means) for name, means in groups.items()}
    average = float(np.mean(list(found.values()))) if found else 0.0
    return Score(float(errors.mean()), found, average, groups)
