"""A line that corrects a model's ages at one's own place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairage.exceptions import DataError
from fairage.prediction.calibration_rows import CalibrationRows, out_of_fold, person_folds

_FLATTEST, _STEEPEST = 0.2, 5.0
_FOLDS = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AgeMap:
    """Corrected age = `offset` + `slope` times the estimate, not below 0; all in years.

    Args:
        offset: Years.
        slope: Above 0.

    Examples:
        >>> AgeMap(offset=2.0, slope=0.9)([20.0, 40.0]).tolist()
        [20.0, 38.0]
    """

    offset: float = 0.0
    slope: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.offset) and 0 < self.slope < np.inf):
            raise DataError(
                f"expected a rising line, got {self.offset} + {self.slope} times the age, "
                "calibrate the model again"
            )

    def __call__(self, ages: ArrayLike) -> Floats:
        """Return corrected ages `(n,)`."""
        return np.maximum(self.offset + self.slope * np.asarray(ages, dtype=np.float64), 0.0)

    @classmethod
    def from_config(cls, about: Mapping[str, Any] | None) -> "AgeMap":
        """Return the line that a bundle's config holds, `offset` and `slope`; else none."""
        return cls() if about is None else cls(about["offset"], about["slope"])

    @classmethod
    def fit(cls, rows: CalibrationRows) -> "AgeMap":
        """Return the line with the least squared errors; of a range, its draws' mean is meant.

        Its slope is kept within 0.2 and 5, so that a few odd faces do not turn it over.
        """
        truth, estimates = rows.draws().mean(axis=1), rows.predictions
        spread = estimates - estimates.mean()
        variance = float(spread @ spread)
        slope = float(spread @ truth) / variance if variance else 1.0
        slope = float(np.clip(slope, _FLATTEST, _STEEPEST))
        return cls(float(truth.mean() - slope * estimates.mean()), slope)


def mapped_out_of_fold(rows: CalibrationRows) -> Floats:
    """Return the estimates, each corrected by a line that was fitted without it, shape `(n,)`."""

    def corrected(train: NDArray[np.int64], rest: NDArray[np.int64]) -> Floats:
        return AgeMap.fit(rows.rows(train))(rows.predictions[rest])

    folds = person_folds(len(rows), folds=_FOLDS, identity=rows.identity)
    return out_of_fold(folds, corrected)
