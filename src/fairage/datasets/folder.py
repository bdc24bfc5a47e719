"""A data set of one's own: any CSV, TSV or Parquet table whose columns are mapped, and images."""

from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from fairage._demographics import group_texts
from fairage._table import naming
from fairage._tables_io import TABLE_SUFFIXES, read_numbered
from fairage._text import short
from fairage.datasets.dataset import DataSet, Options, Prepared, Skipped, keep_files, source_folder
from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE, AGE_GROUP, FACES_COLUMNS, IMAGE

_TABLES = ("faces", "labels", "metadata", "data")


def parse_columns(texts: list[str]) -> dict[str, str]:
    """Return our column name -> the file's, of texts such as `age=AgeInYears`.

    Examples:
        >>> parse_columns(["age=AgeInYears", "gender=sex"])
        {'age': 'AgeInYears', 'gender': 'sex'}
    """
    columns: dict[str, str] = {}
    for text in texts:
        ours, _, theirs = text.partition("=")
        if not ours or not theirs:
            raise ConfigError(
                f"expected --map as OURS=THEIRS, such as age=AgeInYears, got {text!r}, write it so"
            )
        if ours in columns:
            raise ConfigError(f"expected one --map for {ours!r}, got two, leave one out")
        if ours == AGE_GROUP:
            raise ConfigError(
                f"expected --map for a column to store, got {AGE_GROUP!r}, which is derived from "
                "the age, leave it out"
            )
        columns[ours] = theirs
    return columns


def parse_values(texts: list[str]) -> dict[str, dict[str, str]]:
    """Return attribute -> the file's value -> ours, of texts such as `gender.F=female`.

    Examples:
        >>> parse_values(["gender.F=female", "gender.M=male"])
        {'gender': {'F': 'female', 'M': 'male'}}
    """
    values: dict[str, dict[str, str]] = {}
    for text in texts:
        place, _, ours = text.partition("=")
        column, _, theirs = place.partition(".")
        if not column or not theirs or not ours:
            raise ConfigError(
                f"expected --value as COLUMN.THEIRS=OURS, such as gender.F=female, got {text!r}, "
                "write it so"
            )
        values.setdefault(column, {})[theirs] = ours
    return values


def _prepare(folder: Path, options: Options) -> Prepared:
    base = source_folder(folder)
    source, table = read_numbered(_find_table(base, options.table))
    with naming(table):
        frame = _select(source, options.columns)
    frame = _replace(frame, options.values)
    images = base if options.images is None else source_folder(options.images)
    frame, ageless = _without_age(_absolute(frame, images))
    kept, missing = keep_files(frame)
    used = {*options.columns.values(), *frame.columns, AGE_GROUP}
    left_out = [name for name in source.columns if name not in used]
    notes = (f"Columns left out: {', '.join(left_out)}; --map NAME=COLUMN takes one in.",)
    return Prepared(kept, (*ageless, *missing), notes if left_out else (), table.age_groups)


def _find_table(base: Path, named: Path | None) -> Path:
    if named is not None:
        return named if named.is_file() or named.is_absolute() else base / named
    tables = [
        base / (name + suffix)
        for name in _TABLES
        for suffix in TABLE_SUFFIXES
        if (base / (name + suffix)).is_file()
    ]
    if not tables:
        raise DataError(
            f"expected a table faces.csv or faces.parquet in {str(base)!r}, got none, name it: "
            "--table FILE"
        )
    return tables[0]


def _select(source: pl.DataFrame, columns: Mapping[str, str]) -> pl.DataFrame:
    """Return our columns: the mapped ones, and those that have our names already."""
    for ours, theirs in columns.items():
        if theirs not in source.columns:
            raise ConfigError.unknown_name(f"column in --map {ours}=", theirs, source.columns)
    own = {name: name for name in FACES_COLUMNS if name in source.columns}
    chosen = own | dict(columns)
    missing = [name for name in (IMAGE, AGE) if name not in chosen]
    if missing:
        raise DataError(
            f"expected the columns {[IMAGE, AGE]}, got {source.columns}, say which they are: "
            + " ".join(f"--map {name}=COLUMN" for name in missing)
        )
    frame = source.select(pl.col(theirs).alias(ours) for ours, theirs in chosen.items())
    return frame.with_columns(pl.col(IMAGE).cast(pl.String))


def _replace(frame: pl.DataFrame, values: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
    """Return the table with attributes as texts, and the file's values replaced by ours.

    Other values stay as they are.
    """
    for name in values:
        if name not in frame.columns:
            raise ConfigError.unknown_name("column in --value", name, frame.columns)
    for name in frame.columns:
        meanings = values.get(name, {})
        if name in FACES_COLUMNS:
            texts = frame[name].cast(pl.String) if meanings else None
        else:
            texts = _attribute_texts(frame[name], meanings)
        if texts is None:
            continue
        there = set(texts.unique().drop_nulls())
        for value in meanings:
            if value not in there:
                raise ConfigError.unknown_name(
                    f"value of {name!r} in --value", value, sorted(there)[:20]
                )
        frame = frame.with_columns(texts.replace(dict(meanings)))
    return frame


def _attribute_texts(values: pl.Series, named: Collection[str]) -> pl.Series:
    """Return the groups of a mapped column; whole numbers are groups whatever its name."""
    texts = group_texts(values, values.name, named)
    if texts is not None:
        return texts
    numbers = values.cast(pl.Float64)
    whole = numbers.is_finite() & (numbers == numbers.floor())
    if not whole.fill_null(value=True).all():
        raise DataError(
            f"column {values.name!r}: expected groups, got {values.n_unique():,} different numbers "
            f"that are no codes, such as {short(numbers.filter(~whole)[0])}, put them into groups "
            "first or leave out its --map"
        )
    return numbers.cast(pl.Int64).cast(pl.String)


def _absolute(frame: pl.DataFrame, images: Path) -> pl.DataFrame:
    paths = [
        image if image is None or "://" in image else str(images / image)
        for image in frame[IMAGE].to_list()
    ]
    return frame.with_columns(pl.Series(IMAGE, paths, dtype=pl.String))


def _without_age(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Skipped, ...]]:
    """Return the rows that have an image and an age, and the others as skipped."""
    blank = pl.any_horizontal(
        (pl.col(name).cast(pl.String).str.strip_chars().fill_null("") == "")
        for name in (IMAGE, AGE)
    )
    rows = frame.select(pl.int_range(1, pl.len() + 1).filter(blank)).to_series()
    skipped = tuple(Skipped(f"row {row}", "no image or no age") for row in rows)
    return frame.filter(~blank), skipped


FOLDER = DataSet(
    name="folder",
    title="Any CSV, TSV or Parquet table with images or URLs and ages",
    faces=0,
    prepare=_prepare,
    uses=frozenset({"table", "images", "columns", "values"}),
    terms="yours",
    obtain="it is yours: bring a table and a folder of images",
)
