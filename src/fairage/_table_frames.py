"""Tables as Python programs hold them: frames of any library, or a mapping of arrays.

Neither pandas nor pyarrow is imported: what they hold is recognised by what it can do.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._table_formats import as_columns, as_series, flatten, guarded
from fairage.exceptions import DataError

_NAME = "table"
_NUMBERS = "biuf"  # numpy's kinds of true/false, integers and floats
_CONVERT = "convert it to a polars frame"
_ARROW = ("__arrow_c_stream__", "__arrow_c_array__")


@runtime_checkable
class PandasFrame(Protocol):
    """What is used of a pandas frame."""

    columns: Any
    index: Any
    iloc: Any


@runtime_checkable
class ArrowTable(Protocol):
    """What is used of a table of pyarrow and of libraries that share its memory format."""

    schema: Any

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


Frame: TypeAlias = pl.DataFrame | pl.LazyFrame | PandasFrame | ArrowTable | Mapping[str, Any]


def as_frame(source: object) -> pl.DataFrame:
    """Return the frame that a program holds in whatever form; missing values of any kind are null.

    Args:
        source: A polars, pandas or arrow frame, or a mapping of columns: lists, ranges, arrays,
            masked arrays, Series. Series of pandas are aligned by their indexes.

    Examples:
        >>> as_frame({"age": [30.0, None], "sex": np.array([b"f", b"m"])}).rows()
        [(30.0, 'f'), (None, 'm')]

    Raises:
        DataError: Lengths, indexes or shapes do not fit, or a column is there twice.
    """
    if isinstance(source, pl.LazyFrame):
        # Whole and once: rows of a query may come in another order each time it is run.
        with guarded(_NAME, do=_CONVERT):
            return _plain(source.collect())
    if isinstance(source, pl.DataFrame):
        return _plain(source)
    if isinstance(source, PandasFrame):
        return _pandas_frame(source)
    if isinstance(source, Mapping):
        return _mapping_frame(source)
    is_column = hasattr(source, "dtype") or hasattr(source, "type")
    if any(hasattr(source, name) for name in _ARROW) and not is_column:
        return _arrow_frame(source)
    raise DataError(
        "expected a path, a polars, pandas or arrow frame, or a mapping of columns, got "
        f"{type(source).__name__}, convert it"
    )


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with Python objects in it as columns of a type."""
    objects = [name for name, kind in frame.schema.items() if kind == pl.Object]
    return frame.with_columns(as_series(name, frame[name].to_list()) for name in objects)


def _arrow_frame(source: Any) -> pl.DataFrame:  # noqa: ANN401  # pyarrow has no types here
    names = getattr(getattr(source, "schema", None), "names", ())
    _check_names(names)
    with guarded(_NAME, TypeError, ValueError, NotImplementedError, do=_CONVERT):
        return pl.DataFrame(source)


def _pandas_frame(source: PandasFrame) -> pl.DataFrame:
    """Return a pandas frame; an index that has a name is its first column."""
    labels = [_label(label) for label in source.columns]
    columns = [source.iloc[:, place] for place in range(len(labels))]
    index = [_label(name) for name in source.index.names if name is not None]
    if len(index) == 1 and index[0] not in labels:
        labels, columns = [*index, *labels], [source.index.to_series(), *columns]
    _check_names(labels)
    parts = [
        part
        for label, column in zip(labels, columns, strict=True)
        for part in _columns(label, column)
    ]
    _check_names([part.name for part in parts])
    return pl.DataFrame(parts)


def _label(label: object) -> str:
    """Return a column's label as text; of several levels, with dots."""
    text = ".".join(map(str, label)) if isinstance(label, tuple) else str(label)
    return text.encode(errors="replace").decode()  # half a surrogate pair cannot be stored


def _mapping_frame(source: Mapping[Any, Any]) -> pl.DataFrame:
    labels = [_label(label) for label in source]
    _check_names(labels)
    values = _aligned(dict(zip(labels, source.values(), strict=True)))
    columns = [part for label in labels for part in _columns(label, values[label])]
    _check_names([column.name for column in columns])
    lengths = {column.name: len(column) for column in columns}
    if len(set(lengths.values())) > 1:
        raise DataError(f"expected columns of one length, got {lengths}, give a value a row")
    return pl.DataFrame(columns)


def _check_names(names: Sequence[str]) -> None:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise DataError(
            f"expected each column once, got {', '.join(map(repr, repeated))} more than once, "
            "rename or remove the others"
        )


def _aligned(columns: dict[str, Any]) -> dict[str, Any]:
    """Return the columns with pandas Series in the order of the first one's index.

    Series whose indexes hold other labels belong to other rows: that is an error.
    """
    series = {name: values for name, values in columns.items() if _is_pandas_series(values)}
    if len(series) < 2:
        return columns
    first, *others = series
    index = series[first].index
    aligned = dict(columns)
    for name in others:
        other = series[name].index
        if index.equals(other):
            continue
        if len(index) != len(other):
            continue  # an error of lengths, which says more
        same_labels = set(index.tolist()) == set(other.tolist())
        if not (index.is_unique and other.is_unique and same_labels):
            raise DataError(
                f"expected Series with the same index, got other labels in {name!r} than in "
                f"{first!r}, select the same rows, or give .to_numpy() if they are in one order"
            )
        aligned[name] = series[name].reindex(index)
    return aligned


