"""The sentence beneath each figure of an audit, made from the figure's numbers."""

from collections.abc import Sequence

from fairage.audit.result import (
    ALL,
    AgePoint,
    AttributeAudit,
    Intersection,
    ModelAudit,
    PolicyAudit,
    PolicyGroup,
)
from fairage.report.audit_text import widest_gap
from fairage.report.estimates import as_percent_cell, span
from fairage.report.words import (
    attribute_words,
    count,
    faces_of,
    joined,
    number,
    percent,
    years,
)

__all__ = [
    "LEAST_FACES",
    "age_sentence",
    "bias_sentence",
    "group_age_sentence",
    "group_sentence",
    "intersection_sentence",
    "policy_sentence",
    "reach_sentence",
]

NAMED_PAIRS = 4
SIDE_YEARS = 0.5
LEAST_FACES = 10


def bias_sentence(model: ModelAudit) -> str:
    """Return which attributes' biases stick out of what chance may give."""
    beyond = [
        f"{attribute_words(a.name)} ({number(a.bias.value)} against {number(a.floor.mean)})"
        for a in model.attributes
        if a.beyond_chance
    ]
    if not beyond:
        return "No bias is beyond what chance alone may give."
    verb = "is" if len(beyond) == 1 else "are"
    return f"The bias by {joined(beyond)} {verb} beyond what chance alone may give."


def group_sentence(attribute: AttributeAudit) -> str:
    """Return what the errors of an attribute's groups show, and which pairs can be told apart."""
    told = widest_gap(attribute)
    if len(attribute.pairs) < 2:
        return told
    apart = [f"{p.first} and {p.second}" for p in attribute.pairs if p.resolved]
    if not apart:
        return f"{told} No two groups can be told apart."
    if len(apart) == len(attribute.pairs):
        return f"{told} All pairs of groups can be told apart."
    some = f"{len(apart)} of {len(attribute.pairs)} pairs of groups can be told apart"
    named = joined(apart) if len(apart) <= NAMED_PAIRS else f"most of all {apart[0]}"
    return f"{told} {some}: {named}."


def age_sentence(points: Sequence[AgePoint]) -> str:
    """Return at which ages all faces are hardest and easiest, and where estimates tip over."""
    points = [point for point in points if point.n >= LEAST_FACES]
    if not points:
        return "Too few faces of any age."
    hardest = max(points, key=lambda p: p.mae.value)
    easiest = min(points, key=lambda p: p.mae.value)
    told = (
        f"The error is smallest {_ages(easiest)} ({years(easiest.mae.value, 1)}) and largest "
        f"{_ages(hardest)} ({years(hardest.mae.value, 1)})."
    )
    old = max(points, key=lambda p: p.signed.value)
    young = min(points, key=lambda p: p.signed.value)
    sides = []
    if old.signed.value > SIDE_YEARS:
        sides.append(f"{years(old.signed.value, 1)} too old ({_ages(old)})")
    if young.signed.value < -SIDE_YEARS:
        sides.append(f"{years(-young.signed.value, 1)} too young ({_ages(young)})")
    return f"{told} Faces are estimated up to {joined(sides)}." if sides else told


def group_age_sentence(attribute: AttributeAudit) -> str:
    """Return whether groups differ at the same age, and at which age most."""
    bands: dict[float, list[AgePoint]] = {}
    for point in attribute.along_age:
        if point.n >= LEAST_FACES:
            bands.setdefault(point.low, []).append(point)
    shared = [sorted(b, key=lambda p: p.mae.value) for b in bands.values() if len(b) > 1]
    if not shared:
        return "At no age are there enough faces of two groups to compare them."
    apart = [band for band in shared if _disjoint(band[0], band[-1])]
    if not apart:
        return "At no age are two groups further apart than their intervals allow for."
    best, *_, worst = max(apart, key=lambda band: band[-1].mae.value - band[0].mae.value)
    return (
        f"In {len(apart)} of {count(len(shared), 'age band')} the intervals of two groups do not "
        f"overlap, most clearly {_ages(worst)}: {faces_of(attribute.name, worst.group)} are off by "
        f"{years(worst.mae.value, 1)}, {faces_of(attribute.name, best.group)} by "
        f"{number(best.mae.value, 1)}."
    )


def _disjoint(best: AgePoint, worst: AgePoint) -> bool:
    high, low = best.mae.high, worst.mae.low
    return high is not None and low is not None and high < low


def intersection_sentence(found: Intersection, model: ModelAudit) -> str:
    """Return which cell has the largest error, and how many are too small to rank."""
    small = [cell for cell in found.cells if cell.rank is None]
    ranked = [cell for cell in found.cells if cell.rank is not None]
    hatched = f" Hatched: {count(len(small), 'cell')} with too few faces to rank." if small else ""
    if not ranked:
        return f"No cell has enough faces to be ranked.{hatched}"
    worst = ranked[0]
    times = worst.mae.value / model.errors.mae.value if model.errors.mae.value else 1.0
    where = " and ".join(
        f"{attribute_words(attribute)} is {group}"
        for attribute, group in zip(found.attributes, worst.groups, strict=True)
    )
    return (
        f"The error is largest where {where}: {years(worst.mae.value)} ({span(worst.mae)}; "
        f"n = {worst.n:,}), {number(times, 1)} times that of all faces.{hatched}"
    )


def policy_sentence(policy: PolicyAudit, attribute: str) -> str:
    """Return which group of an attribute passes too easily, and which is challenged most."""
    groups = [g for g in policy.groups if g.attribute == attribute and g.ranked]
    if len(groups) < 2:
        return "Too few faces below the legal age to compare these groups."
    easy = max(groups, key=lambda g: g.false_positive.value)
    hard = max(groups, key=lambda g: g.challenged.value)
    return (
        f"Below {policy.legal_age:g}, {faces_of(attribute, easy.group)} pass most often "
        f"({_rate(easy)}); among the others, {faces_of(attribute, hard.group)} are challenged most "
        f"often ({percent(hard.challenged.value, 1)})."
    )


def reach_sentence(policy: PolicyAudit) -> str:
    """Return the threshold at which the worst group has the wanted rate, and what it costs."""
    wanted = percent(policy.wanted_rate, 1)
    if policy.reached_at is None or policy.reached_by is None or policy.challenged_then is None:
        return (
            f"No threshold can be named at which every group passes wrongly in at most {wanted} of "
            "cases: there are too few faces below the legal age, or the rate is not reached."
        )
    attribute, group = policy.reached_by
    whose = "all faces" if attribute == ALL else f"the worst group ({group})"
    return (
        f"For {whose} to pass wrongly in at most {wanted} of cases the threshold must be "
        f"{number(policy.reached_at, 1)}; then {percent(policy.challenged_then.value, 1)} of those "
        "of legal age are challenged."
    )


def _rate(group: PolicyGroup) -> str:
    text, inside = as_percent_cell(group.false_positive)
    return f"{text}, {inside}; n = {group.false_positive.n:,}"


def _ages(point: AgePoint) -> str:
    if point.high > 120:
        return f"from {point.low:g} on"
    return f"between {point.low:g} and {point.high:g}"
