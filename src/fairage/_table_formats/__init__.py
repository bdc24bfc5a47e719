"""The formats of table files: bytes in, a frame and its row numbers out."""

from fairage._table_formats.cells import as_columns, as_series, flatten
from fairage._table_formats.contents import Contents, guarded
from fairage._table_formats.formulas import with_escaped_formulas
from fairage._table_formats.numbers import infer_types
from fairage._table_formats.parquet import PARQUET, scan_parquet, settle
from fairage._table_formats.sniffing import read_bytes

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
