"""Calibrating a model on faces of one's own place: intervals, decisions, and the map of ages."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import polars as pl

from fairage._card_results import without_stale_results
from fairage._text import count, number
from fairage.age_groups import MAX_AGE
from fairage.exceptions import ConfigError, DataError
from fairage.prediction.age_map import AgeMap, mapped_out_of_fold
from fairage.prediction.calibration_rows import CalibrationRows
from fairage.prediction.face_estimates import Estimate
from fairage.prediction.held_out import for_card, held_out_coverage
from fairage.prediction.intervals import ConformalAges
from fairage.prediction.model import LEVEL, Model
from fairage.tables import (
    AGE,
    AGE_HIGH,
    AGE_LOW,
    APPARENT_AGE,
    PREDICTION,
    REAL_AGE,
    SPREAD,
    Faces,
    target_of,
)

AGES = (AGE, REAL_AGE, APPARENT_AGE)
_TARGETS = {REAL_AGE: "real", APPARENT_AGE: "apparent"}
_LEAST = 20
"""Faces, or persons where known: with fewer no interval of 90 % has ends; so few say nothing."""


@dataclass(frozen=True)
class Calibrated:
    """A model calibrated anew, and what that rests on.

    Args:
        model: The model; `Model.save` writes it.
        rows: The faces.
        without: How many faces had no estimate and are left out, by reason.
    """

    model: Model
    rows: CalibrationRows
    without: dict[str, int]

    def sentences(self, *, age: float = 18, wrong_yes: float = 0.01) -> list[str]:
        """Return what a user should know of the calibration.

        Args:
            age: Of the decision that is spoken of.
            wrong_yes: See `fit_rule`.
        """
        intervals = self.model.intervals
        assert intervals is not None
        low, high = intervals.interval(self.rows.predictions, self.rows.spreads, level=LEVEL)
        widths = (high - low)[np.isfinite(high - low)]
        small, age_bands = intervals.too_small(LEVEL), intervals.age_bands
        left = sum(self.without.values())
        width = f"half of them at most {number(float(np.median(widths)), 1)} years wide"
        yes = self.model.rule(age, wrong_yes=wrong_yes).yes
        assert yes is not None
        return [
            f"Calibrated on {count(len(self.rows), 'face')}"
            + (f"; {count(left, 'face')} without an estimate are left out" if left else ""),
            f"Intervals for {count(len(age_bands), 'band')} of true ages"
            + (f", {width}" if len(widths) else ""),
            f"{count(small, 'band')} with too few faces: no interval can leave its ages out"
            if small
            else "",
            yes.text,
        ]


def calibrate(
    model: Model,
    faces: Faces,
    *,
    age: str = AGE,
    map_ages: bool = False,
    split: str | None = None,
    source: str = "faces of one's own",
    crops: bool = False,
    progress: bool = False,
) -> Calibrated:
    """Return the model with intervals and decisions for faces such as these.

    The faces must not be among those that the model was trained on or chosen by: on such faces
    its errors are too small, and the intervals come out too narrow.

    Args:
        model: Its own calibration, if it has one, is replaced.
        faces: Faces with known ages, or with ranges of them.
        age: Which age the intervals are to hold: the column `age`, `real_age` or `apparent_age`.
        map_ages: Fit a rising line to the estimates too, where the model's errors lean to one side
            at your place; the intervals then rest on lines that were fitted without the face.
        split: Take the faces of this split alone.
        source: What the faces are called in the bundle and its card.
        crops: See `Model.predict`.
        progress: Show a progress bar.

    Raises:
        ConfigError: The column is none of these.
        DataError: The column is missing, or too few faces have an estimate and an age.
    """
    rows = faces if split is None else faces.split(split)
    frame = rows.frame
    if age not in AGES:
        raise ConfigError.unknown_name("age", age, AGES)
    if age not in frame.columns:
        raise DataError(
            f"expected a column {age!r} in the faces table, got {frame.columns}, name another --age"
        )
    plain = replace(model, age_map=AgeMap(), intervals=None)
    estimates = plain.predict(rows, crops=crops, progress=progress)
    first = [each for each in estimates if not each.face]
    data = _rows(frame, first, age)
    reasons = Counter(each.reason for each in first if each.reason)
    if data is None:
        reason = max(reasons, key=lambda each: reasons[each], default="their age is not known")
        raise DataError(
            f"expected at least {_LEAST} faces (or persons) with an estimate and an age, got fewer "
            f"among {frame.height} ({reason}), give more faces, or --crops where each "
            "picture is one face"
        )
    fitted, target = plain, _TARGETS.get(age) or target_of(frame)
    if map_ages:
        fitted = replace(plain, age_map=AgeMap.fit(data))
        data = replace(data, predictions=mapped_out_of_fold(data))
    about = {
        "age_map": {**asdict(fitted.age_map), "target": target} if map_ages else None,
        "intervals": {
            "n": len(data),
            "source": source,
            "level": LEVEL,
            "target": target,
            "cross": map_ages,
            "held": for_card(held_out_coverage(data, LEVEL), ("covered", "width")),
        },
    }
    changed = fitted.age_map != model.age_map
    config = {**without_stale_results(model.config, other_ages=changed), **about}
    fitted = replace(fitted, intervals=ConformalAges.fit(data), config=config)
    return Calibrated(fitted, data, dict(reasons.most_common()))


def _rows(
    frame: pl.DataFrame, estimates: Sequence[Estimate], column: str
) -> CalibrationRows | None:
    """Return the faces with an estimate and an age in this column; None where they are too few."""
    ages, spreads = ([getattr(each, name) for each in estimates] for name in ("age", "spread"))
    own = (pl.Series(PREDICTION, ages, pl.Float64), pl.Series(SPREAD, spreads, pl.Float64))
    frame = frame.with_columns(*own, pl.col(column).alias(AGE))
    if column != AGE:
        frame = frame.drop(AGE_LOW, AGE_HIGH, strict=False)
    known = pl.col(PREDICTION).is_not_null() & pl.col(AGE).is_between(0, MAX_AGE)
    frame = frame.filter(known)
    if frame.height < _LEAST:
        return None
    rows = CalibrationRows.from_frame(frame)
    return None if rows.units is not None and rows.units.count < _LEAST else rows
