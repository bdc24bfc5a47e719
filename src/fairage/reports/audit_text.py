"""The first line of an audit and its findings: plain sentences, each made from its numbers.

No sentence says more than the verdicts: a gap is named only where its simultaneous limits leave 0
out, and where none does, the largest gap is named that the data still allow.
"""

import re
from collections.abc import Iterable

from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import DIFFER, TELL, WITHIN, Verdict
from fairage.auditing.settings import AuditSettings
from fairage.reports.audit_facts import range_headline, range_sentences
from fairage.reports.audit_rates import (
    age_check_sentences,
    failure_headline,
    failure_sentences,
)
from fairage.reports.bias_text import average_sentence, bias_words
from fairage.reports.format import count, visible
from fairage.reports.gap_text import CONFIDENCE, left_out_sentence, margin_words
from fairage.reports.pair_text import (
    age_part_sentence,
    leading_gaps,
    pair_sentence,
    pairs_sentence,
    worst_sentence,
)
from fairage.reports.verdict_text import attributes_of, sure_gaps, verdict_sentences
from fairage.tables import AGE_GROUP

__all__ = ["findings", "headline"]

MOST_ATTRIBUTES = 8
LIMIT = re.compile(r"years apart|are possible|(?:larger than|gaps are at most) \S+ years")
KINDS = (DIFFER, TELL, WITHIN)


def headline(model: ModelAudit, *, named: bool = False) -> str:
    """Return what to know first: which groups differ, or how large a gap may still be.

    Args:
        model: The audited model.
        named: Whether to name it, beside others.
    """
    sentences = [
        failure_headline(model.failures),
        *_judged_attributes(model),
        *_judged_age_groups(model),
        left_out_sentence(model.verdicts.values()),
        range_headline(model),
    ]
    text = _joined(_with_confidence([sentence for sentence in sentences if sentence]))
    return f"{visible(model.name)}: {text}" if named else text


def findings(model: ModelAudit, settings: AuditSettings) -> list[str]:
    """Return what else to know, attribute by attribute, then failures, ranges, check and claim.

    Args:
        model: The audited model.
        settings: Options of the audit.
    """
    ordered = sorted(
        model.verdicts.values(), key=lambda each: (KINDS.index(each.kind), -each.at_least)
    )
    bullets = [_attribute_finding(model, each) for each in ordered[:MOST_ATTRIBUTES]]
    if len(ordered) > MOST_ATTRIBUTES:
        more = count(len(ordered) - MOST_ATTRIBUTES, "more attribute")
        bullets.append(f"The tables hold {more}.")
    bullets += [
        average_sentence(model),
        *failure_sentences(model),
        *range_sentences(model),
        *age_check_sentences(model),
        "" if model.claim is None else model.claim.text,
        _who_takes_part(model, settings),
    ]
    return [bullet for bullet in bullets if bullet]


def _judged_attributes(model: ModelAudit) -> list[str]:
    attributes = attributes_of(model)
    return _judged(model, model.verdict, attributes) if attributes else []


def _judged_age_groups(model: ModelAudit) -> list[str]:
    verdict = model.verdicts.get(AGE_GROUP)
    return [] if verdict is None else _judged(model, verdict, [AGE_GROUP])


def _judged(model: ModelAudit, verdict: Verdict, attributes: list[str]) -> list[str]:
    """Return the sentences of a verdict over attributes: what is certain, then what is possible."""
    gaps = sure_gaps(model, verdict)
    if verdict.kind == WITHIN:
        return [*verdict_sentences(model, attributes), *gaps]
    named = list(dict.fromkeys(gap.attribute for gap in leading_gaps(verdict)))
    return [*gaps, *verdict_sentences(model, attributes, named=named)]


def _with_confidence(sentences: list[str]) -> list[str]:
    """Say how sure the limits are, behind the first limit in years."""
    for place, sentence in enumerate(sentences):
        limit = LIMIT.search(sentence)
        if limit:
            end = limit.end()
            first = f"{sentence[:end]} {CONFIDENCE}{sentence[end:]}"
            return [*sentences[:place], first, *sentences[place + 1 :]]
    return sentences


def _attribute_finding(model: ModelAudit, verdict: Verdict) -> str:
    """Return an attribute's bias, its gaps that the headline has not named, and its pairs."""
    attribute = verdict.attribute
    headlined = {gap for each in _headline_verdicts(model) for gap in leading_gaps(each)}
    gaps = [gap for gap in leading_gaps(verdict) if gap not in headlined]
    return _joined(
        [
            bias_words(model, attribute),
            *(text(model, gap) for gap in gaps for text in (pair_sentence, age_part_sentence)),
            pairs_sentence(model, attribute),
            worst_sentence(model, attribute),
        ]
    )


def _headline_verdicts(model: ModelAudit) -> list[Verdict]:
    age = model.verdicts.get(AGE_GROUP)
    return [model.verdict] if age is None else [model.verdict, age]


def _who_takes_part(model: ModelAudit, settings: AuditSettings) -> str:
    unit = "face" if model.n_persons is None else "person"
    return (
        f"Groups with fewer than {count(settings.min_rows, unit)} are listed and not judged; gaps "
        f"of less than {margin_words(model.verdict)} count as none in practice."
    )


def _joined(sentences: Iterable[str]) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
