"""Faces tables and predictions tables in files: read, checked cell by cell, written."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from fairage._table import FIRST_ROWS, bad_cells, naming
from fairage._tables_io import read_numbered, write_table
from fairage._votes import check_votes
from fairage.age_groups import MAX_AGE, AgeGroups
from fairage.exceptions import DataError
from fairage.tables import (
    AGE,
    AGE_GROUP,
    AGE_HIGH,
    AGE_LOW,
    AGE_STD,
    APPARENT_AGE,
    IMAGE,
    N_RATINGS,
    REAL_AGE,
    SPLIT,
    SPLITS,
    VOTES,
    Faces,
    groups_as_texts,
    with_age_groups,
)


def check_faces(
    frame: pl.DataFrame, row_number: Callable[[int], int] = lambda index: index + 1
) -> pl.DataFrame:
    """Return the faces table with its types settled, or raise a DataError naming row and column.

    `image` and `age` must be there; `age` is a number of years in 0..120; `split`, where there,
    is train, valid or test; `age_low` and `age_high`, where there, are a range `[low, high)` that
    holds the age, without `age_high` one that has no end; a missing attribute value becomes the
    group `unknown`; whole numbers under a demographic's name are groups called by their number.
    `votes`, where there, holds how many raters guessed each whole year 0..100; only Parquet can
    hold it.

    Args:
        frame: The table.
        row_number: The number in its file of a row, by its index from 0, for messages.

    Examples:
        >>> check_faces(pl.DataFrame({"image": ["a.jpg"], "age": [-1.0]}))
        Traceback (most recent call last):
        fairage.exceptions.DataError: column 'age': expected years in 0..120, got something else...
    """
    check = _Check(row_number)
    _require(frame, (IMAGE, AGE), "faces")
    check.images(frame)
    frame = frame.with_columns(pl.col(IMAGE).cast(pl.String))
    frame = check.numbers(frame, (AGE,), required=True)
    optional = (REAL_AGE, APPARENT_AGE, AGE_LOW, AGE_HIGH, AGE_STD, N_RATINGS)
    frame = check.numbers(frame, optional, required=False)
    check.ages(frame)
    if AGE_LOW in frame.columns or AGE_HIGH in frame.columns:
        frame = check.ranges(frame)
    if SPLIT in frame.columns:
        check.splits(frame)
    if VOTES in frame.columns:
        frame = frame.with_columns(check_votes(frame[VOTES]))
    return groups_as_texts(frame)


def read_faces(path: str | Path, age_groups: AgeGroups | None = None) -> Faces:
    """Return the checked faces table of a file; its folder is the root of relative image paths.

    Args:
        path: The file.
        age_groups: Groups of the true age; where None are given, those that a Parquet file says,
            else the default ones.
    """
    frame, table = read_numbered(path)
    with naming(table):
        checked = check_faces(frame.drop(AGE_GROUP, strict=False), table.row_number)
    age_groups = age_groups or table.age_groups or AgeGroups()
    return Faces(checked, Path(os.path.realpath(path)).parent, age_groups)


def read_predictions(path: str | Path) -> pl.DataFrame:
    """Return a table of predictions with the age groups that its file says, else the default ones.

    It is taken as it was written by a run, unchecked.
    """
    frame, table = read_numbered(path)
    return with_age_groups(frame, table.age_groups or AgeGroups())


def write_faces(faces: Faces, path: str | Path) -> None:
    """Write a faces table; only Parquet can say which age groups the faces have."""
    write_table(faces.frame.drop(AGE_GROUP), path, faces.age_groups)


def _require(frame: pl.DataFrame, columns: Sequence[str], table: str) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(
            f"expected the columns {list(columns)} in the {table} table, got {frame.columns}, "
            f"add or rename {missing}"
        )
    if frame.is_empty():
        raise DataError(f"expected at least one row in the {table} table, got none, add rows")


@dataclass(frozen=True)
class _Check:
    """Checks of columns; an error shows the first wrong rows by their numbers in the file."""

    row_number: Callable[[int], int]

    def numbers(
        self, frame: pl.DataFrame, columns: Sequence[str], *, required: bool
    ) -> pl.DataFrame:
        """Cast the columns that are there to floats; a value that is no number is an error."""
        for name in columns:
            if name not in frame.columns:
                continue
            values = frame[name]
            if values.dtype == pl.String:
                values = values.str.strip_chars()
                values = values.set(values == "", None)
            numbers = values.cast(pl.Float64, strict=False)
            wrong = numbers.is_null() & values.is_not_null()
            if required:
                wrong = wrong | numbers.is_null() | ~numbers.is_finite().fill_null(value=False)
            self.cells(frame, wrong, name, "a number")
            frame = frame.with_columns(numbers.alias(name))
        return frame

    def images(self, frame: pl.DataFrame) -> None:
        wrong = frame[IMAGE].is_null()
        if frame[IMAGE].dtype == pl.String:
            wrong = wrong | (frame[IMAGE].str.strip_chars() == "").fill_null(value=False)
        self.cells(frame, wrong, IMAGE, "a path or URL")

    def ages(self, frame: pl.DataFrame) -> None:
        wrong = (frame[AGE] < 0) | (frame[AGE] > MAX_AGE)
        self.cells(frame, wrong, AGE, f"years in 0..{MAX_AGE:g}")

    def ranges(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Check that a range holds its age; a range with an end alone begins at 0."""
        for name in (AGE_LOW, AGE_HIGH):
            if name not in frame.columns:
                frame = frame.with_columns(pl.lit(None, pl.Float64).alias(name))
        only_end = pl.col(AGE_LOW).is_null() & pl.col(AGE_HIGH).is_not_null()
        frame = frame.with_columns(
            pl.when(only_end).then(0.0).otherwise(pl.col(AGE_LOW)).alias(AGE_LOW)
        )
        low, age, high = frame[AGE_LOW], frame[AGE], frame[AGE_HIGH].fill_null(np.inf)
        wrong = low.is_not_null() & ~((low >= 0) & (low <= age) & (age <= high) & (low < high))
        self.cells(frame, wrong.fill_null(value=False), AGE_LOW, "a range around the age")
        return frame

    def splits(self, frame: pl.DataFrame) -> None:
        wrong = ~frame[SPLIT].cast(pl.String).is_in(list(SPLITS)).fill_null(value=False)
        self.cells(frame, wrong, SPLIT, f"one of {list(SPLITS)}")

    def cells(self, frame: pl.DataFrame, wrong: pl.Series, column: str, expected: str) -> None:
        rows = wrong.arg_true().to_list()
        if rows:
            first = [(self.row_number(row), [frame[column][row]]) for row in rows[:FIRST_ROWS]]
            raise bad_cells([column], expected, first, len(rows))
