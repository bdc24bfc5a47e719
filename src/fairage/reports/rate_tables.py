"""The tables of rates and ranges: missing estimates, an age check, what ranges leave open."""

from collections.abc import Sequence

from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import MAE, AgeCheck, Failures, Interval, Ranges
from fairage.reports.audit_tables import (
    Cell,
    Table,
    TableRow,
    attribute_row,
    count_cell,
    faces_cell,
)
from fairage.reports.figures.svg import in_full
from fairage.reports.format import as_cell, as_percent_cell, attribute_title, number, visible
from fairage.reports.gap_text import verdict_words

__all__ = ["check_table", "failure_table", "failure_verdict_table", "range_rows", "reason_rows"]

TOO_FEW = "too few"
MOST_REASONS = 30


def failure_verdict_table(model: ModelAudit, attributes: Sequence[str]) -> Table:
    """Return the verdict on failures by attribute, and the MAE if withheld faces count."""
    failures = model.failures
    rows = [
        attribute_row(
            name,
            [
                (number(model.overall[MAE].value), ""),
                (number(failures.mae_if_withheld.get(name)), ""),
            ],
            verdict_words(failures.verdicts[name], rate=True),
        )
        for name in attributes
        if name in failures.verdicts
    ]
    headings = ["Attribute", "MAE", "MAE if withheld faces count", "What can be said of the rates"]
    return Table(headings, rows)


def failure_table(model: ModelAudit, attributes: Sequence[str], most: int) -> Table:
    """Return the rate of faces without an estimate in each group."""
    everyone = model.failures.overall
    rows = [TableRow("All faces", [as_percent_cell(everyone), count_cell(everyone.n)])]
    for name in attributes:
        for group, rate in model.failures.groups.get(name, {}).items():
            rows.append(_group_row(name, group, [as_percent_cell(rate), count_cell(rate.n)]))
    return _cut(["Group", "No estimate", "Faces", ""], rows, most)


def check_table(check: AgeCheck, most: int) -> Table:
    """Return both rates of each group at the threshold."""
    parts = [("All faces", "", check.overall)] + [
        (attribute, group, rates)
        for attribute, groups in check.groups.items()
        for group, rates in groups.items()
    ]
    rows = []
    for attribute, group, rates in parts:
        cells = [
            as_percent_cell(rates.false_positive),
            count_cell(rates.false_positive.n),
            as_percent_cell(rates.challenged),
            count_cell(rates.challenged.n),
        ]
        if group:
            remark = "" if rates.takes_part else TOO_FEW
            rows.append(_group_row(attribute, group, cells, remark))
        else:
            rows.append(TableRow(attribute, cells))
    age = f"{check.legal_age:g}"
    headings = ["Group", "Passes wrongly", f"Faces under {age}", "Challenged"]
    return _cut([*headings, f"Faces of {age} or older", ""], rows, most)


def reason_rows(failures: Failures) -> list[TableRow]:
    """Return what stands in place of an estimate, the most frequent first."""
    ordered = sorted(failures.reasons.items(), key=lambda item: -item[1])
    return [TableRow.named(reason, [count_cell(rows)]) for reason, rows in ordered[:MOST_REASONS]]


def range_rows(ranges: Ranges) -> list[TableRow]:
    """Return what ranges leave open, number by number."""
    counts: list[tuple[str, int | None, str]] = [
        ("True ages that are ranges", ranges.true_ranges, ""),
        ("Estimates that are ranges", ranges.predicted_ranges, ""),
        ("Ranges without an end", ranges.open_ranges, "no mid-point: in no mean"),
        ("Ranges in two age groups", ranges.across_age_groups, "counted where the mid-point lies"),
        ("Ranges across the legal age", ranges.across_legal_age, "left out of the age check"),
    ]
    years: list[tuple[str, Interval | None, str]] = [
        ("MAE at least", ranges.mae_least, "if each true age were the nearest in its range"),
        ("MAE at most", ranges.mae_most, "if each true age were the farthest in its range"),
        ("Width of estimated ranges", ranges.width, "years, on average"),
        ("Distance outside", ranges.outside, "years from the true age to the range, on average"),
    ]
    rows = [TableRow(name, [count_cell(n), ("", "")], remark) for name, n, remark in counts if n]
    rows += [
        TableRow(name, [as_cell(interval), faces_cell(interval)], remark)
        for name, interval, remark in years
        if interval is not None
    ]
    if ranges.inside is not None:
        inside = [as_percent_cell(ranges.inside), faces_cell(ranges.inside)]
        rows.append(TableRow("Estimates inside", inside, "true age and estimate agree"))
    return rows


def _group_row(attribute: str, group: str, cells: Sequence[Cell], remark: str = "") -> TableRow:
    name = f"{attribute_title(attribute)}: {visible(group)}"
    whole = f"{in_full(attribute)}: {in_full(group)}"
    return TableRow(name, cells, remark, whole if len(whole) > len(name) else "", bool(remark))


def _cut(headings: Sequence[str], rows: Sequence[TableRow], most: int) -> Table:
    return Table(headings, rows[:most], max(len(rows) - most, 0))
