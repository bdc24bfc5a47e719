"""APPA-REAL's single guesses: `gt_*.csv`, a row a rater and image."""

from pathlib import Path

import numpy as np
import polars as pl

from fairage.datasets.appa_real.ages import FILE_NAME
from fairage.datasets.sources import source_table
from fairage.tables import SPLIT, SPLITS, VOTES
from fairage.votes import counted_votes

__all__ = ["with_votes"]

_FILE = "gt_{}.csv"
_GUESS = "apparent_age"


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
    found = [_votes(path, split) for split, path in paths.items()]
    junk = sum(n for _, n in found)
    votes = pl.concat([table for table, _ in found]).rename({FILE_NAME: name})
    joined = frame.join(votes, on=[SPLIT, name], how="left", maintain_order="left")
    notes = (f"{junk} guesses that are no number were ignored.",) if junk else ()
    return joined, notes


def _votes(path: Path, split: str) -> tuple[pl.DataFrame, int]:
    """Return the counts of each image's guesses, and how many rows are no guess."""
    table = source_table(path, [FILE_NAME, _GUESS])
    guesses = table.with_columns(pl.col(_GUESS).cast(pl.Float64, strict=False))
    kept = guesses.filter(pl.col(_GUESS).is_finite() & pl.col(FILE_NAME).is_not_null())
    names, rows = np.unique(kept[FILE_NAME].to_numpy().astype(np.str_), return_inverse=True)
    counts = counted_votes(rows, kept[_GUESS].to_numpy(), len(names))
    votes = pl.Series(VOTES, counts.tolist(), dtype=pl.List(pl.Int64))
    found = pl.DataFrame({SPLIT: [split] * len(names), FILE_NAME: names.tolist()})
    return found.with_columns(votes), table.height - kept.height
