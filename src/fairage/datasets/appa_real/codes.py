"""What the kit's attribute columns mean: words as they are, numbers by how often they occur."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fairage.datasets.challenge import TRAIN_COUNTS
from fairage.exceptions import DataError

__all__ = ["BLANK", "find_columns", "find_meanings"]

BLANK = frozenset({"", "nan", "none"})
"""Texts that stand for a missing value."""


def find_columns(meta: NDArray[np.str_]) -> dict[str, int]:
    """Return the column of each attribute in the train split's texts, shape `(n, columns)`.

    Words name their attribute. Columns of anything else are taken in the order gender, ethnicity,
    expression, the last three where there are more.

    Examples:
        >>> find_columns(np.array([["happy", "male", "asian"], ["other", "female", "asian"]]))
        {'gender': 1, 'ethnicity': 2, 'expression': 0}
    """
    columns = range(meta.shape[1])
    found = {
        attribute: next(
            (c for c in columns if set(meta[:, c].tolist()) - BLANK <= set(counts)), None
        )
        for attribute, counts in TRAIN_COUNTS.items()
    }
    by_words = {name: column for name, column in found.items() if column is not None}
    if len(by_words) == len(TRAIN_COUNTS):
        return by_words
    if meta.shape[1] < len(TRAIN_COUNTS):
        raise DataError(
            f"expected meta_data_train.npy to have the columns {list(TRAIN_COUNTS)}, got "
            f"{meta.shape[1]} of them, save it with all three"
        )
    return dict(zip(TRAIN_COUNTS, columns[-len(TRAIN_COUNTS) :], strict=True))


def find_meanings(
    attribute: str, codes: NDArray[np.str_], told: Mapping[str, str]
) -> dict[str, str]:
    """Return what each value of the train split's column means, shape `(n,)`.

    Args:
        attribute: Name of the attribute.
        codes: The column.
        told: Meanings that the user gives; they go before everything else.

    Raises:
        DataError: A value is no known word, and not all values occur as often as published.
    """
    counts = TRAIN_COUNTS[attribute]
    values, seen = np.unique(codes[~np.isin(codes, list(BLANK))], return_counts=True)
    known = {str(value): str(value) for value in values if str(value) in counts} | dict(told)
    if set(values.tolist()) <= set(known):
        return known
    by_count = {count: group for group, count in counts.items()}
    if sorted(seen.tolist()) == sorted(by_count):
        return {str(v): by_count[int(n)] for v, n in zip(values, seen, strict=True)} | dict(told)
    unknown = [f"{v} ({n} faces)" for v, n in zip(values, seen, strict=True) if str(v) not in known]
    raise DataError(
        f"expected the words {sorted(counts)} for {attribute} in meta_data_train.npy, got "
        f"{', '.join(unknown)}, say what they mean: --value {attribute}.{values[0]}=GROUP"
    )
