"""UTKFace: aligned crops whose age, gender and race stand in the file name."""

from pathlib import Path

import polars as pl

from fairage.age_groups import MAX_AGE
from fairage.datasets.dataset import (
    ETHNICITY,
    GENDER,
    IMAGE_SUFFIXES,
    REAL,
    DataSet,
    Options,
    Prepared,
    Skipped,
    source_folder,
)
from fairage.exceptions import DataError
from fairage.tables import AGE, IMAGE

_FIELDS = 4
_GENDERS = {"0": "male", "1": "female"}
_RACES = {"0": "white", "1": "black", "2": "asian", "3": "indian", "4": "others"}


def parse_name(name: str) -> tuple[float, str, str]:
    """Return age, gender and ethnicity of a file name `AGE_GENDER_RACE_TIME.jpg.chip.jpg`.

    Raises:
        DataError: A field is missing or is not a code that the data set has.

    Examples:
        >>> parse_name("26_1_2_20170104.jpg.chip.jpg")
        (26.0, 'female', 'asian')
        >>> parse_name("61_1_20170109.jpg.chip.jpg")
        Traceback (most recent call last):
        fairage.exceptions.DataError: the name has 3 fields instead of 4 (age, gender, race, time)
    """
    fields = name.split("_")
    if len(fields) != _FIELDS:
        raise DataError(
            f"the name has {len(fields)} fields instead of {_FIELDS} (age, gender, race, time)"
        )
    age, gender, race, _ = fields
    if not (age.isascii() and age.isdigit() and int(age) <= MAX_AGE):
        raise DataError(f"the age in the name is {age!r} instead of years in 0..{MAX_AGE:g}")
    if gender not in _GENDERS:
        raise DataError(f"the gender in the name is {gender!r} instead of 0 or 1")
    if race not in _RACES:
        raise DataError(f"the race in the name is {race!r} instead of 0 to 4")
    return float(age), _GENDERS[gender], _RACES[race]


def _prepare(folder: Path, _: Options) -> Prepared:
    rows: list[tuple[str, float, str, str]] = []
    skipped = []
    for path in _image_files(source_folder(folder)):
        try:
            rows.append((str(path), *parse_name(path.name)))
        except DataError as error:
            skipped.append(Skipped(path.name, str(error)))
    if not rows:
        raise DataError(
            "expected images named AGE_GENDER_RACE_TIME.jpg.chip.jpg, got none in "
            f"{str(folder)!r} or its folders, check the path"
        )
    frame = pl.DataFrame(rows, schema=[IMAGE, AGE, GENDER, ETHNICITY], orient="row")
    return Prepared(frame, tuple(skipped))


def _image_files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )


UTKFACE = DataSet(
    name="utkface",
    title="Aligned crops; ages 1 to 116, gender and race in the file name",
    faces=23_705,
    prepare=_prepare,
    ages=(REAL,),
    attributes=(GENDER, ETHNICITY),
    uses=frozenset({"age"}),
    terms="non-commercial research only; the copyright stays with the owners of the photographs",
    source="https://susanqq.github.io/UTKFace/",
    obtain="follow the link 'Aligned&Cropped Faces' on https://susanqq.github.io/UTKFace/ and "
    "unpack UTKFace.tar.gz",
)
