"""What a model says of pictures: one estimate a face, and a table of them."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.prediction.pictures import Picture
from fairage.tables import (
    FACE,
    IMAGE,
    LEVEL,
    LOWER,
    PREDICTION,
    REASON,
    SPREAD,
    TRUTH,
    UPPER,
    attribute_names,
)

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

    from fairage.prediction.intervals import ConformalAges

Box = tuple[float, float, float, float]
BOX = ("left", "top", "width", "height")
SCORE, BLUR = "score", "blur"
P_OVER = "p_over_"


@dataclass(frozen=True)
class Estimate:
    """The age of one face in one picture, or why there is none.

    Args:
        image: What the picture is called: its path or URL, or its place among those given.
        face: Number of the face in the picture, from 0, the largest first.
        age: Years; None where there is no estimate.
        spread: How far apart the ages are that the model holds possible, a standard deviation in
            years; 1 where it does not say. It is not an error: intervals are made of it.
        low: Lower end of the interval; None where it is open or there is none.
        high: Upper end; the same.
        level: Share of faces whose true age the intervals are to hold; None where the model has
            none.
        box: Left, top, width and height of the face in pixels; None where none was looked for.
        landmarks: Shape `(5, 2)`: eyes, nose and corners of the mouth, in pixels.
        score: How sure the detector is, 0..1.
        blur: How sharp the face is, see `Face.blur`.
        reason: Why there is no estimate; empty where there is one.
    """

    image: str
    face: int = 0
    age: float | None = None
    spread: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    box: Box | None = None
    landmarks: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    score: float | None = None
    blur: float | None = None
    reason: str = ""
    intervals: "ConformalAges | None" = field(default=None, repr=False, compare=False)

    def p_over(self, age: float) -> float | None:
        """Return the probability that the person is of this age or older, 0..1.

        It is that of a face with this estimate among faces of the ages that the model was
        calibrated on; None where there is no estimate, or the model is not calibrated.
        """
        if self.age is None or self.intervals is None:
            return None
        return float(self.intervals.p_over(np.array([self.age]), age)[0])


@dataclass(frozen=True)
class Estimates(Sequence[Estimate]):
    """The estimates of some pictures, in their order, the faces of one picture one after another.

    Args:
        items: The estimates.
        pictures: The picture of each.
        table: The table that the pictures came from, if they did; see `to_frame`.
    """

    items: tuple[Estimate, ...]
    pictures: tuple[Picture, ...] = field(default=(), repr=False)
    table: pl.DataFrame | None = field(default=None, repr=False, compare=False)

    @overload
    def __getitem__(self, index: int) -> Estimate: ...

    @overload
    def __getitem__(self, index: slice) -> "Estimates": ...

    def __getitem__(self, index: int | slice) -> "Estimate | Estimates":
        """Return an estimate, or some of them."""
        if isinstance(index, int):
            return self.items[index]
        return Estimates(self.items[index], self.pictures[index], self.table)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Estimate]:
        return iter(self.items)

    @property
    def ages(self) -> NDArray[np.float64]:
        """Shape `(n,)`, years; NaN where there is no estimate."""
        return np.array([np.nan if each.age is None else each.age for each in self.items])

    def to_frame(self, *, p_over: Iterable[float] = ()) -> pl.DataFrame:
        """Return a predictions table, one row a face.

        Open ends of intervals are `-inf` and `inf`, so that an audit counts them. Of a table of
        faces that was given, the true age and the attributes stand in it too.

        Args:
            p_over: Ages; for each a column `p_over_18` with `Estimate.p_over`.
        """
        frame = pl.DataFrame(map(_row, self.items), schema=_SCHEMA, orient="row")
        own = [*frame.get_columns(), *(self._chances(age) for age in p_over)]
        return pl.DataFrame([*own, *self._from_table({column.name for column in own})])

    def _chances(self, age: float) -> pl.Series:
        """Return `Estimate.p_over` of all, as a column."""
        intervals = next((each.intervals for each in self.items if each.intervals), None)
        name, nothing = f"{P_OVER}{age:g}", [None] * len(self)
        if intervals is None:
            return pl.Series(name, nothing, pl.Float64)
        return pl.Series(name, intervals.p_over(self.ages, age), pl.Float64).fill_nan(None)

    def _from_table(self, taken: set[str]) -> list[pl.Series]:
        """Return the true ages and attributes of the rows that the pictures came from."""
        if self.table is None or not self.pictures:
            return []
        known = [*TRUTH, *attribute_names(self.table)]
        names = [name for name in known if name in self.table.columns and name not in taken]
        rows = [picture.row for picture in self.pictures if picture.row is not None]
        return self.table.select(names)[rows].get_columns()

    def show(self) -> "list[PillowImage]":
        """Return each picture with the boxes and ages of its faces drawn on it."""
        from fairage.prediction.drawing import drawn

        return [drawn(picture, own) for picture, own in self.by_picture()]

    def by_picture(self) -> Iterator[tuple[Picture, list[Estimate]]]:
        """Yield each picture with its estimates."""
        start = 0
        for end in range(1, len(self) + 1):
            if end == len(self) or self.pictures[end] is not self.pictures[start]:
                yield self.pictures[start], list(self.items[start:end])
                start = end

    def _repr_html_(self) -> str:
        html: str = self.to_frame()._repr_html_()
        return html


_SCHEMA: dict[str, Any] = {
    IMAGE: pl.String,
    FACE: pl.Int64,
    PREDICTION: pl.Float64,
    SPREAD: pl.Float64,
    LOWER: pl.Float64,
    UPPER: pl.Float64,
    LEVEL: pl.Float64,
    **dict.fromkeys((*BOX, SCORE, BLUR), pl.Float64),
    REASON: pl.String,
}


def _row(each: Estimate) -> tuple[object, ...]:
    box = each.box or (None,) * len(BOX)
    ends = (
        (None, None) if each.level is None else (_or(each.low, -math.inf), _or(each.high, math.inf))
    )
    numbers = (each.age, each.spread, *ends, each.level, *box, each.score, each.blur)
    return (each.image, each.face, *numbers, each.reason or None)


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
