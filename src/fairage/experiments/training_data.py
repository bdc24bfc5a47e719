"""The rows that the trainings of a model use: training, validation, copies, extra faces, parts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch
from numpy.typing import ArrayLike, NDArray

from fairage._random import numpy_rng
from fairage._votes import N_YEARS, votes_array
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.recipe import MAIN, AugmentationChoice
from fairage.objectives import Targets
from fairage.tables import (
    AGE,
    AGE_GROUP,
    AGE_HIGH,
    AGE_LOW,
    AGE_STD,
    SPLIT,
    VOTES,
    group_labels,
)
from fairage.training import Rows

Index = NDArray[np.int64]


@dataclass(frozen=True)
class TrainedRows:
    """What one training is trained and validated on.

    Args:
        faces: The training rows' faces, copies among them.
        valid_faces: The validation rows' faces.
        train: Training rows, each of weight 1.
        valid: Validation rows.
    """

    faces: EmbeddedFaces
    valid_faces: EmbeddedFaces
    train: Rows
    valid: Rows


class TrainingData:
    """The rows that the trainings of one model use; what several of them share is made once.

    Args:
        data: Faces with extras and copies.
        augmentation: Which copies belong to the training rows.
        part: Which training rows are used, the copies counting on from the rows themselves; all
            where None is given.
    """

    def __init__(
        self,
        data: EmbeddedFaces,
        augmentation: AugmentationChoice | None = None,
        part: Index | None = None,
    ) -> None:
        self.data, self.augmentation, self.part = data, augmentation, part
        self._valid_faces = data.split("valid")
        self._valid = rows_of(self._valid_faces)
        self._own: torch.Tensor | None = None
        self._trained_rows: dict[tuple[str, bool], TrainedRows] = {}

    @property
    def dim(self) -> int:
        """Width of the embeddings."""
        return int(self.data.embeddings.shape[1])

    def standardising(self) -> torch.Tensor:
        """Return embeddings `(n, dim)` of the faces' own training rows, whatever is trained on."""
        if self.part is None and self.augmentation is None:
            return self.rows_for().train.embeddings  # made once
        if self._own is None:
            self._own = rows_of(self.data.split("train")).embeddings
        return self._own

    def rows_for(self, source: str = MAIN, *, augmented: bool = True) -> TrainedRows:
        """Return the rows of a training.

        Args:
            source: The faces themselves or the name of extra ones.
            augmented: Whether the copies belong to the training rows.
        """
        key = (source, augmented and self.augmentation is not None and source == MAIN)
        if key not in self._trained_rows:
            self._trained_rows[key] = self._main(key[1]) if source == MAIN else self._extra(source)
        return self._trained_rows[key]

    def _main(self, augmented: bool) -> TrainedRows:
        choice = self.augmentation if augmented else None
        faces = training_faces(self.data, choice, self.part)
        return TrainedRows(faces, self._valid_faces, rows_of(faces), self._valid)

    def _extra(self, name: str) -> TrainedRows:
        extra = self.data.extra(name)
        train, own = extra.split("train"), extra.split("valid")
        rows = self._voted(rows_of(train))
        if own.frame.height:
            return TrainedRows(train, own, rows, self._voted(rows_of(own)))
        shared = [a for a in train.attributes if a in self._valid.groups]
        rows, valid = _with_groups(rows, shared), _with_groups(self._valid, shared)
        return TrainedRows(train, self._valid_faces, rows, valid)

    def _voted(self, rows: Rows) -> Rows:
        """Return extra rows with empty votes where the faces have some and they do not."""
        if self._valid.targets.votes is None or rows.targets.votes is not None:
            return rows
        none = torch.zeros(len(rows), N_YEARS)
        return replace(rows, targets=replace(rows.targets, votes=none))


