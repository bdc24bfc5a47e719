"""Sentences about faces that a model leaves out, and what that means for the comparison."""

from fairage.auditing.comparison_result import ComparisonResult
from fairage.auditing.paired_failures import FailureChange
from fairage.reports.comparison_words import AT_ONCE, model_names
from fairage.reports.format import (
    attribute_words,
    count,
    faces_of,
    joined,
    number,
    upper_first,
    visible,
)
from fairage.reports.gap_text import by_attributes, share_words, size_at_least, size_at_most

__all__ = ["failing_sentence", "failure_details"]

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
