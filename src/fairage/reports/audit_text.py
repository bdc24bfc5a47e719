"""The sentences of an audit: headline, numbers to know, findings, and how it was done."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fairage._text import at_least, at_most, count, joined, number, short, visible, years
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.columns import Columns
from fairage.auditing.result import AuditResult, ModelAudit
from fairage.auditing.result_parts import DIFFER, MAE, TELL, WITHIN, Ranges, Verdict
from fairage.reports.audit_coverage import coverage_sentences
from fairage.reports.audit_rates import (
    age_check_sentences,
    failure_headline,
    failure_sentences,
)
from fairage.reports.format import as_percent_cell, attribute_words, group_words, span, with_span
from fairage.reports.gap_text import CONFIDENCE, left_out_sentence, margin_words, verdict_words
from fairage.reports.pair_text import (
    age_part_sentence,
    leading_gaps,
    pair_sentence,
    pairs_sentence,
    worst_group,
    worst_sentence,
)
from fairage.reports.verdict_text import (
    attributes_of,
    average_sentence,
    bias_words,
    sure_gaps,
    verdict_sentences,
)
from fairage.tables import AGE_GROUP


@dataclass(frozen=True)
class Tile:
    """One of the numbers at the head of a page: its name, its value, and how to read it."""

    name: str
    value: str
    note: str


def tiles(model: ModelAudit) -> list[Tile]:
    """Return MAE, average bias, the verdict and the largest measured group MAE."""
    mae = model.overall[MAE]
    tiles = [Tile("MAE", years(mae.value), f"95 % interval {span(mae)}" if span(mae) else "")]
    average, floor = model.average_bias, model.average_floor
    if average is not None and floor is not None:
        note = f"{span(average)}; equal groups would show {number(floor.mean)}"
        tiles.append(Tile("Average bias", years(average.value), note))
    note = f"{count(len({name for name, _ in model.verdict.groups}), 'attribute')} judged at once"
    tiles.append(Tile("Groups", verdict_words(model.verdict), note))
    largest = [
        (model.groups[name][worst[0]][MAE], name, worst[0])
        for name in model.groups
        if (worst := worst_group(model, name))
    ]
    if largest:
        group_mae, name, group = max(largest, key=lambda each: each[0].value)
        note = f"{attribute_words(name)} {group_words(group)}, {count(group_mae.n, 'face')}"
        tiles.append(Tile("Largest measured group MAE", years(group_mae.value), note))
    return tiles


def rows_sentence(result: AuditResult) -> str:
    """Return how many rows stand behind the numbers, and why others do not."""
    rows, failed = result.rows, _failed(result)
    persons = "" if rows.persons is None else f" of {count(rows.persons, 'person')}"
    if not rows.without_age and not any(failed.values()):
        return f"All {count(rows.rows, 'row')}{persons} have a true age and an estimate."
    parts = [f"{count(rows.used, 'row')}{persons} {_have(rows.used)} a true age"]
    if rows.without_age:
        parts.append(
            f"{count(rows.without_age, 'row')} without one {_are(rows.without_age)} left out"
        )
    if len(failed) == 1:
        parts += [f"{count(n, 'row')} {_have(n)} no estimate" for n in failed.values() if n]
    elif any(failed.values()):
        counts = joined(f"{n:,} of {visible(name)}" for name, n in failed.items() if n)
        parts.append(f"estimates are missing in {counts}")
    return f"{joined(parts)}."


def audit_facts(result: AuditResult) -> list[tuple[str, str]]:
    """Return name and value of everything needed to repeat the audit."""
    return [
        ("Table", f"{visible(result.name)}, {count(result.rows.rows, 'row')}"),
        *_column_facts(result.columns),
        *_method_facts(result.settings),
        ("Software", f"fairage {result.fairage_version}, schema {result.schema_version}"),
    ]


def _column_facts(columns: Columns) -> list[tuple[str, str]]:
    predictions = [_ends(name, columns.prediction_high.get(name)) for name in columns.predictions]
    identity = columns.identity
    intervals = [_ends(own.lower, own.upper) for own in columns.intervals.values()]
    facts = [
        ("True age", _ends(columns.age, columns.age_high)),
        ("Estimates", joined(predictions)),
        ("Attributes", joined(map(visible, columns.attributes)) or "none"),
        ("Persons", visible(identity) if identity else "not known: each row counts as one"),
    ]
    if intervals:
        facts.append(("Intervals of the model", joined(intervals)))
    if columns.weight:
        text = f"{visible(columns.weight)}; strata and replicate weights are not supported"
        facts.append(("Survey weights", text))
    if columns.guessed:
        facts.append(("Guessed", columns.describe()))
    return facts


def _method_facts(settings: AuditSettings) -> list[tuple[str, str]]:
    groups = settings.grouping
    edges = [
        f"{visible(name)} from {edge:g}"
        for name, edge in zip(groups.names, groups.edges, strict=True)
    ]
    least = f"{settings.min_rows} rows, or persons where they are known; smaller ones are listed"
    facts = [
        ("Age groups", joined(edges)),
        ("Groups are judged from", least),
        ("Margin", f"{settings.margin:g} years, {100 * settings.rate_margin:g} points for rates"),
        ("Intervals", "95\N{NARROW NO-BREAK SPACE}%; limits of gaps hold for all pairs at once"),
        ("Noise floor", "the bias that equal groups of these sizes would show"),
        ("Seed", str(settings.seed)),
    ]
    if settings.missing:
        facts.append(("Also missing", joined(short(text) for text in settings.missing)))
    if settings.range_end != "closed":
        facts.append(("Ranges", "do not count their last year"))
    if settings.oldest is not None:
        facts.append(("Ranges without an end", f"closed at {settings.oldest:g}"))
    return facts


def _ends(column: str, high: str | None) -> str:
    return visible(column) if high is None else f"{visible(column)} to {visible(high)}"


def _failed(result: AuditResult) -> dict[str, int]:
    """Return how many rows have no estimate, by model."""
    return {name: sum(model.failures.reasons.values()) for name, model in result.models.items()}


def _have(n: int) -> str:
    return "has" if n == 1 else "have"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def range_headline(model: ModelAudit) -> str:
    """Return what ranges leave open of the MAE, and how wide predicted ones are; else nothing."""
    ranges = model.ranges
    if ranges is None:
        return ""
    return " ".join([*_true_range_headline(ranges, model.n), *_predicted_range_headline(ranges)])


def range_sentences(model: ModelAudit) -> list[str]:
    """Return what ranges of true ages and of estimates leave open."""
    ranges = model.ranges
    if ranges is None:
        return []
    sentences = [*_true_ranges(ranges), *_predicted_ranges(ranges), *_counts(ranges)]
    return [sentence for sentence in sentences if sentence]


def _true_range_headline(ranges: Ranges, n: int) -> list[str]:
    if not ranges.true_ranges or ranges.mae_least is None:
        return []
    which = "True ages" if ranges.true_ranges >= n else f"{ranges.true_ranges:,} true ages"
    least = at_least(ranges.mae_least.value, 2)
    if ranges.mae_most is None:
        return [f"{which} are ranges, some without an end: the MAE is at least {least} years."]
    most = at_most(ranges.mae_most.value, 2)
    return [f"{which} are ranges: the MAE lies between {least} and {most} years."]


def _predicted_range_headline(ranges: Ranges) -> list[str]:
    if not ranges.predicted_ranges or ranges.inside is None:
        return []
    width = (
        "" if ranges.width is None else f", {number(ranges.width.value, 1)} years wide on average"
    )
    share, _ = as_percent_cell(ranges.inside)
    return [f"Estimates are ranges{width}: {share} of the true ages lie inside."]


def _true_ranges(ranges: Ranges) -> list[str]:
    if not ranges.true_ranges:
        return []
    text = (
        f"The true age is a range in {count(ranges.true_ranges, 'row')}; errors and verdicts take "
        "its middle."
    )
    if ranges.mae_least is None:
        return [text]
    text += f" With the nearest age of each range the MAE is {with_span(ranges.mae_least)} years"
    if ranges.mae_most is None:
        return [f"{text}; nothing bounds it above, as some ranges have no end."]
    return [f"{text}, with the farthest {with_span(ranges.mae_most)}."]


def _predicted_ranges(ranges: Ranges) -> list[str]:
    if ranges.inside is None:
        return []
    share, inside = as_percent_cell(ranges.inside)
    share = f"{share} ({inside})" if inside else share
    if not ranges.predicted_ranges:
        return [f"{share} of the estimates lie inside the range of the true age."]
    text = (
        f"The estimate is a range in {count(ranges.predicted_ranges, 'row')}; errors take its "
        f"middle. {share} of the true ages lie inside"
    )
    if ranges.width is not None:
        text += f"; the ranges are {with_span(ranges.width)} years wide on average"
    if ranges.outside is not None:
        text += f"; the true age is {with_span(ranges.outside)} years outside on average"
    return [f"{text}."]


def _counts(ranges: Ranges) -> list[str]:
    counted = (
        ("Ranges without an end have no middle and are in no mean", ranges.open_ranges),
        ("Ranges in two age groups count where the middle is", ranges.across_age_groups),
        ("Ranges on both sides of the legal age", ranges.across_legal_age),
    )
    return [f"{text}: {count(n, 'row')}." for text, n in counted if n]


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
        *coverage_sentences(model.coverage),
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
