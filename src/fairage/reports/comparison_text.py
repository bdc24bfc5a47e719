"""The sentences of a comparison: the headline first, then what else to know.

Each is made from limits: which model is better by at least how much, and for whom; where neither
is, by how much they may still differ and how many images it would take to tell. A model that
leaves out faces which the other estimates is never called better.
"""

from collections.abc import Sequence

from fairage._text import count, joined, number, plain_years, signed
from fairage.auditing.changes import CANNOT_TELL, IDENTICAL, OVERALL, TOO_FEW, Change, ChangeVerdict
from fairage.auditing.comparison_result import ComparisonResult
from fairage.auditing.result_parts import FAILURES_DIFFER, MAE, MEAN_ERROR
from fairage.reports.comparison_details import (
    average_bias_sentence,
    bias_sentences,
    failing_sentence,
    failure_details,
)
from fairage.reports.comparison_words import (
    AT_ONCE,
    CONFIDENCE,
    among,
    between_limits,
    changed_groups,
    either_way,
    images,
    model_names,
    outward,
)
from fairage.reports.format import faces_of, upper_first
from fairage.reports.gap_text import by_attributes, cut, group_list, size_at_least, size_at_most

HEADLINED = 4


def comparison_lines(result: ComparisonResult) -> list[str]:
    """Return everything there is to say: the headline, then all other sentences.

    Args:
        result: What `fairage.compare` returned.
    """
    return [headline(result), *findings(result)]


def headline(result: ComparisonResult) -> str:
    """Return which model is better, by at least how much and for whom, or that nobody can tell."""
    return " ".join(headline_sentences(result))


def headline_sentences(result: ComparisonResult) -> list[str]:
    """Return the headline's sentences, the most important first."""
    sentences = [
        failing_sentence(result),
        *_overall(result),
        *_groups(result),
        _moved_groups(result),
        average_bias_sentence(result),
        _left_out_sentence(result),
    ]
    return [sentence for sentence in sentences if sentence]


def findings(result: ComparisonResult) -> list[str]:
    """Return what the headline leaves out: other groups, each bias, failures, who takes part."""
    sentences = [
        _other_groups(result),
        _undecided_attributes(result),
        *bias_sentences(result),
        *failure_details(result),
        _who_takes_part(result),
    ]
    return [sentence for sentence in sentences if sentence]


def _overall(result: ComparisonResult) -> list[str]:
    """Return what can be said of all faces together."""
    verdict = result.verdicts[OVERALL]
    a, b = model_names(result)
    if verdict.kind == IDENTICAL:
        which = f"{images(result)}{' that both estimate' if result.failures.any else ''}"
        return [f"{a} and {b} give the same estimates for all {which}: they are identical there."]
    if verdict.reason == TOO_FEW:
        unit = "image" if result.n_persons is None else "person"
        needed = count(result.settings.min_rows, unit)
        return [
            f"{upper_first(images(result))} are too few to say which of {a} and {b} is more "
            f"accurate: {needed} are needed."
        ]
    return [_accuracy(result, verdict), _mean_error(result, verdict)]


def _accuracy(result: ComparisonResult, verdict: ChangeVerdict) -> str:
    a, b = model_names(result)
    change = _change_of(result, MAE)
    within = _within_words(verdict, change)
    faces = f"{among(result)}over all faces" if among(result) else "over all faces"
    if change.differs:
        best, other, side = (b, a, "b") if change.interval.value < 0 else (a, b, "a")
        size = _size_between(change)
        values = _values(result, MAE)
        if side in result.failures.failing:
            return (
                f"{upper_first(faces)} the MAE of {best} is {size} smaller ({values}) "
                f"{CONFIDENCE}, but {best} leaves out faces that {other} estimates: these images "
                "cannot tell which is more accurate."
            )
        return (
            f"{best} is more accurate than {other}: {faces} its MAE is {size} smaller ({values}) "
            f"{CONFIDENCE}{within}."
        )
    if change.at_most is not None and change.at_most <= verdict.margin:
        text = (
            f"{upper_first(faces)} the MAE of {a} and of {b} are at most "
            f"{size_at_most(change.at_most)} apart ({_values(result, MAE)}) {CONFIDENCE}{within}"
        )
        if verdict.reason == FAILURES_DIFFER:
            text += ", but faces that one of them leaves out may hide more"
        return f"{text}."
    return (
        f"These {images(result)} cannot tell whether {a} or {b} is more accurate: {faces} the MAE "
        f"of {b} may be {either_way(change.interval)} ({_values(result, MAE)}) {CONFIDENCE}"
        f"{_rows_words(verdict)}."
    )


