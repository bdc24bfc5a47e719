"""What an audit says of the model's own intervals: sentences, table and figure."""

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from fairage._text import NOTHING, PER_CENT, count, joined, number, promised
from fairage.auditing.interval_coverage import (
    ABOVE,
    NEAR,
    SHORT,
    UNSURE,
    Coverage,
    CoverageKind,
    GroupCoverage,
)
from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import ALL, Interval
from fairage.reports.audit_tables import Table, TableCell, TableRow, count_cell
from fairage.reports.figures import GroupInterval, GroupIntervals, Panel, responsive
from fairage.reports.format import (
    as_cell,
    as_percent_cell,
    attribute_title,
    attribute_words,
    faces_of,
    group_order,
    with_span,
)
from fairage.reports.gap_tables import TOO_FEW, cut_table, group_row
from fairage.reports.gap_text import cut, group_list, size_at_least, size_at_most
from fairage.tables import UNKNOWN

WIDE, NARROW = 984.0, 350.0
MOST_ROWS = 20
POINTS = 100
Named = tuple[str, str, GroupCoverage]


def coverage_sentences(coverage: Coverage | None) -> list[str]:
    """Return how many true ages the intervals hold, how wide they are, and for whom they fail."""
    if coverage is None:
        return []
    return [
        _overall(coverage),
        _widths(coverage.overall),
        *_left_out(coverage.overall),
        *kind_sentences(coverage),
    ]


def kind_sentences(coverage: Coverage, attribute: str = ALL) -> list[str]:
    """Return which groups, of one attribute or of all, lie below and above the promised level."""
    if coverage.level is None or not coverage.judged:
        return []
    groups = [
        (name, group, own)
        for name, groups in coverage.items()
        for group, own in groups.items()
        if attribute in (ALL, name)
    ]
    judged = [each for each in groups if each[2].takes_part]
    if not judged:
        return [_not_judged(groups)]
    short = _of_kind(judged, SHORT)
    sure = f"(95{PER_CENT} confidence, {_at_once(coverage)})"
    first = "It falls short for no group for certain"
    if short:
        first = f"It falls short for {_listed(short, coverage.level)}"
    sentences = [f"{first} {sure}."]
    for kind, text in (
        (ABOVE, "It holds more than promised for {}."),
        (NEAR, f"It is within {POINTS * coverage.margin:g} points of the promise for {{}}."),
        (UNSURE, "These rows cannot tell whether the promise is kept for {}."),
    ):
        of_kind = _of_kind(judged, kind)
        if of_kind:
            sentences.append(text.format(_listed(of_kind, coverage.level)))
    return [*sentences, *filter(None, [_not_judged(groups)])]


def kind_words(covered: GroupCoverage, level: float | None, margin: float) -> str:
    """Return what can be said of one group's coverage, for a table's cell.

    Examples:
        >>> some = Interval(0.8, 0.7, 0.87, 100)
        >>> one = GroupCoverage(some, 0.7, 0.87, SHORT, True, some, some, 0, 0, 0)
        >>> kind_words(one, 0.9, 0.05)
        'falls short by at least 3.0 points'
    """
    if level is None or covered.kind is None:
        return ""
    return {
        SHORT: f"falls short {_by(covered, level)}",
        ABOVE: f"more than promised, {_by(covered, level)}",
        NEAR: f"within {POINTS * margin:g} points of the promise",
        UNSURE: f"cannot tell: {_by(covered, level)}",
    }[covered.kind]


def coverage_table(coverage: Coverage, attributes: Sequence[str], most: int) -> Table:
    """Return coverage and widths of each group, and what can be said of each."""
    level, margin = coverage.level, coverage.margin
    overall = coverage.overall
    rows = [TableRow("All faces", _cells(overall), kind_words(overall, level, margin))]
    for name in attributes:
        groups = coverage.groups.get(name, {})
        for group in _ordered(name, groups):
            own = groups[group]
            small = "" if own.takes_part else UNKNOWN if group == UNKNOWN else TOO_FEW
            remark = small or kind_words(own, level, margin)
            rows.append(group_row(name, group, _cells(own), remark, faint=bool(small)))
    headings = ["Group", "Holds the true age", "Faces", "Mean width", "Median width"]
    return cut_table([*headings, "What can be said"], rows, most)


def coverage_figure(coverage: Coverage, attribute: str) -> Markup:
    """Return coverage beside the promised level, and mean width, of an attribute's groups."""
    groups = coverage.groups[attribute]
    largest = sorted(groups, key=lambda name: -groups[name].covered.n)[:MOST_ROWS]
    rows = [
        GroupInterval(
            name,
            groups[name].covered.n,
            [_as_percentages(groups[name].covered), groups[name].mean_width],
            faint=not groups[name].takes_part,
        )
        for name in _ordered(attribute, groups)
        if name in largest
    ]
    level = None if coverage.level is None else POINTS * coverage.level
    panels = [
        Panel("Holds the true age, %", level),
        Panel("Mean width in years", coverage.overall.mean_width.value),
    ]
    drawing = GroupIntervals(rows, panels)
    label = f"Coverage and width of intervals by {attribute_words(attribute)}"
    return responsive(drawing, drawing.size(WIDE), drawing.size(NARROW, narrow=True), label=label)


