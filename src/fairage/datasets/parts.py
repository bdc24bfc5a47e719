"""Splitting augmented data into parts that are alike, a model being trained on each."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairage._random import numpy_rng
from fairage.exceptions import ConfigError, DataError

__all__ = ["split_parts"]


def split_parts(n_rows: int, parts: int, seed: int, labels: ArrayLike) -> NDArray[np.int64]:
    """Return the part 0, 1, ... of each row, shape `(n_rows,)`: parts alike in size and labels.

    This is for our reading of *split mean*, a variant that the study names without describing:
    the augmented data is split into parts, a model is trained on each, and their predictions are
    averaged. Parts differ by at most one row, in all and of any one label.

    Args:
        n_rows: Rows of the augmented data, copies among them.
        parts: How many parts.
        seed: Which rows go where.
        labels: A label a row, such as its age group; `(n_rows,)`.

    Examples:
        >>> parts = split_parts(6, 2, 0, ["old", "old", "young", "young", "young", "young"])
        >>> sorted(parts[:2].tolist()), sorted(parts[2:].tolist())
        ([0, 1], [0, 0, 1, 1])
    """
    codes = np.unique(np.asarray(labels), return_inverse=True)[1].reshape(-1)
    if len(codes) != n_rows:
        raise DataError(f"expected {n_rows} labels, got {len(codes)}, give one a row")
    if not 1 <= parts <= max(n_rows, 1):
        raise ConfigError(f"expected 1..{n_rows} parts, got {parts!r}, choose as many")
    order = np.lexsort((numpy_rng(seed, "parts").permutation(n_rows), codes))
    found = np.empty(n_rows, dtype=np.int64)
    found[order] = np.arange(n_rows) % parts
    return found
