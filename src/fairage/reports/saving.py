"""Saving an audit or a comparison as page, JSON or table; what a notebook shows of it."""

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Union

import polars as pl
from markupsafe import Markup

from fairage._files import atomic_path, write_text
from fairage._tables_io import write_table
from fairage._text import number, visible
from fairage.auditing.result import AuditResult, ModelAudit
from fairage.auditing.result_parts import DIFFER, MAE, TELL, WITHIN
from fairage.exceptions import ConfigError
from fairage.reports.audit_text import headline, rows_sentence
from fairage.reports.figures.axes import Scale, limits
from fairage.reports.figures.svg import BAND, MUTED, Drawing, Size, colour, in_full
from fairage.reports.format import as_cell, attribute_title, upper_first
from fairage.reports.gap_tables import in_need
from fairage.reports.gap_text import verdict_words
from fairage.reports.html import render

if TYPE_CHECKING:
    from fairage.auditing.comparison_result import ComparisonResult


MOST_MODELS, MOST_ATTRIBUTES, MOST_DOTS = 8, 12, 60
DOTS = Size(190.0, 20.0)
KINDS = {DIFFER: "#c2550d", WITHIN: "#11805d", TELL: "#767b84"}  # readable on light and on dark
View = dict[str, object]


def audit_view(result: AuditResult) -> str:
    """Return a small piece of HTML, with its style inside, for the cell of a notebook.

    Args:
        result: What `fairage.audit` returned.
    """
    models = list(result.models.values())
    return render(
        "notebook.html.j2",
        title=f"Audit of {visible(result.name)}",
        rows_sentence=rows_sentence(result),
        models=[_model(model, named=len(models) > 1) for model in models[:MOST_MODELS]],
        models_left=max(len(models) - MOST_MODELS, 0),
        notes=len(result.notes),
    )


def _model(model: ModelAudit, *, named: bool) -> View:
    names = [name for name in in_need(model) if name in model.verdicts]
    shown = names[:MOST_ATTRIBUTES]
    errors = [g[MAE].value for name in shown for g in model.groups[name].values()]
    scale = limits([*errors, model.overall[MAE].value])
    return {
        "headline": headline(model, named=named),
        "mae": as_cell(model.overall[MAE]),
        "rows": [_row(model, name, scale) for name in shown],
        "left": len(names) - len(shown),
    }


def _row(model: ModelAudit, attribute: str, scale: Scale) -> View:
    verdict = model.verdicts[attribute]
    return {
        "name": attribute_title(attribute),
        "whole": in_full(attribute),
        "colour": KINDS[verdict.kind],
        "verdict": upper_first(verdict_words(verdict)),
        "bias": as_cell(model.bias.get(attribute)),
        "corrected": number(model.corrected_bias.get(attribute)),
        "dots": _dots(model, attribute, scale),
        "range": _range(model, attribute),
    }


def _dots(model: ModelAudit, attribute: str, scale: Scale) -> Markup:
    """Return the groups' MAE as dots on the axis that all attributes share."""
    drawing, middle = Drawing(), DOTS.height / 2
    across = Scale(max(scale.low, 0.0), scale.high, 6.0, DOTS.width - 6.0)
    groups = sorted(model.groups[attribute].values(), key=lambda group: -group.n)[:MOST_DOTS]
    drawing.rect((0, middle - 1), DOTS.width, 2, fill=BAND, radius=1, opacity=0.5)
    overall = model.overall[MAE].value
    if math.isfinite(overall):
        x = across.inside(overall)
        drawing.line((x, 1), (x, DOTS.height - 1), stroke=MUTED, width=1.2)
    for group in sorted(groups, key=lambda each: each.takes_part):
        value = group[MAE].value
        if math.isfinite(value):
            opacity = 0.9 if group.takes_part else 0.35
            drawing.marker(
                across.inside(value), middle, fill=colour(0), radius=4.5, opacity=opacity
            )
    return drawing.svg(DOTS, f"MAE by {attribute_title(attribute)}")


def _range(model: ModelAudit, attribute: str) -> str:
    """Return the groups with the smallest and with the largest measured error."""
    groups = [g for g in model.groups[attribute].values() if g.takes_part]
    groups = [g for g in groups if math.isfinite(g[MAE].value)]
    if not groups:
        return ""
    ends = [pick(groups, key=lambda each: each[MAE].value) for pick in (min, max)]
    texts = [f"{visible(end.name)} {number(end[MAE].value)}" for end in ends]
    return texts[0] if len(groups) == 1 else " to ".join(texts)


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
    write_table(result.to_frame(), path)


_WRITERS: dict[str, Callable[[SavedResult, Path], None]] = {
    ".html": _page,
    ".json": _numbers,
    ".csv": _csv,
    ".parquet": _parquet,
}
