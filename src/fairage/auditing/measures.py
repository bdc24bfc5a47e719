"""Every error measure, declared once: results, tables, glossary and docs loop over MEASURES.

A measure maps the errors of a group to a number, and has an interval of its own kind. MAE and mean
error have theirs from the noise draws that the verdicts come from (`inference`), so that the two
can never disagree; every other measure's is here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fairage._text import count
from fairage.auditing.distributions import normal_quantile
from fairage.auditing.groups import Floats
from fairage.auditing.means import FEW_UNITS, UnitSums, mean_limits
from fairage.auditing.rates import Rate, quantile_limits, rate_of
from fairage.auditing.result_parts import MAE, MEAN_ERROR, Interval
from fairage.exceptions import ConfigError

Limits = tuple[float | None, float | None]
JACKKNIFE_BLOCKS = 50
ROUNDING = 1e-9  # of the sum of weights
GROUP_FACTS = ("name", "n", "n_persons", "mean_age", "takes_part", "reason")  # beside measures


@dataclass(frozen=True)
class GroupErrors:
    """The errors of one group.

    Args:
        errors: Estimate minus true age in years, shape `(n,)`.
        units: Person of each row, whole numbers from 0; None where each row is a unit.
        weights: Survey weight of each row; None where all are 1.
        stds: Standard deviation of the raters' ages; None where not known.
        seed: Start of the random numbers.
    """

    errors: Floats
    units: NDArray[np.int64] | None = None
    weights: Floats | None = None
    stds: Floats | None = None
    seed: int = 0

    def __len__(self) -> int:
        return len(self.errors)

    @cached_property
    def absolute(self) -> Floats:
        """Absolute errors, shape `(n,)`."""
        return np.abs(self.errors)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """What sorts the absolute errors."""
        return np.argsort(self.absolute)

    @cached_property
    def ordered(self) -> Floats:
        """Absolute errors, rising."""
        if self.units is None and self.weights is None:
            return np.sort(self.absolute)
        return self.absolute[self.order]

    @cached_property
    def n_units(self) -> int:
        """Persons, or rows where identities are not known."""
        return len(self) if self.units is None else int((np.bincount(self.units) > 0).sum())

    def mean(self, values: Floats) -> float:
        """Return the (weighted) mean of one number a row."""
        return float(np.average(values, weights=self.weights)) if len(values) else float("nan")

    def mean_limits(self, values: Floats) -> Limits:
        """Return the limits of that mean."""
        return mean_limits(self.sums(values), self.seed) or (None, None)

    def sums(self, values: Floats) -> UnitSums:
        """Return the units' sums of one number a row."""
        return UnitSums.of(values, self.units, self.weights)

    def within(self, years: int) -> Rate:
        """Return the share of rows that are off by at most some years."""
        if years not in self._within:
            self._within[years] = self._rate_within(years)
        return self._within[years]

    @cached_property
    def _within(self) -> dict[int, Rate]:
        return {}

    def _rate_within(self, years: int) -> Rate:
        if self.units is None and self.weights is None:
            n = len(self)
            return Rate(int(np.searchsorted(self.ordered, years, side="right")) / n, n, n, n)
        return rate_of((self.absolute <= years).astype(np.float64), self.units, self.weights)

    @cached_property
    def rated(self) -> "GroupErrors":
        """The rows whose raters' standard deviation is known and above 0."""
        if self.stds is None:
            return GroupErrors(np.zeros(0), np.zeros(0, dtype=np.int64), stds=np.zeros(0))
        keep = self.stds > 0
        return GroupErrors(
            self.errors[keep],
            None if self.units is None else self.units[keep],
            None if self.weights is None else self.weights[keep],
            self.stds[keep],
            self.seed,
        )


@dataclass(frozen=True)
class Measure:
    """One error measure.

    Args:
        key: Its name in results, frames and JSON.
        title: Its name on pages.
        unit: What it is in.
        digits: Digits after the point on pages.
        better: Which way is better.
        meaning: What it is, in half a sentence.
        compute: The number of a group; NaN where it has none.
        interval: Limits of that number; either end None where the rows do not bound it.
        approximate: Whether the limits are approximate, so that it stands in no verdict.

    Examples:
        >>> bad = Measure.of(lambda errors: float(np.mean(np.abs(errors) > 20)), title="Gross")
        >>> bad.key, bad.measure(GroupErrors(np.array([1.0, 30.0]))).value
        ('gross', 0.5)
    """

    key: str
    title: str
    unit: Literal["years", "share", "score"]
    digits: int
    better: Literal["lower", "higher", "zero"]
    meaning: str
    compute: Callable[[GroupErrors], float]
    interval: Callable[[GroupErrors], Limits]
    approximate: bool = False

    @classmethod
    def of(
        cls,
        function: Callable[[Floats], float],
        *,
        title: str,
        unit: Literal["years", "share", "score"] = "score",
        digits: int = 2,
        better: Literal["lower", "higher", "zero"] = "lower",
        meaning: str = "a measure of the user's own",
    ) -> "Measure":
        """Return a measure of one's own, a function of the errors (estimate minus true age).

        Its interval comes from a jackknife over persons or blocks of rows, and is approximate.

        Args:
            function: Maps errors in years, shape `(n,)`, to a number.
            title: Its name; the key is the same in small letters with underscores.
            unit: What it is in.
            digits: Digits after the point.
            better: Which way is better.
            meaning: What it is, in half a sentence.

        Raises:
            ConfigError: The title is empty, or the key is that of a built-in measure or of another
                fact of a group.
        """
        key = "_".join(title.lower().split())
        if not key or key in MEASURES or key in GROUP_FACTS:
            raise ConfigError(
                f"expected a title that no measure has yet, got {title!r}, choose another one"
            )
        return cls(
            key,
            title,
            unit,
            digits,
            better,
            meaning,
            lambda group: float(function(group.errors)) if len(group) else float("nan"),
            lambda group: _jackknife_limits(function, group),
            approximate=True,
        )

    def measure(self, group: GroupErrors) -> Interval:
        """Return the number with its interval."""
        value = self.compute(group) if len(group) else float("nan")
        low, high = self.interval(group) if len(group) and not np.isnan(value) else (None, None)
        if self.better == "lower" and low is not None and not self.approximate:
            low = max(low, 0.0)
        counted = group.rated if self.key == "epsilon" else group
        persons = None if group.units is None else counted.n_units
        return Interval(value, low, high, len(counted), persons)


