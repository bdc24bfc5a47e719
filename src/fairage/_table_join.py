"""Attributes that stand in a second table, joined to the first by image."""

from dataclasses import replace
from pathlib import PureWindowsPath

import polars as pl

from fairage._table import Table, table_of
from fairage._table_formats import Contents
from fairage.exceptions import DataError

__all__ = ["join_table"]

_IMAGE_NAMES = (
    *("image", "file", "filename", "file_name", "path", "filepath", "file_path"),
    *("img", "image_path", "image_id", "image_name", "img_path", "photo", "picture", "name"),
)
_KEY = "\0key"  # no file has a column of this name
_SHOWN = 5


def join_table(table: Table, other: Table, *, on: str | None = None) -> Table:
    """Return the table with the columns of another, each row's by its image.

    Images are compared as text, whole; where no two are equal, by the name of the file alone. Rows
    that match nothing have nothing in the new columns, and a note counts them.

    Args:
        table: The rows, all of which are kept in their order.
        other: One row an image.
        on: The column that both have; else the one called image, file, path, name or alike.

    Raises:
        DataError: No such column, an image twice in `other`, a column in both tables, or nothing
            that matches.
    """
    own, others = _key_columns(table, other, on)
    _check_columns(table, other, others)
    ids, other_ids = _ids(table, own), _ids(other, others)
    notes = [*table.notes, *other.notes]
    _check_unique(other_ids, other)
    if not ids.is_in(other_ids.drop_nulls().implode()).any():
        _check_base_names(ids, other_ids, table, other)
        ids, other_ids = _base_names(ids), _base_names(other_ids)
        _check_unique(other_ids, other)
        notes.append(f"Images were matched with {other.name!r} by the file's name alone.")
    unmatched = int((~ids.is_in(other_ids.drop_nulls().implode()).fill_null(value=False)).sum())
    if unmatched == table.rows:
        raise DataError(
            f"expected images of {table.name!r} in {other.name!r}, got none: {_some(ids)} there, "
            f"{_some(other_ids)} here, name the column that both have"
        )
    if unmatched:
        notes.append(f"{unmatched:,} of {table.rows:,} rows matched no row of {other.name!r}.")
    joined = _join(table, other, others, ids, other_ids)
    contents = Contents(joined, table.first_row, table.empty_rows, tuple(notes))
    return replace(table_of(contents, table.name), rows=table.rows)


def _key_columns(table: Table, other: Table, on: str | None) -> tuple[str, str]:
    """Return the column of the images in each table."""
    if on is not None:
        for each in (table, other):
            if on not in each.columns:
                raise DataError(
                    f"expected the column {on!r} in {each.name!r}, got {list(each.columns)}, "
                    "name one that both tables have"
                )
        return on, on
    own, others = _image_columns(table), _image_columns(other)
    shared = [name for name in _IMAGE_NAMES if name in own and name in others]
    if shared:
        return own[shared[0]], others[shared[0]]
    if len(own) == len(others) == 1:
        return next(iter(own.values())), next(iter(others.values()))
    raise DataError(
        f"expected a column of images in both tables, such as 'image', got {list(table.columns)} "
        f"in {table.name!r} and {list(other.columns)} in {other.name!r}, name the one to join on"
    )


def _image_columns(table: Table) -> dict[str, str]:
    """Return the columns that are called as those of images are, by that name."""
    names = {column.lower(): column for column in table.columns}
    return {name: names[name] for name in _IMAGE_NAMES if name in names}


def _check_columns(table: Table, other: Table, key: str) -> None:
    both = [column for column in other.columns if column in table.columns and column != key]
    if both:
        raise DataError(
            f"expected each column in one of the tables, got {both} in {table.name!r} and in "
            f"{other.name!r}, rename or remove them in one"
        )


def _ids(table: Table, column: str) -> pl.Series:
    """Return the images as text, shape `(rows,)`; whole numbers without a point."""
    parts = [batch.to_series() for batch in table.batches([column])]
    ids = pl.concat(parts).rename(_KEY)
    if ids.dtype.is_float() and (ids == ids.round()).fill_null(value=True).all():
        ids = ids.cast(pl.Int64, strict=False)
    ids = ids.cast(pl.String).str.strip_chars()
    return ids.set(ids == "", None)


def _check_unique(ids: pl.Series, other: Table) -> None:
    repeated = ids.is_duplicated() & ids.is_not_null()
    if repeated.any():
        names = ids.filter(repeated).unique(maintain_order=True)
        rows = ", ".join(str(other.row_number(int(row))) for row in repeated.arg_true()[:10])
        raise DataError(
            f"expected each image once in {other.name!r}, got {len(names):,} more than once, such "
            f"as {_some(names)} (rows {rows}), keep one row of each"
        )


def _check_base_names(ids: pl.Series, other_ids: pl.Series, table: Table, other: Table) -> None:
    """Raise a DataError if several images of the table would match one row of the other."""
    paths = ids.drop_nulls().unique(maintain_order=True)
    names = _base_names(paths)
    matched = names.is_in(_base_names(other_ids).drop_nulls().implode())
    ambiguous = paths.filter(names.is_duplicated() & matched)
    if len(ambiguous):
        raise DataError(
            f"expected one image of {table.name!r} for each name in {other.name!r}, got "
            f"{_some(ambiguous)}, whose files are named alike, write the whole paths"
        )


def _base_names(ids: pl.Series) -> pl.Series:
    return ids.map_elements(lambda text: PureWindowsPath(text).name, return_dtype=pl.String)


def _some(ids: pl.Series) -> str:
    return ", ".join(map(repr, ids.drop_nulls()[:_SHOWN]))


def _join(
    table: Table, other: Table, key: str, ids: pl.Series, other_ids: pl.Series
) -> pl.LazyFrame:
    columns = [column for column in other.columns if column != key]
    right = pl.concat(list(other.batches(columns))).with_columns(other_ids)
    matched = ids.to_frame().join(
        right.filter(pl.col(_KEY).is_not_null()), on=_KEY, how="left", maintain_order="left"
    )
    return pl.concat([table.scan, matched.drop(_KEY).lazy()], how="horizontal")
