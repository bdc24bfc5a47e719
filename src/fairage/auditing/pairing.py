"""Two tables of estimates put side by side, image by image."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._table import Table, naming
from fairage._text import count
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.cells import whole_column
from fairage.auditing.columns import ColumnRequest, Columns, find_columns
from fairage.auditing.estimates import ModelRows
from fairage.auditing.result_parts import Note
from fairage.auditing.rows import RowReport, Rows, read_models
from fairage.exceptions import DataError

SAME_AGE = 1e-6
A, B = "A", "B"


@dataclass(frozen=True)
class PairedTable:
    """One of two tables to be compared.

    Args:
        table: The table.
        request: The columns that are named; one column of estimates, or the name of one model of a
            long table.
    """

    table: Table
    request: ColumnRequest


@dataclass(frozen=True)
class Pair:
    """The images that both tables have, with a true age.

    Args:
        name_a: Name of A.
        name_b: Name of B.
        columns_a: Columns of A.
        columns_b: Columns of B.
        rows: Rows of A: true ages, attributes, persons, weights.
        a: Estimates of A for these rows.
        b: Estimates of B for the same rows, in the same order.
        notes: What a reader must know of the tables and the pairing.
    """

    name_a: str
    name_b: str
    columns_a: Columns
    columns_b: Columns
    rows: Rows
    a: ModelRows
    b: ModelRows
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class _Side:
    """One table as it was read."""

    letter: str
    table: Table
    columns: Columns
    model: str
    rows: Rows
    report: RowReport
    images: pl.Series

    @property
    def estimates(self) -> ModelRows:
        return self.rows.models[self.model]


def pair_tables(a: PairedTable, b: PairedTable, settings: AuditSettings) -> Pair:
    """Return two tables of estimates of the same images, paired.

    Args:
        a: A, with the columns of attributes, persons and weights.
        b: B.
        settings: Options of reading: age groups, `missing`, `range_end`, `oldest`.

    Raises:
        ConfigError: A named column is not there.
        DataError: There is no column of images, an image stands in a table twice, the images are
            not the same (the message says how many are), or their true ages differ.
    """
    # B's attributes, persons and weights are those of A.
    other = replace(b.request, attributes=(), identity="", age_std="", weight=None)
    with naming(a.table):
        one = _read(A, a.table, a.request, settings)
    with naming(b.table):
        two = _read(B, b.table, other, settings)
    with naming(a.table, b.table):
        _check_same_images(one, two)
        at_a, at_b = _matches(one, two)
        _check_same_ages(one.rows, two.rows, at_a, at_b)
    keep = np.zeros(len(one.rows), dtype=bool)
    keep[at_a] = True
    name_a, name_b = _names(one, two)
    return Pair(
        name_a=name_a,
        name_b=name_b,
        columns_a=one.columns,
        columns_b=two.columns,
        rows=one.rows.subset(keep),
        a=_model_at(one.estimates, at_a),
        b=_model_at(two.estimates, at_b),
        notes=_notes(one, two, (name_a, name_b), len(at_a)),
    )


def _read(letter: str, table: Table, request: ColumnRequest, settings: AuditSettings) -> _Side:
    request, model = _model_named(table, request)
    columns = find_columns(table, request)
    if columns.image is None:
        raise DataError(
            f"expected a column of images in {letter} to pair by, got {list(table.columns)}, "
            "name it with --image"
        )
    if columns.model is None:
        _check_one(letter, list(columns.predictions))
        _check_unique(letter, _names_of_images(whole_column(table, columns.image)))
    models, report = read_models(
        table, columns, settings, labels=request.labels, bins=request.bins, keep_images=True
    )
    if model is None or model not in models:
        _check_one(letter, list(models))
        model = next(iter(models))
    rows = models[model]
    assert rows.images is not None, "images were asked for"
    own = rows.images.cast(pl.Float64) if _whole_numbers(table, columns.image) else rows.images
    images = _names_of_images(own)
    _check_unique(letter, images)
    return _Side(letter, table, columns, model, rows, report, images)


def _model_named(table: Table, request: ColumnRequest) -> tuple[ColumnRequest, str | None]:
    """Return the request without the name of a model, where one of a long table is named."""
    names = [name for name in request.predictions if isinstance(name, str)]
    if len(names) != 1 or names[0] in table.columns:
        return request, None
    alone = replace(request, predictions=())
    column = request.model or find_columns(table, alone).model
    if column in table.columns and names[0] in table.unique(str(column)).cast(pl.String):
        return alone, names[0]
    return request, None


def _check_one(letter: str, models: list[str]) -> None:
    if len(models) != 1:
        raise DataError(
            f"expected one column of estimates in {letter}, got {models}, choose one with "
            f"--prediction-{letter.lower()}"
        )


def _names_of_images(values: pl.Series) -> pl.Series:
    """Return the images as text; whole numbers without a point, spaces around a name left out."""
    if _are_whole(values):
        values = values.cast(pl.Int64, strict=False)
    texts = values.cast(pl.String).str.strip_chars()
    return texts.set(texts == "", None)


def _are_whole(values: pl.Series) -> bool:
    return values.dtype.is_float() and bool((values == values.round()).fill_null(value=True).all())


def _whole_numbers(table: Table, column: str) -> bool:
    """Return whether a column holds whole numbers that were stored with a point."""
    return table.schema()[column].is_float() and _are_whole(whole_column(table, column))


def _check_unique(letter: str, images: pl.Series) -> None:
    named = images.drop_nulls()
    repeated = len(named) - named.n_unique()
    if repeated:
        raise DataError(
            f"expected each image once in {letter}, got {repeated:,} of {len(named):,} rows that "
            "repeat one, leave them out"
        )


def _check_same_images(one: _Side, two: _Side) -> None:
    """Raise a DataError where an image is in one table only, with or without a true age."""
    names = [
        side.images.drop_nulls()
        if side.columns.model is not None
        else _names_of_images(whole_column(side.table, str(side.columns.image))).drop_nulls()
        for side in (one, two)
    ]
    both = int(names[0].is_in(names[1].implode()).sum())
    if not both == len(names[0]) == len(names[1]):
        raise DataError(
            f"expected estimates of the same images, got {both:,} images in both tables, "
            f"{len(names[0]) - both:,} only in A and {len(names[1]) - both:,} only in B, "
            "keep the common rows or name the right column with --image"
        )


def _matches(one: _Side, two: _Side) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places in A and in B of the images that both have, in A's order."""
    places = [
        pl.DataFrame({"image": side.images, side.letter: np.arange(len(side.rows))}).drop_nulls()
        for side in (one, two)
    ]
    matched = places[0].join(places[1], on="image", how="inner").sort(A)
    if matched.is_empty():
        raise DataError(
            "expected images with a true age in both tables, got none, check the columns of ages"
        )
    return matched[A].to_numpy(), matched[B].to_numpy()


