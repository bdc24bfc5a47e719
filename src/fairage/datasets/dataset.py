"""What an adapter of a public data set is: facts about it and a function that reads its folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

__all__ = [
    "APPARENT",
    "ETHNICITY",
    "EXPRESSION",
    "GENDER",
    "REAL",
    "Archive",
    "DataSet",
    "Options",
    "Prepared",
    "Skipped",
]

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
    """

    frame: pl.DataFrame
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


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
