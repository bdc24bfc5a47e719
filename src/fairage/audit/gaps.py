"""Gaps between group errors: the bias of an attribute, and the average bias of several."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fairage.audit.groups import GroupMeans, group_means

__all__ = ["Score", "bias", "score"]


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
    errors = np.sort(np.asarray(group_errors, dtype=float))
    k = len(errors)
    if k < 2:
        return 0.0
    # In rising order the i-th error is the larger of i pairs and the smaller of k - 1 - i.
    signs = 2 * np.arange(k) - (k - 1)
    return float(signs @ errors / (k * (k - 1) / 2))


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
    errors = np.abs(np.asarray(predictions, dtype=float) - np.asarray(ages, dtype=float))
    groups = {name: group_means(errors, labels) for name, labels in attributes.items()}
    biases = {name: bias(found.means) for name, found in groups.items()}
    average = float(np.mean(list(biases.values()))) if biases else 0.0
    return Score(float(errors.mean()), biases, average, groups)
