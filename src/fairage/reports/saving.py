"""Writing a result to a file: the suffix says whether as a page, as numbers or as a table."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Union

import polars as pl

from fairage._files import atomic_path, write_text
from fairage.auditing.result import AuditResult
from fairage.exceptions import ConfigError

if TYPE_CHECKING:
    from fairage.auditing.comparison_result import ComparisonResult

__all__ = ["save_result", "spreadsheet_safe"]

SavedResult = Union[AuditResult, "ComparisonResult"]

_FORMULA = re.compile(r"^[\s\x00-\x1f]*[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?\s*%?")


def save_result(result: SavedResult, path: str | Path) -> Path:
    """Write a result at once, so that nobody reads half of it, and return the path.

    Args:
        result: The result of an audit or of a comparison.
        path: `.html` for the page, `.json` for all numbers, `.csv` or `.parquet` for a table.

    Raises:
        ConfigError: The name ends otherwise.

    Examples:
        >>> save_result(None, "audit.pdf")
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: expected a file name that ends in .html, .json, .csv or
        .parquet, got 'audit.pdf', choose one of these
    """
    path = Path(path)
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        *names, last = _WRITERS
        raise ConfigError(
            f"expected a file name that ends in {', '.join(names)} or {last}, got {str(path)!r}, "
            "choose one of these"
        )
    write(result, path)
    return path


def spreadsheet_safe(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table with a quote before each text that a spreadsheet would run as a formula.

    Names come from strangers' tables; numbers written as text stay as they are.

    Examples:
        >>> spreadsheet_safe(pl.DataFrame({"group": ["=1+1", "-3", "male"]}))["group"].to_list()
        ["'=1+1", '-3', 'male']
    """
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    safe = [pl.Series(name, [_safe(text) for text in frame[name]], pl.String) for name in texts]
    frame = frame.with_columns(safe)
    return frame.rename({name: _safe(name) or name for name in frame.columns})


def _safe(text: str | None) -> str | None:
    if text is None or not _FORMULA.match(text) or _NUMBER.fullmatch(text.strip()):
        return text
    return f"'{text}"


def _page(result: SavedResult, path: Path) -> None:
    if isinstance(result, AuditResult):
        from fairage.reports.audit_page import audit_html

        write_text(path, audit_html(result))
    else:
        from fairage.reports.comparison_page import comparison_html

        write_text(path, comparison_html(result))


def _numbers(result: SavedResult, path: Path) -> None:
    text = json.dumps(result.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    write_text(path, f"{text}\n")


def _csv(result: SavedResult, path: Path) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        spreadsheet_safe(result.to_frame()).write_csv(file)


def _parquet(result: SavedResult, path: Path) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        result.to_frame().write_parquet(file)


_WRITERS: dict[str, Callable[[SavedResult, Path], None]] = {
    ".html": _page,
    ".json": _numbers,
    ".csv": _csv,
    ".parquet": _parquet,
}
