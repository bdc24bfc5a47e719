"""The two tables everything meets in: faces and predictions. Their columns and checks."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray

from fairage._demographics import group_texts, present_texts
from fairage.age_groups import AgeGroups
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
SPREAD = "spread"
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

_OF_PREDICTIONS = (PREDICTION, SPREAD, LOWER, UPPER, LEVEL, FACE, REASON, SEED, MODEL)
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
