"""Cells as Python holds them, in columns of one type; nested ones side by side."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from fairage.exceptions import DataError

__all__ = ["as_columns", "as_series", "flatten", "is_missing"]

_DEEPEST = 20
_INT64 = 2**63


def is_missing(cell: object) -> bool:
    """Whether a cell holds nothing: None, NaN, and pandas' and numpy's own marks.

    Examples:
        >>> is_missing(float("nan")), is_missing("nan")
        (True, False)
    """
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(cell, Mapping | Sequence):
        return False
    try:
        return bool(cell != cell)  # NaN and NaT are not themselves
    except (TypeError, ValueError):  # an array
        return False


def as_series(name: str, cells: Sequence[Any]) -> pl.Series:
    """Return a column of integers, numbers, true/false or, where they are mixed, text.

    Examples:
        >>> as_series("age", [31, None, 30.5]).to_list(), as_series("age", [31, "old"]).to_list()
        ([31.0, None, 30.5], ['31', 'old'])
    """
    name = _text(name)
    values = [
        None if is_missing(cell) else _plain(cell, name, row) for row, cell in enumerate(cells)
    ]
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds and kinds <= {int, float}:
        whole = [value for value in values if isinstance(value, int)]
        if all(-_INT64 <= value < _INT64 for value in whole):
            kind = pl.Float64 if float in kinds else pl.Int64
            return pl.Series(name, values, dtype=kind, strict=False)
    texts = [None if value is None else _text(value) for value in values]
    return pl.Series(name, texts, dtype=pl.String)


def _plain(cell: Any, name: str, row: int) -> Any:  # noqa: ANN401  # anything a cell can be
    """Return a number, a truth value or text; of numpy's scalars what they hold."""
    if type(cell) in (str, int, float, bool):
        return cell
    if isinstance(cell, bytes | bytearray):
        try:
            return bytes(cell).decode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"row {row + 1}, column {name!r}: expected text in UTF-8, got bytes {cell[:20]!r}, "
                "decode them"
            ) from error
    if hasattr(cell, "dtype") and hasattr(cell, "item") and not getattr(cell, "shape", ()):
        return _plain(cell.item(), name, row)
    if type(cell).__name__ == "Decimal":
        return float(cell)
    return str(cell)


def _text(value: bool | float | str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).encode(errors="replace").decode()  # half a surrogate pair cannot be stored


def flatten(record: Mapping[Any, Any], name: str) -> dict[str, Any]:
    """Return a record whose nested objects stand side by side, with dots in their names.

    A list of one element is that element; a longer one is its text; an empty one holds nothing.

    Examples:
        >>> flatten({"face": [{"age": 31, "box": [4, 8]}]}, "faces.json")
        {'face.age': 31, 'face.box': '[4, 8]'}
    """
    flat: dict[str, Any] = {}
    _flatten_into(flat, record, "", name, depth=0)
    return flat


def as_columns(records: Sequence[Mapping[str, Any]]) -> list[pl.Series]:
    """Return the columns of flat records; what a record lacks is missing.

    Examples:
        >>> [(column.name, column.to_list()) for column in as_columns([{"a": 1}, {"b": "x"}])]
        [('a', [1, None]), ('b', [None, 'x'])]
    """
    names = dict.fromkeys(key for record in records for key in record)
    parents = {key[:place] for key in names for place, sign in enumerate(key) if sign == "."}
    columns = [as_series(key, [record.get(key) for record in records]) for key in names]
    # An object that is missing in some rows is a column of nothing beside those of its parts.
    return [
        column
        for column in columns
        if column.name not in parents or column.null_count() < len(column)
    ]


def _flatten_into(
    flat: dict[str, Any],
    value: Any,  # noqa: ANN401  # anything JSON can hold
    key: str,
    name: str,
    depth: int,
) -> None:
    if depth > _DEEPEST:
        raise DataError(
            f"expected objects nested at most {_DEEPEST} deep, got more in {name!r}, flatten them"
        )
    if isinstance(value, list | tuple) and len(value) <= 1:
        _flatten_into(flat, value[0] if value else None, key, name, depth + 1)
    elif isinstance(value, Mapping) and (value or not key):
        for inner, each in value.items():
            _flatten_into(flat, each, f"{key}.{inner}" if key else str(inner), name, depth + 1)
    elif key in flat:
        raise DataError(
            f"expected each column once, got {key!r} more than once in {name!r}, rename the others"
        )
    else:
        flat[key] = _leaf(value)


def _leaf(value: Any) -> Any:  # noqa: ANN401  # as above
    if isinstance(value, list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return None if isinstance(value, Mapping) else value
