"""The table of a suite's versions: ours, the study's number and the noise floor, in rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fairage.audit.score_columns import AVERAGE_BIAS, MAE
from fairage.report.suite_numbers import Number, VersionNumbers
from fairage.report.words import attribute_title, number, signed

__all__ = [
    "Cell",
    "Change",
    "ChangeRow",
    "Row",
    "VersionRows",
    "change_rows",
    "headings",
    "version_rows",
]


@dataclass(frozen=True)
class Cell:
    """A number as text, its spread over seeds, and whether it is the column's lowest."""

    text: str
    spread: str = ""
    best: bool = False


@dataclass(frozen=True)
class Row:
    """One kind of number of one version: `kind` is `ours` or `other`."""

    name: str
    kind: str
    cells: list[Cell]


@dataclass(frozen=True)
class VersionRows:
    """The rows of one version."""

    name: str
    experiment: str
    description: str
    rows: list[Row]


@dataclass(frozen=True)
class Change:
    """A difference to the baseline, its interval, and whether that leaves 0 out."""

    text: str
    span: str
    resolved: bool


@dataclass(frozen=True)
class ChangeRow:
    """The differences of one version."""

    name: str
    cells: list[Change]


def headings(columns: Sequence[str]) -> list[str]:
    """Return the title of each column of results.

    Examples:
        >>> headings(["skin_tone_bias", "average_bias", "mae"])
        ['Skin tone', 'Average', 'MAE']
    """
    special = {MAE: "MAE", AVERAGE_BIAS: "Average"}
    return [special.get(c) or attribute_title(c.removesuffix("_bias")) for c in columns]


def version_rows(versions: Sequence[VersionNumbers], columns: Sequence[str]) -> list[VersionRows]:
    """Return each version's rows: ours always, the study's and the floor where they are known."""
    ours = {c: _lowest(v.metrics[c].mean for v in versions if c in v.metrics) for c in columns}
    study = {
        c: _lowest((v.run.published or {})[c] for v in versions if c in (v.run.published or {}))
        for c in columns
    }
    return [
        VersionRows(
            version.name,
            version.run.experiment,
            version.run.description,
            _rows(version, ours, study),
        )
        for version in versions
    ]


def _rows(version: VersionNumbers, ours: dict[str, str], study: dict[str, str]) -> list[Row]:
    rows = [Row("ours", "ours", [_ours(version.metrics.get(c), ours[c]) for c in ours])]
    spans = [_span(version.metrics.get(c)) for c in ours]
    if any(spans):
        rows.append(Row("95 % interval", "other", [Cell(span) for span in spans]))
    if published := version.run.published:
        cells = [_cell(published.get(c), study[c]) for c in study]
        rows.append(Row("study", "other", cells))
    floors = [version.metrics[c].floor if c in version.metrics else None for c in ours]
    if any(floor is not None for floor in floors):
        rows.append(Row("noise floor", "other", [Cell(number(floor)) for floor in floors]))
    return rows


def change_rows(versions: Sequence[VersionNumbers], columns: Sequence[str]) -> list[ChangeRow]:
    """Return each version's change from the baseline; nothing where it is not known."""
    return [
        ChangeRow(version.name, [_change(version.metrics.get(c)) for c in columns])
        for version in versions
        if any(found.change is not None for found in version.metrics.values())
    ]


def _change(found: Number | None) -> Change:
    if found is None or found.change is None:
        return Change(number(None), "", resolved=False)
    low, high = found.change_low, found.change_high
    span = "" if low is None or high is None else f"{signed(low)} to {signed(high)}"
    return Change(signed(found.change), span, resolved=found.resolved)


def _span(found: Number | None) -> str:
    if found is None or found.low is None or found.high is None:
        return ""
    return f"{number(found.low)} to {number(found.high)}"


def _ours(found: Number | None, best: str) -> Cell:
    if found is None:
        return Cell(number(None))
    text = number(found.mean)
    return Cell(text, "" if found.sd is None else number(found.sd), text == best)


def _cell(value: float | None, best: str) -> Cell:
    return Cell(number(value), best=value is not None and number(value) == best)


def _lowest(values: Iterable[float]) -> str:
    """Return the lowest value as it is printed: what prints alike is equally good."""
    return number(min(values, default=None))
