"""What an adapter of a public data set is: facts about it and a function that reads its folder."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from fairage._files import given_path
from fairage._table_formats import guarded
from fairage._text import short
from fairage.age_groups import AgeGroups
from fairage.exceptions import DataError
from fairage.tables import IMAGE

GENDER = "gender"
ETHNICITY = "ethnicity"
EXPRESSION = "expression"

APPARENT = "apparent"
"""The age that people guess on average."""
REAL = "real"
"""The age on the day of the photograph, as the data set states it."""


@dataclass(frozen=True)
class Skipped:
    """A file or row of the data set that is not in the faces table, and why.

    Args:
        name: File name, or the row's number.
        reason: What is wrong with it.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Prepared:
    """What an adapter reads off a folder.

    Args:
        frame: Faces table; its image paths start from the working folder or are absolute or URLs.
        skipped: What was left out.
        notes: Sentences that the user should read.
        age_groups: Groups of the true age, where the folder says them.
    """

    frame: pl.DataFrame
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    age_groups: AgeGroups | None = None


@dataclass(frozen=True)
class Options:
    """Choices that an adapter may use; `DataSet.uses` tells which it does.

    Args:
        age: Which age becomes the column `age`, one of `DataSet.ages`.
        table: Table file of a folder of one's own.
        images: Folder that its image names start from.
        columns: Our column name -> the file's column name.
        values: Our attribute name -> the file's value -> our value.
        image_folder: Where images are written that the data set does not hold as files.
    """

    age: str = ""
    table: Path | None = None
    images: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    image_folder: Path = Path("images")


@dataclass(frozen=True)
class Archive:
    """A file to download.

    Args:
        name: Its file name.
        urls: Where it is; the next one is tried if one fails.
        checksum: Such as `md5:2701...`; empty where none is known.
        optional: Whether the data set is of use without it.
    """

    name: str
    urls: tuple[str, ...]
    checksum: str = ""
    optional: bool = False


@dataclass(frozen=True)
class DataSet:
    """A data set by name: what it is, where to get it, how to read it.

    Args:
        name: As commands say it.
        title: One line on what it is.
        faces: How many faces the whole of it has; 0 where that depends.
        prepare: Reads a folder.
        ages: Kinds of age that it has; the first is the default.
        attributes: Its attributes.
        splits: The splits that it comes with.
        uses: Names of the `Options` that it uses.
        terms: Licence or terms of use.
        source: Address of its page.
        obtain: How to get it where no archive can be downloaded.
        archives: What `download` fetches.
    """

    name: str
    title: str
    faces: int
    prepare: Callable[[Path, Options], Prepared]
    ages: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    uses: frozenset[str] = frozenset()
    terms: str = ""
    source: str = ""
    obtain: str = ""
    archives: tuple[Archive, ...] = ()


IMAGE_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".heif"]
)


def source_folder(folder: str | Path) -> Path:
    """Return the absolute path of a data set's folder; none there is an error."""
    path = Path(os.path.realpath(given_path(folder)))
    if not path.is_dir():
        raise DataError(
            f"expected a data set's folder, got no folder {str(folder)!r}, check the path or run: "
            "fairage data download"
        )
    return path


def source_table(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Return these columns of a CSV file as text, stripped; an empty cell is null."""
    if not path.is_file():
        raise DataError(f"expected a file {str(path)!r}, got none, copy it there")
    with guarded(str(path), do="copy it again"):
        frame = pl.read_csv(path, infer_schema=False, glob=False)
    frame = frame.rename({name: name.strip().lstrip("\ufeff") for name in frame.columns})
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(
            f"expected the columns {list(columns)} in {str(path)!r}, got "
            f"{short(frame.columns, 300)}, "
            f"add {missing} or copy the file again"
        )
    text = frame.select(pl.col(name).str.strip_chars() for name in columns)
    return text.with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in columns
    )


def keep_files(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Skipped, ...]]:
    """Return the rows whose image is a file or a URL, and the others as skipped."""
    images = frame[IMAGE].fill_null("").to_list()
    there = [("://" in image) or _is_file(image) for image in images]
    skipped = tuple(
        Skipped(Path(image).name or "a row without a name", _NO_FILE)
        for image, is_there in zip(images, there, strict=True)
        if not is_there
    )
    return frame.filter(pl.Series(there, dtype=pl.Boolean)), skipped


_NO_FILE = "labelled, but there is no such image file"


def _is_file(image: str) -> bool:
    """Return whether there is such a file; a path with a zero byte names none."""
    return "\0" not in image and Path(image).is_file()


TRAIN_COUNTS = {
    GENDER: {"male": 2068, "female": 1997},
    ETHNICITY: {"caucasian": 3522, "asian": 424, "afroamerican": 119},
    EXPRESSION: {"neutral": 1404, "slightlyhappy": 1784, "happy": 712, "other": 165},
}
"""How many faces each group of each attribute has: no two numbers are the same."""

TRAIN_AGE_GROUPS = {"young": 796, "adult": 2389, "senior": 732, "old": 148}
"""How many faces each of the default age groups has."""
