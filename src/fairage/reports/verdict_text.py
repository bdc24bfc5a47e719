"""Sentences that say the verdicts of one or more attributes: differ, within, cannot tell."""

from collections.abc import Sequence

from fairage._text import joined, number
from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import (
    DIFFER,
    FAILURES_DIFFER,
    FEWER,
    MAE,
    MEAN_ERROR,
    TELL,
    WITHIN,
    Interval,
    NoiseFloor,
    Verdict,
)
from fairage.reports.format import attribute_words, upper_first, with_span
from fairage.reports.gap_text import by_attributes, rows_words, size_at_least, size_at_most
from fairage.reports.pair_text import age_part_sentence, leading_gaps, pair_sentence
from fairage.tables import AGE_GROUP

NAMED_ATTRIBUTES = 4


def attributes_of(model: ModelAudit) -> list[str]:
    """Return the attributes that the headline's verdict is about: all but age groups."""
    return [name for name in model.verdicts if name != AGE_GROUP]


def verdict_sentences(
    model: ModelAudit, attributes: Sequence[str], *, named: Sequence[str] = ()
) -> list[str]:
    """Return what can be said of the groups of these attributes, one sentence a kind of verdict.

    Args:
        model: The audited model.
        attributes: The attributes; age groups alone, or others.
        named: Those whose differing groups were named already.
    """
    verdicts = [model.verdicts[name] for name in attributes]
    differ = [v for v in verdicts if v.kind == DIFFER and v.attribute not in named]
    within = [v for v in verdicts if v.kind == WITHIN]
    failing = [v for v in verdicts if v.kind == TELL and v.reason == FAILURES_DIFFER]
    fewer = [v for v in verdicts if v.kind == TELL and v.reason == FEWER]
    uneven = any(v.kind == DIFFER for v in model.failures.verdicts.values())
    open_ones = [v for v in verdicts if v.kind == TELL and v not in failing and v not in fewer]
    return [
        *_differ(differ, also=bool(named)),
        *_within(within, uneven=uneven),
        *_among_estimated(failing),
        *_cannot_tell(open_ones),
        *_fewer(fewer),
    ]


def sure_gaps(model: ModelAudit, verdict: Verdict) -> list[str]:
    """Return the sentences of a verdict's leading gaps, each with what of it comes from age."""
    gaps = leading_gaps(verdict)
    sentences = [text(model, gap) for gap in gaps for text in (pair_sentence, age_part_sentence)]
    return [sentence for sentence in sentences if sentence]


def _differ(verdicts: Sequence[Verdict], *, also: bool) -> list[str]:
    if not verdicts:
        return []
    ordered = sorted(verdicts, key=lambda verdict: -verdict.at_least)
    shown = [
        f"{attribute_words(verdict.attribute)} (by at least {size_at_least(verdict.at_least)})"
        for verdict in ordered[:NAMED_ATTRIBUTES]
    ]
    rest = len(ordered) - len(shown)
    if rest:
        shown.append(f"{rest} other {'attribute' if rest == 1 else 'attributes'}")
    return [f"Groups {'also ' if also else ''}differ by {joined(shown)}."]


def _within(verdicts: Sequence[Verdict], *, uneven: bool) -> list[str]:
    """Say the largest gap; of the faces with an estimate, where groups lack unequally many."""
    if not verdicts:
        return []
    most = max(verdict.at_most or 0.0 for verdict in verdicts)
    among = " among faces with an estimate" if uneven else ""
    return [
        f"No gap in MAE or mean error between {_groups_of(verdicts)} is larger than "
        f"{size_at_most(most)}{among}."
    ]


def _among_estimated(verdicts: Sequence[Verdict]) -> list[str]:
    """Say what holds of the faces with an estimate, where failures forbid to say more."""
    if not verdicts:
        return []
    most = _largest([verdict.at_most for verdict in verdicts])
    limit = "" if most is None else f"among faces with an estimate gaps are at most {most}, but "
    return [
        f"These rows cannot tell whether {_groups_of(verdicts)} differ: {limit}estimates are "
        "missing more often in one group than in another."
    ]


def _cannot_tell(verdicts: Sequence[Verdict]) -> list[str]:
    if not verdicts:
        return []
    most = _largest([verdict.at_most for verdict in verdicts])
    limit = "gaps of any size are possible" if most is None else f"gaps up to {most} are possible"
    needed = [verdict for verdict in verdicts if verdict.rows_needed is not None]
    rows = ""
    if len(needed) == len(verdicts):
        rows = f"; {rows_words(max(needed, key=lambda verdict: verdict.rows_needed or 0))}"
    return [f"These rows cannot tell whether {_groups_of(verdicts)} differ: {limit}{rows}."]


