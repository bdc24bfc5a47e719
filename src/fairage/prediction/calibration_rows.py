"""The faces that calibrate a model: its estimates, their true ages, kept as calibration.parquet.

A model must not have been trained or selected on them. Where faces are too few for that,
`out_of_fold` gives each an estimate of a model that was trained without it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._random import numpy_rng
from fairage._tables_io import read_table, write_table
from fairage.age_groups import MAX_AGE
from fairage.auditing.groups import Floats, Units
from fairage.exceptions import ConfigError, DataError
from fairage.tables import (
    AGE,
    AGE_HIGH,
    AGE_LOW,
    IDENTITY,
    PREDICTION,
    SPREAD,
    attribute_names,
    group_labels,
    known_identities,
)

DRAWS = 20
"""How often the age of a face is drawn that is known as a range."""
OPEN_END = 90.0
"""Where the draws of a range without an end stop, in years."""


@dataclass(frozen=True, eq=False)
class CalibrationRows:
    """Estimates and true ages of faces that a model was not trained on; one row a face.

    Args:
        predictions: Estimated ages in years, shape `(n,)`.
        low: True ages in years, or where their ranges `[low, high)` begin, shape `(n,)`.
        high: The same true ages, or where their ranges end; `inf` for a range without an end.
        attributes: Group of each row, shape `(n,)`, by attribute.
        identity: Person of each row, shape `(n,)`, an empty text where one is not known; None
            where no person is known.
        spreads: How far apart the ages are that the model held possible, in years, above 0, shape
            `(n,)`; 1 throughout where the model does not say.

    Raises:
        DataError: There are no rows, lengths differ, a number is not finite, an age is outside
            0..120, or a range ends before it begins.

    Examples:
        >>> rows = CalibrationRows(np.array([31.0, 64.5]), np.array([30, 60]), np.array([30, 70]))
        >>> len(rows), rows.is_exact, rows.draws().shape
        (2, False, (2, 20))
    """

    predictions: Floats
    low: Floats
    high: Floats
    attributes: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    identity: NDArray[np.str_] | None = None
    spreads: Floats = None  # type: ignore[assignment]  # ones, once it is made

    def __post_init__(self) -> None:
        if self.spreads is None:
            object.__setattr__(self, "spreads", np.ones(len(self.predictions)))
        for name in ("predictions", "low", "high", "spreads"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        groups = {name: np.asarray(of, dtype=np.str_) for name, of in self.attributes.items()}
        object.__setattr__(self, "attributes", groups)
        if self.identity is not None:
            object.__setattr__(self, "identity", np.asarray(self.identity, dtype=np.str_))
        _check_lengths(self)
        _check_numbers(self)

    def __len__(self) -> int:
        return len(self.predictions)

    @property
    def is_exact(self) -> bool:
        """Whether every true age is a number, none a range."""
        return bool((self.low == self.high).all())

    @cached_property
    def units(self) -> Units | None:
        """The person of each row; a row whose person is not known is one. None without persons."""
        if self.identity is None:
            return None
        names, codes = np.unique(self.identity, return_inverse=True)
        codes = codes.reshape(-1).astype(np.int64)
        alone = self.identity == ""
        codes[alone] = len(names) + np.arange(int(alone.sum()))
        distinct, codes = np.unique(codes, return_inverse=True)
        return Units(codes.reshape(-1).astype(np.int64), len(distinct))

    def rows(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> "CalibrationRows":
        """Return the rows at these numbers, or where this mask is true."""
        return CalibrationRows(
            self.predictions[keep],
            self.low[keep],
            self.high[keep],
            {name: groups[keep] for name, groups in self.attributes.items()},
            None if self.identity is None else self.identity[keep],
            self.spreads[keep],
        )

    def draws(self) -> Floats:
        """Return true ages in years, shape `(n, 1)`; `(n, 20)` where any of them is a range.

        A range's ages are drawn uniformly in `[low, high)`, one without an end up to 90 years (120
        where it begins at 90 or later), always the same for the same rows.
        """
        if self.is_exact:
            return self.low[:, None]
        last = np.where(self.low < OPEN_END, OPEN_END, MAX_AGE)
        end = np.where(np.isinf(self.high), last, self.high)
        shares = numpy_rng(0, "calibration", "draws").random((len(self), DRAWS))
        drawn = self.low[:, None] + (end - self.low)[:, None] * shares
        return np.minimum(drawn, np.nextafter(end, self.low)[:, None])

    def to_frame(self) -> pl.DataFrame:
        """Return a table: `prediction`, `age` (or `age_low`, `age_high`), `identity`, attributes.

        The end of a range that has none is missing. `spread` is there where the model has any.
        """
        columns: dict[str, NDArray[np.float64] | NDArray[np.str_]] = {PREDICTION: self.predictions}
        if (self.spreads != 1).any():
            columns[SPREAD] = self.spreads
        columns |= {AGE: self.low} if self.is_exact else {AGE_LOW: self.low, AGE_HIGH: self.high}
        if self.identity is not None:
            columns[IDENTITY] = self.identity
        frame = pl.DataFrame({**columns, **self.attributes})
        if self.is_exact:
            return frame
        ends = pl.when(pl.col(AGE_HIGH).is_finite()).then(pl.col(AGE_HIGH))
        return frame.with_columns(ends.alias(AGE_HIGH))

    @classmethod
    def from_frame(
        cls, frame: pl.DataFrame, attributes: Sequence[str] | None = None
    ) -> "CalibrationRows":
        """Return the rows of a table with `prediction` and `age`, or `age_low` and `age_high`.

        Args:
            frame: One row a face. Where `age_low` is missing the age is the number in `age`; where
                only `age_high` is, the range has no end. `spread` and `identity` may stand beside
                them.
            attributes: Columns of attributes; all that can be ones where nothing is given.

        Raises:
            DataError: A column is missing, or a cell is not as the class expects it.

        Examples:
            >>> frame = pl.DataFrame({"prediction": [31.0], "age": [30], "gender": ["f"]})
            >>> CalibrationRows.from_frame(frame).to_frame().columns
            ['prediction', 'age', 'gender']
        """
        if PREDICTION not in frame.columns or not {AGE, AGE_LOW} & set(frame.columns):
            raise DataError(
                f"expected the columns {PREDICTION!r} and {AGE!r} (or {AGE_LOW!r} and "
                f"{AGE_HIGH!r}), got {frame.columns}, add or rename them"
            )
        low, high = _true_ages(frame)
        identity = known_identities(frame)
        names = attribute_names(frame) if attributes is None else attributes
        return cls(
            _numbers(frame, PREDICTION),
            low,
            high,
            {name: group_labels(frame, name) for name in names},
            None if identity is None else identity.fill_null("").to_numpy().astype(np.str_),
            _numbers(frame, SPREAD) if SPREAD in frame.columns else np.ones(frame.height),
        )

    def write(self, path: str | Path) -> None:
        """Write the rows to a table file, whole or not at all."""
        write_table(self.to_frame(), path)

    @classmethod
    def read(cls, path: str | Path) -> "CalibrationRows":
        """Return the rows of a table file.

        Raises:
            DataError: There is no such file, or what it holds are no such rows.
        """
        frame = read_table(path)
        try:
            return cls.from_frame(frame)
        except DataError as error:
            raise error.at(Path(path).name) from error


def person_folds(
    n: int, *, folds: int = 5, identity: NDArray[np.str_] | None = None, seed: int = 0
) -> NDArray[np.int64]:
    """Return a fold for each row, shape `(n,)`, 0 to `folds - 1`; all rows of a person in one.

    Args:
        n: How many rows.
        folds: How many folds, at least 2.
        identity: Person of each row, as `CalibrationRows` has them.
        seed: Start of the random numbers.

    Examples:
        >>> np.bincount(person_folds(10)).tolist()
        [2, 2, 2, 2, 2]
    """
    nothing = np.zeros(n)
    units = CalibrationRows(nothing, nothing, nothing, identity=identity).units
    count = n if units is None else units.count
    if not 2 <= folds <= count:
        raise ConfigError(
            f"expected 2 to {count} folds of {count} faces or persons, got {folds}, give another "
            "number"
        )
    own = numpy_rng(seed, "calibration", "folds").permutation(count) % folds
    return np.asarray(own if units is None else own[units.codes], dtype=np.int64)


def out_of_fold(
    folds: NDArray[np.int64],
    fit_predict: Callable[[NDArray[np.int64], NDArray[np.int64]], Floats],
) -> Floats:
    """Return estimates of each row by a model that was trained on the other folds, shape `(n,)`.

    Residuals of these, pooled, calibrate a model that is trained on all rows (cross-conformal [1]).
    That the promised level holds then rests on a model being hardly changed by a few rows: in
    theory it may be missed by as much as it is away from 1, for models as ours it is kept [2].

    Args:
        folds: Fold of each row, as `person_folds` gives it.
        fit_predict: Takes the row numbers to train on and those to estimate, returns estimated
            ages in years of the latter.

    Examples:
        >>> ages = np.array([20.0, 30.0, 40.0])
        >>> out_of_fold(np.arange(3), lambda train, rest: np.full(len(rest), ages[train].mean()))
        array([35., 30., 25.])

    [1] Vovk, "Cross-conformal predictors", 2015. [2] Barber, Candes, Ramdas and Tibshirani,
    "Predictive inference with the jackknife+", 2021.
    """
    predictions = np.full(len(folds), np.nan)
    for fold in np.unique(folds):
        rest = np.flatnonzero(folds == fold)
        predictions[rest] = fit_predict(np.flatnonzero(folds != fold), rest)
    return predictions


def _numbers(frame: pl.DataFrame, column: str) -> Floats:
    """Return a column as numbers; NaN where there is none."""
    numbers = frame[column].cast(pl.Float64, strict=False).fill_null(np.nan)
    return numbers.to_numpy().astype(np.float64)


def _true_ages(frame: pl.DataFrame) -> tuple[Floats, Floats]:
    if AGE_LOW not in frame.columns:
        ages = _numbers(frame, AGE)
        return ages, ages
    ages = _numbers(frame, AGE) if AGE in frame.columns else np.full(frame.height, np.nan)
    low = _numbers(frame, AGE_LOW)
    high = _numbers(frame, AGE_HIGH) if AGE_HIGH in frame.columns else np.full(len(low), np.nan)
    is_range = ~np.isnan(low)
    high = np.where(np.isnan(high), np.inf, high)
    return np.where(is_range, low, ages), np.where(is_range, high, ages)


def _check_lengths(rows: CalibrationRows) -> None:
    if not len(rows):
        raise DataError("expected calibration faces, got none, give faces with true ages")
    arrays = {"low": rows.low, "high": rows.high, SPREAD: rows.spreads, **rows.attributes}
    if rows.identity is not None:
        arrays[IDENTITY] = rows.identity
    for name, array in {"predictions": rows.predictions, **arrays}.items():
        if array.shape != (len(rows),):
            raise DataError(
                f"expected one of {name!r} for each of {len(rows)} calibration faces, got the "
                f"shape {array.shape}, give arrays of one length"
            )
    names = list(rows.attributes)
    possible = attribute_names(pl.DataFrame(schema=dict.fromkeys(names, pl.String)))
    if names != possible:
        taken = [name for name in names if name not in possible]
        raise DataError(
            f"expected attributes such as 'gender', got {taken}, which mean something else, "
            "rename them"
        )


def _check_numbers(rows: CalibrationRows) -> None:
    checks = (
        (~np.isfinite(rows.predictions), rows.predictions, "an estimate in years"),
        (~((rows.low >= 0) & (rows.low <= MAX_AGE)), rows.low, f"years in 0..{MAX_AGE:g}"),
        (~(rows.high >= rows.low), rows.high, "a range that ends after it begins"),
        (~((rows.spreads > 0) & np.isfinite(rows.spreads)), rows.spreads, "a spread above 0 years"),
    )
    for wrong, values, expected in checks:
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DataError(
                f"row {row + 1} of the calibration faces: expected {expected}, got {values[row]:g} "
                f"(and {int(wrong.sum()) - 1} more like it), correct or leave out such rows"
            )
