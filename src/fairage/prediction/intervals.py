"""Intervals of the true age around an estimate, and the probability to be at least so old.

A conformal predictive system on signed residuals, true age minus estimate [1], one for each band of
the estimate [2]: how far calibration faces with such estimates were off says how far the next one
is, in each direction of its own. Nothing is assumed of the model or of the shape of its errors, but
that the next face comes from where the calibration faces came from.

Bands are cells of five years of the estimate, the first and the last without an end; while a band
has fewer than `band_rows` faces, the smallest one is joined to the smaller of its neighbours. The
rule sees estimates alone, never how far they are off, is the same for all data, and keeps the shape
of the table that an exported graph holds. One face more or less changes bands only in a tie or
where one has just too few, so that the ranks are as good as exact within a band.

A unit, a person or a face of whom no person is known, counts once, however many of its faces or
draws of its age lie in a band: they share its weight evenly. With k units the unknown age of the
next has the weight 1 of k + 1. That keeps the promised level for a random face of a new person [3].

[1] Vovk et al., "Computationally efficient versions of conformal predictive distributions", 2020.
[2] Boström, Johansson and Löfström, "Mondrian conformal predictive distributions", 2021.
[3] Lee, Barber and Willett, "Distribution-free inference with hierarchical data", 2023.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairage.age_groups import MAX_AGE, AgeGroups
from fairage.auditing.groups import Floats
from fairage.exceptions import ConfigError
from fairage.prediction.calibration_rows import CalibrationRows
from fairage.prediction.group_numbers import GroupNumbers, interval_numbers

CELL_EDGES = np.arange(5.0, 120.0, 5.0)
"""Where the cells of the estimate meet, in years, shape `(23,)`; there are 24 cells."""
BAND_ROWS = 100
"""Faces, or persons where known, that a band must have."""
ROUNDING = 1e-9  # what sums of weights and (1 + level) / 2 may be off by


@dataclass(frozen=True, eq=False)
class Band:
    """The residuals of the calibration faces whose estimates lie in `[start, stop)`.

    Args:
        start: Lower end of the estimates in years; `-inf` in the first band.
        stop: Their upper end; `inf` in the last band.
        faces: Calibration faces.
        units: Persons, or faces where no person is known.
        residuals: True age minus estimate in years, rising, shape `(faces * draws,)`.
        before: Sum of the weights of the residuals before each, from 0 to `units`, one longer.
    """

    start: float
    stop: float
    faces: int
    units: int
    residuals: Floats = field(repr=False)
    before: Floats = field(repr=False)

    def ends(self, level: float) -> tuple[float, float]:
        """Return the residuals between which the next lies at this level; open ones infinite.

        Each end is missed by (1 - level) / 2 at most: of k + 1 units, the next one among them, at
        least (1 + level) / 2 lie on the end's inner side or on it.
        """
        least = (1 + level) / 2 * (self.units + 1) - ROUNDING
        upper = int(np.searchsorted(self.before[1:], least))
        lower = int((self.units - self.before[:-1] >= least).sum()) - 1
        return (
            -math.inf if lower < 0 else float(self.residuals[lower]),
            math.inf if upper >= len(self.residuals) else float(self.residuals[upper]),
        )

    def p_over(self, predictions: Floats, age: float) -> Floats:
        """Return the share of k + 1 units whose residual makes estimates this age or more."""
        places = np.searchsorted(self.residuals, age - predictions)
        return np.asarray((self.units - self.before[places]) / (self.units + 1))


@dataclass(frozen=True, eq=False)
class BandTable:
    """What turns an estimate into an interval: one row for each cell of five years.

    Its shape is the same for every calibration. A float32 copy must round `low` down, `high` up.

    Args:
        level: Share of true ages that the intervals hold.
        edges: Where the cells meet, in years, shape `(23,)`; an estimate on one belongs above it.
        low: What to add to the estimate for the lower end, in years, shape `(24,)`; `-inf`: open.
        high: The same for the upper end; `inf`: open.
    """

    level: float
    edges: Floats
    low: Floats
    high: Floats

    def interval(self, predictions: ArrayLike) -> tuple[Floats, Floats]:
        """Return the ends in years, each of the shape `(n,)`; see `ConformalAges.interval`."""
        values = np.asarray(predictions, dtype=np.float64)
        cells = np.searchsorted(self.edges, values, side="right")
        low, high = values + self.low[cells], values + self.high[cells]
        return np.where(np.isinf(low), low, np.maximum(low, 0.0)), np.maximum(high, 0.0)


@dataclass(frozen=True, eq=False)
class ConformalAges:
    """The distribution of the true age around each estimate, from calibration faces.

    Args:
        bands: The bands of the estimate, rising, without gaps.
        rows: The calibration faces.

    Examples:
        >>> ages = np.tile(np.arange(20.0, 40.0), 10)
        >>> rows = CalibrationRows(np.full(200, 30.0), ages, ages)
        >>> system = ConformalAges.fit(rows)
        >>> low, high = system.interval([30.0, 31.0], level=0.8)
        >>> low.tolist(), high.tolist()
        ([21.0, 22.0], [38.0, 39.0])
        >>> system.p_over([30.0], 35).round(3).tolist()  # 50 of 201
        [0.249]
    """

    bands: tuple[Band, ...]
    rows: CalibrationRows = field(repr=False)

    @classmethod
    def fit(cls, rows: CalibrationRows, *, band_rows: int = BAND_ROWS) -> "ConformalAges":
        """Return the system of these calibration faces.

        Args:
            rows: Faces that the model was neither trained nor selected on.
            band_rows: Faces, or persons where known, that a band must have; with fewer in all
                there is one band.
        """
        if band_rows < 1:
            raise ConfigError(
                f"expected at least 1 face in a band, got {band_rows}, give a number such as 100"
            )
        units, residuals = _unit_codes(rows), _residuals(rows)
        cells = np.searchsorted(CELL_EDGES, rows.predictions, side="right")
        merged = _merged(cells, units, band_rows)
        firsts = np.unique(merged)
        starts = [-math.inf, *(float(CELL_EDGES[first - 1]) for first in firsts[1:])]
        bands = []
        for first, start, stop in zip(firsts, starts, [*starts[1:], math.inf], strict=True):
            inside = merged == first
            bands.append(_band(residuals[inside], units[inside], start, stop))
        return cls(tuple(bands), rows)

    @cached_property
    def _starts(self) -> Floats:
        return np.array([band.start for band in self.bands[1:]], dtype=np.float64)

    def _band_of(self, predictions: Floats) -> NDArray[np.int64]:
        return np.asarray(np.searchsorted(self._starts, predictions, side="right"), np.int64)

    def interval(self, predictions: ArrayLike, level: float = 0.9) -> tuple[Floats, Floats]:
        """Return the ends of intervals that hold the true age at this level.

        Both ends belong to the interval. No true age is below 0, so that neither is an end, but an
        open one: with fewer than 2 / (1 - level) - 1 units in a band (19 for 0.9) the ranks bound
        no end, which is then `-inf` or `inf`. Without an estimate (NaN) both ends are NaN.

        Args:
            predictions: Estimated ages in years, shape `(n,)`.
            level: Share of true ages, over calibration faces and faces to come, in each band.

        Returns:
            Lower and upper ends in years, each of the shape `(n,)`.
        """
        return self.table(level).interval(predictions)

    def table(self, level: float = 0.9) -> BandTable:
        """Return the table behind the intervals, by cells of five years: what a graph holds."""
        _check_level(level)
        ends = np.array([band.ends(level) for band in self.bands])
        firsts = np.concatenate([[-math.inf], CELL_EDGES])
        low, high = ends[self._band_of(firsts)].T
        return BandTable(level, CELL_EDGES, low, high)

    def open_ends(self, level: float = 0.9) -> tuple[int, int]:
        """Return how many bands bound no lower end at this level, and how many no upper one."""
        _check_level(level)
        ends = np.array([band.ends(level) for band in self.bands])
        low, high = np.isinf(ends).sum(axis=0).tolist()
        return low, high

    def coverage(
        self, rows: CalibrationRows, level: float = 0.9, age_groups: AgeGroups | None = None
    ) -> GroupNumbers:
        """Return how well intervals hold the true ages of faces, overall and by group.

        `covered` is the share of ages that they hold, `width` their mean width in years without
        those with an open end, `open` the share of these. The level is promised by the estimate,
        not by the true age or an attribute: what holds there is to be looked at, here.

        Args:
            rows: Faces with true ages, none of the calibration faces among them.
            level: Share of true ages that the intervals are made for.
            age_groups: Groups of the true age; the default ones where nothing is given.
        """
        low, high = self.interval(rows.predictions, level)
        return interval_numbers(low, high, rows, age_groups)

    def p_over(self, predictions: ArrayLike, age: float) -> Floats:
        """Return P(true age >= `age`), in 0..1, shape `(n,)`, on the low side.

        The share of the band's k units whose residual would make the estimate at least `age`, of
        k + 1: the next face itself counts as younger. A higher estimate is no sign of a younger
        face, so that it is never less than the same at the upper end of a lower band.

        It is as good as the calibration faces' mix of ages is like that of the use: where fewer
        are young, a face is more likely to be old. Without an estimate (NaN) it is NaN.

        Args:
            predictions: Estimated ages in years, shape `(n,)`.
            age: Age in years.
        """
        check_age(age)
        values = np.asarray(predictions, dtype=np.float64)
        places, shares = self._band_of(values), np.full(values.shape, np.nan)
        below = 0.0
        for place, band in enumerate(self.bands):
            inside = (places == place) & ~np.isnan(values)
            shares[inside] = np.maximum(band.p_over(values[inside], age), below)
            end = np.nextafter([band.stop], band.start)
            below = max(below, float(band.p_over(end, age)[0]))
        return shares


def check_age(age: float) -> None:
    """Raise a ConfigError where this is no age that a face can be older than."""
    if not 0 < age <= MAX_AGE:
        raise ConfigError(
            f"expected an age above 0, up to {MAX_AGE:g} years, got {age!r}, give another"
        )


def _unit_codes(rows: CalibrationRows) -> NDArray[np.int64]:
    """Return the number of each row's unit, shape `(n,)`."""
    return np.arange(len(rows)) if rows.units is None else rows.units.codes


