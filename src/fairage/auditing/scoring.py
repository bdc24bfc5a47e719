"""The one score of a set of predictions: MAE, mean error, the bias of each attribute, their mean.

Audit, suites, searches and the choice of an epoch all come here, so that a bias means the same
everywhere: the mean gap between the errors of the groups that take part. A group of fewer than
`min_rows` rows (persons, where they are known) and `unknown` take no part; an attribute left with
fewer than two groups has no bias, and no part in the average.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairage._demographics import is_missing
from fairage.auditing.bias_interval import bias
from fairage.auditing.groups import Floats, Groups, Units, group_rows, taking_part
from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE_GROUP, UNKNOWN

MAE, AVERAGE_BIAS = "mae", "average_bias"
MIN_ROWS = 30
_SPECIAL = {AGE_GROUP: "age", "average": "average_attribute"}


@dataclass(frozen=True)
class AttributeErrors:
    """The errors of an attribute's groups.

    Args:
        names: Groups in the attribute's order, shape `(k,)`.
        counts: Rows of each, shape `(k,)`.
        errors: MAE of each in years, shape `(k,)`; NaN for a group without rows.
        takes_part: Which take part in the bias, shape `(k,)`.
    """

    names: tuple[str, ...]
    counts: NDArray[np.int64]
    errors: Floats
    takes_part: NDArray[np.bool_]

    @property
    def bias(self) -> float:
        """Mean gap between the groups that take part; NaN where they are fewer than two."""
        if int(self.takes_part.sum()) < 2:
            return math.nan
        return max(bias(self.errors[self.takes_part]), 0.0)


@dataclass(frozen=True)
class Score:
    """The score of one set of predictions, in years; lower is better throughout.

    Args:
        mae: Mean absolute error.
        mean_error: Mean of estimate minus true age; above 0 is too old. Nearer to 0 is better.
        biases: Bias of each attribute, in the attributes' order; NaN where fewer than two of its
            groups take part.
        average_bias: Mean of the biases that are there; NaN where there is none.
        groups: Errors of the groups of each attribute.
    """

    mae: float
    mean_error: float
    biases: dict[str, float]
    average_bias: float
    groups: dict[str, AttributeErrors]


def score(
    ages: ArrayLike,
    predictions: ArrayLike,
    attributes: Mapping[str, ArrayLike | Groups],
    *,
    min_rows: int = MIN_ROWS,
    units: Units | None = None,
) -> Score:
    """Return MAE, mean error, the bias of each attribute and the average bias.

    Args:
        ages: True ages in years, shape `(n,)`.
        predictions: Estimated ages in years, shape `(n,)`.
        attributes: The group of each row, shape `(n,)`, for each attribute.
        min_rows: Rows, or persons where they are known, that a group must have to take part.
        units: The person of each row.

    Raises:
        ConfigError: `min_rows` is below 2.
        DataError: The columns do not have one length, or hold what is no number.

    Examples:
        >>> labels = {"gender": ["f", "f", "m", "m"]}
        >>> score([20, 30, 40, 50], [21, 30, 43, 50], labels, min_rows=2).average_bias
        1.0
        >>> score([20, 30, 40, 50], [21, 30, 43, 50], labels).biases
        {'gender': nan}
    """
    check_min_rows(min_rows)
    groups = {name: label_groups(labels) for name, labels in attributes.items()}
    truth, guesses = _numbers("ages", ages), _numbers("predictions", predictions)
    shapes = {"ages": truth.shape, "predictions": guesses.shape}
    shapes |= {name: np.shape(own.codes) for name, own in groups.items()}
    if truth.shape in ((), (0,)) or any(shape != truth.shape[:1] for shape in shapes.values()):
        raise DataError(
            f"expected columns of one length, at least one row each, got the shapes {shapes}, "
            "give one value a row in each"
        )
    return score_errors(guesses - truth, groups, min_rows=min_rows, units=units)


def score_errors(
    errors: Floats,
    groups: Mapping[str, Groups],
    *,
    min_rows: int = MIN_ROWS,
    units: Units | None = None,
) -> Score:
    """Return the score of estimate minus true age, shape `(n,)`, as `score` gives it.

    Examples:
        >>> score_errors(np.array([1.0, -3.0]), {}).mae
        2.0
    """
    absolute = np.abs(errors)
    members = group_biases(absolute, groups, min_rows=min_rows, units=units)
    biases = {name: own.bias for name, own in members.items()}
    average = average_bias(biases.values())
    return Score(float(absolute.mean()), float(errors.mean()), biases, average, members)


def group_biases(
    absolute: Floats,
    groups: Mapping[str, Groups],
    *,
    min_rows: int = MIN_ROWS,
    units: Units | None = None,
) -> dict[str, AttributeErrors]:
    """Return the group errors of each attribute; each has its `bias`.

    Args:
        absolute: Absolute errors in years, shape `(n,)`.
        groups: The group of each row, for each attribute.
        min_rows: Rows, or persons where they are known, that a group must have to take part.
        units: The person of each row.

    Examples:
        >>> errors = group_biases(np.array([1.0, 3.0]), {"x": group_rows(["a", "b"])}, min_rows=1)
        >>> errors["x"].bias
        2.0
    """
    return {
        name: AttributeErrors(
            own.names,
            own.counts,
            own.means(absolute),
            taking_part(own, min_rows, None if units is None else _persons(own, units)),
        )
        for name, own in groups.items()
    }


def known_biases(members: Mapping[str, AttributeErrors]) -> dict[str, float]:
    """Return the bias of each attribute that has one.

    Examples:
        >>> groups = {"x": group_rows(["a", "b"]), "y": group_rows(["a", "a"])}
        >>> known_biases(group_biases(np.array([1.0, 3.0]), groups, min_rows=1))
        {'x': 2.0}
    """
    biases = {name: own.bias for name, own in members.items()}
    return {name: value for name, value in biases.items() if not math.isnan(value)}


def average_bias(biases: Iterable[float]) -> float:
    """Return the mean of the biases that are there; NaN where there is none.

    Examples:
        >>> average_bias([1.0, float("nan"), 2.0]), average_bias([float("nan")])
        (1.5, nan)
    """
    known = [value for value in biases if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def label_groups(labels: ArrayLike | Groups) -> Groups:
    """Return the groups of these labels, shape `(n,)`; missing ones are `unknown`.

    Examples:
        >>> label_groups(["m", "f", "N/A", None]).names
        ('f', 'm', 'unknown')
    """
    if isinstance(labels, Groups):
        return labels
    values = np.asarray(labels)
    if values.ndim != 1:
        return Groups((), np.zeros(values.shape, dtype=np.int64), np.zeros(0, dtype=np.int64))
    texts, codes = np.unique(values.astype(str), return_inverse=True)
    names = np.array([UNKNOWN if is_missing(text) else text for text in texts.tolist()], dtype=str)
    return group_rows(names[codes])


def check_min_rows(min_rows: int) -> None:
    """Refuse fewer than two rows a group: one row has no spread.

    Raises:
        ConfigError: `min_rows` is below 2.
    """
    if min_rows < 2:
        raise ConfigError(f"expected min_rows of 2 or more, got {min_rows}, ask for {MIN_ROWS}")


def bias_column(attribute: str) -> str:
    """Return the column of an attribute's bias; the derived age group's is `age_bias`.

    Examples:
        >>> bias_column("gender"), bias_column("age_group")
        ('gender_bias', 'age_bias')
    """
    return f"{_SPECIAL.get(attribute, attribute)}_bias"


def metrics_of(result: Score) -> dict[str, float | None]:
    """Return MAE, each bias and the average bias of a score, by column; None where it is NaN.

    Examples:
        >>> metrics_of(score([20, 30], [21, 30], {"gender": ["f", "m"]}))
        {'mae': 0.5, 'gender_bias': None, 'average_bias': None}
    """
    biases = {bias_column(name): value for name, value in result.biases.items()}
    values = {MAE: result.mae, **biases, AVERAGE_BIAS: result.average_bias}
    return {column: None if math.isnan(value) else value for column, value in values.items()}


def _numbers(name: str, values: ArrayLike) -> Floats:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"expected {name} as numbers of years, got others, correct them") from error
    wrong = int((~np.isfinite(numbers)).sum())
    if wrong:
        raise DataError(
            f"expected {name} as finite numbers of years, got {wrong:,} that are not, "
            "leave these rows out"
        )
    return numbers


def _persons(groups: Groups, units: Units) -> NDArray[np.int64]:
    """Return the persons that have a row in each group, shape `(k,)`."""
    pairs = np.unique(units.codes * len(groups) + groups.codes)
    return np.bincount(pairs % len(groups), minlength=len(groups)).astype(np.int64)
