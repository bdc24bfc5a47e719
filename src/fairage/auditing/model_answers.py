"""What models return, read as ages: numbers, arrays, tensors, objects with an age."""

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairage._text import count, short
from fairage.exceptions import DataError
from fairage.tables import LEVEL, REASON, SPREAD


@dataclass(frozen=True)
class Answer:
    """What a model says of one picture; NaN where it says nothing."""

    age: float = math.nan
    low: float = math.nan
    high: float = math.nan
    level: float = math.nan
    spread: float = math.nan
    reason: str = ""


def answers_by_path(returned: object, paths: list[str]) -> dict[str, Answer]:
    """Return the answer for each picture: the first that names it, else the one at its place."""
    items = listed(returned, None)
    named: dict[str, Any] = {}
    for item in items:
        name = getattr(item, "image", None)
        if name is not None:
            named.setdefault(str(name), item)
    if set(named) & set(paths):
        missing = [path for path in paths if path not in named]
        if missing:
            raise DataError(
                f"expected an estimate of every picture from the model's predict, got none with "
                f"the image {missing[0]!r}, return one without an age and with a reason"
            )
        return {path: answer_of(named[path]) for path in paths}
    _check_count(len(items), len(paths))
    return {path: answer_of(item) for path, item in zip(paths, items, strict=True)}


def listed(returned: Any, n: int | None) -> list[Any]:  # noqa: ANN401  # anything
    """Return what a model returned as a list; a column `(n, 1)` is one too.

    Args:
        returned: What it returned.
        n: How many items there must be; as many as there are where nothing is given.

    Raises:
        DataError: It is no sequence, or not of `n` items.

    Examples:
        >>> listed(np.array([[20.0], [30.0]]), 2)
        [20.0, 30.0]
    """
    values = returned
    if hasattr(values, "detach"):  # a tensor of torch, which is not imported for it
        values = values.detach().cpu().double().numpy()
    if isinstance(values, np.ma.MaskedArray):
        values = np.where(np.ma.getmaskarray(values), np.nan, values.data.astype(np.float64))
    if hasattr(values, "__array__") and not isinstance(values, Sequence):
        values = np.asarray(values)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim != 1:
            raise DataError(
                "expected one age a picture from the model, got an array of the shape "
                f"{values.shape}, return the shape {'(pictures,)' if n is None else f'({n},)'}"
            )
        values = values.tolist()
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__"):
        raise DataError(
            f"expected a sequence of ages from the model, got {short(returned)} "
            f"({type(returned).__name__}), return an age a picture"
        )
    items = list(values)
    if n is not None:
        _check_count(len(items), n)
    return items


def _check_count(items: int, n: int) -> None:
    if items != n:
        raise DataError(
            f"expected {count(n, 'age')}, one a picture, from the model, got {items:,}, return NaN "
            "or None where there is no estimate"
        )


def answer_of(item: Any) -> Answer:  # noqa: ANN401  # anything
    """Return what a model says of one picture, from a number or an object with an age.

    Examples:
        >>> answer_of(31.5).age, answer_of(None).age
        (31.5, nan)
    """
    if not hasattr(item, "age"):
        return Answer(_number(item, "an age in years"))
    level, spread = (_number(getattr(item, name, None), f"a {name}") for name in (LEVEL, SPREAD))
    age, low, high = (_number(getattr(item, name, None), name) for name in ("age", "low", "high"))
    if math.isnan(age):
        return Answer(reason=str(getattr(item, REASON, "") or ""))
    if not math.isnan(level):  # an end that is not there is open
        low = -math.inf if math.isnan(low) else low
        high = math.inf if math.isnan(high) else high
    return Answer(age, low, high, level, spread)


def _number(value: Any, what: str) -> float:  # noqa: ANN401  # anything
    if value is None:
        return math.nan
    if hasattr(value, "detach"):
        value = value.detach().cpu().double().numpy()
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise DataError(
            f"expected {what} or None from the model, got {short(value)} "
            f"({type(value).__name__}), return a number"
        )
    return float(value)