def training_faces(
    data: EmbeddedFaces, choice: AugmentationChoice | None, part: Index | None
) -> EmbeddedFaces:
    """Return the training rows, the copies behind them, or a part of both."""
    own = np.flatnonzero(data.frame[SPLIT].to_numpy() == "train")
    rows, values = own, np.empty((0, data.embeddings.shape[1]), np.float32)
    if choice is not None:
        copies = data.augmented(choice)
        rows, values = np.concatenate([own, copies.rows]), np.asarray(copies.embeddings)
    if part is not None:
        part = part[part < len(rows)]
        first, behind = part[part < len(own)], part[part >= len(own)] - len(own)
        own, rows, values = own[first], rows[part], values[behind]
    taken = np.empty((len(rows), data.embeddings.shape[1]), np.float32)
    np.take(data.embeddings, own, axis=0, out=taken[: len(own)], mode="clip")
    taken[len(own) :] = values
    return data.of(data.frame[rows], taken)


def parts_of_rows(
    data: EmbeddedFaces, choice: AugmentationChoice | None, *, parts: int, seed: int
) -> list[Index | None]:
    """Return which rows and copies, in that order, each part holds; `[None]` for a single one."""
    if parts == 1:
        return [None]
    frame = training_faces(data, choice, None).frame
    numbers = split_parts(frame.height, parts, seed, group_labels(frame, AGE_GROUP))
    return [np.flatnonzero(numbers == part) for part in range(parts)]


def split_parts(n_rows: int, parts: int, seed: int, labels: ArrayLike) -> NDArray[np.int64]:
    """Return the part 0, 1, ... of each row, shape `(n_rows,)`: parts alike in size and labels.

    This is for our reading of *split mean*, a variant that the study names without describing:
    the augmented data is split into parts, a model is trained on each, and their predictions are
    averaged. RecipeParts differ by at most one row, in all and of any one label.

    Args:
        n_rows: Rows of the augmented data, copies among them.
        parts: How many parts.
        seed: Which rows go where.
        labels: A label a row, such as its age group; `(n_rows,)`.

    Examples:
        >>> parts = split_parts(6, 2, 0, ["old", "old", "young", "young", "young", "young"])
        >>> sorted(parts[:2].tolist()), sorted(parts[2:].tolist())
        ([0, 1], [0, 0, 1, 1])
    """
    codes = np.unique(np.asarray(labels), return_inverse=True)[1].reshape(-1)
    if len(codes) != n_rows:
        raise DataError(f"expected {n_rows} labels, got {len(codes)}, give one a row")
    if not 1 <= parts <= max(n_rows, 1):
        raise ConfigError(f"expected 1..{n_rows} parts, got {parts!r}, choose as many")
    order = np.lexsort((numpy_rng(seed, "parts").permutation(n_rows), codes))
    part = np.empty(n_rows, dtype=np.int64)
    part[order] = np.arange(n_rows) % parts
    return part


def rows_of(faces: EmbeddedFaces) -> Rows:
    """Return the faces as rows of weight 1."""
    return Rows(
        torch.from_numpy(np.require(faces.embeddings, np.float32, ["C", "W"])),
        targets_of(faces.frame),
        torch.ones(faces.frame.height),
        faces.labels(),
    )


def targets_of(frame: pl.DataFrame) -> Targets:
    """Return ages, and what the raters said beside their mean where the faces table has it."""
    ages = torch.from_numpy(frame[AGE].to_numpy().astype(np.float32).copy())
    stds = votes = None
    if AGE_STD in frame.columns:
        known = frame[AGE_STD].cast(pl.Float32).fill_null(float("nan"))
        stds = torch.from_numpy(known.to_numpy().copy())
    if VOTES in frame.columns:
        votes = torch.from_numpy(votes_array(frame[VOTES]).astype(np.float32))
    return Targets(ages, stds, votes, *ranges_of(frame))


def ranges_of(frame: pl.DataFrame) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Return first year and end of each row's range, `(n,)`, where the table has any."""
    if AGE_LOW not in frame.columns or frame[AGE_LOW].is_null().all():
        return None, None
    low = frame[AGE_LOW].cast(pl.Float32).fill_null(np.nan).to_numpy().copy()
    high = frame[AGE_HIGH].cast(pl.Float32).fill_null(np.inf).to_numpy().copy()
    high[np.isnan(low)] = np.nan
    return torch.from_numpy(low), torch.from_numpy(high)


def _with_groups(rows: Rows, attributes: Sequence[str]) -> Rows:
    return replace(rows, groups={name: rows.groups[name] for name in attributes})
