"""Sentences that say the verdicts of one or more attributes: differ, within, cannot tell."""

from collections.abc import Sequence

from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import DIFFER, FAILURES_DIFFER, FEWER, TELL, WITHIN, Verdict
from fairage.reports.format import attribute_words, joined, upper_first
from fairage.reports.gap_text import by_attributes, rows_words, size_at_least, size_at_most
from fairage.reports.pair_text import age_part_sentence, leading_gaps, pair_sentence
from fairage.tables import AGE_GROUP

__all__ = ["attributes_of", "sure_gaps", "verdict_sentences"]

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
    known = [bound for bound in bounds if bound is not None]
    return size_at_most(max(known)) if len(known) == len(bounds) else None
