"""What a suite shows, in plain sentences, each made from its numbers."""

import math

from fairage.audit.score_columns import AVERAGE_BIAS, MAE
from fairage.report.suite_numbers import Number, VersionNumbers, baseline_of
from fairage.report.suite_runs import SuiteRuns
from fairage.report.words import count, joined, number, upper_first, years
from fairage.tables import AGE_GROUP

__all__ = ["conclusion"]

DIFFER = "the errors of two groups differ"


def conclusion(runs: SuiteRuns, versions: list[VersionNumbers]) -> list[str]:
    """Return what the suite shows, the most important first."""
    if not runs.same_faces:
        return _apart(versions)
    baseline = baseline_of(versions)
    fairest = min(versions, key=lambda v: v.average_bias.mean)
    sentences = [_fairest(fairest, baseline, len(versions))]
    if fairest is not baseline:
        sentences += [_price(fairest, baseline), _luck(fairest, baseline)]
        sentences.append(_levelling(fairest, baseline))
    sentences += [_chance(fairest), _attributes(baseline)]
    if runs.has_published_peers:
        sentences.append(_study(versions))
    return [sentence for sentence in sentences if sentence]


def _apart(versions: list[VersionNumbers]) -> list[str]:
    """Tell each experiment for itself, as versions of different faces cannot be compared."""
    told = [
        "The versions were measured on different test faces: numbers can be held against each "
        "other only within the same faces, not across them."
    ]
    for experiment in dict.fromkeys(version.run.experiment for version in versions):
        own = [version for version in versions if version.run.experiment == experiment]
        parts = [
            f"{label} is {v.name} (MAE {number(v.mae.mean)}, average bias "
            f"{number(v.average_bias.mean)}, noise floor {number(v.average_bias.floor)})"
            for label, v in (
                ("the most accurate", min(own, key=lambda v: v.mae.mean)),
                ("the fairest", min(own, key=lambda v: v.average_bias.mean)),
            )
        ]
        told.append(f"{upper_first(experiment)}: {joined(parts)}.")
    return told


def _fairest(fairest: VersionNumbers, baseline: VersionNumbers, n: int) -> str:
    bias = years(fairest.average_bias.mean)
    if n == 1:
        return f"{upper_first(fairest.called)}: {DIFFER} by {bias} on average (average bias)."
    if fairest is baseline:
        return (
            f"No other version treats the groups more evenly than {baseline.called}: there "
            f"{DIFFER} by {bias} on average (average bias)."
        )
    return (
        f"Of {n} versions, {fairest.called} treats the groups most evenly: {DIFFER} by {bias} on "
        f"average (average bias), for {baseline.called} by {number(baseline.average_bias.mean)}."
    )


def _price(fairest: VersionNumbers, baseline: VersionNumbers) -> str:
    ours, theirs = fairest.mae.mean, baseline.mae.mean
    if number(ours) == number(theirs):
        return f"Its accuracy is the same: MAE {number(ours)}."
    if ours < theirs:
        return f"It is more accurate too: MAE {number(ours)} against {number(theirs)}."
    return (
        f"That costs {years(ours - theirs)} of accuracy: MAE {number(ours)} against "
        f"{number(theirs)}."
    )


def _luck(fairest: VersionNumbers, baseline: VersionNumbers) -> str:
    """Hold the difference of average bias against the spread of two single runs."""
    a, b = fairest.average_bias, baseline.average_bias
    told = f"The difference of {number(b.mean - a.mean)} in average bias{_faces(a)}"
    if a.sd is None or b.sd is None:
        return f"{told} comes from one seed: how much of it is the luck of training is not known."
    spread = math.hypot(a.sd, b.sd)
    if b.mean - a.mean > 2 * spread:
        return f"{told} is more than twice what runs with different seeds differ by."
    return (
        f"{told} is small beside what runs with different seeds differ by (±{number(spread)}): it "
        "may be luck."
    )


def _faces(found: Number) -> str:
    """Say whether the change could be the luck of which faces are in the test."""
    if found.change_low is None or found.change_high is None:
        return ""
    span = f"95 % interval {number(-found.change_high)} to {number(-found.change_low)}"
    if found.resolved:
        return f" ({span} over test faces)"
    return f" ({span}), which may be the luck of the test faces,"


def _levelling(fairest: VersionNumbers, baseline: VersionNumbers) -> str:
    """Tell whether the baseline's hardest group gains, or only the others lose."""
    found = {a: baseline.hardest(a) for a in baseline.groups if a in fairest.groups}
    attribute = max(found, key=lambda a: found[a].error)
    hardest = found[attribute]
    after = fairest.group_error(attribute, hardest.name)
    if after is None:
        return ""
    group = f"The hardest group, {hardest.name} ({count(hardest.n, 'face')})"
    if after < hardest.error:
        return f"{group}, gains: its error falls from {number(hardest.error)} to {years(after)}."
    return (
        f"{group}, does not gain: its error goes from {number(hardest.error)} to {years(after)}. "
        "The bias is lower because other groups are served worse or alike."
    )


def _chance(fairest: VersionNumbers) -> str:
    bias = fairest.average_bias
    if bias.floor is None:
        return ""
    if not bias.beyond_chance:
        return (
            f"An average bias of {number(bias.mean)} cannot be told from chance, which alone gives "
            f"{number(bias.floor)} on average and now and then {number(bias.floor_p95)}."
        )
    return (
        f"Chance alone would give an average bias of {number(bias.floor)}; "
        f"{number(bias.mean - bias.floor)} of the {number(bias.mean)} is more than that."
    )


def _attributes(baseline: VersionNumbers) -> str:
    beyond: list[str] = []
    within: list[str] = []
    for attribute in baseline.groups:
        name = "age groups" if attribute == AGE_GROUP else f"groups of {attribute}"
        found = baseline.bias(attribute)
        (beyond if found.beyond_chance else within).append(f"{name} ({number(found.mean)})")
    if not beyond:
        return f"For {baseline.called} no gap between groups is beyond chance."
    told = f"For {baseline.called} the gaps between {joined(beyond)} are beyond chance"
    return f"{told}; those between {joined(within)} are not." if within else f"{told}."


def _study(versions: list[VersionNumbers]) -> str:
    """Hold ours against the study's row with the lowest average bias among those shown."""
    rows = [v for v in versions if {MAE, AVERAGE_BIAS} <= set(v.run.published or {})]
    if not rows:
        return ""
    best = min(rows, key=lambda v: (v.run.published or {})[AVERAGE_BIAS])
    told = best.run.published or {}
    better = [
        v for v in versions if v.mae.mean < told[MAE] and v.average_bias.mean < told[AVERAGE_BIAS]
    ]
    peer = (
        f"the study's fairest row here ({best.name}: MAE {number(told[MAE])}, average bias "
        f"{number(told[AVERAGE_BIAS])}) on both accuracy and fairness"
    )
    if not better:
        return f"No version beats {peer}."
    if len(better) == len(versions) > 1:
        return f"All {len(versions)} versions beat {peer}."
    names = upper_first(joined(v.called for v in better))
    return f"{names} {'beats' if len(better) == 1 else 'beat'} {peer}."
