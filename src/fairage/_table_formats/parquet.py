"""Parquet, on disk or in memory, and frames: bytes as text, nested columns side by side."""

import io
from pathlib import Path

import polars as pl

from fairage._table_formats.contents import Contents, check_names, guarded
from fairage.exceptions import DataError

__all__ = ["PARQUET", "read_parquet", "scan_parquet", "settle"]

PARQUET = b"PAR1"


def scan_parquet(path: Path, name: str) -> Contents:
    """Return the table in a Parquet file, which stays on disk."""
    with guarded(name):
        try:
            text = str(path.absolute())
            text.encode()
        except UnicodeEncodeError:  # polars cannot name such a file
            return read_parquet(path.read_bytes(), name)
        scan = pl.scan_parquet(text, glob=False, hive_partitioning=False)
        return Contents(settle(scan, name))


def read_parquet(content: bytes, name: str) -> Contents:
    """Return the table in the bytes of a Parquet file."""
    with guarded(name):
        return Contents(settle(pl.read_parquet(io.BytesIO(content)).lazy(), name))


def settle(frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """Return a frame whose bytes are text and whose nested columns stand side by side.

    Examples:
        >>> frame = pl.LazyFrame({"image": [b"a.jpg"], "face": [{"age": 31}]})
        >>> settle(frame, "table").collect().to_dicts()
        [{'image': 'a.jpg', 'face.age': 31}]
    """
    with guarded(name):
        schema = frame.collect_schema()
        check_names(schema, name)
        kinds = (pl.Binary, pl.Struct)
        if not any(isinstance(kind, kinds) for kind in schema.values()):
            return frame
        columns = [
            part for column, kind in schema.items() for part in _parts(pl.col(column), column, kind)
        ]
        names = [column.meta.output_name() for column in columns]
        repeated = sorted({column for column in names if names.count(column) > 1})
        if repeated:
            raise DataError(
                f"expected each column once, got {repeated} also as parts of nested columns in "
                f"{name!r}, rename them"
            )
        return frame.select(columns)


def _parts(column: pl.Expr, name: str, kind: pl.DataType) -> list[pl.Expr]:
    """Return the column, or those of its fields, with dots in their names."""
    if isinstance(kind, pl.Struct):
        return [
            part
            for field in kind.fields
            for part in _parts(
                column.struct.field(field.name),
                f"{name}.{field.name}",
                field.dtype,  # type: ignore[arg-type]  # of a schema
            )
        ]
    if isinstance(kind, pl.Binary):
        column = column.cast(pl.String)
    return [column.alias(name)]
