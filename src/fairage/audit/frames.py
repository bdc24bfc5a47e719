"""Tables as Python programs hold them: polars or pandas frames, or a mapping of arrays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import polars as pl

from fairage.audit.reading import Table, open_frame, open_table
from fairage.exceptions import DataError

__all__ = ["PandasFrame", "Predictions", "as_table"]


@runtime_checkable
class PandasFrame(Protocol):
    """What is asked of a pandas frame; pandas itself is never imported."""

    columns: Any

    def to_numpy(self) -> Any: ...  # noqa: ANN401, D102  # pandas has no types here

    def __getitem__(self, key: Any) -> Any: ...  # noqa: ANN401  # as above


Predictions: TypeAlias = str | Path | pl.DataFrame | PandasFrame | Mapping[str, Any]
"""A table of predictions: a file, a polars or pandas frame, or arrays by column name."""


def as_table(predictions: Predictions) -> Table:
    """Return the table to audit, wherever it is.

    Examples:
        >>> as_table({"age": [30.0, 41.5], "prediction": np.array([28, 44])}).rows
        2
    """
    if isinstance(predictions, str | Path):
        return open_table(predictions)
    if isinstance(predictions, pl.DataFrame):
        return open_frame(predictions)
    if isinstance(predictions, Mapping):
        columns = dict(predictions)
    elif isinstance(predictions, PandasFrame):
        columns = {str(name): predictions[name].to_numpy() for name in predictions.columns}
    else:
        raise DataError(
            "expected a path, a polars or pandas frame or a mapping of columns, got "
            f"{type(predictions).__name__}, convert it"
        )
    series = {name: _series(name, values) for name, values in columns.items()}
    lengths = {name: len(column) for name, column in series.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"expected columns of one length, got {lengths}, give a value a row")
    return open_frame(pl.DataFrame(series))


def _series(name: str, values: Any) -> pl.Series:  # noqa: ANN401  # anything array-like
    """Return a column of numbers, true/false or text; pandas' missing values become null."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise DataError(f"column {name!r}: expected one value a row, got the shape {array.shape}")
    if array.dtype.kind in "biuf":
        return pl.Series(name, array)
    cells = [None if _is_missing(cell) else cell for cell in array.tolist()]
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {int, float}:
        return pl.Series(name, cells, dtype=pl.Float64, strict=False)
    return pl.Series(name, [None if cell is None else str(cell) for cell in cells], dtype=pl.String)


def _is_missing(cell: object) -> bool:
    return cell is None or cell != cell or str(cell) in ("<NA>", "NaT")  # NaN is not itself
