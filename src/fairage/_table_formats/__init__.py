"""The formats of table files: bytes in, a frame and its row numbers out."""

from fairage._table_formats.cell_values import (
    as_columns,
    as_series,
    flatten,
    infer_types,
    with_escaped_formulas,
)
from fairage._table_formats.contents import PARQUET, Contents, guarded, scan_parquet, settle
from fairage._table_formats.delimited import read_bytes

__all__ = [
    "PARQUET",
    "Contents",
    "as_columns",
    "as_series",
    "flatten",
    "guarded",
    "infer_types",
    "read_bytes",
    "scan_parquet",
    "settle",
    "with_escaped_formulas",
]
