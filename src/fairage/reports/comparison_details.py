"""Sentences about the change of biases, and about what levelled them: who gained, who lost."""

from collections.abc import Sequence

from fairage._text import count, joined, number, percent, plain_years, visible, years
from fairage.auditing.bias_change import GroupMove, Levelling
from fairage.auditing.changes import IDENTICAL
from fairage.auditing.comparison_result import ComparisonResult
from fairage.auditing.paired_failures import FailureChange
from fairage.auditing.result_parts import Interval
from fairage.reports.comparison_words import (
    AT_ONCE,
    CONFIDENCE,
    among,
    between_limits,
    either_way,
    model_names,
    outward,
)
from fairage.reports.format import attribute_words, faces_of, upper_first
from fairage.reports.gap_text import by_attributes, cut, share_words, size_at_least, size_at_most

MOSTLY = 0.95
ALL_ATTRIBUTES = "(95\N{NARROW NO-BREAK SPACE}% confidence, all attributes at once)"


def average_bias_sentence(result: ComparisonResult) -> str:
    """Return which model serves groups more equally, or that nobody can tell."""
    interval, kind = result.average_bias, result.average_bias_kind
    if interval is None or kind is None or kind == IDENTICAL:
        return ""
    a, b = model_names(result)
    values = f"{a} {number(result.values['a'].average_bias)}, {b} " + number(
        result.values["b"].average_bias
    )
    margin, bound = result.settings.margin, _bound(interval)
    inside = bound is not None and bound <= margin
    within = f", within the margin of {plain_years(margin)}" if inside else ""
    beginning = upper_first(f"{among(result)}the average bias of")
    sure = _sure_size(interval)
    if sure:
        best, other, side = (b, a, "b") if interval.value < 0 else (a, b, "a")
        if side in result.failures.failing:
            return (
                f"{beginning} {best} is {sure} smaller ({values}) {CONFIDENCE}, but {best} leaves "
                f"out faces that {other} estimates: these images cannot tell which serves groups "
                "more equally."
            )
        return (
            f"{best} serves groups more equally than {other}: {among(result)}its average bias is "
            f"{sure} smaller ({values}) {CONFIDENCE}{within}."
        )
    if inside and bound is not None:
        hidden = ", but faces that one of them leaves out may hide more"
        return (
            f"{beginning} {a} and of {b} are at most {size_at_most(bound)} apart ({values}) "
            f"{CONFIDENCE}{hidden if result.failures.failing else within}."
        )
    return (
        f"These images cannot tell whether {a} or {b} serves groups more equally: {among(result)}"
        f"the average bias of {b} may be {either_way(interval)} ({values}) {CONFIDENCE}."
    )


def bias_sentences(result: ComparisonResult) -> list[str]:
    """Return how each attribute's bias changes, and who gained or lost by it."""
    if result.identical:
        return []
    return [
        f"{_bias_change(result, name)} {levelling_sentence(levelling)}".strip()
        for name, levelling in result.levelling.items()
        if result.bias_kinds[name] != IDENTICAL
    ]


def levelling_sentence(levelling: Levelling) -> str:
    """Return whose errors fell and whose rose, and which of it levelled the groups.

    Examples:
        >>> import numpy as np
        >>> from fairage.auditing.bias_change import level_errors
        >>> errors = np.array([6.0, 4.0]), np.array([5.5, 4.5])
        >>> levelling_sentence(level_errors("age_group", ["old", "young"], *errors))
        'As measured, 50\u202f% of the fall is levelling up (the error fell for old faces by 0.50
        years) and 50\u202f% levelling down (it rose for young faces by 0.50 years).'
    """
    up = _moves(levelling.attribute, levelling.improved)
    down = _moves(levelling.attribute, levelling.worsened)
    if not up and not down:
        return ""
    share = levelling.share_up
    sure = "It is" if levelling.beyond_chance else "If it is no chance, it is"
    if share is None:
        return f"As measured, {_both(up, down)}."
    if share >= MOSTLY and up:
        return f"{sure} levelling up: as measured, {_both(up, down)}."
    if share <= 1 - MOSTLY and down:
        return f"{sure} levelling down: as measured, {_both(up, down, rise_first=True)}."
    if not up or not down:
        return f"As measured, {_both(up, down)}."
    most = "As measured," if levelling.beyond_chance else "If it is no chance, as measured"
    return (
        f"{most} {percent(share)} of the fall is levelling up (the error fell for {up}) and "
        f"{percent(1 - share)} levelling down (it rose for {down})."
    )


