"""The tables of a comparison: A, B, the change with its limits, and what can be said of it."""

from collections.abc import Sequence

from fairage._text import number, percent
from fairage.auditing.changes import FAIRER, IDENTICAL, LESS_FAIR, OVERALL, BiasKind, GroupChange
from fairage.auditing.comparison_result import ComparisonResult
from fairage.auditing.paired_failures import FailureChange
from fairage.auditing.result_parts import MAE, MEAN_ERROR, Interval
from fairage.reports.audit_tables import (
    Table,
    TableCell,
    TableRow,
    attribute_row,
    count_cell,
    faces_cell,
    measure_cell,
    measure_title,
)
from fairage.reports.comparison_words import change_words, model_names, verdict_cell
from fairage.reports.format import as_signed_cell, attribute_words, group_order, span
from fairage.reports.gap_text import size_at_least, size_at_most

SIDES = ("a", "b")


def overall_table(result: ComparisonResult) -> Table:
    """Return MAE, mean error and average bias of both, over all faces."""
    a, b = model_names(result)
    rows = [
        TableRow(
            measure_title(measure),
            [
                *(_value(measure, result.values[side].overall[measure]) for side in SIDES),
                as_signed_cell(interval),
                faces_cell(interval),
            ],
        )
        for measure, interval in result.overall.items()
    ]
    if result.average_bias is not None:
        values = [(number(result.values[side].average_bias), "") for side in SIDES]
        change = as_signed_cell(result.average_bias)
        rows.append(TableRow("Average bias", [*values, change, faces_cell(result.average_bias)]))
    return Table(["Number", a, b, "Difference", "Faces"], rows)


def verdict_table(result: ComparisonResult) -> Table:
    """Return what can be said of all faces and of the groups of each attribute."""
    names = model_names(result)
    rows = []
    for name, verdict in result.verdicts.items():
        groups = "" if name == OVERALL else f"{len(verdict.groups):,}"
        words = verdict_cell(verdict, names)
        if name == OVERALL:
            rows.append(TableRow("All faces", [(groups, "")], words))
        else:
            rows.append(attribute_row(name, [(groups, "")], words))
    return Table(["Whose errors", "Groups judged", "What can be said"], rows)


def group_change_table(result: ComparisonResult, attribute: str, most: int) -> Table:
    """Return MAE and mean error of each group; of very many groups the first ones."""
    groups = result.groups[attribute]
    names = list(groups)
    order = [names[i] for i in group_order(attribute, names)]
    a, b = model_names(result)
    rows = [_group_row(groups[name], attribute, result.settings.margin) for name in order[:most]]
    headings = [
        "Group",
        "Faces",
        *(f"MAE {name}" for name in (a, b)),
        "Change of MAE",
        *(f"Mean error {name}" for name in (a, b)),
        "Change of mean error",
        "What can be said",
    ]
    return Table(headings, rows, max(len(order) - most, 0))


def bias_change_table(result: ComparisonResult) -> Table:
    """Return the measured and noise-corrected bias of each attribute, and its change."""
    a, b = model_names(result)
    rows = []
    for name, interval in result.bias.items():
        cells = [
            *((number(result.values[side].bias[name]), "") for side in SIDES),
            as_signed_cell(interval),
            *((number(result.values[side].corrected_bias[name]), "") for side in SIDES),
        ]
        words = _bias_words(interval, result.bias_kinds[name], result.failures.failing)
        rows.append(attribute_row(name, cells, words))
    average, kind = result.average_bias, result.average_bias_kind
    if average is not None and kind is not None:
        cells = [
            *((number(result.values[side].average_bias), "") for side in SIDES),
            as_signed_cell(average),
            *((number(result.values[side].average_corrected), "") for side in SIDES),
        ]
        rows.append(TableRow("Average", cells, _bias_words(average, kind, result.failures.failing)))
    corrected = [f"{name}, noise-corrected" for name in (a, b)]
    return Table(["Bias by", a, b, "Change", *corrected, "What can be said"], rows)


def failure_change_table(result: ComparisonResult, most: int) -> Table:
    """Return the share of faces without an estimate of both, by group."""
    failures = result.failures
    a, b = model_names(result)
    rows = [
        TableRow(
            "All faces", _failure_cells(failures.overall), _failure_words(failures.overall, a, b)
        )
    ]
    for attribute, groups in failures.items():
        for name, change in groups.items():
            rows.append(
                TableRow.named(
                    f"{attribute_words(attribute)}: {name}",
                    _failure_cells(change),
                    _failure_words(change, a, b),
                    faint=not change.takes_part,
                )
            )
    headings = [
        "Faces without an estimate",
        "Faces",
        a,
        b,
        "Difference in points",
        "What can be said",
    ]
    return Table(headings, rows[:most], max(len(rows) - most, 0))


def _group_row(group: GroupChange, attribute: str, margin: float) -> TableRow:
    words = group.reason or change_words(group.changes(attribute), margin)
    cells: list[TableCell] = [count_cell(group.n)]
    for measure in (MAE, MEAN_ERROR):
        cells += [_value(measure, getattr(group, side)[measure]) for side in SIDES]
        cells.append(as_signed_cell(group[measure]))
    return TableRow.named(group.name, cells, words, faint=not group.takes_part)


def _value(measure: str, value: float) -> TableCell:
    text, _ = measure_cell(measure, Interval(value))
    return text, ""


def _bias_words(interval: Interval, kind: BiasKind, failing: frozenset[str]) -> str:
    low, high = interval.low, interval.high
    if kind == IDENTICAL:
        return "the same estimates"
    if low is None or high is None:
        return "cannot tell"
    words = ""
    if high < 0:
        words = f"falls by at least {size_at_least(-high)}"
    elif low > 0:
        words = f"rises by at least {size_at_least(low)}"
    if words and kind not in (FAIRER, LESS_FAIR) and failing:
        return f"{words} among faces that both estimate"
    if words:
        return words
    size = size_at_most(max(abs(low), abs(high)))
    if kind == "within margin":
        return f"no change above {size}"
    return f"cannot tell: up to {size}"


def _failure_cells(change: FailureChange) -> Sequence[TableCell]:
    points = change.change
    low, high = (None if end is None else 100 * end for end in (points.low, points.high))
    difference = Interval(100 * points.value, low, high)
    return [
        count_cell(change.a.n),
        (percent(change.a.value, 1), ""),
        (percent(change.b.value, 1), ""),
        (as_signed_cell(difference, 1)[0], span(difference, 1, sign=True)),
    ]


def _failure_words(change: FailureChange, a: str, b: str) -> str:
    if not change.takes_part:
        return "too small or unknown"
    more = {"a": a, "b": b}.get(change.fails_more)
    return f"{more} fails more" if more else ""
