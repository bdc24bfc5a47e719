"""What is said of one pair of groups: both their errors, and what of the gap comes from age."""

from fairage._text import joined, number, signed
from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import MAE, MEAN_ERROR, AdjustedGap, Gap, Interval, Verdict
from fairage.reports.format import faces_of, group_words, upper_first, with_span
from fairage.reports.gap_text import (
    apart,
    mae_words,
    mean_error_words,
    size_at_least,
)
from fairage.tables import AGE_GROUP

NAMED_PAIRS = 4
MEASURE_WORDS = {MAE: "MAE", MEAN_ERROR: "mean error"}


def leading_gaps(verdict: Verdict) -> list[Gap]:
    """Return the largest gap that leaves 0 out, and that of the other measure between others.

    Where both measures' largest gaps are between the same two groups, one sentence says both.
    """
    if not verdict.differing:
        return []
    first = verdict.differing[0]
    others = [gap for gap in verdict.differing if gap.measure != first.measure]
    if not others or _pair(others[0]) == _pair(first):
        return [first]
    return [first, others[0]]


def pair_sentence(model: ModelAudit, gap: Gap) -> str:
    """Return both errors of two groups of which one measure differs, that measure first."""
    names = (gap.first, gap.second)
    numbers = _numbers(model, gap.attribute, names, gap.measure)
    words = mae_words if gap.measure == MAE else mean_error_words
    return f"{words(gap.attribute, names, numbers)}, {apart(gap)}{_companion(model, gap)}."


def age_part_sentence(model: ModelAudit, gap: Gap, *, named: bool = False) -> str:
    """Return what part of a gap comes from who is older, as far as the interval says so.

    Nothing for gaps between age groups.

    Args:
        model: The audited model.
        gap: A gap that leaves 0 out.
        named: Whether to name the two groups.
    """
    if gap.attribute == AGE_GROUP:
        return ""
    name = f"the gap in {MEASURE_WORDS[gap.measure]}"
    if named:
        pair = joined(faces_of(gap.attribute, group) for group in (gap.first, gap.second))
        name = f"{name} between {pair}"
    adjusted = adjusted_of(model, gap)
    if adjusted is None:
        return f"Whether {name} comes from who is older is not known."
    if not adjusted.usable:
        return (
            "The ages of the two groups hardly overlap: these rows cannot tell how much of "
            f"{name} comes from who is older."
        )
    return _explained(adjusted, name)


def adjusted_of(model: ModelAudit, gap: Gap) -> AdjustedGap | None:
    """Return the same gap between people of the same age, with the same group first."""
    for adjusted in model.by_age.adjusted.get(gap.attribute, ()):
        if adjusted.measure != gap.measure:
            continue
        if (adjusted.first, adjusted.second) == (gap.first, gap.second):
            return adjusted
        if (adjusted.second, adjusted.first) == (gap.first, gap.second):
            return _turned(adjusted)
    return None


def worst_group(model: ModelAudit, attribute: str) -> tuple[str, bool] | None:
    """Return the group with the largest MAE of those that take part, and whether it is the worst.

    It is the worst only if its MAE differs from that of every other; None without two groups.
    """
    groups = [group for group in model.groups[attribute].values() if group.takes_part]
    if len(groups) < 2:
        return None
    largest = max(groups, key=lambda group: group[MAE].value)
    below = {
        gap.second
        for gap in model.gaps.get(attribute, ())
        if gap.measure == MAE and gap.first == largest.name and gap.differs
    }
    return largest.name, all(group.name in below for group in groups if group is not largest)


def worst_sentence(model: ModelAudit, attribute: str) -> str:
    """Return which group has the largest MAE; `worst` only where it differs from every other.

    Nothing where fewer than two groups take part.
    """
    largest = worst_group(model, attribute)
    if largest is None:
        return ""
    group, worst = largest
    faces, mae = faces_of(attribute, group), with_span(model.groups[attribute][group][MAE])
    if worst:
        return f"{upper_first(faces)} have the worst MAE, {mae} years: it differs from all others."
    return (
        f"The largest measured MAE is that of {faces}, {mae} years: too close to that of another "
        "group to be called the worst."
    )


