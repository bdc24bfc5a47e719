"""The two tables everything meets in: faces and predictions. Their columns and checks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.age_groups import DEFAULT_AGE_GROUPS, AgeGroups
from fairage.exceptions import DataError
from fairage.table_files import read_table
from fairage.votes import check_votes

__all__ = [
    "AGE",
    "AGE_GROUP",
    "AGE_STD",
    "APPARENT_AGE",
    "FACES_COLUMNS",
    "IDENTITY",
    "IMAGE",
    "LOWER",
    "MAX_AGE",
    "MODEL",
    "N_RATINGS",
    "PREDICTION",
    "REAL_AGE",
    "SEED",
    "SPLIT",
    "SPLITS",
    "UNKNOWN",
    "UPPER",
    "VOTES",
    "WEIGHT",
    "Faces",
    "attribute_names",
    "check_faces",
    "check_predictions",
    "group_labels",
    "read_faces",
    "read_predictions",
]

IMAGE = "image"
AGE = "age"
SPLIT = "split"
REAL_AGE = "real_age"
APPARENT_AGE = "apparent_age"
AGE_STD = "age_std"
N_RATINGS = "n_ratings"
VOTES = "votes"
IDENTITY = "identity"
PREDICTION = "prediction"
LOWER = "lower"
UPPER = "upper"
SEED = "seed"
MODEL = "model"
WEIGHT = "weight"
AGE_GROUP = "age_group"

FACES_COLUMNS = (IMAGE, AGE, SPLIT, REAL_AGE, APPARENT_AGE, AGE_STD, N_RATINGS, VOTES, IDENTITY)
"""The columns of a faces table in their order; attributes follow."""

SPLITS = ("train", "valid", "test")
UNKNOWN = "unknown"
MAX_AGE = 120.0

_RESERVED = {*FACES_COLUMNS, PREDICTION, LOWER, UPPER, SEED, MODEL, WEIGHT, AGE_GROUP}


@dataclass(frozen=True)
class Faces:
    """A checked faces table and the folder that its relative image paths start from.

    Args:
        frame: One row a face; see `check_faces` for its columns.
        root: Folder of the relative paths in the column `image`.
    """

    frame: pl.DataFrame
    root: Path = Path()

    def __len__(self) -> int:
        return self.frame.height

    @property
    def attributes(self) -> list[str]:
        """Names of the attributes, in the order of the columns."""
        return attribute_names(self.frame)

    @property
    def ages(self) -> NDArray[np.float64]:
        """True ages in years, shape `(n,)`."""
        return self.frame[AGE].to_numpy().astype(np.float64)

    @property
    def images(self) -> list[str]:
        """Path (absolute where `root` is) or URL of each image."""
        return [
            image if "://" in image else str(self.root / image)
            for image in self.frame[IMAGE].to_list()
        ]

    def rows(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> "Faces":
        """Return the faces at these row numbers, or where this mask is true."""
        index = np.flatnonzero(keep) if keep.dtype == bool else keep
        return Faces(self.frame[index], self.root)

    def split(self, name: str) -> "Faces":
        """Return the rows of one split; an empty one is an error that names it."""
        if SPLIT not in self.frame.columns:
            raise DataError(
                f"expected a column {SPLIT!r} (train, valid, test), got {self.frame.columns}, "
                "make one with: fairage data prepare"
            )
        rows = self.frame.filter(pl.col(SPLIT) == name)
        if rows.is_empty():
            raise DataError(
                f"expected rows with {SPLIT} {name!r}, got only "
                f"{sorted(self.frame[SPLIT].unique())}, add the split to the faces table"
            )
        return Faces(rows, self.root)


def attribute_names(frame: pl.DataFrame) -> list[str]:
    """Return the attribute columns: text, categorical or true/false ones with no other meaning.

    Examples:
        >>> attribute_names(pl.DataFrame({"image": ["a"], "age": [3.0], "gender": ["female"]}))
        ['gender']
    """
    kinds = (pl.String, pl.Categorical, pl.Enum, pl.Boolean)
    return [
        name
        for name, kind in frame.schema.items()
        if name not in _RESERVED and isinstance(kind, kinds)
    ]


def group_labels(
    frame: pl.DataFrame, attribute: str, age_groups: AgeGroups = DEFAULT_AGE_GROUPS
) -> NDArray[np.str_]:
    """Return each row's group of an attribute, shape `(n,)`; `age_group` is derived from `age`.

    Examples:
        >>> group_labels(pl.DataFrame({"age": [70.0, 8.0]}), "age_group").tolist()
        ['old', 'young']
    """
    if attribute == AGE_GROUP:
        return age_groups.assign(frame[AGE].to_numpy())
    if attribute not in frame.columns:
        raise DataError(
            f"expected an attribute column {attribute!r}, got {attribute_names(frame)}, "
            "name one of these or add the column"
        )
    return frame[attribute].cast(pl.String).fill_null(UNKNOWN).to_numpy().astype(np.str_)


def check_faces(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the faces table with its types settled, or raise a DataError naming row and column.

    `image` and `age` must be there; `age` is a number of years in 0..120; `split`, where there,
    is train, valid or test; a missing attribute value becomes the group `unknown`. `votes`, where
    there, holds how many raters guessed each whole year 0..100; only Parquet can hold it.

    Examples:
        >>> check_faces(pl.DataFrame({"image": ["a.jpg"], "age": [-1.0]}))
        Traceback (most recent call last):
        fairage.exceptions.DataError: row 1, column 'age': expected years in 0..120, got -1.0, ...
    """
    _require(frame, (IMAGE, AGE), "faces")
    _check_images(frame)
    frame = frame.with_columns(pl.col(IMAGE).cast(pl.String))
    frame = _numbers(frame, (AGE,), required=True)
    frame = _numbers(frame, (REAL_AGE, APPARENT_AGE, AGE_STD, N_RATINGS), required=False)
    _check_ages(frame, AGE)
    if SPLIT in frame.columns:
        _check_splits(frame)
    if VOTES in frame.columns:
        frame = frame.with_columns(check_votes(frame[VOTES]))
    return _fill_unknown(frame)


