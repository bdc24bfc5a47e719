"""Recalibration: correcting estimated ages so that they are right on average, under weights."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from fairage.exceptions import MissingDependencyError
from fairage.models import AgeHead, Calibration
from fairage.objectives import Objective
from fairage.training.balance import balancing_weights
from fairage.training.rows import Rows
from fairage.weighting import make_weighting

__all__ = ["Recalibrate"]

Ages = NDArray[np.float64]


@dataclass(frozen=True)
class Recalibrate:
    """Estimated age to corrected age, fitted on the validation rows under balancing weights.

    The correction looks at the estimate alone, so nobody's group need be known to use the model.
    It is kept as points of a line, and scikit-learn is only needed to fit it.

    Args:
        method: `"isotonic"`, any rising line, or `"linear"`, a straight one.
        weighting: Name of the weighting that balances.
        weighting_options: Its options.
    """

    of_weights: ClassVar[bool] = False
    method: Literal["isotonic", "linear"] = "isotonic"
    weighting: str = "raking"
    weighting_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        make_weighting(self.weighting, **self.weighting_options)

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
        fit = _isotonic if self.method == "isotonic" else _linear
        head.calibration = fit(estimated, ages, weights)


def _isotonic(estimated: Ages, ages: Ages, weights: Ages) -> Calibration:
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError as error:
        raise MissingDependencyError.for_extra("scikit-learn", "train") from error
    fitted = IsotonicRegression(out_of_bounds="clip").fit(estimated, ages, weights)
    inputs, kept = np.unique(fitted.X_thresholds_, return_index=True)
    return Calibration(tuple(inputs.tolist()), tuple(fitted.y_thresholds_[kept].tolist()))


def _linear(estimated: Ages, ages: Ages, weights: Ages) -> Calibration:
    """Weighted least squares; a slope below 0 becomes 0."""
    centre, middle = np.average(estimated, weights=weights), np.average(ages, weights=weights)
    spread = np.average((estimated - centre) ** 2, weights=weights)
    shared = np.average((estimated - centre) * (ages - middle), weights=weights)
    slope = max(shared / spread, 0.0) if spread > 1e-9 else 1.0
    return Calibration((0.0, 100.0), tuple(float(middle + slope * (x - centre)) for x in (0, 100)))
