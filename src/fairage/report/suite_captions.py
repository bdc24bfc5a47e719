"""The sentences beside a suite's table and figures, each made from its numbers."""

from fairage.report.figures.scatter import Scatter
from fairage.report.suite_numbers import VersionNumbers, baseline_of, front_of
from fairage.report.suite_runs import SuiteRuns
from fairage.report.words import attribute_title, count, joined, number, upper_first, years

__all__ = ["panel_sentence", "scatter_sentence", "table_sentence", "truth_findings"]


def table_sentence(runs: SuiteRuns) -> str:
    """Return what the table of versions holds."""
    seeds = max(len(version.predictions) for version in runs.versions)
    faces = count(runs.versions[0].predictions[0].height, "test face")
    if not runs.same_faces:
        faces = "the test faces of its table"
    told = f"Each version was trained with {count(seeds, 'seed')} and measured on {faces}"
    if seeds > 1:
        told += "; the table gives means over seeds"
    if not any(version.published for version in runs.versions):
        return f"{told}."
    told += ". Beneath ours stands what the study published for the same version"
    if runs.has_published_peers:
        return f"{told}, on the same test faces."
    return f"{told}; it was measured on other faces, so the two cannot be held against each other."


def scatter_sentence(
    scatter: Scatter, versions: list[VersionNumbers], *, same_faces: bool = True
) -> str:
    """Return what the scatter shows, and which published points lie outside of it."""
    front = [version.called for version in front_of(versions)]
    if not same_faces:
        return (
            "Only versions of the same faces can be held against each other. Grey is what chance "
            "alone may give for the first version, dashed its mean."
        )
    told = f"No version beats {joined(front, 'or')} on both counts."
    if len(front) == 1:
        told = f"{upper_first(front[0])} is both the most accurate and the fairest version."
    if len(versions) == 1:
        told = f"{upper_first(front[0])} beside what chance alone gives."
    if any(version.mae.sd is not None for version in versions):
        told += " Bars are standard deviations over seeds."
    told += " Grey is what chance alone may give, dashed its mean."
    hidden = [point for point in scatter.points if point not in scatter.shown]
    if not hidden:
        return told
    names = joined(f"{p.name} ({number(p.mae)} / {number(p.bias)})" for p in hidden)
    return f"{told} Published by the study but off the figure (MAE / average bias): {names}."


def panel_sentence(versions: list[VersionNumbers], attribute: str) -> str:
    """Return whom the versions serve worst and which version has the least bias."""
    many = len(versions) > 1
    if len(versions[0].groups[attribute].names) < 2:
        return "All faces are in one group, so there is nothing to compare."
    if not any(version.bias(attribute).beyond_chance for version in versions):
        told = "No version has" if many else "There is not"
        return f"{told} more bias than chance alone may give."
    least = min(versions, key=lambda v: v.bias(attribute).mean)
    bias = least.bias(attribute)
    hardest = _hardest(versions, attribute)
    if not many:
        return f"{hardest}; the bias is {years(bias.mean)}, beyond chance."
    end = "" if bias.beyond_chance else ", no more than chance may give"
    return f"{hardest}; {least.called} has the least bias, {years(bias.mean)}{end}."


def truth_findings(versions: list[VersionNumbers]) -> list[str]:
    """Return, for each attribute, whom the baseline serves worst and which version helps most."""
    baseline = baseline_of(versions)
    compared = [name for name, groups in baseline.groups.items() if len(groups.names) > 1]
    return [_truth_finding(versions, baseline, attribute) for attribute in compared]


def _hardest(versions: list[VersionNumbers], attribute: str) -> str:
    names = [version.hardest(attribute).name for version in versions]
    usual = max(dict.fromkeys(names), key=names.count)
    told = f"{upper_first(usual)} is the hardest group"
    if names.count(usual) < len(names):
        return f"{told} for {names.count(usual)} of {len(names)} versions"
    return f"{told} for every version" if len(names) > 1 else told


def _truth_finding(versions: list[VersionNumbers], baseline: VersionNumbers, attribute: str) -> str:
    title = attribute_title(attribute)
    bias = baseline.bias(attribute)
    if not bias.beyond_chance:
        return (
            f"{title}: the bias of {baseline.called}, {years(bias.mean)}, is no more than chance "
            f"may give (up to {number(bias.floor_p95)})."
        )
    hardest = baseline.hardest(attribute)
    told = (
        f"{title}: {baseline.called} errs most on {hardest.name}, by {years(hardest.error)} "
        f"(n = {hardest.n:,}), against {number(hardest.others)} on the other faces; that is more "
        "than chance."
    )
    if len(versions) == 1:
        return told
    errors = {v.called: v.group_error(attribute, hardest.name) for v in versions}
    known = {name: error for name, error in errors.items() if error is not None}
    best = min(known, key=lambda name: known[name])
    if best == baseline.called:
        return f"{told} No version lowers it."
    return f"{told} {upper_first(best)} brings it down to {number(known[best])}."
