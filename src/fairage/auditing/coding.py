"""Attributes as codes: the names of groups, their spellings, numbers put into bins."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._demographics import (
    MOST_CODES,
    as_numbers,
    codes_among,
    holds_numbers,
    is_missing,
)
from fairage.auditing.cells import texts_of
from fairage.auditing.groups import Floats, Groups, groups_of
from fairage.exceptions import ConfigError, DataError
from fairage.tables import UNKNOWN

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
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        raise DataError(f"column {column!r}: expected numbers to bin, got none, leave it out")
    if isinstance(bins, int):
        names, inner = _quantiles(present, column, bins)
    else:
        names, inner = _between(column, bins)
    places = np.searchsorted(inner, numbers, side="right")
    return names, np.where(np.isnan(numbers), -1, places).astype(np.int64)


def _quantiles(numbers: Floats, column: str, bins: int) -> tuple[list[str], Floats]:
    if not 2 <= bins <= MOST_BINS:
        raise ConfigError(
            f"expected 2 to {MOST_BINS} bins of {column!r}, got {bins}, ask for {QUARTILES}"
        )
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, bins + 1)))
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


MOST_GROUPS = 200


@dataclass(frozen=True)
class CodedColumn:
    """The group of each row of a column.

    Args:
        names: The groups in their order, `unknown` last; some may have no rows.
        codes: Place of each row's group in `names`, shape `(n,)`.
        binned: Whether the groups are bins of numbers.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int64]
    binned: bool = False


def code_column(
    values: pl.Series,
    column: str,
    *,
    labels: Mapping[str, str] | None = None,
    bins: Bins | None = None,
) -> CodedColumn:
    """Return the group of each row of an attribute's column.

    Spaces around a text do not count, letter case does. Numbers with at most 12 different values
    are groups named by their number; under the name of a demographic a negative one is `unknown`,
    unless there are exactly -1 and 1. Other numbers are binned, by quartiles unless `bins` says
    otherwise. What is missing, however it is spelled, is `unknown`.

    Args:
        values: The column, shape `(n,)`.
        column: Its name.
        labels: Names of groups by code.
        bins: How many quantile bins, or the edges between bins.

    Raises:
        ConfigError: A label names a code that is not there, or bins are asked for texts.
        DataError: There are more than 200 groups, or values are nested.

    Examples:
        >>> code_column(pl.Series([0, 1, -1]), "gender", labels={"0": "male"}).names
        ('male', '1', 'unknown')
        >>> code_column(pl.Series([" f", "m", "N/A"]), "gender").codes.tolist()
        [0, 1, 2]
    """
    labels = {key.strip(): label for key, label in (labels or {}).items()}
    values = _plain(values, column)
    distinct = values.unique().drop_nulls()
    spelled_missing = any(is_missing(key) for key in labels)
    if holds_numbers(distinct) and not spelled_missing:
        return _code_numbers(as_numbers(values), column, labels, bins)
    if bins is not None:
        raise ConfigError(f"expected numbers in column {column!r} to bin, got texts, leave it out")
    return _code_texts(values, distinct, column, labels)


def present_groups(names: Sequence[str], codes: NDArray[np.int64]) -> Groups:
    """Return the groups that have rows, in the same order.

    Examples:
        >>> present_groups(("a", "b", "c"), np.array([2, 0, 2])).names
        ('a', 'c')
    """
    present = np.flatnonzero(np.bincount(codes, minlength=len(names)))
    if len(present) == len(names):
        return groups_of(names, codes)
    place = np.zeros(len(names), dtype=np.int64)
    place[present] = np.arange(len(present))
    return groups_of([names[int(i)] for i in present], place[codes])


def _code_numbers(
    numbers: Floats, column: str, labels: Mapping[str, str], bins: Bins | None
) -> CodedColumn:
    numbers = np.where(np.isfinite(numbers), numbers, math.nan)
    distinct = np.asarray(pl.Series(numbers).unique().drop_nans().sort().to_numpy(), dtype=float)
    named = [number for number in map(_number, labels) if number is not None]
    codes = codes_among(distinct, column, named)
    if bins is not None or (codes is None and len(distinct) > MOST_CODES):
        names, places = bin_numbers(numbers, column, bins)
        names = _relabelled(names, column, labels)
        return _coded(names, places, binned=True)
    group_values = distinct if codes is None else codes
    names = _relabelled([f"{value:.12g}" for value in group_values], column, labels)
    if not len(group_values):
        return _coded(names, np.full(len(numbers), -1))
    places = np.minimum(np.searchsorted(group_values, numbers), len(group_values) - 1)
    return _coded(names, np.where(group_values[places] == numbers, places, -1))


def _code_texts(
    texts: pl.Series, distinct: pl.Series, column: str, labels: Mapping[str, str]
) -> CodedColumn:
    kind = texts.dtype
    order = [text.strip() for text in kind.categories] if isinstance(kind, pl.Enum) else []
    distinct = distinct.cast(pl.String)
    if len(distinct) > 10 * MOST_GROUPS:
        _check_count(distinct.str.strip_chars().n_unique(), column)
    raw = [text.strip() for text in distinct]
    meanings = [text if text in labels or not is_missing(text) else "" for text in raw]
    names = sorted(set(meanings) - {""}, key=order.index if order else None)
    _check_count(len(names), column)
    place = {text: i for i, text in enumerate(names)}
    places = np.array([*(place.get(text, -1) for text in meanings), -1], dtype=np.int64)
    which = texts.cast(pl.Enum(distinct)).to_physical().cast(pl.UInt32)
    if which.null_count():
        which = which.fill_null(len(distinct))
    return _coded(_relabelled(names, column, labels), places[which.to_numpy()])


def _plain(values: pl.Series, column: str) -> pl.Series:
    """Return numbers, categories or texts."""
    kind = values.dtype
    if kind.is_numeric() or isinstance(kind, pl.String | pl.Categorical | pl.Enum):
        return values
    return texts_of(values, column, expected="groups")


def _coded(
    names: Sequence[str], codes: NDArray[np.integer], *, binned: bool = False
) -> CodedColumn:
    """Return groups of which each name stands once, and `unknown` last."""
    final = [*dict.fromkeys(name for name in names if name != UNKNOWN), UNKNOWN]
    place = {name: i for i, name in enumerate(final)}
    places = np.array([*(place[name] for name in names), place[UNKNOWN]], dtype=np.int64)
    return CodedColumn(tuple(final), places[codes], binned)


def _relabelled(names: Sequence[str], column: str, labels: Mapping[str, str]) -> list[str]:
    """Return the groups' names with the labels put in; each label must name a group."""
    keys = {name: name for name in names}
    keys |= {_canonical(key): key for key in labels if _canonical(key) in keys}
    new = {name: labels[key] for name, key in keys.items() if key in labels}
    used = {keys[name] for name in new}
    for key in labels:
        if key not in used:
            raise ConfigError.unknown_name(f"group of {column!r} to label", key, names)
    return [new.get(name, name).strip() or UNKNOWN for name in names]


def _canonical(key: str) -> str:
    number = _number(key)
    return key if number is None else f"{number:.12g}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _check_count(groups: int, column: str) -> None:
    if groups > MOST_GROUPS:
        raise DataError(
            f"column {column!r}: expected at most {MOST_GROUPS} groups, got {groups:,}, "
            "leave it out or merge groups"
        )
