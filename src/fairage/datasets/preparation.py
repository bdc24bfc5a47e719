"""From a data set's folder to a faces table on disk: read, check, split, write."""

import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from fairage._tables_io import table_suffix, write_table
from fairage._text import count
from fairage.age_groups import AgeGroups
from fairage.datasets.checks import read_contents
from fairage.datasets.dataset import DataSet, Options, Prepared, Skipped
from fairage.datasets.registry import find_dataset
from fairage.datasets.splits import Shares, large_identity, split_faces
from fairage.exceptions import ConfigError, DataError
from fairage.faces_file import check_faces
from fairage.tables import (
    AGE_GROUP,
    FACES_COLUMNS,
    IDENTITY,
    IMAGE,
    SPLIT,
    SPLITS,
    UNKNOWN,
    VOTES,
    attribute_names,
    known_identities,
    with_age_groups,
)


@dataclass(frozen=True)
class SplitOptions:
    """Whether and how faces are split.

    Args:
        shares: Given shares, which replace a data set's own splits too; else 70, 15, 15 % for
            data sets without splits.
        seed: Start of the random numbers.
        skip: Leave a table without splits as it is.
    """

    shares: Shares | None = None
    seed: int = 0
    skip: bool = False


@dataclass(frozen=True)
class Outcome:
    """What `prepare_faces` did.

    Args:
        dataset: Name of the data set.
        faces: The table as written.
        skipped: Files and rows that are not in it.
        notes: Sentences that the user should read.
    """

    dataset: str
    faces: pl.DataFrame
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each split that has any; empty where the table has no splits."""
        if SPLIT not in self.faces.columns:
            return {}
        counted = Counter(self.faces[SPLIT].to_list())
        return {split: counted[split] for split in SPLITS if counted[split]}


def prepare_faces(
    name: str,
    folder: str | Path,
    out: str | Path,
    options: Options | None = None,
    split: SplitOptions | None = None,
    age_groups: AgeGroups | None = None,
) -> Outcome:
    """Write the faces table of a data set's folder to `out`, whole or not at all.

    Image paths are relative where the images lie below the table's folder, else absolute. A data
    set that has no splits gets stratified ones that keep identities and identical images together.

    Args:
        name: Name of the data set.
        folder: Where it lies.
        out: Parquet, CSV or TSV file.
        options: What the adapter reads, and how.
        split: How to split.
        age_groups: Groups of the true age, which the splits keep in balance; only Parquet can say
            them. Where None are given, those that the folder's table says, else the default ones.
    """
    dataset = find_dataset(name)
    out = Path(out)
    table_suffix(out)  # before the work rather than after it
    chosen = _check_options(dataset, options or Options())
    chosen = replace(chosen, image_folder=out.with_name(f"{out.stem}-images"))
    prepared = dataset.prepare(Path(folder), chosen)
    _check_any(prepared, folder)
    age_groups = age_groups or prepared.age_groups or AgeGroups()
    try:
        frame = check_faces(_in_order(prepared.frame))
    except DataError as error:
        raise error.at(str(folder)) from error
    grouped = with_age_groups(frame, age_groups)
    frame, notes = _split(grouped, split or SplitOptions())
    frame = frame.drop(AGE_GROUP)
    frame = _relative(frame, Path(os.path.realpath(out)).parent)
    frame, dropped = _writable(frame, out, age_groups)
    write_table(frame, out, age_groups)
    large = large_identity(frame)
    doubts = (*_unknown(frame), *(() if large is None else (str(large),)))
    return Outcome(name, frame, prepared.skipped, (*prepared.notes, *notes, *dropped, *doubts))


def _check_options(dataset: DataSet, options: Options) -> Options:
    """Return the options with the default age, or raise on one that the data set cannot use."""
    flags = {
        "table": "--table",
        "images": "--images",
        "columns": "--map",
        "values": "--value",
        "age": "--age",
    }
    for option, flag in flags.items():
        if getattr(options, option) and option not in dataset.uses:
            raise ConfigError(
                f"expected no {flag} for {dataset.name!r}, got one, leave it out or prepare the "
                "table as 'folder'"
            )
    if options.age and options.age not in dataset.ages:
        raise ConfigError.unknown_name(f"--age of {dataset.name}", options.age, dataset.ages)
    return replace(options, age=options.age or next(iter(dataset.ages), ""))


def _check_any(prepared: Prepared, folder: str | Path) -> None:
    if prepared.frame.is_empty() and prepared.skipped:
        first = prepared.skipped[0]
        raise DataError(
            f"expected faces in {str(folder)!r}, got none: {len(prepared.skipped)} were left out, "
            f"the first of them {first.name!r} ({first.reason}), check where the images are"
        )


def _in_order(frame: pl.DataFrame) -> pl.DataFrame:
    first = [name for name in FACES_COLUMNS if name in frame.columns]
    return frame.select(*first, *(name for name in frame.columns if name not in first))


def _split(frame: pl.DataFrame, options: SplitOptions) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the table with its splits, and what was done in words."""
    own = SPLIT in frame.columns
    if own and options.shares is None:
        return frame, ()
    if options.skip:
        return frame.drop(SPLIT, strict=False), ("There are no splits.",)
    bare = frame.drop(SPLIT, strict=False)
    images = bare[IMAGE].to_list()
    contents = [content.key for content in read_contents(images, decode=False)]
    shares = options.shares or Shares()
    text = ", ".join(f"{share:g}" for share in shares.values)
    repeated = sum(count - 1 for key, count in Counter(contents).items() if key)
    note = (
        f"Split {text} at random (seed {options.seed}), stratified by attributes and age groups"
        + (f"; identical images stay together (repeats: {repeated})." if repeated else ".")
    )
    split = _in_order(split_faces(bare, shares, seed=options.seed, contents=contents))
    return split, ("The data set's own splits were replaced.", note) if own else (note,)


def _unknown(frame: pl.DataFrame) -> tuple[str, ...]:
    """Say how many rows have no value, however it was spelled, in which column."""
    missing = {name: int((frame[name] == UNKNOWN).sum()) for name in attribute_names(frame)}
    identities = known_identities(frame)
    if identities is not None:
        missing[IDENTITY] = identities.null_count()
    counts = ", ".join(f"{name} {count(n, 'row')}" for name, n in missing.items() if n)
    return (f"Without a value (unknown): {counts}.",) if counts else ()


def _writable(
    frame: pl.DataFrame, out: Path, age_groups: AgeGroups
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return what the file can hold of the table: text holds no votes and no age groups."""
    notes = []
    if out.suffix.lower() != ".parquet":
        if VOTES in frame.columns:
            notes.append("The raters' votes were left out: only Parquet can hold them.")
        if age_groups != AgeGroups():
            notes.append("The age groups were left out: only Parquet can say them.")
        frame = frame.drop(VOTES, strict=False)
    return frame, tuple(notes)


def _relative(frame: pl.DataFrame, base: Path) -> pl.DataFrame:
    """Return the table with relative paths for images below the folder, `/` between the parts."""
    prefix = str(base) + os.sep
    paths = [
        image.removeprefix(prefix).replace(os.sep, "/") if image.startswith(prefix) else image
        for image in frame[IMAGE].to_list()
    ]
    return frame.with_columns(pl.Series(IMAGE, paths, dtype=pl.String))
