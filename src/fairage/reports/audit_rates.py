"""Sentences about rates: faces without an estimate, and how an age check treats groups."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairage._text import PER_CENT, count, joined, number, percent_at_most, visible, years
from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import (
    DIFFER,
    FEWER,
    MAE,
    TELL,
    WITHIN,
    AgeCheck,
    Failures,
    Interval,
    Verdict,
)
from fairage.reports.format import as_percent_cell, attribute_words, faces_of
from fairage.reports.gap_text import apart, rate_words, rows_words, share_words, size_at_most

NAMED_ATTRIBUTES = 4
NAMED_REASONS = 5
KINDS = (DIFFER, TELL, WITHIN)


@dataclass(frozen=True)
class RateWords:
    """How one rate is written.

    Args:
        name: Its name.
        before: What stands before the groups' rates.
        after: What stands after them.
        rows: The rows that it is a share of.
    """

    name: str
    before: str
    after: str = ""
    rows: str = "rows in all"


FAILURE_WORDS = RateWords("the rate of missing estimates", "There is no estimate for ")


def failure_headline(failures: Failures) -> str:
    """Return whose estimates are missing most, where the rates of groups differ; else nothing."""
    verdicts = [verdict for verdict in failures.verdicts.values() if verdict.kind == DIFFER]
    if not verdicts:
        return ""
    verdict = max(verdicts, key=lambda each: each.at_least)
    return _differing(verdict, failures[verdict.attribute], FAILURE_WORDS)


def failure_sentences(model: ModelAudit) -> list[str]:
    """Return how many faces have no estimate, why, whose, and what that may hide."""
    failures = model.failures
    if not failures.overall.value > 0:
        return []
    return [
        _failure_rate(failures),
        *_rate_sentences(failures.verdicts, failures, FAILURE_WORDS),
        *_if_withheld(model),
    ]


def age_check_sentences(model: ModelAudit) -> list[str]:
    """Return how often an age check errs, for whom, and which threshold the worst group needs."""
    check = model.age_check
    if check is None:
        return []
    wrong, refused = _check_words(check)
    return [
        _passing(check),
        *_across(check),
        *_rate_sentences(check.verdicts, _false_positives(check), wrong),
        *_rate_sentences(check.challenged_verdicts, _challenged(check), refused),
        reach_sentence(check),
    ]


def check_group_sentence(check: AgeCheck, attribute: str) -> str:
    """Return how an age check treats the groups of one attribute."""
    wrong, refused = _check_words(check)
    sentences = [
        *_rate_sentences(_only(check.verdicts, attribute), _false_positives(check), wrong),
        *_rate_sentences(_only(check.challenged_verdicts, attribute), _challenged(check), refused),
    ]
    return " ".join(sentences)


def reach_sentence(check: AgeCheck) -> str:
    """Return the threshold that the worst group needs, what it rests on and what it costs."""
    age, target = f"{check.legal_age:g}", f"{100 * check.wanted_rate:g}{PER_CENT}"
    if check.reached_at is None or check.reached_by is None:
        return (
            f"No threshold can be named at which at most {target} of those under {age} pass in "
            "every group with enough of them."
        )
    text = (
        f"At most {target} of those under {age} pass in every group with enough of them from a "
        f"threshold of {number(check.reached_at, 1)} years, which {faces_of(*check.reached_by)} "
        "need."
    )
    return " ".join([text, *_rests_on(check), *_cost(check)])


def _failure_rate(failures: Failures) -> str:
    rate, inside = as_percent_cell(failures.overall)
    reasons = sorted(failures.reasons.items(), key=lambda item: -item[1])
    shown = [f"{visible(reason)} {rows:,}" for reason, rows in reasons[:NAMED_REASONS]]
    rest = sum(rows for _, rows in reasons[NAMED_REASONS:])
    if rest:
        shown.append(f"others {rest:,}")
    why = f": {joined(shown)}" if shown else ""
    return f"{rate} of {count(failures.overall.n, 'face')} have no estimate ({inside}){why}."


def _if_withheld(model: ModelAudit) -> list[str]:
    values = [value for value in model.failures.mae_if_withheld.values() if value == value]
    if not values:
        return []
    low, high = number(min(values)), number(max(values))
    size = years(max(values)) if low == high else f"{low} to {high} years, by the attribute taken,"
    mae = number(model.overall[MAE].value)
    return [
        f"If each face without an estimate had the P90 error of its group, the MAE would be {size} "
        f"instead of {mae}."
    ]


def _rate_sentences(
    verdicts: Mapping[str, Verdict], rates: Mapping[str, Mapping[str, Interval]], words: RateWords
) -> list[str]:
    """Return a sentence an attribute, those that differ first; attributes past four are left."""
    ordered = sorted(verdicts.values(), key=lambda each: (KINDS.index(each.kind), -each.at_least))
    return [
        _rate_sentence(verdict, rates.get(verdict.attribute, {}), words)
        for verdict in ordered[:NAMED_ATTRIBUTES]
    ]


def _rate_sentence(verdict: Verdict, rates: Mapping[str, Interval], words: RateWords) -> str:
    name = attribute_words(verdict.attribute)
    if verdict.kind == DIFFER:
        return _differing(verdict, rates, words)
    if verdict.kind == WITHIN and verdict.at_most is not None:
        size = size_at_most(verdict.at_most, rate=True)
        text = f"No gap in {words.name} between the groups of {name} is larger than {size}."
        return f"{text} {_differing(verdict, rates, words)}".strip()
    if verdict.reason == FEWER:
        return f"Fewer than two groups of {name} have enough faces to compare {words.name}."
    limit = "gaps of any size are possible"
    if verdict.at_most is not None:
        limit = f"gaps up to {size_at_most(verdict.at_most, rate=True)} are possible"
    rows = rows_words(verdict, words.rows)
    return (
        f"These rows cannot tell whether {words.name} differs between the groups of {name}: "
        f"{limit}{f'; {rows}' if rows else ''}."
    )


def _differing(verdict: Verdict, rates: Mapping[str, Interval], words: RateWords) -> str:
    if not verdict.differing:
        return ""
    gap = verdict.differing[0]
    names = (gap.first, gap.second)
    shares = rate_words(verdict.attribute, names, [rates[name] for name in names])
    return f"{words.before}{shares}{words.after}, {apart(gap, rate=True)}."


def _check_words(check: AgeCheck) -> tuple[RateWords, RateWords]:
    age = f"{check.legal_age:g}"
    return (
        RateWords(
            f"the share of those under {age} who pass",
            f"Under {age}, ",
            " pass",
            f"rows under {age}",
        ),
        RateWords(
            f"the share of those of {age} or older who do not pass",
            f"Of {age} or older, ",
            " do not pass",
            f"rows of {age} or older",
        ),
    )


def _passing(check: AgeCheck) -> str:
    age, threshold = f"{check.legal_age:g}", f"{check.threshold:g}"
    text = f"As a check for {age} at a threshold of {threshold}:"
    wrong, refused = check.overall.false_positive, check.overall.challenged
    if check.minors:
        minors = f"{_rate_of(wrong)} of {_people(wrong)} under {age} pass"
    else:
        minors = f"nobody in these rows is under {age}, so how many of them would pass is not known"
    if check.adults:
        adults = f"{_rate_of(refused)} of {_people(refused)} of {age} or older do not"
    else:
        adults = f"nobody is of {age} or older"
    return f"{text} {minors}; {adults}."


def _across(check: AgeCheck) -> list[str]:
    if not check.across:
        return []
    verb = "lies" if check.across == 1 else "lie"
    return [
        f"{count(check.across, 'range')} of true age {verb} on both sides of {check.legal_age:g} "
        "and so in neither rate."
    ]


def _rests_on(check: AgeCheck) -> list[str]:
    if check.reached_n is None:
        return []
    persons = check.overall.false_positive.n_persons is not None
    who = count(check.reached_n, "person" if persons else "face")
    text = f"This rests on {who} under {check.legal_age:g} in that group"
    if check.reached_bound is None:
        return [f"{text}."]
    bound = percent_at_most(check.reached_bound, 1)
    if check.reached_bound > check.wanted_rate:
        return [f"{text}: the rate could still be up to {bound}."]
    return [f"{text}: the rate is at most {bound} there."]


def _cost(check: AgeCheck) -> list[str]:
    if check.challenged_then is None or not check.adults:
        return []
    return [
        f"Then {_rate_of(check.challenged_then)} of those of {check.legal_age:g} or older do not "
        "pass."
    ]


def _rate_of(rate: Interval) -> str:
    _, inside = as_percent_cell(rate)
    return f"{share_words(rate.value)}{f' ({inside})' if inside else ''}"


def _people(rate: Interval) -> str:
    faces = count(rate.n, "face")
    return faces if rate.n_persons is None else f"{faces} of {count(rate.n_persons, 'person')}"


def _false_positives(check: AgeCheck) -> dict[str, dict[str, Interval]]:
    return {
        attribute: {name: rates.false_positive for name, rates in groups.items()}
        for attribute, groups in check.groups.items()
    }


def _challenged(check: AgeCheck) -> dict[str, dict[str, Interval]]:
    return {
        attribute: {name: rates.challenged for name, rates in groups.items()}
        for attribute, groups in check.groups.items()
    }


def _only(verdicts: Mapping[str, Verdict], attribute: str) -> dict[str, Verdict]:
    return {name: verdict for name, verdict in verdicts.items() if name == attribute}