def _both(up: str, down: str, *, rise_first: bool = False) -> str:
    """Return for whom the error fell and for whom it rose."""
    parts = [("fell", up), ("rose", down)]
    if rise_first:
        parts.reverse()
    there = [f"{verb} for {groups}" for verb, groups in parts if groups]
    return "the error " + "; it ".join(there)


def _bias_change(result: ComparisonResult, attribute: str) -> str:
    levelling, interval = result.levelling[attribute], result.bias[attribute]
    a, b = model_names(result)
    name = f"bias by {attribute_words(attribute)}"
    values = f"{a} {number(levelling.a)}, {b} {number(levelling.b)}"
    sure = _sure_size(interval)
    if levelling.same:
        text = f"{among(result)}the measured {name} is the same ({years(levelling.b)})"
        return upper_first(f"{text}; {_may_be(result, attribute)}.")
    if sure:
        verb = "falls" if levelling.fall > 0 else "rises"
        text = f"{among(result)}the {name} {verb} by {sure} ({values}) {ALL_ATTRIBUTES}."
        return upper_first(f"{text}{_not_better(result, attribute)}")
    verb = "fell" if levelling.fall > 0 else "rose"
    text = f"{among(result)}the measured {name} {verb} by {years(abs(levelling.fall))} ({values})"
    return upper_first(f"{text}, which may be chance: {_may_be(result, attribute)}.")


def _may_be(result: ComparisonResult, attribute: str) -> str:
    interval = result.bias[attribute]
    if interval.low is None or interval.high is None:
        return "nothing bounds its change"
    return f"its change lies within {outward(interval.low, interval.high)} {ALL_ATTRIBUTES}"


def _not_better(result: ComparisonResult, attribute: str) -> str:
    """Return why a sure change of a bias does not speak for a model that leaves out faces."""
    a, b = model_names(result)
    gains, other = (b, a) if result.bias[attribute].value < 0 else (a, b)
    side = "b" if gains == b else "a"
    if side not in result.failures.failing:
        return ""
    return f" That does not speak for {gains}, which leaves out faces that {other} estimates."


def _sure_size(interval: Interval) -> str:
    """Return the size of a change that leaves 0 out, between its limits; else nothing."""
    low, high = interval.low, interval.high
    if low is None or high is None:
        return ""
    if high < 0:
        return between_limits(-high, -low)
    return between_limits(low, high) if low > 0 else ""


def _bound(interval: Interval) -> float | None:
    if interval.low is None or interval.high is None:
        return None
    return max(abs(interval.low), abs(interval.high))


def _moves(attribute: str, moves: Sequence[GroupMove]) -> str:
    """Return groups with the years that their error moved."""
    items = [f"{faces_of(attribute, move.name)} by {years(abs(move.years))}" for move in moves]
    return joined(cut(items))


NAMED = 3
HEADLINED = 2
SIDES = ("a", "b")


def failing_sentence(result: ComparisonResult) -> str:
    """Return which model leaves out faces that the other estimates, and whose; else nothing."""
    return " ".join(text for side in SIDES if (text := _failing(result, side)))


