"""Tables in files: Parquet, CSV and TSV, read whole and written whole."""

from pathlib import Path

import polars as pl

from fairage.exceptions import DataError
from fairage.files import atomic_path

__all__ = ["TABLE_SUFFIXES", "read_table", "write_table"]

TABLE_SUFFIXES = (".parquet", ".csv", ".tsv")
"""How the names of the files end that are read and written."""


def read_table(path: str | Path) -> pl.DataFrame:
    """Return the table in a Parquet, CSV or TSV file; every column of text files is inferred."""
    path = Path(path)
    if path.suffix.lower() not in TABLE_SUFFIXES:
        raise DataError(
            f"expected a file ending in {', '.join(TABLE_SUFFIXES)}, got {str(path)!r}, "
            "convert it or rename it"
        )
    if not path.is_file():
        raise DataError(f"expected a table file, got no file {str(path)!r}, check the path")
    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path)
        separator = "\t" if path.suffix.lower() == ".tsv" else ","
        return pl.read_csv(path, separator=separator, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"expected a readable table, got {str(path)!r} ({reason}), write the file again"
        ) from error


def write_table(frame: pl.DataFrame, path: str | Path) -> None:
    """Write a table to a Parquet, CSV or TSV file, whole or not at all."""
    suffix = Path(path).suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise DataError(
            f"expected a file name ending in {', '.join(TABLE_SUFFIXES)}, got {str(path)!r}, "
            "give another name"
        )
    with atomic_path(path) as temporary:
        if suffix == ".parquet":
            frame.write_parquet(temporary)
        else:
            frame.write_csv(temporary, separator="\t" if suffix == ".tsv" else ",")