def _mean_error(result: ComparisonResult, verdict: ChangeVerdict) -> str:
    """Return in which direction all estimates moved, or how far they may have."""
    a, b = model_names(result)
    change, mae = _change_of(result, MEAN_ERROR), _change_of(result, MAE)
    if change.differs:
        older = "older" if change.interval.value > 0 else "younger"
        return (
            f"{b} estimates faces {_size_between(change)} {older} than {a}: mean errors "
            f"{_values(result, MEAN_ERROR, sign=True)} {CONFIDENCE}."
        )
    unsure = change.at_most is None or change.at_most > verdict.margin
    mae_is_sure = mae.differs or (mae.at_most is not None and mae.at_most <= verdict.margin)
    if unsure and mae_is_sure and None not in (change.interval.low, change.interval.high):
        return (
            f"Whether the mean error changes cannot be told: it may go from {a} to {b} by "
            f"{outward(change.interval.low, change.interval.high)} {CONFIDENCE}"
            f"{_rows_words(verdict)}."
        )
    return ""


def _groups(result: ComparisonResult) -> list[str]:
    """Return for which groups errors are smaller or larger, or that nobody can tell for whom."""
    if result.identical or not result.groups:
        return []
    improved, worsened = (_sure_changes(result, part) for part in ("improved", "worsened"))
    sentences = [
        _errors_are(result, changes, word)
        for changes, word in ((improved, "smaller"), (worsened, "larger"))
        if changes
    ]
    return sentences or [_no_sure_change(result)]


def _errors_are(result: ComparisonResult, changes: Sequence[Change], word: str) -> str:
    a, b = model_names(result)
    text = f"{among(result)}the errors of {b} are {word} than those of {a} for"
    return f"{upper_first(text)} {changed_groups(changes, HEADLINED)} {AT_ONCE}."


def _no_sure_change(result: ComparisonResult) -> str:
    """Return how far the numbers of the groups may change, where no MAE surely does."""
    verdicts = _group_verdicts(result)
    if not verdicts or all(verdict.kind == IDENTICAL for verdict in verdicts):
        return ""
    bound = _largest([verdict.at_most for verdict in verdicts])
    if bound is None or bound > result.settings.margin:
        return _cannot_tell(verdicts)
    which = by_attributes(verdict.attribute for verdict in verdicts)
    text = upper_first(
        f"{among(result)}no MAE or mean error of a group of {which} changes by more than "
        f"{size_at_most(bound)} {AT_ONCE}"
    )
    if any(verdict.reason == FAILURES_DIFFER for verdict in verdicts):
        return f"{text}, but faces that one of them leaves out may hide more."
    return f"{text}: within the margin of {plain_years(result.settings.margin)}."


def _undecided_attributes(result: ComparisonResult) -> str:
    """Return of which attributes nothing is sure, where that of others is."""
    verdicts = [verdict for verdict in _group_verdicts(result) if verdict.kind == CANNOT_TELL]
    verdicts = [verdict for verdict in verdicts if verdict.reason != FAILURES_DIFFER]
    return _cannot_tell(verdicts) if verdicts and _any_sure(result) else ""


def _cannot_tell(verdicts: Sequence[ChangeVerdict]) -> str:
    which = by_attributes(verdict.attribute for verdict in verdicts)
    text = f"These images cannot tell for which groups of {which} errors change"
    bound = _largest([verdict.at_most for verdict in verdicts])
    if bound is None:
        return f"{text}."
    text += f": changes of up to {size_at_most(bound)}, up or down, are possible {AT_ONCE}"
    needed = [verdict.rows_needed for verdict in verdicts if verdict.rows_needed is not None]
    if needed:
        text += f"; about {max(needed):,} images in all, all groups growing alike, would be enough"
    return f"{text}."


