"""How many true ages the model's own intervals hold, by group, beside what they promise.

A row's interval [lower, upper] holds its true age or does not. Where the true age is a range, it
holds the age only if the whole range lies inside, and does not only if none of it does; any other
row cannot be told. Limits allow for both: for the lower one such rows count as not held, for the
upper one as held.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.groups import Floats, taking_part
from fairage.auditing.means import UnitSums, mean_limits
from fairage.auditing.rates import Rate, quantile_limits, rate_of
from fairage.auditing.result_parts import ByAttribute, Interval
from fairage.tables import UNKNOWN

if TYPE_CHECKING:
    from fairage.auditing.audit_settings import AuditSettings
    from fairage.auditing.estimates import ModelRows
    from fairage.auditing.rows import Rows

CoverageKind = Literal["falls short", "lies above", "within margin", "cannot tell"]
SHORT: CoverageKind = "falls short"
ABOVE: CoverageKind = "lies above"
NEAR: CoverageKind = "within margin"
UNSURE: CoverageKind = "cannot tell"
CONFIDENCE = 0.95


@dataclass(frozen=True)
class GroupCoverage:
    """The intervals of one group.

    Args:
        covered: Share of true ages inside their interval, of the rows of which it can be told.
        low: Lower limit of that share; the limits of all groups hold at once. None where the
            group takes no part.
        high: Upper limit, likewise.
        kind: "falls short" where `high` lies below the promised level, "lies above" where `low`
            lies above it; "within margin" where both limits are nearer to it than `rate_margin`;
            else "cannot tell". None without a level, or where the group takes no part.
        takes_part: Whether the group is judged.
        mean_width: Mean width in years of the intervals that have both ends.
        median_width: Median width of all intervals, of which those with an open end are the
            widest; `value` is null (infinite) where half of them or more are open.
        open_ends: Intervals without a lower or without an upper end.
        without: Estimates without an interval; they are in no share.
        undecided: Rows whose true age is a range that lies partly inside.
    """

    covered: Interval
    low: float | None
    high: float | None
    kind: CoverageKind | None
    takes_part: bool
    mean_width: Interval
    median_width: Interval
    open_ends: int
    without: int
    undecided: int


@dataclass(frozen=True)
class Coverage(ByAttribute[GroupCoverage]):
    """The model's own intervals; a mapping: attribute -> group -> GroupCoverage.

    Args:
        level: The share of true ages that they promise to hold; None where nothing says so.
        margin: Distance from the level that counts as none in practice, a share.
        overall: All rows, judged on their own.
        groups: The groups of each attribute, judged together.
        judged: How many groups are judged together. The limits of each leave out (1 - 0.95) /
            `judged` of samples (Bonferroni), so that all of them hold at once in 95 of 100.
    """

    level: float | None
    margin: float
    overall: GroupCoverage
    groups: dict[str, dict[str, GroupCoverage]]
    judged: int


@dataclass(frozen=True)
class _Measured:
    """A group's numbers, and the rates that its limits come from."""

    parts: GroupCoverage
    least: Rate
    most: Rate

    def judged(self, level: float | None, margin: float, confidence: float) -> GroupCoverage:
        low = self.least.interval(persons=False, level=confidence).low
        high = self.most.interval(persons=False, level=confidence).high
        kind = None if level is None else kind_of(low, high, level, margin)
        return replace(self.parts, low=low, high=high, kind=kind, takes_part=True)


def audit_coverage(rows: "Rows", model: "ModelRows", settings: "AuditSettings") -> Coverage | None:
    """Return how many true ages a model's own intervals hold; None where there are none.

    Args:
        rows: The rows that have a true age.
        model: The model's estimates and intervals of them.
        settings: `min_rows`, `rate_margin` and `seed`.
    """
    if model.intervals is None or not _given(model).any():
        return None
    return _Coverages(rows, model, settings).coverage()


def kind_of(
    low: float | None, high: float | None, level: float, margin: float
) -> CoverageKind | None:
    """Return what limits of a coverage say of the promised level.

    Examples:
        >>> kind_of(0.81, 0.88, 0.9, 0.05), kind_of(0.87, 0.93, 0.9, 0.05)
        ('falls short', 'within margin')
        >>> kind_of(0.91, 0.99, 0.9, 0.05), kind_of(0.84, 0.93, 0.9, 0.05)
        ('lies above', 'cannot tell')
    """
    if low is None or high is None:
        return None
    if high < level:
        return SHORT
    if low > level:
        return ABOVE
    return NEAR if low >= level - margin and high <= level + margin else UNSURE