def _check_same_ages(
    one: Rows, two: Rows, at_a: NDArray[np.int64], at_b: NDArray[np.int64]
) -> None:
    ends_a, ends_b = (
        (_end(rows.low, rows.ages)[at], _end(rows.high, rows.ages)[at])
        for rows, at in ((one, at_a), (two, at_b))
    )
    same = np.ones(len(at_a), dtype=bool)
    for mine, other in zip(ends_a, ends_b, strict=True):
        same &= np.isclose(mine, other, rtol=0, atol=SAME_AGE, equal_nan=True)
    if not same.all():
        raise DataError(
            f"expected the same true ages in both tables, got {int((~same).sum()):,} images of "
            f"{len(same):,} with different ones, name the same label with --age"
        )


def _end(end: NDArray[np.float64] | None, ages: NDArray[np.float64]) -> NDArray[np.float64]:
    return ages if end is None else end


def _model_at(model: ModelRows, at: NDArray[np.int64]) -> ModelRows:
    return ModelRows(
        estimates=model.estimates[at],
        low=None if model.low is None else model.low[at],
        high=None if model.high is None else model.high[at],
        failed=model.failed[at],
        reasons=model.reasons,
    )


def _names(one: _Side, two: _Side) -> tuple[str, str]:
    """Return what to call the two: their tables, or where these share a name, their models."""
    if one.table.name != two.table.name:
        return one.table.name, two.table.name
    titles = [side.model for side in (one, two)]
    if titles[0] != titles[1]:
        return titles[0], titles[1]
    return A, B


def _notes(one: _Side, two: _Side, names: tuple[str, str], paired: int) -> tuple[Note, ...]:
    """Return the notes of both tables, those of one of them with its name."""
    of_b = {(note.name, note.text) for note in two.report.notes}
    of_a = {(note.name, note.text) for note in one.report.notes}
    notes = [
        Note(note.name, note.text if key in of_b else f"{names[0]}: {note.text}")
        for note in one.report.notes
        if (key := (note.name, note.text))
    ]
    notes += [
        Note(note.name, f"{names[1]}: {note.text}")
        for note in two.report.notes
        if (note.name, note.text) not in of_a
    ]
    lost = len(one.rows) + len(two.rows) - 2 * paired
    if lost:
        text = (
            f"{count(lost, 'row')} without an image name, or with a true age in "
            "one table only, left out."
        )
        notes.append(Note("unpaired_rows", text))
    return tuple(notes)
