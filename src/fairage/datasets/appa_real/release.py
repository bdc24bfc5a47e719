"""APPA-REAL as its authors publish it: folders train, valid, test and gt_avg_*.csv."""

from pathlib import Path

import numpy as np
import polars as pl

from fairage._votes import counted_votes
from fairage.datasets.dataset import (
    APPARENT,
    ETHNICITY,
    EXPRESSION,
    GENDER,
    REAL,
    Options,
    Prepared,
    Skipped,
    keep_files,
    source_table,
)
from fairage.exceptions import DataError
from fairage.tables import (
    AGE,
    AGE_STD,
    APPARENT_AGE,
    IMAGE,
    N_RATINGS,
    REAL_AGE,
    SPLIT,
    SPLITS,
    VOTES,
)

_CATEGORIES = "allcategories_{}.csv"
_CATEGORIES_FOLDER = "allcategories_trainvalidtest_split"
_CATEGORY_FILE = "file"
_CATEGORY_COLUMNS = {"gender": GENDER, "race": ETHNICITY, "happiness": EXPRESSION}
_FACE = "_face.jpg"


def is_release(folder: Path) -> bool:
    """Return whether the folder has this layout."""
    return (folder / SPLITS[0]).is_dir() and (folder / f"gt_avg_{SPLITS[0]}.csv").is_file()


def prepare_release(folder: Path, options: Options) -> Prepared:
    """Return the faces of all three splits, each cropped as `X.jpg_face.jpg`.

    Attributes come from `allcategories_*.csv`, in the folder or in the one that its archive makes
    beside or inside it. An image that they do not name has the attributes `unknown`.
    """
    frame = pl.concat([_split(folder, split) for split in SPLITS])
    frame, notes = with_votes(frame, folder)
    categories = _read_categories(folder)
    if categories is None:
        name = _CATEGORIES.format("*")
        notes += (f"No {name}: the table has no attributes but the age groups.",)
    else:
        frame = frame.join(categories, on=FILE_NAME, how="left", maintain_order="left")
    kept, skipped = keep_files(choose_age(frame, options.age).drop(FILE_NAME))
    return Prepared(kept, skipped, notes)


def _split(folder: Path, split: str) -> pl.DataFrame:
    ratings = read_ratings(folder / f"gt_avg_{split}.csv")
    base = str(folder / split) + "/"
    return ratings.with_columns(
        (base + pl.col(FILE_NAME) + _FACE).alias(IMAGE), pl.lit(split).alias(SPLIT)
    )


def _read_categories(folder: Path) -> pl.DataFrame | None:
    """Return gender, ethnicity and expression of each file, or None where no file tells."""
    places = (folder, folder / _CATEGORIES_FOLDER, folder.parent / _CATEGORIES_FOLDER)
    for place in places:
        if (place / _CATEGORIES.format(SPLITS[0])).is_file():
            paths = [place / _CATEGORIES.format(split) for split in SPLITS]
            return pl.concat([_categories(path) for path in paths]).unique(
                FILE_NAME, keep="first", maintain_order=True
            )
    return None


def _categories(path: Path) -> pl.DataFrame:
    table = source_table(path, [_CATEGORY_FILE, *_CATEGORY_COLUMNS])
    lowered = table.with_columns(pl.col(name).str.to_lowercase() for name in _CATEGORY_COLUMNS)
    return lowered.rename({_CATEGORY_FILE: FILE_NAME, **_CATEGORY_COLUMNS})


_FILE = "gt_{}.csv"
_GUESS = "apparent_age"


FILE_NAME = "file_name"