def failure_details(result: ComparisonResult) -> list[str]:
    """Return how many faces have no estimate, and the MAE if they counted with a large error."""
    failures = result.failures
    if not failures.any:
        return []
    a, b = model_names(result)
    rates = [share_words(getattr(failures.overall, side).value) for side in SIDES]
    faces = count(failures.overall.a.n, "face")
    text = f"Of {faces}, {rates[0]} have no estimate of {a} and {rates[1]} none of {b}"
    if not failures.failing and failures.overall.change.low is not None:
        change = failures.overall.change
        bound = max(abs(change.low or 0.0), abs(change.high or 0.0))
        text += (
            f"; neither fails more often beyond chance, and by at most "
            f"{size_at_most(bound, rate=True)} {AT_ONCE}"
        )
    return [f"{text}.{_reasons(result)}", *_withheld(result)]


def _failing(result: ComparisonResult, side: str) -> str:
    failures = result.failures
    if side not in failures.failing:
        return ""
    names = dict(zip(SIDES, model_names(result), strict=True))
    own, other = names[side], names["a" if side == "b" else "b"]
    parts = [
        f"{_rates(change, side)} of {whose} ({_at_least(change, side)} more)"
        for whose, change in _where(result, side)
    ]
    so = f"so nothing here can show that it is better than {other}"
    if parts:
        return f"{own} leaves out more faces than {other}: {joined(parts)} {AT_ONCE}, {so}."
    which = by_attributes(failures.uneven[side])
    return (
        f"{own} leaves out faces that {other} estimates, more of them in one group of {which} "
        f"than in another, {so}."
    )


def _where(result: ComparisonResult, side: str) -> list[tuple[str, FailureChange]]:
    """Return all faces and groups in which a model fails more beyond chance, in words."""
    failures = result.failures
    where = [("all faces", failures.overall)] if failures.overall.fails_more == side else []
    return where + [
        (faces_of(attribute, group), failures.groups[attribute][group])
        for attribute, group in _most(result, side)
    ]


def _most(result: ComparisonResult, side: str) -> list[tuple[str, str]]:
    """Return the groups in which a model fails more, by how much at least, the most first."""
    groups = result.failures.groups
    more = result.failures.more(side)
    ordered = sorted(more, key=lambda pair: -_least(groups[pair[0]][pair[1]], side))
    return ordered[:HEADLINED]


def _least(change: FailureChange, side: str) -> float:
    low, high = change.change.low or 0.0, change.change.high or 0.0
    return low if side == "b" else -high


def _rates(change: FailureChange, side: str) -> str:
    rates = {"a": share_words(change.a.value), "b": share_words(change.b.value)}
    return f"{rates[side]} against {rates['a' if side == 'b' else 'b']}"


def _at_least(change: FailureChange, side: str) -> str:
    return f"at least {size_at_least(_least(change, side), rate=True)}"


def _reasons(result: ComparisonResult) -> str:
    """Return what stands in place of estimates."""
    parts = []
    for name, side in zip(model_names(result), SIDES, strict=True):
        reasons = list(result.failures.reasons[side].items())
        shown = [f"{visible(reason)} {rows:,}" for reason, rows in reasons[:NAMED]]
        rest = sum(rows for _, rows in reasons[NAMED:])
        shown += [f"others {rest:,}"] if rest else []
        parts += [f"{name}: {', '.join(shown)}"] if shown else []
    return f" What stands there instead: {'; '.join(parts)}." if parts else ""


def _withheld(result: ComparisonResult) -> list[str]:
    """Return the MAE of both if each face without an estimate had its group's P90 error."""
    values = result.failures.mae_if_withheld
    if not values:
        return []
    a, b = model_names(result)
    parts = []
    for name, side in ((a, "a"), (b, "b")):
        own = [number(each[side]) for each in values.values() if each[side] == each[side]]
        if not own:
            return []
        low, high = min(own, key=float), max(own, key=float)
        parts.append(f"{low if low == high else f'{low} to {high}'} years for {name}")
    names = [attribute_words(name) for name in values]
    by = f" (groups of {names[0]})" if len(names) == 1 else " (by the attribute taken)"
    return [
        upper_first(
            "if each face without an estimate had the error that one face in ten of its group "
            f"exceeds (P90), the MAE would be {joined(parts)}{by}."
        )
    ]
