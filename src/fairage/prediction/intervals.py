"""What calibration faces say of an estimate: an interval of the true age, and P(age >= a).

Nothing is assumed of the model or of the shape of its errors, but that the next face comes from
where the calibration faces came from. Both rest on residuals, true age minus estimate with its
sign, but ask other questions:

- An interval holds at its level for faces of each true age, whatever their mix; see
  `interval_table`.
- P(age >= a) is the share of faces with such an estimate who are so old: a conformal predictive
  system [1], one for each band of the estimate [2], in cells of five years. It takes over the
  calibration faces' mix of ages.

[1] Vovk et al., "Computationally efficient versions of conformal predictive distributions", 2020.
[2] Boström, Johansson and Löfström, "Mondrian conformal predictive distributions", 2021.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairage.age_groups import MAX_AGE, AgeGroups
from fairage.auditing.groups import Floats
from fairage.exceptions import ConfigError
from fairage.prediction.bands import Band, fit_bands
from fairage.prediction.calibration_rows import CalibrationRows
from fairage.prediction.group_numbers import GroupNumbers, interval_numbers
from fairage.prediction.interval_table import AGE_EDGES, IntervalTable

CELL_EDGES = np.arange(5.0, MAX_AGE, 5.0)
"""Where the cells of the estimate meet, in years, shape `(23,)`; there are 24 cells."""
BAND_ROWS = 100
"""Faces, or persons where known, that a band must have."""


@dataclass(frozen=True, eq=False)
class ConformalAges:
    """The true ages that go with an estimate, from calibration faces.

    Args:
        bands: The bands of the estimate, rising, without gaps; residuals in years.
        age_bands: The bands of the true age; residuals in spreads.
        rows: The calibration faces.

    Examples:
        >>> ages = np.tile(np.arange(20.0, 40.0), 10)
        >>> rows = CalibrationRows(np.full(200, 30.0), ages, ages)
        >>> system = ConformalAges.fit(rows)
        >>> low, high = system.interval([30.0, 31.0], level=0.8)
        >>> low.tolist(), high.tolist()
        ([20.0, 21.0], [39.0, 40.0])
        >>> system.p_over([30.0], 35).round(3).tolist()  # 50 of 201
        [0.249]
    """

    bands: tuple[Band, ...]
    age_bands: tuple[Band, ...]
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
        units = np.arange(len(rows)) if rows.units is None else rows.units.codes
        ages = rows.draws()
        estimates = np.broadcast_to(rows.predictions[:, None], ages.shape)
        residuals = ages - estimates
        scaled = residuals / rows.spreads[:, None]
        return cls(
            fit_bands(estimates, residuals, units, CELL_EDGES, band_rows),
            fit_bands(ages, scaled, units, AGE_EDGES, band_rows),
            rows,
        )

    @cached_property
    def _starts(self) -> Floats:
        return np.array([band.start for band in self.bands[1:]], dtype=np.float64)

    @cached_property
    def _tables(self) -> dict[float, IntervalTable]:
        """Tables by level: each batch of a model asks for the same."""
        return {}

    def _band_of(self, predictions: Floats) -> NDArray[np.int64]:
        return np.asarray(np.searchsorted(self._starts, predictions, side="right"), np.int64)

    def interval(
        self, predictions: ArrayLike, spreads: ArrayLike = 1.0, *, level: float = 0.9
    ) -> tuple[Floats, Floats]:
        """Return the ends of intervals that hold the true age at this level, for each age.

        Both ends belong to the interval. With fewer than 2 / (1 - level) - 1 units in a band of
        true ages (19 for 0.9) its ranks do not bound both: ages from its start on, or up to its
        stop, are in every interval, and an upper end may be `inf`. Where no age fits an estimate,
        which takes odd calibration faces, both ends are the estimate. Without one (NaN) both are
        NaN.

        Args:
            predictions: Estimated ages in years, shape `(n,)`.
            spreads: Their spreads in years, `(n,)`, where the calibration faces have them.
            level: Share of true ages, over calibration faces and faces to come, in each band.

        Returns:
            Lower and upper ends in years, each of the shape `(n,)`.
        """
        return self.table(level).interval(predictions, spreads)

    def table(self, level: float = 0.9) -> IntervalTable:
        """Return the table behind the intervals: what a graph holds."""
        _check_level(level)
        if level not in self._tables:
            self._tables[level] = IntervalTable.fit(self.age_bands, self.rows, level)
        return self._tables[level]

    def too_small(self, level: float = 0.9) -> int:
        """Return how many bands of true ages have too few faces to leave an age out."""
        table = self.table(level)
        return int((np.isinf(table.low) | np.isinf(table.high)).sum())

    def coverage(
        self, rows: CalibrationRows, level: float = 0.9, age_groups: AgeGroups | None = None
    ) -> GroupNumbers:
        """Return how well intervals hold the true ages of faces, overall and by group.

        `covered` is the share of ages that they hold, `width` their mean width in years without
        those with an open end, `open` the share of these. The level is promised by the true age,
        not by an attribute: what holds there is to be looked at, here.

        Args:
            rows: Faces with true ages, none of the calibration faces among them.
            level: Share of true ages that the intervals are made for.
            age_groups: Groups of the true age; the default ones where nothing is given.
        """
        low, high = self.interval(rows.predictions, rows.spreads, level=level)
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
            shares[inside] = np.maximum(band.share_from(age - values[inside]), below)
            end = np.nextafter([band.stop], band.start)
            below = max(below, float(band.share_from(age - end)[0]))
        return shares


def check_age(age: float) -> None:
    """Raise a ConfigError where this is no age that a face can be older than."""
    if not 0 < age <= MAX_AGE:
        raise ConfigError(
            f"expected an age above 0, up to {MAX_AGE:g} years, got {age!r}, give another"
        )


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ConfigError(f"expected a level between 0 and 1, got {level!r}, write for example 0.9")
