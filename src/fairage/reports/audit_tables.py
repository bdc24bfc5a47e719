"""The tables of an audit: rows of cells, each a number and its interval.

Columns of measures are loops over the keys that a result has, so that a new measure, or a user's
own, can be missing in none of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fairage._text import MINUS, NOTHING, number, percent, visible
from fairage.auditing.measures import MEASURES, Measure
from fairage.auditing.result import AuditResult, ModelAudit
from fairage.auditing.result_parts import MAE, GroupAudit, Interval
from fairage.reports.figures.svg import in_full
from fairage.reports.format import (
    as_cell,
    as_percent_cell,
    as_signed_cell,
    attribute_title,
    attribute_words,
)
from fairage.reports.gap_text import verdict_words

TableCell = tuple[str, str]
SPREAD_TITLES = {"gap": "Worst-best gap", "ratio": "Largest / smallest", "gini": "Gini"}
SPREAD_DIGITS = {"gini": 3}
MOST_BIASES = 12  # columns of the table of models


@dataclass(frozen=True)
class TableRow:
    """A row of a table.

    Args:
        name: Its name, short enough for a table.
        cells: Each a number and its interval, both as text.
        remark: A remark in words.
        whole: The whole name where `name` is cut.
        faint: Whether the row takes no part.
    """

    name: str
    cells: Sequence[TableCell]
    remark: str = ""
    whole: str = ""
    faint: bool = False

    @classmethod
    def named(
        cls, name: str, cells: Sequence[TableCell], remark: str = "", *, faint: bool = False
    ) -> "TableRow":
        """Return a row for a name of any length from a stranger's table."""
        short, whole = visible(name), in_full(name)
        return cls(short, cells, remark, "" if short == whole else whole, faint)


@dataclass(frozen=True)
class Table:
    """Headings and rows; `more` is how many rows were left out."""

    headings: Sequence[str]
    rows: Sequence[TableRow]
    more: int = 0


def measure_title(key: str, own: Mapping[str, Measure] = MappingProxyType({})) -> str:
    """Return the title of a measure; `own`: the user's own measures, by key.

    Examples:
        >>> measure_title("mae"), measure_title("gross_errors")
        ('MAE', 'Gross errors')
    """
    measure = MEASURES.get(key) or own.get(key)
    if measure is None:
        return attribute_title(key)
    return f"{measure.title} (approximate)" if measure.approximate else measure.title


def measure_cell(
    key: str, interval: Interval | None, own: Mapping[str, Measure] = MappingProxyType({})
) -> TableCell:
    """Return a measure's number and interval, written in its unit.

    Examples:
        >>> measure_cell("mae", Interval(3.0, 2.5, 3.5, 10))
        ('3.00', '2.50 to 3.50')
        >>> measure_cell("mean_error", Interval(1.0, 0.5, 1.5, 10))
        ('+1.00', '+0.50 to +1.50')
    """
    measure = MEASURES.get(key) or own.get(key)
    if measure is None:
        return as_cell(interval)
    if measure.unit == "share":
        return as_percent_cell(interval, measure.digits)
    if measure.better == "zero":
        return as_signed_cell(interval, measure.digits)
    return as_cell(interval, measure.digits)


def attribute_row(name: str, cells: Sequence[TableCell], remark: str = "") -> TableRow:
    """Return a row for an attribute of any name."""
    short, whole = attribute_title(name), in_full(name)
    return TableRow(short, cells, remark, whole if len(whole) > len(short) else "")


def error_rows(model: ModelAudit) -> list[TableRow]:
    """Return every measure of all rows, with its faces and what it means."""
    own = model.own_measures
    return [
        TableRow.named(
            measure_title(key, own),
            [measure_cell(key, interval, own), faces_cell(interval)],
            {**MEASURES, **own}[key].meaning if key in {**MEASURES, **own} else "",
        )
        for key, interval in model.overall.items()
    ]


def model_table(result: AuditResult) -> Table:
    """Return the models side by side: MAE, mean error, average bias, bias of each attribute."""
    attributes = list(dict.fromkeys(a for m in result.models.values() for a in m.bias))
    attributes = attributes[:MOST_BIASES]
    keys = [MAE, "mean_error"]
    rows = [
        TableRow.named(
            model.name,
            [
                count_cell(model.n),
                *(measure_cell(key, model.overall.get(key)) for key in keys),
                as_cell(model.average_bias),
                *(as_cell(model.bias.get(name)) for name in attributes),
            ],
            verdict_words(model.verdict),
        )
        for model in result.models.values()
    ]
    headings = ["Model", "Faces", *map(measure_title, keys), "Average bias"]
    biases = [f"Bias by {attribute_words(name)}" for name in attributes]
    return Table([*headings, *biases, "What can be said"], rows)