def _other_groups(result: ComparisonResult) -> str:
    """Return the largest change that is possible beside those that are sure."""
    changes = _judged_changes(result)
    others = [change for change in changes if not change.differs and not change.identical]
    if not _any_sure(result) or not others:
        return ""
    bound = _largest([change.at_most for change in others])
    if bound is None:
        return "How much the numbers of the other groups change cannot be told."
    return (
        f"No other MAE or mean error of a group changes by more than {size_at_most(bound)}, up or "
        f"down {AT_ONCE}."
    )


def _moved_groups(result: ComparisonResult) -> str:
    """Return which groups are estimated older or younger by B than by A."""
    a, b = model_names(result)
    moved = _sure_changes(result, "moved")
    if not moved:
        return ""
    parts = []
    for word, above in (("older", True), ("younger", False)):
        items = [
            f"{faces_of(change.attribute, change.group)} at least "
            f"{size_at_least(change.at_least)} {word}"
            for change in moved
            if (change.interval.value > 0) == above
        ]
        parts += cut(items, HEADLINED)
    return f"Compared with {a}, {b} estimates {joined(parts)} {AT_ONCE}."


def _left_out_sentence(result: ComparisonResult) -> str:
    groups = [part for verdict in result.verdicts.values() for part in verdict.left_out]
    if not groups or result.identical:
        return ""
    return f"Not judged, being too small or unknown: {group_list(groups)}."


def _who_takes_part(result: ComparisonResult) -> str:
    unit = "image" if result.n_persons is None else "person"
    return (
        f"The numbers rest on {images(result)} that both estimate. Groups with fewer than "
        f"{count(result.settings.min_rows, unit)} are listed and not judged; changes of less than "
        f"{plain_years(result.settings.margin)} count as none in practice."
    )


def _sure_changes(result: ComparisonResult, part: str) -> list[Change]:
    """Return the sure changes of all groups, largest first."""
    changes = [
        change
        for name, verdict in result.verdicts.items()
        if name != OVERALL
        for change in getattr(verdict, part)
    ]
    return sorted(changes, key=lambda change: -change.at_least)


def _any_sure(result: ComparisonResult) -> bool:
    return any(verdict.improved or verdict.worsened for verdict in _group_verdicts(result))


def _group_verdicts(result: ComparisonResult) -> list[ChangeVerdict]:
    """Return the verdicts of attributes that have a group which takes part."""
    return [v for name, v in result.verdicts.items() if name != OVERALL and v.groups]


def _judged_changes(result: ComparisonResult) -> list[Change]:
    return [
        change
        for attribute, groups in result.groups.items()
        for group in groups.values()
        if group.takes_part
        for change in group.changes(attribute)
    ]


def _change_of(result: ComparisonResult, measure: str) -> Change:
    return Change(OVERALL, OVERALL, measure, result.overall[measure])


def _size_between(change: Change) -> str:
    return between_limits(change.at_least, change.at_most or 0.0)


def _values(result: ComparisonResult, measure: str, *, sign: bool = False) -> str:
    a, b = model_names(result)
    write = signed if sign else number
    one, two = (write(result.values[side].overall[measure]) for side in ("a", "b"))
    return f"{a} {one}, {b} {two}"


def _within_words(verdict: ChangeVerdict, change: Change) -> str:
    inside = change.at_most is not None and change.at_most <= verdict.margin
    if not inside or verdict.reason == FAILURES_DIFFER:
        return ""
    return f", within the margin of {plain_years(verdict.margin)}"


def _rows_words(verdict: ChangeVerdict) -> str:
    if verdict.rows_needed is None:
        return ""
    return f"; about {verdict.rows_needed:,} images in all would be enough"


def _largest(bounds: Sequence[float | None]) -> float | None:
    finite = [bound for bound in bounds if bound is not None]
    return max(finite) if finite and len(finite) == len(bounds) else None
