"""Text that a spreadsheet would take for a formula, written with a leading `'`."""

import re

import polars as pl

from fairage._table_formats.numbers import NUMBER

__all__ = ["as_written", "with_escaped_formulas", "without_escapes"]

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
