"""FairFace: crops with age ranges, gender and one of seven races, in two label files."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from fairage._random import numpy_rng
from fairage.datasets.dataset import (
    ETHNICITY,
    GENDER,
    DataSet,
    Options,
    Prepared,
    keep_files,
    source_folder,
    source_table,
)
from fairage.exceptions import DataError
from fairage.tables import AGE, AGE_HIGH, AGE_LOW, APPARENT_AGE, IMAGE, SPLIT

_FILES = {"fairface_label_train.csv": "train", "fairface_label_val.csv": "test"}
_VALID_SHARE = 0.1
_FILE, _AGE, _GENDER, _RACE = "file", "age", "gender", "race"
_RANGES: dict[str, tuple[float, float | None]] = {
    "0-2": (0, 3),
    "3-9": (3, 10),
    "10-19": (10, 20),
    "20-29": (20, 30),
    "30-39": (30, 40),
    "40-49": (40, 50),
    "50-59": (50, 60),
    "60-69": (60, 70),
    "more than 70": (70, None),
}
_OLDEST = 75.0
"""Age that stands for 70 and over."""


def _prepare(folder: Path, _: Options) -> Prepared:
    base = source_folder(folder)
    there = {name: split for name, split in _FILES.items() if (base / name).is_file()}
    if not there:
        raise DataError(
            f"expected {' or '.join(map(repr, _FILES))} in {str(folder)!r}, got none of them, "
            "put labels and images in one folder"
        )
    frame = pl.concat([_labels(base / name, split) for name, split in there.items()])
    kept, skipped = keep_files(frame)
    notes = (
        f"Ages are the middles of ranges (70 and over counts as {_OLDEST:g}): errors below about "
        f"five years say little. The range is kept in {AGE_LOW!r} and {AGE_HIGH!r}.",
        f"Its validation faces are the test split; {_VALID_SHARE:.0%} of its training faces, drawn "
        "at random, are the validation split.",
    )
    return Prepared(_with_valid(kept), skipped, notes)


def _with_valid(frame: pl.DataFrame) -> pl.DataFrame:
    """Draw validation faces out of the training faces: always the same of the same table."""
    rows = (frame[SPLIT] == "train").arg_true().to_numpy()
    drawn = numpy_rng(0, "fairface").permutation(rows)[: round(_VALID_SHARE * len(rows))]
    return frame.with_columns(frame[SPLIT].scatter(np.sort(drawn), "valid"))


def _labels(path: Path, split: str) -> pl.DataFrame:
    table = source_table(path, [_FILE, _AGE, _GENDER, _RACE])
    unknown = table.filter(~pl.col(_AGE).is_in(list(_RANGES)).fill_null(value=False))
    if unknown.height:
        raise DataError(
            f"expected one of {list(_RANGES)} as age in {path.name}, got "
            f"{unknown[_AGE][0]!r} for {unknown[_FILE][0]!r}, correct it"
        )
    base = str(path.parent) + "/"
    middles = {name: _middle(*limits) for name, limits in _RANGES.items()}
    return table.select(
        (base + pl.col(_FILE)).alias(IMAGE),
        _look_up(middles).alias(AGE),
        _look_up(middles).alias(APPARENT_AGE),
        pl.lit(split).alias(SPLIT),
        _look_up({name: low for name, (low, _) in _RANGES.items()}).alias(AGE_LOW),
        _look_up({name: high for name, (_, high) in _RANGES.items()}).alias(AGE_HIGH),
        pl.col(_GENDER).str.to_lowercase().alias(GENDER),
        pl.col(_RACE).str.to_lowercase().alias(ETHNICITY),
    )


def _look_up(meanings: Mapping[str, float | None]) -> pl.Expr:
    return pl.col(_AGE).replace_strict(meanings, return_dtype=pl.Float64)


def _middle(low: float, high: float | None) -> float:
    return _OLDEST if high is None else (low + high) / 2


FAIRFACE = DataSet(
    name="fairface",
    title="Crops balanced over seven races; ages as ranges of about ten years",
    faces=97_698,
    prepare=_prepare,
    ages=(),
    attributes=(GENDER, ETHNICITY),
    splits=("train", "valid", "test"),
    terms="CC BY 4.0",
    source="https://github.com/joojs/fairface",
    obtain="take images and both label files from the links in "
    "https://github.com/joojs/fairface#data and unpack them into one folder",
)
