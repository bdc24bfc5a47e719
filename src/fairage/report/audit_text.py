"""What an audit finds, in plain sentences, each made from its numbers."""

from fairage.audit.result import AttributeAudit, GroupAudit, ModelAudit
from fairage.report.estimates import span, with_span
from fairage.report.words import (
    attribute_words,
    count,
    faces_of,
    joined,
    number,
    percent,
    upper_first,
    years,
)

__all__ = ["findings", "headline", "off_side", "widest_gap"]

NOTABLE_YEARS = 1.0
LOPSIDED = 0.6


def headline(model: ModelAudit, *, named: bool = False) -> str:
    """Return the two things to know first: how large the error is, and whose it is.

    Args:
        model: The audited model.
        named: Whether to name it, beside others.
    """
    subject = f"Estimates of {model.name}" if named else "Estimates"
    told = f"{subject} are off by {years(model.errors.mae.value)} on average."
    beyond = [attribute_words(a.name) for a in model.attributes if a.beyond_chance]
    within = [attribute_words(a.name) for a in model.attributes if not a.beyond_chance]
    if not beyond:
        return f"{told} No gap between groups is beyond chance."
    told += f" {_gaps(beyond)} by {joined(beyond)} {_are(beyond)} beyond chance"
    told = f"{told}; by {joined(within, 'or')} none is." if within else f"{told}."
    return f"{told} {_worst_served(model)}"


def _worst_served(model: ModelAudit) -> str:
    """Name the worst group of the attribute that exceeds chance most."""
    beyond = [attribute for attribute in model.attributes if attribute.beyond_chance]
    attribute = max(beyond, key=lambda a: a.floor.excess)
    errors = attribute.group(attribute.worst).errors
    off = errors.signed.value
    side = f", as a rule too {'young' if off < 0 else 'old'}"
    lopsided = abs(off) > LOPSIDED * errors.mae.value and abs(off) >= NOTABLE_YEARS
    whose = upper_first(faces_of(attribute.name, attribute.worst))
    told = f"{whose} fare worst: off by {years(errors.mae.value)}{side if lopsided else ''}"
    if attribute.extremes_resolved:
        return f"{told}."
    others = faces_of(attribute.name, attribute.best)
    return f"{told}; but they cannot be told apart from {others}, who fare best."


def findings(model: ModelAudit) -> list[str]:
    """Return what else to know: each attribute beyond chance, sides, the average, the claim."""
    found = [widest_gap(a) for a in model.attributes if a.beyond_chance]
    found += [side for a in model.attributes if (side := off_side(a))]
    found.append(_average(model))
    found += [sentence for a in model.attributes if (sentence := _age_mix(a))]
    if model.policy is not None:
        found.append(_policy(model))
    if model.claim is not None:
        found.append(model.claim.text)
    return found


def widest_gap(attribute: AttributeAudit) -> str:
    """Return how far the worst and the best group of an attribute are apart, and whether by luck.

    Groups with too few faces are left aside and named.
    """
    if len(attribute.groups) < 2:
        return f"All faces are {attribute.groups[0].name}: there is nothing to compare."
    worst, best = attribute.group(attribute.worst), attribute.group(attribute.best)
    far, near = worst.errors.mae.value, best.errors.mae.value
    if attribute.beyond_chance:
        told = (
            f"{upper_first(faces_of(attribute.name, worst.name))} are off by {years(far)} "
            f"({span(worst.errors.mae)}), {faces_of(attribute.name, best.name)} by {number(near)} "
            f"({span(best.errors.mae)}): "
        )
        told += (
            "a gap beyond chance."
            if attribute.extremes_resolved
            else "the bias is beyond chance, but these two cannot be told apart."
        )
    else:
        told = (
            f"No gap by {attribute_words(attribute.name)} beyond chance: the widest, "
            f"{years(far - near)} between {worst.name} and {best.name}, may be luck."
        )
    return told + _too_small(attribute)


def off_side(attribute: AttributeAudit) -> str:
    """Return who is estimated too young or too old by a year or more, beyond chance, unlike whom.

    Nothing where shuffled labels give as large a signed bias, or where all are off alike.
    """
    ranked = [group for group in attribute.groups if group.ranked]
    if not attribute.signed_floor.beyond_chance or len(ranked) < 2:
        return ""
    ranked.sort(key=lambda g: abs(g.errors.signed.value))
    other, group = ranked[0], ranked[-1]
    off = group.errors.signed.value
    if abs(off) < NOTABLE_YEARS:
        return ""
    return (
        f"{upper_first(faces_of(attribute.name, group.name))} are estimated {_side(off)} on "
        f"average, {faces_of(attribute.name, other.name)} {_side(other.errors.signed.value)}."
    )


def _side(off: float) -> str:
    if number(off, 1) == number(0, 1):
        return "neither too young nor too old"
    return f"{years(abs(off), 1)} too {'young' if off < 0 else 'old'}"


def _gaps(names: list[str]) -> str:
    return "The gap" if len(names) == 1 else "The gaps"


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _too_small(attribute: AttributeAudit) -> str:
    small = [group for group in attribute.groups if not group.ranked]
    if not small:
        return ""
    names = joined(f"{group.name} ({count(group.errors.n, 'face')})" for group in small)
    return f" Too few faces to say anything: {names}.{_needed(small)}"


def _needed(small: list[GroupAudit]) -> str:
    rows = [group.rows_to_resolve for group in small if group.rows_to_resolve is not None]
    if not rows:
        return ""
    return f" About {max(rows):,} would be needed to find a gap of half a year."


def _average(model: ModelAudit) -> str:
    average = model.average_bias
    told = f"Average bias is {with_span(average.bias)}"
    floor = f"chance alone gives {number(average.floor.mean)}"
    if average.floor.beyond_chance:
        return (
            f"{told} years; {floor}, so {number(average.floor.excess)} of it is more than chance."
        )
    return f"{told} years; {floor} and now and then {number(average.floor.p95)}, so it may be luck."


def _age_mix(attribute: AttributeAudit) -> str:
    """Say where a gap comes and goes with the ages of the groups."""
    mixed = attribute.standardised
    hidden = mixed is not None and mixed.bias.low is not None and mixed.bias.low > 0
    if mixed is None or not (attribute.beyond_chance or hidden):
        return ""
    before, after = mixed.crude_bias, mixed.bias.value
    told = (
        f"At ages {mixed.bands[0]:g} to {mixed.end:g} ({percent(mixed.covered)} of the faces), "
        f"with the same ages in every group, the bias by {attribute_words(attribute.name)} is "
        f"{with_span(mixed.bias)} instead of {number(before)}"
    )
    if not attribute.beyond_chance:
        return f"{told}: the groups' ages may hide a gap."
    if after < before / 2:
        return f"{told}: most of it comes from who is older."
    return f"{told}: it does not come from who is older."


def _policy(model: ModelAudit) -> str:
    policy = model.policy
    assert policy is not None
    everyone = policy.groups[0]
    return (
        f"As a check for {policy.legal_age:g} at a threshold of {policy.threshold:g}, "
        f"{percent(everyone.false_positive.value, 1)} of those below {policy.legal_age:g} pass and "
        f"{percent(everyone.challenged.value, 1)} of the others do not."
    )