def _fewer(verdicts: Sequence[Verdict]) -> list[str]:
    if not verdicts:
        return []
    names = [verdict.attribute for verdict in verdicts]
    if names == [AGE_GROUP]:
        return ["Fewer than two age groups have enough faces: there is nothing to compare."]
    verb = "has" if len(names) == 1 else "have"
    return [
        f"{upper_first(by_attributes(names))} {verb} fewer than two groups with enough faces: "
        "there is nothing to compare."
    ]


def _groups_of(verdicts: Sequence[Verdict]) -> str:
    names = [verdict.attribute for verdict in verdicts]
    return "age groups" if names == [AGE_GROUP] else f"the groups of {by_attributes(names)}"


def _largest(bounds: Sequence[float | None]) -> str | None:
    finite = [bound for bound in bounds if bound is not None]
    return size_at_most(max(finite)) if len(finite) == len(bounds) else None


TOGETHER = "look unequal, but no single pair can be distinguished"


def average_sentence(model: ModelAudit) -> str:
    """Return the average bias over attributes, and what equal groups would show.

    Nothing where fewer than two attributes have a bias.
    """
    average, floor = model.average_bias, model.average_floor
    if average is None or floor is None or len(model.bias) < 2:
        return ""
    text = (
        f"The average bias over attributes is {with_span(average)} years"
        f"{_corrected(model.average_corrected)}; {_floor(floor)}."
    )
    if average.value > floor.p975 and not any(_pair_differs(model, name) for name in model.bias):
        text += f" Together the groups {TOGETHER}."
    return text


def bias_words(model: ModelAudit, attribute: str) -> str:
    """Return an attribute's bias and that of its mean errors, beside what equal groups would show.

    Nothing where fewer than two groups take part.
    """
    bias, floor = model.bias.get(attribute), model.floors.get(attribute)
    if bias is None or floor is None:
        return ""
    name = attribute_words(attribute)
    sentences = [
        f"The bias by {name} is {with_span(bias)} years"
        f"{_corrected(model.corrected_bias.get(attribute))}; {_floor(floor)}."
    ]
    if _together(model, attribute, MAE):
        sentences.append(f"Together the groups {TOGETHER} by MAE.")
    mean_errors = model.mean_error_bias.get(attribute)
    if mean_errors is not None:
        sentences.append(f"Of mean errors the bias is {with_span(mean_errors)} years.")
    if _together(model, attribute, MEAN_ERROR):
        sentences.append(f"Together the mean errors of the groups {TOGETHER} by them.")
    return " ".join(sentences)


def bias_sentence(model: ModelAudit) -> str:
    """Return which attributes' biases are above 0, and which are such as equal groups may show."""
    above = [name for name in model.bias if _pair_differs(model, name)]
    together = [name for name in model.bias if _together(model, name, MAE)]
    rest = [name for name in model.bias if name not in above and name not in together]
    sentences = []
    if above:
        sentences.append(
            f"Groups of {by_attributes(above)} differ in MAE, so {_biases(above)} above 0."
        )
    if together:
        sentences.append(f"Together the groups of {by_attributes(together)} {TOGETHER}.")
    if rest:
        sentences.append(
            f"By {by_attributes(rest)} the bias is such as equal groups may show: it may be 0."
        )
    return " ".join(sentences) or "Fewer than two groups have enough faces for a bias."


def _biases(names: list[str]) -> str:
    return "this bias is" if len(names) == 1 else "these biases are"


def _pair_differs(model: ModelAudit, attribute: str, measure: str = MAE) -> bool:
    return any(gap.measure == measure for gap in model.verdicts[attribute].differing)


def _together(model: ModelAudit, attribute: str, measure: str) -> bool:
    """Return whether the bias is above its noise floor while no pair differs."""
    biases, floors = (
        (model.bias, model.floors)
        if measure == MAE
        else (model.mean_error_bias, model.mean_error_floors)
    )
    bias: Interval | None = biases.get(attribute)
    floor: NoiseFloor | None = floors.get(attribute)
    if bias is None or floor is None or _pair_differs(model, attribute, measure):
        return False
    return bias.value > floor.p975


def _corrected(corrected: float | None) -> str:
    return "" if corrected is None else f", {number(corrected)} corrected for noise"


def _floor(floor: NoiseFloor) -> str:
    return (
        f"equal groups would show {number(floor.mean)} on average and more than "
        f"{number(floor.p975)} once in forty times"
    )
