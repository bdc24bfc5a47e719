"""Numbers of an attribute turned into bins: quantiles, or between edges that a user gives."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.groups import Floats
from fairage.exceptions import ConfigError, DataError

__all__ = ["Bins", "bin_numbers"]

Bins: TypeAlias = int | Sequence[float]
"""How many quantile bins, or the edges between bins."""

QUARTILES = 4
MOST_BINS = 50


def bin_numbers(
    numbers: Floats, column: str, bins: Bins | None = None
) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of the bins and the place of each number's bin, -1 where it is NaN.

    Bins are half-open, `[a, b)`, named "a to b"; the last quantile bin holds the largest number.
    Given edges split all numbers: those under the first are "below a", those from the last on
    "b and above".

    Args:
        numbers: The numbers, shape `(n,)`.
        column: Their column, for messages.
        bins: Number of quantile bins (quartiles where nothing is given), or rising edges.

    Examples:
        >>> names, places = bin_numbers(np.array([1.0, 2, 3, 4, np.nan]), "tone", 2)
        >>> names, places.tolist()
        (['1 to 2.5', '2.5 to 4'], [0, 0, 1, 1, -1])
        >>> bin_numbers(np.array([1.0, 2, 3]), "tone", [2])[0]
        ['below 2', '2 and above']
    """
    bins = QUARTILES if bins is None else bins
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        raise DataError(f"column {column!r}: expected numbers to bin, got none, leave it out")
    if isinstance(bins, int):
        names, inner = _quantiles(known, column, bins)
    else:
        names, inner = _between(column, bins)
    places = np.searchsorted(inner, numbers, side="right")
    return names, np.where(np.isnan(numbers), -1, places).astype(np.int64)


def _quantiles(known: Floats, column: str, bins: int) -> tuple[list[str], Floats]:
    if not 2 <= bins <= MOST_BINS:
        raise ConfigError(
            f"expected 2 to {MOST_BINS} bins of {column!r}, got {bins}, ask for {QUARTILES}"
        )
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)))
    texts = _texts(edges)
    names = [f"{a} to {b}" for a, b in pairwise(texts)]
    return names or texts, edges[1:-1]


def _between(column: str, edges: Sequence[float]) -> tuple[list[str], Floats]:
    inner = np.asarray(edges, dtype=float)
    if not len(inner) or not np.isfinite(inner).all() or (np.diff(inner) <= 0).any():
        raise ConfigError(
            f"expected rising edges of the bins of {column!r}, got {list(edges)}, "
            "write for example 0,20,40"
        )
    texts = _texts(inner)
    middle = [f"{a} to {b}" for a, b in pairwise(texts)]
    return [f"below {texts[0]}", *middle, f"{texts[-1]} and above"], inner


def _texts(edges: Floats) -> list[str]:
    """Write the edges with as few digits, at least four, as keep them apart."""
    for digits in range(4, 18):
        texts = [f"{edge:.{digits}g}" for edge in edges]
        if len(set(texts)) == len(texts):
            return texts
    return [repr(float(edge)) for edge in edges]
