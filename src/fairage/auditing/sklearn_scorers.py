"""Scorers for scikit-learn's searches and cross-validation; higher is better, as it wants."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fairage.auditing.scoring import MIN_ROWS, check_min_rows, score
from fairage.exceptions import DataError, MissingDependencyError

Scorer = Callable[..., float]


def mae_scorer() -> Scorer:
    """Return a scorer of the negative MAE in years.

    Raises:
        MissingDependencyError: scikit-learn is not installed.

    Examples:
        >>> from sklearn.dummy import DummyRegressor
        >>> model = DummyRegressor().fit([[0.0], [1.0]], [20.0, 40.0])
        >>> mae_scorer()(model, [[0.0], [1.0]], [20.0, 40.0])
        -10.0
    """
    return _make_scorer(_mae)


def average_bias_scorer(columns: Sequence[str] = (), *, min_rows: int = MIN_ROWS) -> Scorer:
    """Return a scorer of the negative average bias in years.

    Rows in which no attribute has two groups that take part have no average bias: scoring them is
    a DataError, so that a search never chooses by a number that is not there.

    Args:
        columns: Attribute columns of the frame that is handed over as `X`, which scikit-learn
            splits with everything else. Where the attributes are not part of `X`, give none, switch
            on scikit-learn's metadata routing, call `set_score_request(attributes=True)` on the
            scorer, and hand over `attributes`, labels of shape `(n, attributes)`.
        min_rows: Rows that a group must have to take part; folds hold fewer than the whole table.

    Raises:
        ConfigError: `min_rows` is below 2.
        MissingDependencyError: scikit-learn is not installed and no columns are given.

    Examples:
        >>> import polars as pl
        >>> from sklearn.dummy import DummyRegressor
        >>> faces = pl.DataFrame({"sex": ["f", "f", "m", "m"]})
        >>> model = DummyRegressor(strategy="constant", constant=30.0).fit(faces, [30] * 4)
        >>> average_bias_scorer(["sex"], min_rows=2)(model, faces, [31.0, 33.0, 30.0, 30.0])
        -2.0
    """
    check_min_rows(min_rows)
    if columns:
        return _ColumnScorer(tuple(columns), min_rows)
    return _make_scorer(_average_bias, min_rows=min_rows)


@dataclass(frozen=True)
class _ColumnScorer:
    """Scores with the attributes in columns of `X`; a plain class, so that it can be pickled."""

    columns: tuple[str, ...]
    min_rows: int

    def __call__(self, estimator: Any, X: Any, y: ArrayLike) -> float:  # noqa: ANN401, N803  # scikit-learn's protocol
        missing = [name for name in self.columns if name not in getattr(X, "columns", ())]
        if missing:
            raise DataError(
                f"expected a frame with the columns {list(self.columns)} as X, got none named "
                f"{missing}, hand over a frame that has them"
            )
        attributes = {name: np.asarray(X[name]).astype(str) for name in self.columns}
        return -_bias(y, estimator.predict(X), attributes, self.min_rows)


def _mae(ages: ArrayLike, predictions: ArrayLike) -> float:
    return score(ages, predictions, {}).mae


def _average_bias(
    ages: ArrayLike, predictions: ArrayLike, attributes: ArrayLike, min_rows: int
) -> float:
    labels = np.asarray(attributes).astype(str)
    named = {str(i): column for i, column in enumerate(labels.reshape(len(labels), -1).T)}
    return _bias(ages, predictions, named, min_rows)


def _bias(
    ages: ArrayLike, predictions: ArrayLike, attributes: Mapping[str, ArrayLike], min_rows: int
) -> float:
    average = score(ages, predictions, attributes, min_rows=min_rows).average_bias
    if math.isnan(average):
        raise DataError(
            f"expected an attribute with two groups of {min_rows} rows or more, got none of "
            f"{sorted(attributes)} among {len(np.asarray(ages)):,} rows, score more rows or lower "
            "min_rows"
        )
    return average


def _make_scorer(metric: Callable[..., float], **options: int) -> Scorer:
    try:
        from sklearn.metrics import make_scorer
    except ImportError as error:
        raise MissingDependencyError.for_extra("scikit-learn", "train") from error
    scorer: Scorer = make_scorer(metric, greater_is_better=False, **options)
    return scorer
