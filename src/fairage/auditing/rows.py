"""The rows of an audit: true ages, estimates, groups and persons as compact arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._table import Table
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.cells import row_numbers
from fairage.auditing.coding import Bins, present_groups
from fairage.auditing.column_guesses import NO_IMAGES, NOT_SIDE_BY_SIDE
from fairage.auditing.columns import Columns
from fairage.auditing.estimates import (
    Estimates,
    ModelRows,
    check_any_estimate,
    read_estimates,
    read_true_ages,
)
from fairage.auditing.groups import Floats, Groups, Units
from fairage.auditing.notes import estimate_notes, reading_notes
from fairage.auditing.result_parts import Note
from fairage.auditing.row_columns import (
    Labels,
    group_ages,
    image_keys,
    read_attributes,
    read_images,
    read_model_names,
    read_persons,
    read_stds,
    read_weights,
)
from fairage.tables import AGE_GROUP


@dataclass(frozen=True)
class Rows:
    """Every row with a true age that is a number or a range.

    Args:
        ages: True ages in years, mid-points of ranges, shape `(n,)`; NaN where a range has no end.
        low: Lower ends of true ranges, shape `(n,)`; None where all true ages are numbers.
        high: Their upper ends; `inf` where there is none.
        attributes: Groups by attribute; the last one is `age_group`, of the mid-points.
        models: Each model's estimates.
        units: Persons; None where identities are not known or no two rows have the same.
        weights: Survey weights, shape `(n,)`; None where there are none.
        stds: Standard deviations of the raters' ages, shape `(n,)`, NaN where one is missing; None
            where there are none.
        images: Names of the images, where they were asked for.
        numbers: The file's own number of each row, shape `(n,)`.
    """

    ages: Floats
    low: Floats | None
    high: Floats | None
    attributes: dict[str, Groups]
    models: dict[str, ModelRows]
    units: Units | None
    weights: Floats | None
    stds: Floats | None
    images: pl.Series | None
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ages)

    def subset(self, keep: NDArray[np.bool_]) -> "Rows":
        """Return the rows where the mask, shape `(n,)`, is true, without any model."""
        groups = {
            name: present_groups(own.names, own.codes[keep])
            for name, own in self.attributes.items()
        }
        units = None if self.units is None else self.units.subset(keep)
        return Rows(
            ages=self.ages[keep],
            low=_subset(self.low, keep),
            high=_subset(self.high, keep),
            attributes=groups,
            models={},
            units=units if units is not None and units.count < keep.sum() else None,
            weights=_subset(self.weights, keep),
            stds=_subset(self.stds, keep),
            images=None if self.images is None else self.images.filter(pl.Series(keep)),
            numbers=self.numbers[keep],
        )


@dataclass(frozen=True)
class RowReport:
    """How a table was read.

    Args:
        rows: Rows in the table.
        used: Rows with a true age.
        without_age: Rows without; they are left out.
        reasons_age: What stands there instead of a true age, and in how many rows.
        unknown: Rows of each attribute without a value: the group `unknown`.
        duplicate_images: Rows whose image stands in an earlier row (of the same model).
        decimal_commas: Whether numbers are written with decimal commas.
        spellings: Groups of an attribute that look like spellings of one.
        left_out: Attributes that are not used after all, and why.
        binned: Bins of each attribute of numbers that was binned.
        persons: How many persons there are; None where rows stand for themselves.
        without_identity: Rows without an identity, where others have one.
        absent_images: Images that other models of a long table have rows for, by model.
        last_years: Whether a range such as "20-29" was read as counting its last year.
        notes: What a reader must know of all this.
    """

    rows: int
    used: int
    without_age: int
    reasons_age: dict[str, int]
    unknown: dict[str, int]
    duplicate_images: int
    decimal_commas: bool
    spellings: dict[str, tuple[tuple[str, ...], ...]]
    left_out: dict[str, str] = field(default_factory=dict)
    binned: dict[str, tuple[str, ...]] = field(default_factory=dict)
    persons: int | None = None
    without_identity: int = 0
    absent_images: dict[str, int] = field(default_factory=dict)
    last_years: bool = False
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class _Reading:
    """What is read of a table before it is divided by model."""

    rows: Rows
    known: NDArray[np.bool_]
    estimates: dict[str, Estimates]
    keys: NDArray[np.uint64] | None
    report: RowReport


def read_rows(
    table: Table,
    columns: Columns,
    settings: AuditSettings,
    *,
    labels: Labels | None = None,
    bins: Mapping[str, Bins] | None = None,
    keep_images: bool = False,
) -> tuple[Rows, RowReport]:
    """Return the rows of a table that has one column of estimates for each model.

    Args:
        table: The table.
        columns: What its columns hold.
        settings: Options: age groups, `missing`, `range_end`, `oldest`.
        labels: Names of groups by attribute and code.
        bins: How to bin attributes of numbers.
        keep_images: Whether the names of the images are kept; repeated ones are counted either way.

    Raises:
        DataError: A true age is no age, a model has no estimate at all, or weights are not above 0.
    """
    reading = _read(table, columns, settings, labels or {}, bins or {}, keep_images=keep_images)
    report = replace(reading.report, duplicate_images=_repeated(reading.keys))
    models = {name: _model(each, reading.known, name) for name, each in reading.estimates.items()}
    rows = replace(reading.rows, models=models)
    return rows, _with_notes(report, table, columns, reading, dict.fromkeys(models, rows))


def read_models(
    table: Table,
    columns: Columns,
    settings: AuditSettings,
    *,
    labels: Labels | None = None,
    bins: Mapping[str, Bins] | None = None,
    keep_images: bool = False,
) -> tuple[dict[str, Rows], RowReport]:
    """Return the rows of each model by its name, which hold its estimates under that name.

    Models that stand side by side share one `Rows`; in a long table, where a column names the
    model of each row, each has rows of its own. Arguments and errors are those of `read_rows`.
    """
    if columns.model is None:
        rows, report = read_rows(
            table, columns, settings, labels=labels, bins=bins, keep_images=keep_images
        )
        return dict.fromkeys(rows.models, rows), report
    reading = _read(table, columns, settings, labels or {}, bins or {}, keep_images=keep_images)
    numbers, names = read_model_names(table, columns.model)
    of_row = numbers[reading.known]
    by_model: dict[str, Rows] = {}
    for i, name in enumerate(names):
        keep = reading.known & (numbers == i)
        models = {
            title: _model(each, keep, title, "--model")
            for title, each in _titled(reading.estimates, name, len(names)).items()
        }
        rows = replace(reading.rows.subset(of_row == i), models=models)
        by_model |= dict.fromkeys(models, rows)
    report = replace(
        reading.report,
        duplicate_images=_repeated(reading.keys, of_row),
        absent_images=_absent(reading.keys, of_row, names),
    )
    return by_model, _with_notes(report, table, columns, reading, by_model)


def _read(
    table: Table,
    columns: Columns,
    settings: AuditSettings,
    labels: Labels,
    bins: Mapping[str, Bins],
    *,
    keep_images: bool,
) -> _Reading:
    truth = read_true_ages(table, columns.age, columns.age_high, settings)
    cells, known = truth.cells, truth.known
    ages = cells.middles[known]
    attributes = read_attributes(table, columns, known, labels, bins)
    persons = read_persons(table, columns.identity, known)
    rows = Rows(
        ages=ages,
        low=cells.low[known] if cells.has_ranges else None,
        high=cells.high[known] if cells.has_ranges else None,
        attributes={**attributes.groups, AGE_GROUP: group_ages(ages, settings)},
        models={},
        units=persons.units,
        weights=read_weights(table, columns.weight, known),
        stds=read_stds(table, columns.age_std, known),
        images=read_images(table, columns.image, known) if keep_images else None,
        numbers=row_numbers(table)[known],
    )
    estimates = _estimates(table, columns, settings)
    every_cells = [cells, *(each.cells for each in estimates.values())]
    report = RowReport(
        rows=table.rows,
        used=len(rows),
        without_age=table.rows - len(rows),
        reasons_age=truth.reasons,
        unknown=attributes.unknown,
        duplicate_images=0,
        decimal_commas=any(each.commas for each in every_cells),
        spellings=attributes.spellings,
        left_out=attributes.left_out,
        binned=attributes.binned,
        persons=None if persons.units is None else persons.units.count,
        without_identity=persons.without,
        last_years=any(each.last_years for each in every_cells),
    )
    keys = None if columns.image is None else image_keys(table, columns.image, known)
    return _Reading(rows, known, estimates, keys, report)


def _estimates(table: Table, columns: Columns, settings: AuditSettings) -> dict[str, Estimates]:
    titles = [columns.title(name) for name in columns.predictions]
    if len(set(titles)) < len(titles):
        titles = list(columns.predictions)
    return {
        title: read_estimates(
            table,
            name,
            columns.prediction_high.get(name),
            settings,
            reason=columns.reason,
            interval=columns.intervals.get(name),
        )
        for title, name in zip(titles, columns.predictions, strict=True)
    }


def _model(
    estimates: Estimates, keep: NDArray[np.bool_], name: str, option: str = "--prediction"
) -> ModelRows:
    model = estimates.model_rows(keep)
    check_any_estimate(model, estimates, name, option)
    return model


def _titled(estimates: dict[str, Estimates], model: str, models: int) -> dict[str, Estimates]:
    """Return the columns of estimates by the name of the model that a long table gives them."""
    if len(estimates) == 1:
        return dict.fromkeys([model], next(iter(estimates.values())))
    return estimates if models == 1 else {f"{model} {name}": e for name, e in estimates.items()}


def _repeated(keys: NDArray[np.uint64] | None, of_row: NDArray[np.int64] | None = None) -> int:
    """Return how many rows have the image of an earlier row, of the same model."""
    if keys is None:
        return 0
    if of_row is not None:
        mixed = of_row.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        keys = np.where(keys == 0, keys, keys ^ mixed)
    return int((keys != 0).sum()) - _distinct(keys)


def _absent(
    keys: NDArray[np.uint64] | None, of_row: NDArray[np.int64], names: list[str]
) -> dict[str, int]:
    """Return how many of all images each model has no row for."""
    if keys is None:
        return {}
    images = _distinct(keys)
    own = [_distinct(keys[of_row == i]) for i in range(len(names))]
    return {name: images - n for name, n in zip(names, own, strict=True) if n < images}


def _distinct(keys: NDArray[np.uint64]) -> int:
    """Return how many different images there are; sorting is faster than `np.unique` here."""
    named = np.sort(keys[keys != 0])
    return len(named) - int((named[1:] == named[:-1]).sum())


def _subset(values: Floats | None, keep: NDArray[np.bool_]) -> Floats | None:
    return None if values is None else values[keep]


def _with_notes(
    report: RowReport,
    table: Table,
    columns: Columns,
    reading: _Reading,
    by_model: Mapping[str, Rows],
) -> RowReport:
    several = {
        name: why for name, why in columns.unused.items() if why in (NO_IMAGES, NOT_SIDE_BY_SIDE)
    }
    notes = list(reading_notes(report, reading.rows, table.notes, several))
    for name, rows in by_model.items():
        notes += estimate_notes(name, rows, rows.models[name], several=len(by_model) > 1)
    return replace(report, notes=tuple(notes))