class _Coverages:
    """Holds whether each row's interval holds its true age, and how wide it is."""

    def __init__(self, rows: "Rows", model: "ModelRows", settings: "AuditSettings") -> None:
        assert model.intervals is not None
        self.rows, self.settings, self.level = rows, settings, model.intervals.level
        self.given = _given(model)
        self.without = ~model.failed & ~self.given
        lower, upper = model.intervals.lower, model.intervals.upper
        low = rows.ages if rows.low is None else rows.low
        high = rows.ages if rows.high is None else rows.high
        self.inside = self.given & (lower <= low) & (high <= upper)
        before = np.where(low == high, high < lower, high <= lower)
        self.outside = self.given & (before | (low > upper))
        self.width = upper - lower

    def coverage(self) -> Coverage:
        level, margin = self.level, self.settings.rate_margin
        measured = {
            name: [self._measured(groups.codes == code) for code in range(len(groups))]
            for name, groups in self.rows.attributes.items()
        }
        part = {name: self._taking_part(name, own) for name, own in measured.items()}
        judged = int(sum(own.sum() for own in part.values()))
        confidence = 1 - (1 - CONFIDENCE) / max(judged, 1)
        everyone = self._measured(np.ones(len(self.rows), dtype=bool))
        return Coverage(
            level=level,
            margin=margin,
            overall=everyone.judged(level, margin, CONFIDENCE),
            groups={
                name: {
                    group: each.judged(level, margin, confidence) if takes_part else each.parts
                    for group, each, takes_part in zip(
                        self.rows.attributes[name].names, own, part[name], strict=True
                    )
                    if group != UNKNOWN or each.parts.covered.n + each.parts.without
                }
                for name, own in measured.items()
            },
            judged=judged,
        )

    def _taking_part(self, attribute: str, measured: Sequence[_Measured]) -> NDArray[np.bool_]:
        sizes = np.array([each.least.size for each in measured])
        return taking_part(self.rows.attributes[attribute], self.settings.min_rows, sizes)

    def _measured(self, of_group: NDArray[np.bool_]) -> _Measured:
        keep = of_group & self.given
        units, weights = self._units(keep), self._weights(keep)
        inside, outside = self.inside[keep], self.outside[keep]
        least = rate_of(inside.astype(np.float64), units, weights)
        told = inside | outside
        most = least if told.all() else rate_of((~outside).astype(np.float64), units, weights)
        value = math.nan
        if told.any():
            value = rate_of(
                inside[told].astype(np.float64), None, None if weights is None else weights[told]
            ).value
        persons = self.rows.units is not None
        low, high = least.interval(persons=persons), most.interval(persons=persons)
        parts = GroupCoverage(
            covered=Interval(value, low.low, high.high, low.n, low.n_persons),
            low=None,
            high=None,
            kind=None,
            takes_part=False,
            mean_width=self._mean_width(keep & np.isfinite(self.width)),
            median_width=self._median_width(self.width[keep], units, weights, low.n_persons),
            open_ends=int(np.isinf(self.width[keep]).sum()),
            without=int((of_group & self.without).sum()),
            undecided=int((~told).sum()),
        )
        return _Measured(parts, least, most)

    def _mean_width(self, keep: NDArray[np.bool_]) -> Interval:
        sums = UnitSums.of(self.width[keep], self._units(keep), self._weights(keep))
        low, high = mean_limits(sums, self.settings.seed) or (None, None)
        persons = None if self.rows.units is None else len(sums)
        least = None if low is None else max(low, 0.0)
        return Interval(sums.mean, least, high, int(keep.sum()), persons)

    def _median_width(
        self,
        widths: Floats,
        units: NDArray[np.int64] | None,
        weights: Floats | None,
        persons: int | None,
    ) -> Interval:
        if not len(widths):
            return Interval(math.nan, None, None, 0, persons)
        order = np.argsort(widths, kind="stable")
        ordered = widths[order]
        value = float(np.median(ordered))
        if weights is not None:
            weights = weights[order]
            below = np.cumsum(weights) / weights.sum()
            value = float(ordered[min(int(np.searchsorted(below, 0.5 - 1e-9)), len(below) - 1)])
        units = None if units is None else units[order]
        low, high = quantile_limits(ordered, 0.5, units=units, weights=weights)
        return Interval(
            value,
            0.0 if low is None else min(low, value),
            None if high is None or math.isinf(high) else max(high, value),
            len(widths),
            persons,
        )

    def _units(self, keep: NDArray[np.bool_]) -> NDArray[np.int64] | None:
        return None if self.rows.units is None else self.rows.units.codes[keep]

    def _weights(self, keep: NDArray[np.bool_]) -> Floats | None:
        return None if self.rows.weights is None else self.rows.weights[keep]


def _given(model: "ModelRows") -> NDArray[np.bool_]:
    """Return which rows have an interval, shape `(n,)`."""
    assert model.intervals is not None
    return np.asarray(~model.failed & ~np.isnan(model.intervals.lower))