def check_predictions(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the predictions table with its types settled, or raise a DataError as above.

    `image`, `age` and `prediction` must be there and finite; a prediction may be any number.

    Examples:
        >>> rows = pl.DataFrame({"image": ["a"], "age": [30], "prediction": [28.5]})
        >>> check_predictions(rows)["age"].to_list()
        [30.0]
    """
    _require(frame, (IMAGE, AGE, PREDICTION), "predictions")
    _check_images(frame)
    frame = frame.with_columns(pl.col(IMAGE).cast(pl.String))
    frame = _numbers(frame, (AGE, PREDICTION), required=True)
    frame = _numbers(frame, (LOWER, UPPER), required=False)
    _check_ages(frame, AGE)
    return _fill_unknown(frame)


def read_faces(path: str | Path) -> Faces:
    """Return the checked faces table of a file; its folder is the root of relative image paths."""
    return Faces(check_faces(read_table(path)), Path(path).resolve().parent)


def read_predictions(path: str | Path) -> pl.DataFrame:
    """Return the checked predictions table of a file that has our column names."""
    return check_predictions(read_table(path))


def _require(frame: pl.DataFrame, columns: Sequence[str], table: str) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(
            f"expected the columns {list(columns)} in the {table} table, got {frame.columns}, "
            f"add or rename {missing}"
        )
    if frame.is_empty():
        raise DataError(f"expected at least one row in the {table} table, got none, add rows")


def _numbers(frame: pl.DataFrame, columns: Sequence[str], *, required: bool) -> pl.DataFrame:
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
        if wrong.any():
            row = int(wrong.arg_max() or 0)
            raise _cell_error(frame, row, name, "a number")
        frame = frame.with_columns(numbers.alias(name))
    return frame


def _check_images(frame: pl.DataFrame) -> None:
    bad = frame[IMAGE].is_null()
    if frame[IMAGE].dtype == pl.String:
        bad = bad | (frame[IMAGE].str.strip_chars() == "").fill_null(value=False)
    if bad.any():
        raise _cell_error(frame, int(bad.arg_max() or 0), IMAGE, "a path or URL")


def _check_ages(frame: pl.DataFrame, column: str) -> None:
    wrong = (frame[column] < 0) | (frame[column] > MAX_AGE)
    if wrong.any():
        raise _cell_error(frame, int(wrong.arg_max() or 0), column, f"years in 0..{MAX_AGE:g}")


def _check_splits(frame: pl.DataFrame) -> None:
    wrong = ~frame[SPLIT].cast(pl.String).is_in(list(SPLITS)).fill_null(value=False)
    if wrong.any():
        raise _cell_error(frame, int(wrong.arg_max() or 0), SPLIT, f"one of {list(SPLITS)}")


def _cell_error(frame: pl.DataFrame, row: int, column: str, expected: str) -> DataError:
    return DataError(
        f"row {row + 1}, column {column!r}: expected {expected}, got {frame[column][row]!r}, "
        "correct or remove the row"
    )


def _fill_unknown(frame: pl.DataFrame) -> pl.DataFrame:
    filled = []
    for name in attribute_names(frame):
        values = frame[name].cast(pl.String)
        blank = values.is_null() | (values.str.strip_chars() == "").fill_null(value=False)
        filled.append(values.set(blank, UNKNOWN))
    return frame.with_columns(filled)
