"""Rows set aside for validation: alike in their groups, none of a group that training lacks."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.datasets.splits import Shares, split_faces
from fairage.tables import AGE_GROUP, SPLIT, attribute_names, group_labels

__all__ = ["held_out"]

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
