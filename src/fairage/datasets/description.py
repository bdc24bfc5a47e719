"""What a faces table holds: the support of every group in every split, and the ages."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairage.datasets.table_warnings import unused_columns
from fairage.tables import AGE_GROUP, SPLIT, SPLITS, Faces, group_labels, group_names

ALL = "all"
"""Name of the whole table among the splits."""


@dataclass(frozen=True)
class GroupSupport:
    """How many faces one group has.

    Args:
        attribute: Name of the attribute.
        group: Name of the group.
        rows: Faces in each split, and in `all`.
        mean_age: Mean age in years; None where the group has no faces.
    """

    attribute: str
    group: str
    rows: dict[str, int]
    mean_age: float | None


@dataclass(frozen=True)
class AgeSummary:
    """The ages of one split, in years.

    Args:
        split: Name of the split, or `all`.
        rows: Number of faces.
        mean: Mean.
        sd: Standard deviation.
        lowest: Lowest age.
        median: Median.
        highest: Highest age.
    """

    split: str
    rows: int
    mean: float
    sd: float
    lowest: float
    median: float
    highest: float


@dataclass(frozen=True)
class Description:
    """What a faces table holds.

    Args:
        ages: The ages of each split, the whole table last.
        groups: The support of each group of each attribute and of the age groups.
        warnings: A sentence on each column that seems to be an attribute and is none.
    """

    ages: tuple[AgeSummary, ...]
    groups: tuple[GroupSupport, ...]
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return asdict(self)


def describe_faces(faces: Faces) -> Description:
    """Return the supports and ages of a faces table.

    Examples:
        >>> import polars as pl
        >>> frame = pl.DataFrame({"image": ["a", "b"], "age": [8.0, 70.0], "gender": ["f", "m"]})
        >>> [(one.group, one.rows["all"]) for one in describe_faces(Faces(frame)).groups]
        [('f', 1), ('m', 1), ('young', 1), ('adult', 0), ('senior', 0), ('old', 1)]
    """
    masks = _masks(faces)
    ages = faces.ages
    groups = [
        _support(attribute, group, labels == group, masks, ages)
        for attribute in (*faces.attributes, AGE_GROUP)
        for labels in (group_labels(faces.frame, attribute),)
        for group in group_names(faces.frame, attribute)
    ]
    return Description(
        tuple(_summary(split, ages[mask]) for split, mask in masks.items()),
        tuple(groups),
        unused_columns(faces.frame),
    )


def _masks(faces: Faces) -> dict[str, NDArray[np.bool_]]:
    """Return which rows are in each split that has any, and in the whole table."""
    masks: dict[str, NDArray[np.bool_]] = {}
    if SPLIT in faces.frame.columns:
        splits = faces.frame[SPLIT].to_numpy()
        masks = {split: np.asarray(splits == split) for split in SPLITS if (splits == split).any()}
    return masks | {ALL: np.ones(len(faces), dtype=np.bool_)}


def _support(
    attribute: str,
    group: str,
    members: NDArray[np.bool_],
    masks: dict[str, NDArray[np.bool_]],
    ages: NDArray[np.float64],
) -> GroupSupport:
    rows = {split: int((members & mask).sum()) for split, mask in masks.items()}
    mean = float(ages[members].mean()) if members.any() else None
    return GroupSupport(attribute, group, rows, mean)


def _summary(split: str, ages: NDArray[np.float64]) -> AgeSummary:
    low, median, high = np.quantile(ages, [0, 0.5, 1]).tolist()
    return AgeSummary(split, len(ages), float(ages.mean()), float(ages.std()), low, median, high)
