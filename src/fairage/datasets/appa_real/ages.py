"""APPA-REAL's two ages, and the columns of its official summary of the votes."""

from pathlib import Path

import polars as pl

from fairage.datasets.dataset import APPARENT
from fairage.datasets.sources import source_table
from fairage.tables import AGE, AGE_STD, APPARENT_AGE, N_RATINGS, REAL_AGE

__all__ = ["FILE_NAME", "RATINGS", "choose_age", "numbers", "read_ratings"]

FILE_NAME = "file_name"
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
