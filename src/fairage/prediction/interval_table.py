"""Intervals of the true age that hold at their level for faces of each age.

Of calibration faces of about an age it is known how far the age is above the estimate, and so which
ages go with a new estimate: those at which such an error is no surprise. The level then holds for
faces of each age by itself, whatever the mix of ages is where the model is used [1]: the old, whom
models see as younger than they are, are held as often as all others. Errors are measured in
spreads, how far apart the ages are that the model itself holds possible, so that they may be larger
for a face that is hard to judge [2]; for models without spreads, which then are 1 year, in years.

The upper end is the highest age that goes with an estimate. For some faces of a band of ages that
is an age of a band above, so that their own band need not hold them: limits are fitted from the
oldest band down, each on the faces that those above leave out. For each band its faces, and the
next one, are alike, whatever the limits of others are, so that this keeps the level. Lower ends are
made in the same way from the youngest band up.

[1] Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005 (label-conditional).
[2] Papadopoulos, Gammerman and Vovk, "Normalized nonconformity measures for regression conformal
prediction", 2008.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fairage.age_groups import MAX_AGE
from fairage.auditing.groups import Floats
from fairage.prediction.bands import Band
from fairage.prediction.calibration_rows import CalibrationRows

AGE_EDGES = np.arange(10.0, MAX_AGE, 10.0)
"""Where the cells of the true age meet, in years, shape `(11,)`; there are 12 cells."""


@dataclass(frozen=True, eq=False)
class IntervalTable:
    """What turns an estimate and its spread into an interval: one row for each band of true ages.

    A float32 copy must round `low` down, `high` up.

    Args:
        level: Share of true ages that the intervals hold, in each band.
        starts: Where the bands begin, in years, rising from 0, shape `(bands,)`.
        stops: Where they end; `inf` in the last.
        low: How far below its estimate an age of the band may be, in spreads, as a number that is
            added; `-inf` where the calibration faces are too few to tell.
        high: How far above it; `inf` likewise.
    """

    level: float
    starts: Floats
    stops: Floats
    low: Floats
    high: Floats

    @classmethod
    def fit(cls, bands: Sequence[Band], rows: CalibrationRows, level: float) -> "IntervalTable":
        """Return the table of bands of the true age, whose residuals are in spreads.

        Args:
            bands: The bands, rising.
            rows: The calibration faces that are in them.
            level: Share of true ages that the intervals are to hold.
        """
        starts = np.array([max(band.start, 0.0) for band in bands])
        stops = np.array([band.stop for band in bands])
        low, high = np.full(len(bands), -np.inf), np.full(len(bands), np.inf)
        for place in reversed(range(len(bands))):
            ages, widths = _estimates(bands[place], rows)
            above = slice(place + 1, None)
            reached = np.any(ages + high[above] * widths >= starts[above], axis=1)
            high[place] = bands[place].upper(level, reached)
        for place, band in enumerate(bands):
            ages, widths = _estimates(band, rows)
            below = slice(None, place)
            reached = np.any(ages + low[below] * widths <= stops[below], axis=1)
            low[place] = band.lower(level, reached)
        return cls(level, starts, stops, low, high)

    def interval(self, predictions: ArrayLike, spreads: ArrayLike = 1.0) -> tuple[Floats, Floats]:
        """Return the ends in years, each of the shape `(n,)`; see `ConformalAges.interval`."""
        ages = np.asarray(predictions, dtype=np.float64)[..., None]
        widths = np.asarray(spreads, dtype=np.float64)[..., None]
        low, high = ages + self.low * widths, ages + self.high * widths
        lower = np.where(low > self.stops, np.inf, np.maximum(low, self.starts)).min(axis=-1)
        upper = np.where(high < self.starts, -np.inf, np.minimum(high, self.stops)).max(axis=-1)
        is_empty, own = lower > upper, ages[..., 0]
        return np.where(is_empty, own, lower), np.where(is_empty, own, upper)


def _estimates(band: Band, rows: CalibrationRows) -> tuple[Floats, Floats]:
    """Return estimates and spreads behind a band's residuals, each `(draws, 1)`."""
    return rows.predictions[band.rows, None], rows.spreads[band.rows, None]
