"""APPA-REAL as the challenge hands it out: folders of crops and labels_metadata_*.csv."""

from pathlib import Path

import polars as pl

from fairage.datasets.appa_real.ages import FILE_NAME, RATINGS, choose_age, numbers, read_ratings
from fairage.datasets.appa_real.guesses import with_votes
from fairage.datasets.dataset import (
    ETHNICITY,
    EXPRESSION,
    GENDER,
    REAL,
    Options,
    Prepared,
    Skipped,
)
from fairage.datasets.sources import keep_files, source_table
from fairage.exceptions import DataError
from fairage.tables import AGE, APPARENT_AGE, IMAGE, SPLIT, SPLITS

__all__ = ["is_bundle", "prepare_bundle"]

_LABELS = "labels_metadata_{}.csv"
_MERGED = "appa_real_merged.csv"
_ID, _LABEL_AGE, _EMOTION = "imageId", "age", "emotion"
_OFFICIAL_NAME = "orig_file_name"
_TOLERANCE = 1e-6
"""Years by which two files may differ on the same mean of the votes."""


def is_bundle(folder: Path) -> bool:
    """Return whether the folder has this layout."""
    return (folder / _LABELS.format(SPLITS[0])).is_file()


def prepare_bundle(folder: Path, options: Options) -> Prepared:
    """Return the faces of all three splits.

    Real ages and the ratings' count and std come from `appa_real_merged.csv`, which tells the
    official file name of each image; its mean votes must be those of the labels, and those of
    `gt_avg_*.csv` where these are there; every single vote comes from `gt_*.csv`. Without
    `appa_real_merged.csv` only apparent ages are known.
    """
    frame = pl.concat([_labels(folder, split) for split in SPLITS])
    notes: tuple[str, ...] = ()
    if (folder / _MERGED).is_file():
        frame, notes = _with_official(frame, folder)
    elif options.age == REAL:
        raise DataError(
            f"expected {_MERGED!r} for real ages, got none in {str(folder)!r}, copy it there, use "
            "--age apparent, or prepare the official release"
        )
    else:
        notes = (f"No {_MERGED}: real ages and the votes' count and std are not known.",)
    chosen, unlabelled = _without_age(choose_age(frame, options.age))
    kept, missing = keep_files(chosen)
    return Prepared(kept, (*unlabelled, *missing), notes)


def _labels(folder: Path, split: str) -> pl.DataFrame:
    columns = [_ID, _LABEL_AGE, GENDER, ETHNICITY, _EMOTION]
    table = source_table(folder / _LABELS.format(split), columns)
    base = str(folder / f"{split}_data") + "/"
    return table.select(
        (base + pl.col(_ID) + ".jpg").alias(IMAGE),
        pl.lit(split).alias(SPLIT),
        pl.col(_LABEL_AGE).cast(pl.Float64, strict=False).alias(APPARENT_AGE),
        GENDER,
        ETHNICITY,
        pl.col(_EMOTION).alias(EXPRESSION),
    )


def _with_official(frame: pl.DataFrame, folder: Path) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Add the columns that the challenge's labels lack; return notes on the votes too."""
    known = [IMAGE, SPLIT, _OFFICIAL_NAME]
    merged = numbers(source_table(folder / _MERGED, [*known, *RATINGS]).rename(RATINGS))
    base = str(folder) + "/"
    merged = merged.with_columns((base + pl.col(IMAGE)).alias(IMAGE))
    _check_official(merged, folder)
    joined = frame.join(merged.drop(SPLIT), on=IMAGE, how="left", maintain_order="left")
    _check_same_ages(joined, _MERGED)
    voted, notes = with_votes(joined, folder, _OFFICIAL_NAME)
    return voted.drop(_OFFICIAL_NAME, APPARENT_AGE + "_right"), notes


def _check_official(merged: pl.DataFrame, folder: Path) -> None:
    for split in SPLITS:
        path = folder / f"gt_avg_{split}.csv"
        if path.is_file():
            rows = merged.filter(pl.col(SPLIT) == split)
            official = read_ratings(path).rename({FILE_NAME: _OFFICIAL_NAME})
            _check_same_ages(rows.join(official, on=_OFFICIAL_NAME, how="left"), path.name)


def _check_same_ages(joined: pl.DataFrame, name: str) -> None:
    """Raise where two files do not agree on the mean vote of an image."""
    other = APPARENT_AGE + "_right"
    agree = ((pl.col(APPARENT_AGE) - pl.col(other)).abs() <= _TOLERANCE).fill_null(value=False)
    wrong = joined.filter(~agree)
    if wrong.height:
        first = wrong.row(0, named=True)
        raise DataError(
            f"expected {name} to tell the same apparent age for {first[IMAGE]!r}, got "
            f"{first[other]} instead of {first[APPARENT_AGE]} ({wrong.height} such rows), "
            "copy the data set again"
        )


def _without_age(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Skipped, ...]]:
    missing = frame.filter(pl.col(AGE).is_null())
    skipped = tuple(Skipped(Path(image).name, "no age") for image in missing[IMAGE])
    return frame.filter(pl.col(AGE).is_not_null()), skipped
