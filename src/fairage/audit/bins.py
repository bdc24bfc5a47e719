"""Ages as people write them: numbers, decimal commas, bins such as "20-29" or "more than 70"."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.tables import MAX_AGE

__all__ = ["AgeFormat", "age_format", "bin_distance", "bin_middle"]

MISSING = ("", "na", "n/a", "nan", "null", "none", "-", "?")
NUMBER = r"([+-]?\d+(?:[.,]\d+)?)"
COMMA_NUMBER = re.compile(r"^[+-]?\d+,\d+$")
CLOSED = re.compile(
    rf"^[\[(]?\s*{NUMBER}\s*(?:[-_;\u2013\u2014]|\.\.|,\s|to)\s*{NUMBER}\s*([\])]?)$"
)
AT_LEAST = re.compile(
    rf"^(?:>=?|more than|over|above|from)\s*{NUMBER}$"
    rf"|^{NUMBER}\s*(?:\+|-|(?:and|or) (?:over|above|older|more|up))$"
)
UNITS = (" years old", " years", " year", " yrs", " y/o", " yo", " y")
AT_MOST = re.compile(rf"^(?:<=?|less than|under|below|up to|younger than)\s*{NUMBER}$")


@dataclass(frozen=True)
class AgeFormat:
    """How a column writes ages.

    Args:
        bins: Lower and upper edge in years of each text that is no plain number.
        wrong: Texts that are no age in any way.
        commas: How many different numbers have a decimal comma.
    """

    bins: dict[str, tuple[float, float]]
    wrong: tuple[str, ...] = ()
    commas: int = 0

    @property
    def has_bins(self) -> bool:
        """Whether any text stands for more than one age."""
        return any(low < high for low, high in self.bins.values())

    def edges(self, values: pl.Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lower and the upper edge of each value, shape `(n,)`; NaN where it is missing.

        Examples:
            >>> column = pl.Series(["20-29", "31,5", None])
            >>> low, high = age_format(column.unique()).edges(column)
            >>> low.tolist(), high.tolist()
            ([20.0, 31.5, nan], [30.0, 31.5, nan])
        """
        if values.dtype != pl.String:
            column = _numbers(values).fill_null(float("nan")).to_numpy()
            return column, column
        texts = values.str.strip_chars()
        numbers = _numbers(texts)
        ends = []
        for end in (0, 1):
            known = {text: edges[end] for text, edges in self.bins.items()}
            spelled = texts.replace_strict(known, default=None, return_dtype=pl.Float64)
            ends.append(numbers.fill_null(spelled).fill_null(float("nan")).to_numpy())
        return ends[0], ends[1]


def age_format(values: pl.Series) -> AgeFormat:
    """Return how these different values write ages; a column of numbers has nothing to tell.

    A bin of whole years such as "20-29" ends where its last year of age does, at 30, unless other
    bins begin where it ends ("20-30", "30-40"). A bin without end goes on to 120 years.

    Examples:
        >>> age_format(pl.Series(["0-2", "3-9", "more than 70"])).bins
        {'0-2': (0.0, 3.0), '3-9': (3.0, 10.0), 'more than 70': (70.0, 120.0)}
        >>> age_format(pl.Series(["20-30", "30-40"])).bins["20-30"]
        (20.0, 30.0)
    """
    if values.dtype != pl.String:
        return AgeFormat({})
    texts = values.drop_nulls().str.strip_chars().unique(maintain_order=True)
    left = texts.filter(_numbers(texts).is_null()).to_list()
    left = [text for text in left if text.lower() not in MISSING]
    commas = [text for text in left if COMMA_NUMBER.match(text)]
    found = {text: (_number(text), _number(text)) for text in commas}
    spelled = {text: _bin(text) for text in left if text not in found}
    bins = {text: edges for text, edges in spelled.items() if edges is not None}
    wrong = tuple(text for text, edges in spelled.items() if edges is None)
    return AgeFormat(found | _with_last_years(bins), wrong, len(commas))


def bin_distance(
    truth: tuple[NDArray[np.float64], NDArray[np.float64]],
    prediction: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return the signed error in years: how far the prediction lies beyond the truth.

    Both are given by lower and upper edges, equal for a plain number. Where the two overlap the
    error is 0; the prediction 33.5 for the bin from 20 to 30 has the error 3.5.

    Examples:
        >>> twenties = np.array([20.0]), np.array([30.0])
        >>> estimate = np.array([33.5])
        >>> bin_distance(twenties, (estimate, estimate)).tolist()
        [3.5]
    """
    above = np.maximum(prediction[0] - truth[1], 0)
    below = np.maximum(truth[0] - prediction[1], 0)
    signed: NDArray[np.float64] = above - below
    return signed


def bin_middle(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the age that stands for a bin: its middle, or its lower edge where it has no end.

    Examples:
        >>> bin_middle(np.array([20.0, 70.0]), np.array([30.0, 120.0])).tolist()
        [25.0, 70.0]
    """
    if low is high:
        return low
    return np.where(high >= MAX_AGE, low, (low + high) / 2)


def _numbers(values: pl.Series) -> pl.Series:
    """Cast to floats; what is no finite number becomes null."""
    numbers = values.cast(pl.Float64, strict=False)
    return numbers.set(~numbers.is_finite().fill_null(value=True), None)


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _plain(text: str) -> str:
    plain = " ".join(text.lower().split())
    for word in UNITS:
        plain = plain.removesuffix(word)
    return plain


def _bin(text: str) -> tuple[float, float] | None:
    plain = _plain(text)
    if match := re.fullmatch(NUMBER, plain):
        return _number(match[1]), _number(match[1])
    if match := CLOSED.match(plain):
        low, high = _number(match[1]), _number(match[2])
        return (low, high) if low <= high else None
    if match := AT_LEAST.match(plain):
        low = _number(match[1] or match[2])
        return low, max(MAX_AGE, low)
    if match := AT_MOST.match(plain):
        return 0.0, _number(match[1])
    return None


def _with_last_years(
    bins: dict[str, tuple[float, float]],
) -> dict[str, tuple[float, float]]:
    """Let bins of whole years end with their last year of age, where no other begins at its end."""
    starts = {low for low, _ in bins.values()}
    if any(low < high and high in starts for low, high in _closed(bins)):
        return bins
    return {
        text: (low, high + 1)
        if _is_closed(text) and low.is_integer() and high.is_integer()
        else (low, high)
        for text, (low, high) in bins.items()
    }


def _closed(bins: dict[str, tuple[float, float]]) -> Iterable[tuple[float, float]]:
    return (edges for text, edges in bins.items() if _is_closed(text))


def _is_closed(text: str) -> bool:
    """Whether both ends are written, and the upper one is not open as in "[20, 30)"."""
    match = CLOSED.match(_plain(text))
    return match is not None and not (match[0].startswith("[") and match[3] == ")")
