"""Recalibration: correcting estimated ages so that they are right on average, under weights."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from fairage.exceptions import ConfigError, MissingDependencyError
from fairage.models import AgeHead, Calibration
from fairage.objectives import Objective
from fairage.training.balance import balancing_weights
from fairage.training.rows import Rows
from fairage.weighting import make_weighting

__all__ = ["Recalibrate", "fitted_line"]

Ages = NDArray[np.float64]
OLDEST = 100.0
FEWEST = 10


@dataclass(frozen=True)
class Recalibrate:
    """Estimated age to corrected age, fitted on the validation rows under balancing weights.

    The correction looks at the estimate alone, so nobody's group need be known to use the model.
    It is kept as points of a line, and scikit-learn is only needed to fit it.

    Args:
        method: `"isotonic"`, any rising line, or `"linear"`, a straight one or one that is
            straight between `knots`.
        knots: Estimated ages in years, rising, at which a linear line may bend.
        weighting: Name of the weighting that balances.
        weighting_options: Its options.
    """

    of_weights: ClassVar[bool] = False
    method: Literal["isotonic", "linear"] = "isotonic"
    knots: tuple[float, ...] = ()
    weighting: str = "raking"
    weighting_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        make_weighting(self.weighting, **self.weighting_options)
        points = (0.0, *self.knots, OLDEST)
        rising = all(a < b for a, b in pairwise(points))
        if not rising or (self.knots and self.method != "linear"):
            raise ConfigError(
                f"expected knots that rise between 0 and {OLDEST:g} years, with the method "
                f"'linear', got {list(self.knots)} with {self.method!r}, correct them"
            )

    def check(self, train: Rows, valid: Rows) -> None:
        """Raise what `apply` would raise of rows that do not allow the weighting."""
        balancing_weights(valid, self.weighting, self.weighting_options)

    def apply(
        self, head: AgeHead, train: Rows, valid: Rows, *, objective: Objective, seed: int
    ) -> None:
        """Set the head's calibration; one that it had is replaced."""
        head.calibration = None
        estimated = head.ages(valid.embeddings).double().numpy()
        ages = valid.targets.ages.double().numpy()
        weights = balancing_weights(valid, self.weighting, self.weighting_options).double().numpy()
        if self.method == "isotonic":
            head.calibration = _isotonic(estimated, ages, weights)
        else:
            head.calibration = fitted_line(estimated, ages, weights, knots=self.knots)


def _isotonic(estimated: Ages, ages: Ages, weights: Ages) -> Calibration:
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError as error:
        raise MissingDependencyError.for_extra("scikit-learn", "train") from error
    fitted = IsotonicRegression(out_of_bounds="clip").fit(estimated, ages, weights)
    inputs, kept = np.unique(fitted.X_thresholds_, return_index=True)
    return Calibration(tuple(inputs.tolist()), tuple(fitted.y_thresholds_[kept].tolist()))


def fitted_line(
    estimated: Ages, ages: Ages, weights: Ages, *, knots: Sequence[float] = ()
) -> Calibration:
    """Return a line of weighted least squares that never falls and may bend at the knots.

    Where fewer than ten estimates lie between two points, its slope is 1.

    Args:
        estimated: Estimated ages in years, shape `(n,)`.
        ages: True ages in years, shape `(n,)`.
        weights: Weights, shape `(n,)`.
        knots: Estimated ages in years, rising, above 0 and below 100.

    Raises:
        MissingDependencyError: scikit-learn is not installed.

    Examples:
        >>> estimated = np.arange(10.0, 70.0)
        >>> bent = fitted_line(estimated, estimated.clip(0, 40) + 5, np.ones(60), knots=(40,))
        >>> np.round(bent.outputs, 3).tolist()
        [5.0, 45.0, 45.0]
    """
    try:
        from sklearn.linear_model import LinearRegression
    except ImportError as error:
        raise MissingDependencyError.for_extra("scikit-learn", "train") from error
    points = np.array([0.0, *knots, OLDEST])
    ends = np.array([-np.inf, *knots, np.inf])
    pieces = np.clip(estimated[:, None], ends[:-1], ends[1:]) - points[:-1]
    inside = (estimated[:, None] > ends[:-1]) & (estimated[:, None] <= ends[1:])
    fitted = (inside.sum(axis=0) >= min(FEWEST, len(ages))) & (np.ptp(pieces, axis=0) > 0)
    slopes = np.ones(len(points) - 1)
    if fitted.any():
        left = ages - pieces[:, ~fitted].sum(axis=1)
        slopes[fitted] = LinearRegression(positive=True).fit(pieces[:, fitted], left, weights).coef_
    start = np.average(ages - pieces @ slopes, weights=weights)
    risen = np.concatenate([[0.0], np.cumsum(slopes * np.diff(points))])
    return Calibration(tuple(points.tolist()), tuple((start + risen).tolist()))
