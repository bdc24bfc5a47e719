"""The rows of an audit, held compactly: numbers and codes, some 40 bytes a row."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.age_groups import AgeGroups
from fairage.audit.batches import BatchReader, Part
from fairage.audit.bins import AgeFormat
from fairage.audit.coding import group_texts
from fairage.audit.columns import Columns
from fairage.audit.groups import Groups, present_groups
from fairage.audit.reading import Table
from fairage.audit.sample import Floats
from fairage.audit.units import Units
from fairage.exceptions import DataError
from fairage.tables import AGE_GROUP, MAX_AGE, UNKNOWN

__all__ = ["ModelRows", "RowReport", "Rows", "read_rows"]


@dataclass(frozen=True)
class ModelRows:
    """One model's predictions.

    Args:
        predictions: Predicted ages in years, the middle of a predicted bin, shape `(n,)`.
        signed: Signed errors in years, shape `(n,)`; 0 where truth and prediction overlap.
    """

    predictions: Floats
    signed: Floats

    @property
    def errors(self) -> Floats:
        """Absolute errors in years, shape `(n,)`."""
        found: Floats = np.abs(self.signed)
        return found


@dataclass(frozen=True)
class RowReport:
    """What was found on the way in.

    Args:
        rows: Rows in the table.
        used: Rows that have a true age and all predictions.
        without_age: Rows left out for want of a true age.
        without_prediction: Rows without a prediction of each model; left out too.
        unknown: Rows of each attribute whose value is missing: the group `unknown`.
        duplicate_images: Rows whose image stands in an earlier row.
        decimal_commas: Whether numbers are written with decimal commas.
        age_bins: Whether true ages are bins.
        prediction_bins: Whether predictions are bins.
        bins_across: Bins of true ages that lie in two age groups.
        left_out: Attributes with too many groups, and how many.
    """

    rows: int
    used: int
    without_age: int
    without_prediction: dict[str, int]
    unknown: dict[str, int]
    duplicate_images: int
    decimal_commas: bool
    age_bins: bool
    prediction_bins: bool
    bins_across: tuple[str, ...]
    left_out: dict[str, int]


@dataclass(frozen=True)
class Rows:
    """Every row that has a true age and all predictions.

    Args:
        ages: True ages in years, shape `(n,)`; a bin counts with its middle, one without end with
            its lower edge.
        attributes: Groups by attribute; the last one is `age_group`.
        models: Each model's predictions.
        units: Identities; None where each row stands for itself.
        stds: Standard deviations of the raters' ages, shape `(n,)`; NaN where there is none.
        images: Names of the images, shape `(n,)`.
        report: What was found on the way in.
    """

    ages: Floats
    attributes: dict[str, Groups]
    models: dict[str, ModelRows]
    units: Units | None
    stds: Floats | None
    images: pl.Series | None
    report: RowReport

    def __len__(self) -> int:
        return len(self.ages)


def read_rows(
    table: Table, columns: Columns, age_groups: AgeGroups, *, keep_images: bool = False
) -> Rows:
    """Read the table in batches and return its rows.

    Args:
        table: The table.
        columns: What its columns hold.
        age_groups: Groups of the true age.
        keep_images: Whether the images' names are kept; duplicates are counted either way.

    Raises:
        DataError: A number column holds something else, true ages lie outside 0..120, or no row
            has both a true age and all predictions.
    """
    reader = BatchReader(table, columns)
    parts, first = [], 0
    for batch in table.batches(columns.used):
        parts.append(reader.part(batch, first))
        first += batch.height
    keep = np.concatenate([part.keep for part in parts])
    without_age = sum(int(part.no_age.sum()) for part in parts)
    missing = {
        name: sum(int(part.no_prediction[name].sum()) for part in parts)
        for name in columns.predictions
    }
    _check_any(table, columns, without_age, missing, keep)
    ages = _joined([part.ages for part in parts], keep)
    attributes = {
        name: coder.groups(np.concatenate([part.codes[name] for part in parts])[keep])
        for name, coder in reader.coders.items()
        if not coder.too_many
    }
    attributes[AGE_GROUP] = present_groups(age_groups.names, age_groups.codes(ages))
    return Rows(
        ages=ages,
        attributes=attributes,
        models={name: _model(parts, name, keep) for name in columns.predictions},
        units=_units(table, columns.identity, keep),
        stds=None if columns.age_std is None else _joined([part.stds for part in parts], keep),
        images=_images(table, columns.image, keep) if keep_images else None,
        report=RowReport(
            rows=table.rows,
            used=int(keep.sum()),
            without_age=without_age,
            without_prediction=missing,
            unknown=_unknown(attributes),
            duplicate_images=_duplicates(table, columns.image),
            decimal_commas=any(found.commas for found in reader.formats.values()),
            age_bins=reader.formats[columns.age].has_bins,
            prediction_bins=any(reader.formats[name].has_bins for name in columns.predictions),
            bins_across=_bins_across(reader.formats[columns.age], age_groups),
            left_out={n: len(coder.names) for n, coder in reader.coders.items() if coder.too_many},
        ),
    )


def _model(parts: list[Part], name: str, keep: NDArray[np.bool_]) -> ModelRows:
    return ModelRows(
        _joined([part.predictions[name] for part in parts], keep),
        _joined([part.signed[name] for part in parts], keep),
    )


def _check_any(
    table: Table,
    columns: Columns,
    without_age: int,
    missing: dict[str, int],
    keep: NDArray[np.bool_],
) -> None:
    """Raise an error where a whole column holds no number, or no row is complete."""
    counts = {columns.age: without_age} | missing
    empty = [name for name, count in counts.items() if count == table.rows]
    if empty:
        option = "--age" if empty[0] == columns.age else "--prediction"
        raise DataError(
            f"column {empty[0]!r}: expected years, got no number in {table.rows} rows, "
            f"name another column with {option}"
        )
    if not keep.any():
        raise DataError(
            f"expected rows with a true age and all predictions, got none in {table.rows} rows, "
            "name other columns with --age and --prediction"
        )


def _joined(parts: list[Floats], keep: NDArray[np.bool_]) -> Floats:
    joined = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return joined if keep.all() else joined[keep]


def _unknown(attributes: dict[str, Groups]) -> dict[str, int]:
    return {
        name: int(groups.counts[groups.names.index(UNKNOWN)])
        for name, groups in attributes.items()
        if UNKNOWN in groups.names
    }


def _bins_across(found: AgeFormat, age_groups: AgeGroups) -> tuple[str, ...]:
    return tuple(
        text
        for text, (low, high) in found.bins.items()
        if any(low < edge < min(high, MAX_AGE) for edge in age_groups.edges)
    )


def _whole(table: Table, column: str) -> Iterator[pl.Series]:
    yield from (batch[column] for batch in table.batches([column]))


def _duplicates(table: Table, image: str | None) -> int:
    if image is None:
        return 0
    values = pl.col(image).drop_nulls()
    counted = table.scan.select(values.len() - values.n_unique()).collect().item()
    return int(counted)


def _units(table: Table, identity: str | None, keep: NDArray[np.bool_]) -> Units | None:
    """Number the identities; a row without one stands for itself."""
    if identity is None:
        return None
    values = pl.concat([group_texts(part) for part in _whole(table, identity)]).filter(
        pl.Series(keep)
    )
    alone = (values == UNKNOWN).to_numpy()
    codes = values.rank("dense").to_numpy().astype(np.int64)
    codes[alone] = codes.max() + 1 + np.arange(alone.sum())
    found, index = np.unique(codes, return_inverse=True)
    return Units(index.astype(np.int64), len(found))


def _images(table: Table, image: str | None, keep: NDArray[np.bool_]) -> pl.Series | None:
    if image is None:
        return None
    return pl.concat([part.cast(pl.String) for part in _whole(table, image)]).filter(
        pl.Series(keep)
    )