def with_votes(
    frame: pl.DataFrame, folder: Path, name: str = FILE_NAME
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the table with the raters' votes where their files are there, and notes.

    Args:
        frame: Faces with their split and official file name.
        folder: Where `gt_train.csv`, `gt_valid.csv` and `gt_test.csv` lie.
        name: The column that holds the official file name.
    """
    paths = {split: folder / _FILE.format(split) for split in SPLITS}
    if not all(path.is_file() for path in paths.values()):
        return frame, ()
    counted = [_votes(path, split) for split, path in paths.items()]
    junk = sum(n for _, n in counted)
    votes = pl.concat([table for table, _ in counted]).rename({FILE_NAME: name})
    joined = frame.join(votes, on=[SPLIT, name], how="left", maintain_order="left")
    notes = (f"{junk} guesses that are no number were ignored.",) if junk else ()
    return joined, notes


def _votes(path: Path, split: str) -> tuple[pl.DataFrame, int]:
    """Return the counts of each image's guesses, and how many rows are no guess."""
    table = source_table(path, [FILE_NAME, _GUESS])
    guesses = table.with_columns(pl.col(_GUESS).cast(pl.Float64, strict=False))
    valid = guesses.filter(pl.col(_GUESS).is_finite() & pl.col(FILE_NAME).is_not_null())
    names, rows = np.unique(valid[FILE_NAME].to_numpy().astype(np.str_), return_inverse=True)
    counts = counted_votes(rows, valid[_GUESS].to_numpy(), len(names))
    votes = pl.Series(VOTES, counts.tolist(), dtype=pl.List(pl.Int64))
    images = pl.DataFrame({SPLIT: [split] * len(names), FILE_NAME: names.tolist()})
    return images.with_columns(votes), table.height - valid.height


RATINGS = {
    "num_ratings": N_RATINGS,
    "apparent_age_avg": APPARENT_AGE,
    "apparent_age_std": AGE_STD,
    "real_age": REAL_AGE,
}
"""Columns of `gt_avg_*.csv` and what they are called here."""


def read_ratings(path: Path) -> pl.DataFrame:
    """Return the file name, the votes' count, mean and std and the real age of each image."""
    return numbers(source_table(path, [FILE_NAME, *RATINGS]).rename(RATINGS))


def numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table with the columns of ratings as numbers."""
    there = [name for name in RATINGS.values() if name in frame.columns]
    return frame.with_columns(pl.col(name).cast(pl.Float64, strict=False) for name in there)


def choose_age(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Return the table with the wanted kind of age as its column `age`.

    Examples:
        >>> ages = pl.DataFrame({"apparent_age": [30.5], "real_age": [34.0]})
        >>> choose_age(ages, "real")["age"].to_list()
        [34.0]
    """
    source = APPARENT_AGE if kind == APPARENT else REAL_AGE
    return frame.with_columns(pl.col(source).alias(AGE))


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
    columns = [IMAGE, SPLIT, _OFFICIAL_NAME]
    merged = numbers(source_table(folder / _MERGED, [*columns, *RATINGS]).rename(RATINGS))
    base = str(folder) + "/"
    merged = merged.with_columns((base + pl.col(IMAGE)).alias(IMAGE))
    _check_official(merged, folder)
    joined = frame.join(merged.drop(SPLIT), on=IMAGE, how="left", maintain_order="left")
    _check_same_ages(joined, folder / _MERGED)
    voted, notes = with_votes(joined, folder, _OFFICIAL_NAME)
    return voted.drop(_OFFICIAL_NAME, APPARENT_AGE + "_right"), notes


def _check_official(merged: pl.DataFrame, folder: Path) -> None:
    for split in SPLITS:
        path = folder / f"gt_avg_{split}.csv"
        if path.is_file():
            rows = merged.filter(pl.col(SPLIT) == split)
            official = read_ratings(path).rename({FILE_NAME: _OFFICIAL_NAME})
            _check_same_ages(rows.join(official, on=_OFFICIAL_NAME, how="left"), path)


def _check_same_ages(joined: pl.DataFrame, path: Path) -> None:
    """Raise where two files do not agree on the mean vote of an image."""
    other = APPARENT_AGE + "_right"
    agree = ((pl.col(APPARENT_AGE) - pl.col(other)).abs() <= _TOLERANCE).fill_null(value=False)
    wrong = joined.filter(~agree)
    if wrong.height:
        first = wrong.row(0, named=True)
        raise DataError(
            f"expected {str(path)!r} to tell the same apparent age for {first[IMAGE]!r}, got "
            f"{first[other]} instead of {first[APPARENT_AGE]} ({wrong.height} such rows), "
            "copy the data set again"
        )


def _without_age(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Skipped, ...]]:
    missing = frame.filter(pl.col(AGE).is_null())
    skipped = tuple(Skipped(Path(image).name, "no age") for image in missing[IMAGE])
    return frame.filter(pl.col(AGE).is_not_null()), skipped
