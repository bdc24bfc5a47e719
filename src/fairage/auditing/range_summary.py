"""What ranges leave open: bounds of the MAE, and how well predicted ranges hold the true age."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.estimates import ModelRows
from fairage.auditing.groups import Floats
from fairage.auditing.means import UnitSums, mean_limits
from fairage.auditing.ranges import distance_outside, farthest_error, inside, nearest_error, width
from fairage.auditing.rates import rate_of
from fairage.auditing.result_parts import Interval, Ranges
from fairage.auditing.rows import Rows


def summarise_ranges(rows: Rows, model: ModelRows, settings: AuditSettings) -> Ranges | None:
    """Return what ranges leave open; None where every true age and estimate is a number.

    Args:
        rows: The rows that have a true age.
        model: The estimates for them.
        settings: Age groups, legal age and seed.
    """
    if rows.low is None and model.low is None:
        return None
    return _Summary(rows, model, settings).ranges()


class _Summary:
    def __init__(self, rows: Rows, model: ModelRows, settings: AuditSettings) -> None:
        self.rows, self.model, self.settings = rows, model, settings
        self.low = rows.ages if rows.low is None else rows.low
        self.high = rows.ages if rows.high is None else rows.high
        self.below = model.estimates if model.low is None else model.low
        self.above = model.estimates if model.high is None else model.high
        self.true = (self.low < self.high) & np.isfinite(self.low)
        self.predicted = ~model.failed & (self.below < self.above)

    def ranges(self) -> Ranges:
        edges = self.settings.grouping.edges
        legal = self.settings.legal_age
        unbounded = self.true & np.isinf(self.high)
        return Ranges(
            true_ranges=int(self.true.sum()),
            predicted_ranges=int(self.predicted.sum()),
            open_ranges=int((unbounded | np.isinf(self.above)).sum()),
            across_age_groups=int(np.any([self._across(edge) for edge in edges], axis=0).sum()),
            across_legal_age=None if legal is None else int(self._across(legal).sum()),
            mae_least=self._bound(nearest_error),
            mae_most=None if unbounded.any() else self._bound(farthest_error),
            inside=self._inside(),
            width=self._width(),
            outside=self._outside(),
        )

    def _across(self, edge: float) -> NDArray[np.bool_]:
        return self.true & (self.low < edge) & (edge < self.high)

    def _bound(self, error_of: Callable[[Floats, Floats, Floats], Floats]) -> Interval | None:
        if not self.true.any():
            return None
        keep = np.isfinite(self.model.estimates) & np.isfinite(self.low)
        return self._mean(error_of(self.low, self.high, self.model.estimates), keep)

    def _inside(self) -> Interval | None:
        if self.predicted.any():
            keep = self.predicted & np.isfinite(self.rows.ages)
            hits = inside(self.below, self.above, self.rows.ages)
        else:
            keep = self.true & np.isfinite(self.model.estimates)
            hits = inside(self.low, self.high, self.model.estimates)
        units, weights = self._units(keep), self._weights(keep)
        return rate_of(hits[keep], units, weights).interval(persons=units is not None)

    def _width(self) -> Interval | None:
        keep = self.predicted & np.isfinite(self.above)
        return self._mean(width(self.below, self.above), keep) if keep.any() else None

    def _outside(self) -> Interval | None:
        keep = self.predicted & np.isfinite(self.rows.ages)
        if not keep.any():
            return None
        return self._mean(distance_outside(self.below, self.above, self.rows.ages), keep)

    def _mean(self, values: Floats, keep: NDArray[np.bool_]) -> Interval:
        sums = UnitSums.of(values[keep], self._units(keep), self._weights(keep))
        low, high = mean_limits(sums, self.settings.seed) or (None, None)
        persons = None if self.rows.units is None else len(sums)
        return Interval(
            sums.mean, None if low is None else max(low, 0.0), high, int(keep.sum()), persons
        )

    def _units(self, keep: NDArray[np.bool_]) -> NDArray[np.int64] | None:
        return None if self.rows.units is None else self.rows.units.codes[keep]

    def _weights(self, keep: NDArray[np.bool_]) -> Floats | None:
        return None if self.rows.weights is None else self.rows.weights[keep]