def pairs_sentence(model: ModelAudit, attribute: str) -> str:
    """Return how many pairs of groups differ, and the first of them.

    Nothing where there are not two pairs.
    """
    pairs = {_pair(gap) for gap in model.gaps.get(attribute, ())}
    differing = {_pair(gap): gap for gap in reversed(model.verdicts[attribute].differing)}
    if len(pairs) < 2:
        return ""
    if not differing:
        return f"None of {len(pairs)} pairs of groups can be said to differ."
    first = sorted(differing.values(), key=lambda gap: -gap.at_least)
    names = [f"{group_words(gap.first)} and {group_words(gap.second)}" for gap in first]
    rest = len(names) - NAMED_PAIRS
    more = f" and {rest} more" if rest > 0 else ""
    verb = "differs" if len(names) == 1 else "differ"
    return (
        f"{len(names)} of {len(pairs)} pairs of groups {verb}: "
        f"{'; '.join(names[:NAMED_PAIRS])}{more}."
    )


def _companion(model: ModelAudit, gap: Gap) -> str:
    """Return the other measure of the same pair, in the order in which the pair was named."""
    other = next(
        (
            each
            for each in model.gaps.get(gap.attribute, ())
            if each.measure != gap.measure and _pair(each) == _pair(gap)
        ),
        None,
    )
    if other is None or (not other.differs and other.at_most is None):
        return ""
    names = _named_order(model, gap)
    numbers = _numbers(model, gap.attribute, names, other.measure)
    if other.measure == MAE:
        values = joined(number(interval.value) for interval in numbers)
        return f"; their MAE, {values} years, are {apart(other)}"
    values = joined(signed(interval.value) for interval in numbers)
    return f"; their mean errors, {values} years, are {apart(other)}"


def _named_order(model: ModelAudit, gap: Gap) -> tuple[str, str]:
    """Return the groups as the sentence names them: those too young come before those less so."""
    if gap.measure == MEAN_ERROR:
        numbers = _numbers(model, gap.attribute, (gap.first, gap.second), MEAN_ERROR)
        if all(interval.high is not None and interval.high < 0 for interval in numbers):
            return gap.second, gap.first
    return gap.first, gap.second


def _explained(adjusted: AdjustedGap, name: str) -> str:
    """Return what age explains, then what is left between people of the same age."""
    low, high = adjusted.explained.low, adjusted.explained.high
    if low is not None and low > 0 and adjusted.crude.value > 0:
        part = size_at_least(min(low, adjusted.crude.value))
        return (
            f"Part of {name} (at least {part}) comes from who is older. {_same_age(adjusted, 'it')}"
        )
    if high is not None and high < 0:
        part = size_at_least(-high)
        return f"Who is older hides part of {name} (at least {part}). {_same_age(adjusted, 'it')}"
    return _same_age(adjusted, name)


def _same_age(adjusted: AdjustedGap, name: str) -> str:
    low, high = adjusted.adjusted.low, adjusted.adjusted.high
    if low is not None and low > 0:
        return f"Between people of the same age {name} is at least {size_at_least(low)}."
    if high is not None and high < 0:
        size = size_at_least(-high)
        return f"Between people of the same age {name} is the other way round, by at least {size}."
    return f"These rows cannot tell whether {name} is there between people of the same age."


def _turned(adjusted: AdjustedGap) -> AdjustedGap:
    return AdjustedGap(
        adjusted.attribute,
        adjusted.second,
        adjusted.first,
        adjusted.measure,
        _negative(adjusted.crude),
        _negative(adjusted.adjusted),
        _negative(adjusted.explained),
        adjusted.bands,
        (adjusted.share_used[1], adjusted.share_used[0]),
        adjusted.usable,
    )


def _negative(interval: Interval) -> Interval:
    low = None if interval.high is None else -interval.high
    high = None if interval.low is None else -interval.low
    return Interval(-interval.value, low, high, interval.n, interval.n_persons)


def _numbers(
    model: ModelAudit, attribute: str, names: tuple[str, str], measure: str
) -> tuple[Interval, Interval]:
    groups = model.groups[attribute]
    return groups[names[0]][measure], groups[names[1]][measure]


def _pair(gap: Gap) -> frozenset[str]:
    return frozenset((gap.first, gap.second))
