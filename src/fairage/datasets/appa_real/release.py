"""APPA-REAL as its authors publish it: folders train, valid, test and gt_avg_*.csv."""

from pathlib import Path

import polars as pl

from fairage.datasets.appa_real.ages import FILE_NAME, choose_age, read_ratings
from fairage.datasets.appa_real.guesses import with_votes
from fairage.datasets.dataset import ETHNICITY, EXPRESSION, GENDER, Options, Prepared
from fairage.datasets.sources import keep_files, source_table
from fairage.tables import IMAGE, SPLIT, SPLITS

__all__ = ["is_release", "prepare_release"]

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
