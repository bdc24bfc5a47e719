"""The phrases that a comparison's sentences and cells are made of.

A lower limit is rounded down and an upper limit up, so that no sentence says more than the numbers.
"""

from collections.abc import Iterable, Sequence

from fairage._text import MINUS, count, joined, limit, visible
from fairage.auditing.changes import (
    BETTER,
    IDENTICAL,
    MIXED,
    OVERALL,
    SHIFTED,
    WITHIN_MARGIN,
    WORSE,
    Change,
    ChangeVerdict,
)
from fairage.auditing.comparison_result import ComparisonResult
from fairage.auditing.result_parts import Interval
from fairage.reports.format import faces_of
from fairage.reports.gap_text import NAMED_GROUPS, cut, size_at_least, size_at_most

CONFIDENCE = "(95\N{NARROW NO-BREAK SPACE}% confidence)"
AT_ONCE = "(95\N{NARROW NO-BREAK SPACE}% confidence, all groups at once)"


def model_names(result: ComparisonResult) -> tuple[str, str]:
    """Return how to call the two models; A and B where their names look the same."""
    a, b = visible(result.a), visible(result.b)
    return (a, b) if a != b else ("A", "B")


def among(result: ComparisonResult) -> str:
    """Return what to begin a sentence with where a model leaves out more faces; else nothing."""
    return "among faces that both estimate, " if result.failures.failing else ""


def between_limits(low: float, high: float) -> str:
    """Return the size of a sure change, given the nearer and the farther limit of it.

    Examples:
        >>> between_limits(0.318, 0.552)
        'at least 0.31 and at most 0.56 years'
    """
    return f"at least {_without_unit(size_at_least(low))} and at most {size_at_most(high)}"


def either_way(interval: Interval) -> str:
    """Return how far a number may have fallen or risen, where its interval holds 0.

    Examples:
        >>> either_way(Interval(-0.1, -0.52, 0.31)), either_way(Interval(0.1, 0.0, 0.31))
        ('up to 0.52 years smaller or 0.31 years larger', 'up to 0.31 years larger')
    """
    if interval.low is None or interval.high is None:
        return "smaller or larger by as much as nobody knows"
    parts = []
    if interval.low < 0:
        parts.append(f"{size_at_most(-interval.low)} smaller")
    if interval.high > 0:
        parts.append(f"{size_at_most(interval.high)} larger")
    return f"up to {joined(parts, 'or')}" if parts else "no smaller and no larger"


def outward(low: float | None, high: float | None) -> str:
    """Return the limits of a change with their signs, rounded away from its middle.

    Examples:
        >>> outward(-0.341, 0.171), outward(-0.9, -0.25)
        ('\u22120.35 to +0.18 years', '\u22120.90 to \u22120.25 years')
    """
    if low is None or high is None:
        return "anything"
    ends = [
        _signed(end, limit(abs(end), 2, up=(end > 0) == upper))
        for end, upper in ((low, False), (high, True))
    ]
    return f"{ends[0]} to {ends[1]} years"


def changed_groups(changes: Sequence[Change], most: int = NAMED_GROUPS) -> str:
    """Return the groups of sure changes, each with the least size of its change.

    Examples:
        >>> changed_groups([Change("gender", "male", "mae", Interval(-1.5, -2.1, -0.97))])
        'male faces (by at least 0.97 years)'
    """
    items = [
        f"{faces_of(change.attribute, change.group)} (by at least {size_at_least(change.at_least)})"
        for change in changes
    ]
    return joined(cut(items, most))


def change_words(changes: Iterable[Change], margin: float) -> str:
    """Return what can be said of one group, for a table's cell.

    Examples:
        >>> sure = Change("gender", "male", "mae", Interval(-1.5, -2.1, -0.97))
        >>> change_words([sure], 1.0)
        'MAE smaller by at least 0.97 years'
        >>> unsure = Change("gender", "male", "mae", Interval(-0.1, -0.3, 0.1))
        >>> change_words([unsure], 1.0), change_words([unsure], 0.2)
        ('no change above 0.30 years', 'cannot tell: up to 0.30 years')
    """
    changes = list(changes)
    if all(change.identical for change in changes):
        return "the same estimates"
    sure = [_sure(change) for change in changes if change.differs]
    if sure:
        return "; ".join(sure)
    bounds = [change.at_most for change in changes]
    finite = [bound for bound in bounds if bound is not None]
    if len(finite) < len(bounds):
        return "cannot tell"
    most = max(finite)
    words = "no change above" if most <= margin else "cannot tell: up to"
    return f"{words} {size_at_most(most)}"


def verdict_cell(verdict: ChangeVerdict, names: tuple[str, str]) -> str:
    """Return a verdict in a few words, for a tile or a table's cell.

    Examples:
        >>> verdict_cell(ChangeVerdict("gender", "within margin", 1.0, at_most=0.73), ("A", "B"))
        'no change above 0.73 years'
        >>> verdict_cell(ChangeVerdict("gender", "better", 1.0), ("one", "two"))
        'two is better for some groups, surely worse for none'
    """
    b = names[1]
    if verdict.kind == IDENTICAL:
        return "the same estimates"
    if verdict.kind == WITHIN_MARGIN and verdict.at_most is not None:
        sizes = [change.at_least for change in (*verdict.improved, *verdict.worsened)]
        one = "" if verdict.attribute == OVERALL else "one "
        least = f", {one}at least {size_at_least(max(sizes))}" if sizes else ""
        return f"no change above {size_at_most(verdict.at_most)}{least}"
    if verdict.kind == SHIFTED:
        return "mean errors move; MAE: cannot tell"
    if verdict.kind == MIXED:
        return f"{b} is better for some groups, worse for others"
    if verdict.kind in (BETTER, WORSE):
        sure = verdict.improved if verdict.kind == BETTER else verdict.worsened
        against = verdict.worsened if verdict.kind == BETTER else verdict.improved
        if verdict.attribute == OVERALL and sure:
            return f"{b} is {verdict.kind} by at least {size_at_least(sure[0].at_least)}"
        other = "worse" if verdict.kind == BETTER else "better"
        none = "" if against else f", surely {other} for none"
        return f"{b} is {verdict.kind} for some groups{none}"
    if verdict.reason:
        return f"cannot tell: {verdict.reason}"
    if verdict.at_most is None:
        return "cannot tell"
    return f"cannot tell: up to {size_at_most(verdict.at_most)}"


def images(result: ComparisonResult) -> str:
    """Return what the numbers rest on."""
    faces = count(result.n, "image")
    return faces if result.n_persons is None else f"{faces} of {count(result.n_persons, 'person')}"


def _sure(change: Change) -> str:
    least = size_at_least(change.at_least)
    fell = change.interval.value < 0
    if change.measure == "mae":
        return f"MAE {'smaller' if fell else 'larger'} by at least {least}"
    return f"estimated {'younger' if fell else 'older'} by at least {least}"


def _signed(value: float, size: str) -> str:
    if value == 0:
        return size
    return f"{'+' if value > 0 else MINUS}{size}"


def _without_unit(text: str) -> str:
    return text.removesuffix(" years")
