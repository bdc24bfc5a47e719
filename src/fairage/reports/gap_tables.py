"""The tables of gaps between groups, of rates and of ranges."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fairage._text import MINUS, limit, number, signed, visible
from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import (
    DIFFER,
    MAE,
    MEAN_ERROR,
    TELL,
    AgeCheck,
    Failures,
    Gap,
    Interval,
    Ranges,
)
from fairage.reports.audit_tables import (
    Table,
    TableCell,
    TableRow,
    attribute_row,
    count_cell,
    faces_cell,
    measure_title,
)
from fairage.reports.figures.dots import gap_bar
from fairage.reports.figures.svg import in_full
from fairage.reports.format import as_cell, as_percent_cell, attribute_title, upper_first
from fairage.reports.gap_text import apart, rows_words, verdict_words
from fairage.tables import AGE_GROUP

MOST_PAIRS = 60
PAIRS_OF_PAGE = 240
LEAST_PAIRS = 2
USUAL = 0.9  # share of the limits that the small drawings show whole
Ends = tuple[float, float]


@dataclass(frozen=True)
class GapRow:
    """A pair of groups: its name, its gap with limits, a small drawing, and what can be said."""

    name: str
    whole: str
    gap: str
    limits: str
    bar: Markup
    kind: str
    words: str


@dataclass(frozen=True)
class GapPanel:
    """The pairs of one attribute, measure by measure; `more` is how many were left out."""

    title: str
    kind: str
    parts: Sequence[tuple[str, Sequence[GapRow]]]
    more: int


def in_need(model: ModelAudit) -> list[str]:
    """Return the attributes as a reader needs them: differing, undecided, within the margin.

    Age groups come last: they are a matter of their own.
    """
    names = list(model.groups)
    kinds = [DIFFER, TELL]

    def need(name: str) -> tuple[bool, int, float, int]:
        verdict = model.verdicts.get(name)
        if verdict is None:
            return name == AGE_GROUP, len(kinds) + 1, 0.0, names.index(name)
        rank = kinds.index(verdict.kind) if verdict.kind in kinds else len(kinds)
        compared = 0 if len(verdict.groups) > 1 else 1
        return name == AGE_GROUP, rank + compared, -verdict.at_least, names.index(name)

    return sorted(names, key=need)


def verdict_table(model: ModelAudit, attributes: Sequence[str]) -> Table:
    """Return the verdict on each attribute, with what the data still allow."""
    rows = []
    for name in attributes:
        verdict = model.verdicts[name]
        note = f"{len(verdict.left_out)} left out" if verdict.left_out else ""
        most = number(None) if verdict.at_most is None else limit(verdict.at_most, 2, up=True)
        least = limit(verdict.at_least, 2, up=False) if verdict.groups else number(None)
        words, needed = upper_first(verdict_words(verdict)), rows_words(verdict)
        cells = [(f"{len(verdict.groups)}", note), (least, ""), (most, "")]
        rows.append(attribute_row(name, cells, f"{words}; {needed}" if needed else words))
    return Table(
        ["Attribute", "Groups", "Largest gap, at least", "At most", "What can be said"], rows
    )


def gap_panels(model: ModelAudit, attributes: Sequence[str]) -> list[GapPanel]:
    """Return the pairs of these attributes, so many in all that a page stays light."""
    names = [name for name in attributes if model.gaps.get(name)]
    margin = max((model.verdicts[name].margin for name in names), default=1.0)
    ends = _ends([gap for name in names for gap in model.gaps[name]], margin)
    budget, panels = PAIRS_OF_PAGE, []
    for place, name in enumerate(names):
        later = LEAST_PAIRS * (len(names) - place - 1)
        most = max(min(MOST_PAIRS, budget - later), LEAST_PAIRS)
        panel = _panel(model, name, most, ends)
        budget -= sum(len(rows) for _, rows in panel.parts)
        panels.append(panel)
    return panels


def _panel(model: ModelAudit, attribute: str, most: int, ends: Ends) -> GapPanel:
    verdict, gaps = model.verdicts[attribute], model.gaps[attribute]
    parts = []
    for measure in (MAE, MEAN_ERROR):
        pairs = [gap for gap in gaps if gap.measure == measure]
        rows = [_row(gap, verdict.margin, ends) for gap in pairs[: max(most // 2, 1)]]
        parts.append((measure_title(measure), rows))
    shown = sum(len(rows) for _, rows in parts)
    return GapPanel(attribute_title(attribute), verdict.kind, parts, len(gaps) - shown)


def _row(gap: Gap, margin: float, ends: Ends) -> GapRow:
    names = [visible(gap.first), visible(gap.second)]
    whole = [in_full(gap.first), in_full(gap.second)]
    return GapRow(
        f" {MINUS} ".join(names),
        "" if names == whole else f" {MINUS} ".join(whole),
        signed(gap.interval.value),
        _limits(gap.interval),
        gap_bar(gap.interval, margin, ends),
        gap.kind,
        upper_first(apart(gap)),
    )


def _limits(interval: Interval) -> str:
    """Return simultaneous limits, rounded outwards, so that none seems tighter than it is."""
    if interval.low is None or interval.high is None:
        return number(None)
    return f"{limit(interval.low, 2, up=False)} to {limit(interval.high, 2, up=True)}"


def _ends(gaps: Sequence[Gap], margin: float) -> tuple[float, float]:
    """Return the ends of the axis of the small drawings: all gaps, and most of their limits."""
    lows = sorted(-gap.interval.low for gap in gaps if gap.interval.low is not None)
    highs = sorted(gap.interval.high for gap in gaps if gap.interval.high is not None)
    low, high = (
        limits[int(USUAL * (len(limits) - 1))] if limits else 0.0 for limits in (lows, highs)
    )
    largest = max((gap.interval.value for gap in gaps), default=0.0)
    return -1.15 * max(low, margin), 1.15 * max(high, largest, margin)


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
            rows.append(group_row(name, group, [as_percent_cell(rate), count_cell(rate.n)]))
    return cut_table(["Group", "No estimate", "Faces", ""], rows, most)


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
            rows.append(group_row(attribute, group, cells, remark))
        else:
            rows.append(TableRow(attribute, cells))
    age = f"{check.legal_age:g}"
    headings = ["Group", "Passes wrongly", f"Faces under {age}", "Challenged"]
    return cut_table([*headings, f"Faces of {age} or older", ""], rows, most)


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


def group_row(
    attribute: str,
    group: str,
    cells: Sequence[TableCell],
    remark: str = "",
    *,
    faint: bool | None = None,
) -> TableRow:
    """Return a row for a group; `faint`: whether it takes no part, as where it has a remark."""
    name = f"{attribute_title(attribute)}: {visible(group)}"
    whole = f"{in_full(attribute)}: {in_full(group)}"
    is_faint = bool(remark) if faint is None else faint
    return TableRow(name, cells, remark, whole if len(whole) > len(name) else "", is_faint)


def cut_table(headings: Sequence[str], rows: Sequence[TableRow], most: int) -> Table:
    """Return a table of at most so many rows."""
    return Table(headings, rows[:most], max(len(rows) - most, 0))