def coverage_view(model: ModelAudit, compared: Sequence[str], figures: int, most: int) -> object:
    """Return what the page shows of a model's intervals; None where there are none."""
    coverage = model.coverage
    if coverage is None:
        return None
    return {
        "sentences": coverage_sentences(coverage),
        "level": "" if coverage.level is None else promised(coverage.level),
        "table": coverage_table(coverage, compared, most),
        "figures": [
            {
                "title": attribute_title(name),
                "svg": coverage_figure(coverage, name),
                "sentence": " ".join(kind_sentences(coverage, name)),
            }
            for name in compared[:figures]
            if name in coverage
        ],
    }


def _overall(coverage: Coverage) -> str:
    overall, level = coverage.overall, coverage.level
    covered = overall.covered
    faces = count(covered.n, "face")
    if covered.n_persons is not None:
        faces = f"{faces} of {count(covered.n_persons, 'person')}"
    share, inside = as_percent_cell(covered)
    text = f"The interval of the estimate holds the true age of {share} of {faces} ({inside})"
    if share == NOTHING:
        text = f"Whether the interval of the estimate holds the true age of {faces} is not known"
    if level is None:
        return f"{text}; how many it promises to hold is not known: --level says so."
    text = f"{text}; {promised(level)} were promised"
    if overall.kind == SHORT:
        return f"{text}: it falls short, {_by(overall, level)}."
    if overall.kind == ABOVE:
        return f"{text}: it holds more, {_by(overall, level)}."
    if overall.kind == NEAR:
        return f"{text}: that is within {POINTS * coverage.margin:g} points of the promise."
    return (
        f"{text}: these rows cannot tell whether the promise is kept, "
        f"{_by(overall, level)} are possible."
    )


def _widths(overall: GroupCoverage) -> str:
    n, median = overall.covered.n, overall.median_width.value
    if overall.open_ends == n:
        return "No interval has both ends."
    text = f"The intervals are {with_span(overall.mean_width, 1)} years wide on average"
    if not overall.open_ends:
        return f"{text}, {number(median, 1)} in the median."
    middle = f"is {number(median, 1)} years" if math.isfinite(median) else "has no end"
    return (
        f"{text}, without {count(overall.open_ends, 'interval')} of {n:,} with an open end; the "
        f"median width, in which these are the widest, {middle}."
    )


def _left_out(overall: GroupCoverage) -> list[str]:
    sentences = []
    if overall.without:
        verb = "has" if overall.without == 1 else "have"
        sentences.append(
            f"{count(overall.without, 'estimate')} {verb} no interval and {verb} no part in this."
        )
    if overall.undecided:
        sentences.append(
            f"Of {count(overall.undecided, 'face')} the true age is a range that lies partly "
            "inside the interval: this cannot be told, and the limits allow for both."
        )
    return sentences


def _listed(groups: Sequence[Named], level: float) -> str:
    """Return groups with their coverage, those furthest from the level first, cut if many."""
    ordered = sorted(groups, key=lambda each: -_reach(each[2], level))
    items = [
        f"{faces_of(name, group)} ({_share_known(own)}, {_by(own, level)})"
        for name, group, own in ordered
    ]
    return joined(cut(items))


def _share_known(covered: GroupCoverage) -> str:
    """Return the share; there is none where all true ages are ranges that lie partly inside."""
    share = as_percent_cell(covered.covered)[0]
    return "not known" if share == NOTHING else share


def _reach(covered: GroupCoverage, level: float) -> float:
    """Return how far the limits lie from the level: at least where it is outside, else at most."""
    assert covered.low is not None
    assert covered.high is not None
    if covered.kind == SHORT:
        return level - covered.high
    if covered.kind == ABOVE:
        return covered.low - level
    return max(level - covered.low, covered.high - level)


def _by(covered: GroupCoverage, level: float) -> str:
    if covered.kind in (SHORT, ABOVE):
        return f"by at least {size_at_least(_reach(covered, level), rate=True)}"
    assert covered.low is not None
    assert covered.high is not None
    less = size_at_most(max(level - covered.low, 0.0), rate=True).removesuffix(" points")
    more = size_at_most(max(covered.high - level, 0.0), rate=True)
    return f"up to {less} points less or {more} more"


def _at_once(coverage: Coverage) -> str:
    if coverage.judged == 1:
        return "one group judged"
    return f"all {coverage.judged} groups at once by Bonferroni's correction"


def _not_judged(groups: Iterable[Named]) -> str:
    left = [(name, group, own.covered.n) for name, group, own in groups if not own.takes_part]
    return f"Not judged, being too small or unknown: {group_list(left)}." if left else ""


def _of_kind(groups: Sequence[Named], kind: CoverageKind) -> list[Named]:
    return [each for each in groups if each[2].kind == kind]


def _cells(covered: GroupCoverage) -> list[TableCell]:
    median = as_cell(covered.median_width, 1)
    if math.isinf(covered.median_width.value):
        median = ("open", "")
    return [
        as_percent_cell(covered.covered),
        count_cell(covered.covered.n),
        as_cell(covered.mean_width, 1),
        median,
    ]


def _as_percentages(interval: Interval) -> Interval:
    low, high = (None if end is None else POINTS * end for end in (interval.low, interval.high))
    return Interval(POINTS * interval.value, low, high, interval.n, interval.n_persons)


def _ordered(attribute: str, groups: Iterable[str]) -> list[str]:
    names = list(groups)
    return [names[i] for i in group_order(attribute, names)]
