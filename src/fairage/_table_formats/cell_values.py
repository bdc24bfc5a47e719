"""Cells as Python holds them, in columns of one type; nested ones side by side."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from fairage.exceptions import DataError

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


_INTEGER = r"^[+-]?\d+$"
_ID = r"^[+-]?0\d+$"  # an integer that starts with a zero
_FLOAT = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_NOT_FINITE = r"^(?i:[+-]?(nan|inf|infinity))$"
_DECIMAL_COMMA = r"^[+-]?\d+(,\d+)?$"
NUMBER = r"^[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?$"
"""What a spreadsheet may take for a number: decimal points and commas, and powers of ten."""


def infer_types(frame: pl.DataFrame, *, decimal_comma: bool = False) -> pl.DataFrame:
    """Return the frame with the columns of text that hold numbers, or true and false, so typed.

    A column is of a type if every cell of it is that is not empty. Integers that start with a
    zero, or are too large for 64 bits, are ids: their column stays text.

    Args:
        frame: Any frame; only its columns of text are looked at.
        decimal_comma: "31,5" is 31.5.

    Examples:
        >>> infer_types(pl.DataFrame({"id": ["007"], "age": ["31.5"], "n": ["4"]})).row(0)
        ('007', 31.5, 4)
    """
    texts = [column for column, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(
        _infer(frame[column], decimal_comma=decimal_comma) for column in texts
    )


def _infer(column: pl.Series, *, decimal_comma: bool) -> pl.Series:
    cells = column.str.strip_chars()
    cells = cells.set(cells == "", None)
    values = cells.drop_nulls()
    if values.is_empty() or values.str.contains(_ID).any():
        return column
    if values.str.contains(_INTEGER).all():
        numbers = cells.cast(pl.Int64, strict=False)
        return numbers if numbers.null_count() == cells.null_count() else column
    is_float = values.str.contains(_FLOAT)
    if is_float.any() and (is_float | values.str.contains(_NOT_FINITE)).all():
        return cells.cast(pl.Float64, strict=False)
    if decimal_comma and values.str.contains(_DECIMAL_COMMA).all():
        return cells.str.replace(",", ".", literal=True).cast(pl.Float64)
    if values.is_in(["true", "false", "True", "False"]).all():
        return cells.str.to_lowercase() == "true"
    return column


_FORMULA = r"^'*[=+\-@\t\r]"
_ESCAPED = r"^'+[=+\-@\t\r]"


def with_escaped_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with a `'` before each name and text that is a formula and no number.

    Examples:
        >>> with_escaped_formulas(pl.DataFrame({"a": ["=1+1", "-5", "x"]}))["a"].to_list()
        ["'=1+1", '-5', 'x']
    """
    texts = (pl.String, pl.Categorical, pl.Enum)
    columns = [name for name, kind in frame.schema.items() if isinstance(kind, texts)]
    escaped = frame.with_columns(
        _escape(pl.col(name).cast(pl.String)).alias(name) for name in columns
    )
    return escaped.rename({name: _escape_name(name) for name in frame.columns})


def without_escapes(column: pl.Expr) -> pl.Expr:
    """Return a column of text as it was before `with_escaped_formulas`."""
    return pl.when(column.str.contains(_ESCAPED)).then(column.str.slice(1)).otherwise(column)


def as_written(name: str) -> str:
    """Return a column's name as it was before `with_escaped_formulas`."""
    return name[1:] if re.match(_ESCAPED, name) else name


def _escape(column: pl.Expr) -> pl.Expr:
    is_formula = column.str.contains(_FORMULA) & ~column.str.contains(NUMBER)
    return pl.when(is_formula).then("'" + column).otherwise(column)


def _escape_name(name: str) -> str:
    return f"'{name}" if re.match(_FORMULA, name) else name
