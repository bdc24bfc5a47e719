"""Batches of somebody's table turned into numbers and codes."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.audit.bins import AgeFormat, age_format, bin_distance, bin_middle
from fairage.audit.coding import GroupCoder
from fairage.audit.columns import Columns
from fairage.audit.reading import Table
from fairage.audit.sample import Floats
from fairage.exceptions import DataError
from fairage.tables import MAX_AGE

__all__ = ["BatchReader", "Part"]


@dataclass(frozen=True)
class Part:
    """The numbers and codes of one batch, NaN where a number is missing; see `rows`."""

    ages: Floats
    predictions: dict[str, Floats]
    signed: dict[str, Floats]
    codes: dict[str, NDArray[np.uint8]]
    stds: Floats
    no_age: NDArray[np.bool_]
    no_prediction: dict[str, NDArray[np.bool_]]

    @property
    def keep(self) -> NDArray[np.bool_]:
        """Whether a row has a true age and all predictions, shape `(n,)`."""
        keep = ~self.no_age
        for missing in self.no_prediction.values():
            keep &= ~missing
        return keep


class BatchReader:
    """Turns batches into numbers and codes; remembers what each code stands for."""

    def __init__(self, table: Table, columns: Columns) -> None:
        self.columns = columns
        self.formats = {
            name: _format(table, name)
            for name in (columns.age, *columns.predictions, columns.age_std)
            if name is not None
        }
        self.coders = {name: GroupCoder.of(table, name) for name in columns.attributes}

    def part(self, batch: pl.DataFrame, first_row: int) -> Part:
        """Return a batch's numbers; `first_row` is how many rows came before, for messages."""
        truth = self._edges(batch, self.columns.age)
        _check_years(truth, self.columns.age, first_row)
        predictions, signed = {}, {}
        for name in self.columns.predictions:
            edges = self._edges(batch, name)
            predictions[name] = bin_middle(*edges)
            signed[name] = bin_distance(truth, edges)
        std = self.columns.age_std
        return Part(
            ages=bin_middle(*truth),
            predictions=predictions,
            signed=signed,
            codes={name: coder.codes(batch[name]) for name, coder in self.coders.items()},
            stds=self._edges(batch, std)[0] if std else np.empty(0),
            no_age=np.isnan(truth[0]),
            no_prediction={name: np.isnan(values) for name, values in predictions.items()},
        )

    def _edges(self, batch: pl.DataFrame, name: str) -> tuple[Floats, Floats]:
        return self.formats[name].edges(batch[name])


def _format(table: Table, name: str) -> AgeFormat:
    kind = table.schema()[name]
    if not (kind.is_numeric() or kind in (pl.String, pl.Null)):
        raise DataError(
            f"column {name!r}: expected numbers or age bins, got values of the type {kind}, "
            "name another column"
        )
    if kind != pl.String:
        return AgeFormat({})
    found = age_format(table.unique(name))
    if found.wrong:
        first = found.wrong[0]
        texts = table.scan.select(pl.col(name).str.strip_chars() == first).collect()[name]
        raise DataError(
            f"row {int(texts.arg_max() or 0) + 1}, column {name!r}: expected a number or an age "
            f"bin such as '20-29', got {first!r}, correct the row or name another column"
        )
    return found


def _check_years(truth: tuple[Floats, Floats], column: str, first_row: int) -> None:
    low, high = truth
    wrong = (low < 0) | (low > MAX_AGE)
    if not wrong.any():
        return
    values = low[np.isfinite(low)]
    months = values.min() >= 0 and values.max() <= 12 * MAX_AGE and np.median(values) > MAX_AGE / 2
    hint = "they look like months: divide them by 12" if months else "correct or remove the row"
    row = int(np.argmax(wrong))
    raise DataError(
        f"row {first_row + row + 1}, column {column!r}: expected years in 0..{MAX_AGE:g}, "
        f"got {high[row]:g}, {hint}"
    )
