"""The two tables everything meets in: faces and predictions. Their columns and checks."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray

from fairage._demographics import group_texts, present_texts
from fairage._table import FIRST_ROWS, bad_cells, naming
from fairage._tables_io import read_numbered, write_table
from fairage._votes import check_votes
from fairage.age_groups import MAX_AGE, AgeGroups
from fairage.exceptions import ConfigError, DataError

IMAGE = "image"
AGE = "age"
SPLIT = "split"
REAL_AGE = "real_age"
APPARENT_AGE = "apparent_age"
AGE_LOW = "age_low"
AGE_HIGH = "age_high"
AGE_STD = "age_std"
N_RATINGS = "n_ratings"
VOTES = "votes"
IDENTITY = "identity"
PREDICTION = "prediction"
LOWER = "lower"
UPPER = "upper"
LEVEL = "level"
FACE = "face"
REASON = "reason"
SEED = "seed"
MODEL = "model"
WEIGHT = "weight"
AGE_GROUP = "age_group"

FACES_COLUMNS = (
    *(IMAGE, AGE, SPLIT, REAL_AGE, APPARENT_AGE, AGE_LOW, AGE_HIGH, AGE_STD, N_RATINGS, VOTES),
    IDENTITY,
)
"""The columns of a faces table in their order; attributes follow."""

SPLITS = ("train", "valid", "test")
UNKNOWN = "unknown"

TRUTH = (AGE, REAL_AGE, APPARENT_AGE, AGE_LOW, AGE_HIGH, SPLIT, IDENTITY)
"""The columns of a faces table that a predictions table takes over; so it does the attributes."""

_OF_PREDICTIONS = (PREDICTION, LOWER, UPPER, LEVEL, FACE, REASON, SEED, MODEL)
_RESERVED = {*FACES_COLUMNS, *_OF_PREDICTIONS, WEIGHT, AGE_GROUP}


@dataclass(frozen=True)
class Faces:
    """A checked faces table and the folder that its relative image paths start from.

    Args:
        frame: One row a face; see `check_faces` for its columns. It gets the column `age_group`.
        root: Folder of the relative paths in the column `image`.
        age_groups: Groups of the true age; they travel with the faces wherever these go.

    Raises:
        DataError: The frame is of faces with other age groups.

    Examples:
        >>> frame = pl.DataFrame({"image": ["a.jpg", "b.jpg"], "age": [16.0, 30.0]})
        >>> Faces(frame).frame["age_group"].to_list()
        ['young', 'adult']
        >>> Faces(frame, age_groups=AgeGroups.from_edges([0, 18])).frame["age_group"].to_list()
        ['0-18', '18+']
    """

    frame: pl.DataFrame
    root: Path = Path()
    age_groups: AgeGroups = field(default_factory=AgeGroups)

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", with_age_groups(self.frame, self.age_groups))

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
        return replace(self, frame=self.frame[index])

    def regrouped(self, age_groups: AgeGroups) -> "Faces":
        """Return the same faces with other age groups."""
        return Faces(self.frame.drop(AGE_GROUP), self.root, age_groups)

    def split(self, name: str) -> "Faces":
        """Return the rows of one split; an empty one is an error that names it."""
        if SPLIT not in self.frame.columns:
            raise DataError(
                f"expected a column {SPLIT!r} (train, valid, test), got {self.frame.columns}, "
                "make one with: fairage data prepare folder DIR --out faces.parquet "
                "--shares 0.7,0.15,0.15"
            )
        rows = self.frame.filter(pl.col(SPLIT) == name)
        if rows.is_empty():
            raise DataError(
                f"expected rows with {SPLIT} {name!r}, got only "
                f"{sorted(self.frame[SPLIT].unique())}, split the faces anew with: fairage data "
                "prepare folder DIR --out faces.parquet --shares 0.7,0.15,0.15"
            )
        return replace(self, frame=rows)


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


def target_of(frame: pl.DataFrame) -> str | None:
    """Return which age the column `age` of a faces table holds; None where it does not say.

    `apparent` or `real` where it equals the column of that age in all rows.

    Examples:
        >>> target_of(pl.DataFrame({"age": [3.0], "real_age": [4.0], "apparent_age": [3.0]}))
        'apparent'
    """
    for target, column in (("apparent", APPARENT_AGE), ("real", REAL_AGE)):
        if column in frame.columns and frame[AGE].eq_missing(frame[column]).all():
            return target
    return None


def with_age_groups(frame: pl.DataFrame, age_groups: AgeGroups) -> pl.DataFrame:
    """Return the table with the age group of each row as its last column, `age_group`.

    Its type is an Enum of the groups' names; None where there is no age. A table without ages,
    of images alone, stays as it is.

    Raises:
        DataError: The table has the column already, of other groups.
    """
    kind = pl.Enum(age_groups.names)
    if _has_age_groups(frame) and frame.schema[AGE_GROUP] != kind:
        raise DataError(
            f"expected faces with the age groups {list(age_groups.names)}, got some with "
            f"{group_names(frame, AGE_GROUP)}, hand over the age groups that they have"
        )
    if AGE not in frame.columns:
        return frame
    names = pl.Series(AGE_GROUP, age_groups.names, dtype=kind)
    ages = frame[AGE].cast(pl.Float64)
    own = names.gather(age_groups.codes(ages.to_numpy())).set(~_are_ages(ages), None)
    return frame.drop(AGE_GROUP, strict=False).with_columns(own)


def _are_ages(ages: pl.Series) -> pl.Series:
    return (ages.is_not_nan() & (ages >= 0)).fill_null(value=False)


def _has_age_groups(frame: pl.DataFrame) -> bool:
    return isinstance(frame.schema.get(AGE_GROUP), pl.Enum)


def group_names(frame: pl.DataFrame, attribute: str) -> list[str]:
    """Return the names of an attribute's groups: those with rows, but all of the age groups.

    Examples:
        >>> group_names(pl.DataFrame({"age": [70.0, 8.0], "sex": ["m", "f"]}), "age_group")
        ['young', 'adult', 'senior', 'old']
    """
    if attribute != AGE_GROUP:
        return [str(name) for name in np.unique(group_labels(frame, attribute))]
    kind = frame.schema.get(AGE_GROUP)
    return kind.categories.to_list() if isinstance(kind, pl.Enum) else list(AgeGroups().names)


def group_labels(frame: pl.DataFrame, attribute: str) -> NDArray[np.str_]:
    """Return each row's group of an attribute, shape `(n,)`.

    The age groups are those that the faces have; a bare table has the default ones of its `age`.

    Examples:
        >>> group_labels(pl.DataFrame({"age": [70.0, 8.0]}), "age_group").tolist()
        ['old', 'young']
    """
    if attribute == AGE_GROUP and not _has_age_groups(frame):
        return AgeGroups().assign(frame[AGE].to_numpy())
    if attribute not in frame.columns:
        raise DataError(
            f"expected an attribute column {attribute!r}, got {attribute_names(frame)}, "
            "name one of these or add the column"
        )
    texts = present_texts(frame[attribute]).fill_null(UNKNOWN)
    return texts.to_numpy().astype(np.str_)


def groups_as_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table with the group of each row of each attribute as a text, as an audit has it.

    What is missing, however it is spelled, is `unknown`; whole numbers under a demographic's name
    are groups called by their number. See `fairage._demographics.group_texts`.

    Examples:
        >>> frame = pl.DataFrame({"gender": [0, 1, -1], "skin": ["dark ", "n/a", "-"]})
        >>> groups_as_texts(frame)["gender"].to_list(), groups_as_texts(frame)["skin"].to_list()
        (['0', '1', 'unknown'], ['dark', 'unknown', 'unknown'])
    """
    possible = {*attribute_names(frame), *(set(frame.select(cs.numeric()).columns) - _RESERVED)}
    groups = {name: group_texts(frame[name], name) for name in frame.columns if name in possible}
    return frame.with_columns(
        texts.fill_null(UNKNOWN) for texts in groups.values() if texts is not None
    )


def known_identities(frame: pl.DataFrame) -> pl.Series | None:
    """Return the person of each row as a text, None where it is missing, however it is spelled.

    None where the table has no column `identity`.

    Examples:
        >>> known_identities(pl.DataFrame({"identity": ["ann ", "unknown"]})).to_list()
        ['ann', None]
    """
    return present_texts(frame[IDENTITY]) if IDENTITY in frame.columns else None


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


def members(frame: pl.DataFrame, text: str) -> NDArray[np.bool_]:
    """Return which rows are in a group, written as `attribute=group`, shape `(n,)`.

    Raises:
        ConfigError: The text is written otherwise, or no row is in the group.
        DataError: The attribute is not known.

    Examples:
        >>> members(pl.DataFrame({"age": [8.0, 70.0]}), "age_group=old").tolist()
        [False, True]
    """
    attribute, separator, group = text.partition("=")
    if not separator:
        raise ConfigError(
            f"expected a group as attribute=group, got {text!r}, write for example age_group=old"
        )
    labels = group_labels(frame, attribute)
    if group not in labels:
        raise ConfigError.unknown_name(f"group of {attribute!r}", group, set(labels.tolist()))
    return np.asarray(labels == group)