def bias_table(model: ModelAudit, attributes: Sequence[str]) -> Table:
    """Return each attribute's bias, without noise and beside its floor, then the average."""
    rows = [
        attribute_row(
            name,
            [
                as_cell(model.bias[name]),
                (number(model.corrected_bias.get(name)), ""),
                _floor(model, name),
                as_cell(model.mean_error_bias.get(name)),
            ],
        )
        for name in attributes
        if name in model.bias
    ]
    if model.average_bias is not None:
        floor = model.average_floor
        up_to = None if floor is None else f"up to {number(floor.p975)}"
        rows.append(
            TableRow(
                "Average",
                [
                    as_cell(model.average_bias),
                    (number(model.average_corrected), ""),
                    (number(None if floor is None else floor.mean), up_to or ""),
                    as_cell(model.average_mean_error_bias),
                ],
            )
        )
    return Table(
        ["Attribute", "Bias", "Noise-corrected", "Noise floor", "Bias of mean errors"], rows
    )


def spread_table(model: ModelAudit, attributes: Sequence[str]) -> Table:
    """Return the further measures of how unequal the groups of each attribute are."""
    keys = list(dict.fromkeys(key for name in attributes for key in model.spread.get(name, {})))
    rows = [
        attribute_row(
            name, [as_cell(model.spread[name].get(key), SPREAD_DIGITS.get(key, 2)) for key in keys]
        )
        for name in attributes
        if model.spread.get(name)
    ]
    titles = [SPREAD_TITLES.get(key, attribute_title(key)) for key in keys]
    return Table(["Attribute", *titles], rows)


def group_table(
    groups: Mapping[str, GroupAudit],
    order: Sequence[str],
    most: int,
    own: Mapping[str, Measure] = MappingProxyType({}),
) -> Table:
    """Return every measure of each group; of very many groups the first ones."""
    keys = list(dict.fromkeys(key for group in groups.values() for key in group))
    persons = any(group.n_persons is not None for group in groups.values())
    rows = []
    for group in (groups[name] for name in order[:most]):
        cells = [count_cell(group.n)]
        cells += [count_cell(group.n_persons)] if persons else []
        cells.append((number(group.mean_age, 1), ""))
        cells += [measure_cell(key, group.measures.get(key), own) for key in keys]
        rows.append(TableRow.named(group.name, cells, group.reason, faint=not group.takes_part))
    head = ["Group", "Faces", *(["Persons"] if persons else []), "Mean age"]
    titles = [measure_title(key, own) for key in keys]
    return Table([*head, *titles, ""], rows, max(len(order) - most, 0))


def adjusted_table(model: ModelAudit, attributes: Sequence[str], most: int) -> Table:
    """Return what of each gap comes from age, those that are largest as they are first."""
    gaps = [gap for name in attributes for gap in model.by_age.adjusted.get(name, ())]
    gaps.sort(key=lambda gap: (not gap.usable, -abs(gap.crude.value)))
    rows = []
    for gap in gaps[:most]:
        pair = f"{visible(gap.first)} {MINUS} {visible(gap.second)}"
        name = f"{attribute_title(gap.attribute)}: {pair}, {measure_title(gap.measure)}"
        whole = f"{in_full(gap.attribute)}: {in_full(gap.first)} {MINUS} {in_full(gap.second)}"
        used = percent(min(gap.share_used))
        cells = [
            as_signed_cell(gap.crude),
            as_signed_cell(gap.adjusted),
            as_signed_cell(gap.explained),
        ]
        remark = "" if gap.usable else "too few faces of the same ages: cannot tell"
        rows.append(
            TableRow(name, [*cells, (_ages(gap.bands), used)], remark, whole, not gap.usable)
        )
    headings = ["Gap", "As it is", "At the same ages", "Comes from age", "Ages used", ""]
    return Table(headings, rows, max(len(gaps) - most, 0))


def count_cell(n: int | None) -> TableCell:
    """Return a number of faces or persons for a table's cell."""
    return (NOTHING if n is None else f"{n:,}", "")


def faces_cell(interval: Interval) -> TableCell:
    """Return how many faces, and persons where known, stand behind a number."""
    persons = "" if interval.n_persons is None else f"{interval.n_persons:,} persons"
    return f"{interval.n:,}", persons


def _floor(model: ModelAudit, attribute: str) -> TableCell:
    floor = model.floors.get(attribute)
    return (NOTHING, "") if floor is None else (number(floor.mean), f"up to {number(floor.p975)}")


def _ages(bands: Iterable[tuple[float, float]]) -> str:
    """Return ages as spans, bands that touch joined.

    Examples:
        >>> _ages([(10.0, 15.0), (15.0, 20.0), (30.0, 35.0)])
        '10–20, 30–35'
    """
    spans: list[tuple[float, float]] = []
    for low, high in sorted(bands):
        if spans and spans[-1][1] == low:
            spans[-1] = (spans[-1][0], high)
        else:
            spans.append((low, high))
    return ", ".join(f"{low:g}{NOTHING}{high:g}" for low, high in spans) or NOTHING