def _residuals(rows: CalibrationRows) -> Floats:
    """Return true age minus estimate in years, shape `(n, draws)`."""
    return rows.draws() - rows.predictions[:, None]


def _pairs(bands: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for each unit within each band, shape `(n,)`."""
    return np.asarray(bands * (int(units.max()) + 1) + units, dtype=np.int64)


def _merged(
    cells: NDArray[np.int64], units: NDArray[np.int64], band_rows: int
) -> NDArray[np.int64]:
    """Return the first cell of each row's band, shape `(n,)`, after small bands were joined."""
    first = np.arange(len(CELL_EDGES) + 1)
    while True:
        present = np.unique(_pairs(first[cells], units)) // (int(units.max()) + 1)
        names = np.unique(first)
        counts = np.array([(present == name).sum() for name in names])
        smallest = int(np.argmin(counts))
        if counts[smallest] >= band_rows or len(names) == 1:
            return np.asarray(first[cells], dtype=np.int64)
        sides = [side for side in (smallest - 1, smallest + 1) if 0 <= side < len(names)]
        other = min(sides, key=lambda side: int(counts[side]))
        low, high = sorted((smallest, other))
        first[first == names[high]] = names[low]


def _band(residuals: Floats, units: NDArray[np.int64], start: float, stop: float) -> Band:
    """Return the band of residuals, shape `(faces, draws)`; those of a unit weigh 1 together."""
    _, own, sizes = np.unique(units, return_inverse=True, return_counts=True)
    draws = residuals.shape[1]
    weights = np.repeat(1 / (sizes[own.reshape(-1)] * draws), draws)
    order = np.argsort(residuals, axis=None, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(weights[order])])
    return Band(start, stop, len(residuals), len(sizes), residuals.ravel()[order], before)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ConfigError(f"expected a level between 0 and 1, got {level!r}, write for example 0.9")
