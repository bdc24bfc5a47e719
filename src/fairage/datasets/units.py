"""Rows that belong together: of one person, or of the same image."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["join_units"]


def join_units(keys: Sequence[Sequence[str | None]], n: int) -> NDArray[np.int64]:
    """Return the unit of each row, shape `(n,)`: rows that share a value of any key are together.

    Args:
        keys: Each has one value a row; None and the empty text are shared with nobody.
        n: Number of rows.

    Examples:
        >>> join_units([["ann", "bob", None, "ann"], ["x", "y", "y", ""]], 4).tolist()
        [0, 1, 1, 0]
    """
    parent = list(range(n))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for key in keys:
        first: dict[str, int] = {}
        for row, value in enumerate(key):
            if value is None or value == "":
                continue
            a, b = root(first.setdefault(value, row)), root(row)
            parent[max(a, b)] = min(a, b)
    _, units = np.unique([root(row) for row in range(n)], return_inverse=True)
    return units.astype(np.int64)