def all_measures(own: tuple[Measure, ...] = ()) -> dict[str, Measure]:
    """Return the built-in measures and the user's own, by key.

    Raises:
        ConfigError: Two of them have the same key.
    """
    keys = [*MEASURES, *(measure.key for measure in own)]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ConfigError(f"expected a different title for each measure, got {twice} twice, rename")
    return {**MEASURES, **{measure.key: measure for measure in own}}


def _within(years: int) -> Measure:
    def limits(group: GroupErrors) -> Limits:
        interval = group.within(years).interval(persons=group.units is not None)
        return interval.low, interval.high

    return Measure(
        f"within_{years}",
        f"Within {count(years, 'year')}",
        "share",
        1,
        "higher",
        f"share of faces that are off by at most {count(years, 'year')}, CS({years})",
        lambda group: group.within(years).value,
        limits,
    )


def _quantile(key: str, title: str, share: float, meaning: str) -> Measure:
    def compute(group: GroupErrors) -> float:
        if group.weights is None:
            return float(_sorted_quantile(group.ordered, share))
        below = np.cumsum(group.weights[group.order]) / group.weights.sum()
        place = int(np.searchsorted(below, share - ROUNDING))
        return float(group.ordered[min(place, len(group) - 1)])

    def limits(group: GroupErrors) -> Limits:
        if group.units is None and group.weights is None:
            low, high = quantile_limits(group.ordered, share)
        else:
            low, high = quantile_limits(
                group.ordered,
                share,
                units=None if group.units is None else group.units[group.order],
                weights=None if group.weights is None else group.weights[group.order],
            )
        value = compute(group)
        return (
            0.0 if low is None else min(low, value),
            None if high is None else max(high, value),
        )

    return Measure(key, title, "years", 2, "lower", meaning, compute, limits)


def _sorted_quantile(ordered: Floats, share: float) -> float:
    """Return the quantile of rising values, interpolated as numpy does by default."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (place - below) * (ordered[above] - ordered[below]))


def _root_limits(group: GroupErrors) -> Limits:
    low, high = group.mean_limits(group.errors**2)
    return (
        None if low is None else float(np.sqrt(max(low, 0.0))),
        None if high is None else float(np.sqrt(max(high, 0.0))),
    )


def _epsilon_values(group: GroupErrors) -> Floats:
    rated = group.rated
    assert rated.stds is not None, "rated rows have standard deviations"
    values: Floats = 1 - np.exp(-(rated.errors**2) / (2 * rated.stds**2))
    return values


def _epsilon_limits(group: GroupErrors) -> Limits:
    low, high = group.rated.mean_limits(_epsilon_values(group))
    return low, None if high is None else min(high, 1.0)


def _jackknife_limits(function: Callable[[Floats], float], group: GroupErrors) -> Limits:
    """Return approximate limits: the spread of the function with a block of units left out."""
    units = np.arange(len(group)) if group.units is None else group.units
    names, codes = np.unique(units, return_inverse=True)
    count = min(len(names), FEW_UNITS if len(names) <= FEW_UNITS else JACKKNIFE_BLOCKS)
    if count < 2:
        return None, None
    blocks = codes % count
    values = np.array([function(group.errors[blocks != block]) for block in range(count)])
    error = float(np.sqrt((count - 1) / count * ((values - values.mean()) ** 2).sum()))
    value, reach = float(function(group.errors)), normal_quantile(0.975) * error
    return value - reach, value + reach


MEASURES: Mapping[str, Measure] = {
    measure.key: measure
    for measure in (
        Measure(
            MAE,
            "MAE",
            "years",
            2,
            "lower",
            "mean absolute error: years off, on average",
            lambda group: group.mean(group.absolute),
            lambda group: group.mean_limits(group.absolute),
        ),
        Measure(
            MEAN_ERROR,
            "Mean error",
            "years",
            2,
            "zero",
            "mean of estimate minus true age; above 0: estimated too old",
            lambda group: group.mean(group.errors),
            lambda group: group.mean_limits(group.errors),
        ),
        Measure(
            "rmse",
            "RMSE",
            "years",
            2,
            "lower",
            "root of the mean squared error: large errors count more",
            lambda group: float(np.sqrt(group.mean(group.errors**2))),
            _root_limits,
        ),
        _quantile("median", "Median error", 0.5, "half of the faces are off by less"),
        _quantile("p90", "P90", 0.9, "one face in ten is off by more"),
        *(_within(years) for years in (1, 3, 5, 10)),
        Measure(
            "epsilon",
            "\N{GREEK SMALL LETTER EPSILON}-error",
            "score",
            3,
            "lower",
            "error measured by how far human raters disagree; 0 best, 1 worst",
            lambda group: group.rated.mean(_epsilon_values(group)),
            _epsilon_limits,
        ),
    )
}
"""The built-in measures, by key, in the order of tables."""