def _is_pandas_series(values: object) -> bool:
    return hasattr(values, "iloc") and hasattr(values, "index") and hasattr(values, "reindex")


def _columns(name: str, values: Any) -> list[pl.Series]:  # noqa: ANN401  # anything array-like
    """Return the column of these values, or several where they are mappings or structs."""
    if isinstance(values, pl.Series):
        return [_plain(values.alias(name).to_frame()).to_series()]
    if _is_pandas_series(values):
        return _pandas_columns(name, values)
    if isinstance(values, range):
        return [pl.Series(name, np.arange(values.start, values.stop, values.step))]
    if isinstance(values, list | tuple):
        return _list_columns(name, values)
    if any(hasattr(values, attribute) for attribute in _ARROW):
        with guarded(f"column {name}", TypeError, ValueError, NotImplementedError, do=_CONVERT):
            return [pl.Series(name, values)]
    return _array_columns(name, _as_array(name, values))


def _as_array(name: str, values: Any) -> Any:  # noqa: ANN401  # as above
    """Return a numpy array of one dimension."""
    if isinstance(values, str | bytes | Mapping) or not (
        hasattr(values, "__array__") or hasattr(values, "__array_interface__")
    ):
        raise DataError(
            f"column {name!r}: expected one value a row, got {type(values).__name__}, give a list "
            "or an array"
        )
    try:
        array = np.asanyarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f"column {name!r}: expected an array, got {type(values).__name__} ({error}), "
            "convert it to numpy"
        ) from error
    if array.ndim != 1 or array.dtype.names:
        shape = f"fields {array.dtype.names}" if array.dtype.names else f"the shape {array.shape}"
        raise DataError(f"column {name!r}: expected one value a row, got {shape}, give one column")
    return array


def _list_columns(name: str, cells: Sequence[Any]) -> list[pl.Series]:
    nested = [cell for cell in cells if isinstance(cell, list | tuple) or _is_array(cell)]
    if nested:
        shape = (len(cells), len(nested[0]))
        raise DataError(
            f"column {name!r}: expected one value a row, got the shape {shape}, give one column"
        )
    return _object_columns(name, cells)


def _is_array(cell: object) -> bool:
    return isinstance(cell, np.ndarray) and cell.ndim > 0


def _pandas_columns(name: str, values: Any) -> list[pl.Series]:  # noqa: ANN401  # as above
    """Return the column of a pandas Series, of numpy's types or of pandas' and arrow's own."""
    kind: Any = getattr(values.dtype, "numpy_dtype", values.dtype)  # the former of nullable ones
    if getattr(kind, "kind", "O") not in _NUMBERS:
        return _object_columns(name, values.astype(object).tolist())
    if kind is values.dtype:
        return [_number_column(name, np.asarray(values))]
    missing = np.asarray(values.isna(), dtype=np.bool_)
    filled = values.to_numpy(dtype=kind, na_value=kind.type(0))
    return [_number_column(name, filled, missing)]


def _array_columns(name: str, array: Any) -> list[pl.Series]:  # noqa: ANN401  # any array
    """Return the column of a numpy array, masked or not."""
    missing = np.ma.getmaskarray(array) if isinstance(array, np.ma.MaskedArray) else None
    data = np.ma.getdata(array)
    if data.dtype.kind in _NUMBERS:
        return [_number_column(name, data, missing)]
    cells = data.astype(object)
    if data.dtype.kind in "mM":
        cells = data.astype(str).astype(object)
        cells[np.isnat(data)] = None
    if missing is not None:
        cells[missing] = None
    return _object_columns(name, cells.tolist())


def _number_column(
    name: str, data: NDArray[Any], missing: NDArray[np.bool_] | None = None
) -> pl.Series:
    """Return a column of numbers or true/false; what is missing, and NaN, is null."""
    kind = data.dtype.newbyteorder("=")
    if kind.kind == "f" and kind.itemsize not in (4, 8):
        kind = np.dtype(np.float64)
    column = pl.Series(name, np.ascontiguousarray(data, dtype=kind))
    if kind.kind == "f":
        column = column.fill_nan(None)
    if missing is not None and missing.any():
        column = column.set(pl.Series(missing), None)
    return column


def _object_columns(name: str, cells: Sequence[Any]) -> list[pl.Series]:
    """Return the column of Python objects, or one for each name where they are mappings."""
    if not any(isinstance(cell, Mapping) for cell in cells):
        return [as_series(name, cells)]
    return as_columns([flatten({name: cell}, _NAME) for cell in cells])
