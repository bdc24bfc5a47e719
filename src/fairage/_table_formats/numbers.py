"""Types of columns of text: numbers, true and false; ids such as 000012 stay text."""

import polars as pl

__all__ = ["NUMBER", "infer_types"]

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
