"""The sentences beside a suite's table and figures, each made from its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairage._text import count, joined, number, signed, visible, years
from fairage.auditing.scoring import AVERAGE_BIAS, MAE, bias_column
from fairage.auditing.suite_estimates import MetricEstimate
from fairage.reports.figures import Scatter
from fairage.reports.format import attribute_title, group_words, span, upper_first, with_span
from fairage.reports.suite_numbers import (
    SetNumbers,
    SuiteNumbers,
    VersionNumbers,
    difference_interval,
    estimate_interval,
    front_of,
)

FEW_SEEDS = 5
TOGETHER = "all versions looked at together"


def table_sentence(numbers: SuiteNumbers) -> str:
    """Return what the table of versions holds."""
    runs = numbers.statistics.runs
    seeds = sorted({version.seeds for version in numbers.versions})
    trained = count(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    faces = count(numbers.sets[0].faces.faces, "test face")
    if len(numbers.sets) > 1:
        faces = "the test faces of its table"
    persons = numbers.sets[0].faces.persons
    if persons is not None and len(numbers.sets) == 1:
        faces += f" of {count(persons, 'person')}"
    text = f"Each version was trained with {trained} and measured on {faces}"
    if seeds[-1] > 1:
        text += "; the table gives means over seeds"
    if not any(version.run.published for version in numbers.versions):
        return f"{text}."
    text += ". Beneath ours stands what the study published for the same version"
    if runs.has_published_peers:
        return f"{text}, on the same test faces."
    return f"{text}; it was measured on other faces, so the two cannot be held against each other."


def changes_sentence(own: SetNumbers) -> str:
    """Return what bold and small numbers mean in the table of changes."""
    if own.one_seed and len(own.one_seed) == len(own.versions):
        return (
            "Small: 95 % interval over faces, for these weights only. With one seed no change is "
            "told from the luck of training, so none is bold."
        )
    text = (
        "Small: 95 % interval of each change alone, over faces and trainings. Bold: it leaves 0 "
        "out also with all versions and all numbers looked at together."
    )
    fewest = min(version.seeds for version in own.versions)
    if 1 < fewest < FEW_SEEDS:
        text += f" With {fewest} seeds only large changes can be told from the luck of training."
    return text


def scatter_sentence(scatter: Scatter, numbers: SuiteNumbers) -> str:
    """Return what the scatter shows, and which published points lie outside of it."""
    parts = [_front(numbers)]
    single = any(own.one_seed for own in numbers.sets)
    bars = "Bars are 95 % intervals, that of the average bias without what noise adds"
    parts.append(f"{bars}{'; with one seed, of these weights only' if single else ''}.")
    if scatter.floor_p975 is not None:
        parts.append(
            f"Grey is what noise alone may give {numbers.sets[0].baseline.called}, dashed its mean."
        )
    hidden = [point for point in scatter.points if point not in scatter.shown]
    if hidden:
        names = joined(f"{visible(p.name)} ({number(p.mae)} / {number(p.bias)})" for p in hidden)
        parts.append(f"Published by the study but off the figure (MAE / average bias): {names}.")
    return " ".join(parts)


def panel_sentence(numbers: SuiteNumbers, attribute: str) -> str:
    """Return on whom the versions err most, and whether one has a lower bias."""
    versions = [v for v in numbers.versions if v.bias(attribute) is not None]
    if not versions:
        return (
            f"Fewer than two groups have {count(numbers.min_rows, 'face')}, so there is nothing to "
            "compare."
        )
    hardest = _hardest(versions, attribute)
    if len(versions) == 1:
        return f"{hardest} {_bias(versions[0], attribute)}"
    if len(numbers.sets) > 1:
        return hardest
    return f"{hardest} {_lower(numbers.sets[0], attribute)}"


def truth_findings(numbers: SuiteNumbers) -> list[str]:
    """Return, for each attribute, what the baseline shows and which versions lower the bias."""
    own = numbers.sets[0]
    return [
        _truth_finding(own, attribute)
        for attribute in own.baseline.statistics.groups
        if own.baseline.bias(attribute) is not None
    ]


def _front(numbers: SuiteNumbers) -> str:
    if len(numbers.sets) > 1:
        return "Only versions of the same faces can be held against each other."
    (own,) = numbers.sets
    front = [version.called for version in front_of(own.versions)]
    if len(own.versions) == 1:
        return f"{upper_first(front[0])} beside what noise alone gives."
    if len(front) == 1:
        return (
            f"{upper_first(front[0])} has both the lowest measured MAE and the lowest measured "
            "average bias."
        )
    return (
        f"As measured, no version is lower on both counts than {joined(front, 'or')}; how much of "
        "that is luck the bars show."
    )


def _hardest(versions: list[VersionNumbers], attribute: str) -> str:
    groups = [version.hardest(attribute) for version in versions]
    names = [group.name for group in groups if group is not None]
    usual = max(dict.fromkeys(names), key=names.count)
    text = f"{upper_first(group_words(usual))} has the largest measured error"
    if names.count(usual) < len(names):
        return f"{text} in {names.count(usual)} of {len(names)} versions."
    return f"{text} in every version." if len(names) > 1 else f"{text}."


def _bias(version: VersionNumbers, attribute: str) -> str:
    estimate = version.bias(attribute)
    if estimate is None:
        return ""
    weights = ", with these weights" if version.seeds == 1 else ""
    return (
        f"The measured bias is {years(estimate.mean)}; without what noise adds it is "
        f"{number(estimate.value)} (95 % interval {span(estimate_interval(estimate))}{weights})."
    )


def _lower(own: SetNumbers, attribute: str) -> str:
    column, baseline = bias_column(attribute), own.baseline.called
    lowest = own.lowest(column)
    if lowest is not None:
        return f"The bias of {lowest.called} is below that of every other version, {TOGETHER}."
    below = [version.called for version in own.below(column)]
    if below:
        return f"A bias below that of {baseline}, {TOGETHER}: {joined(below)}."
    if len(own.one_seed) == len(own.versions):
        return "With one seed no version is held better than another."
    return f"No other version can be said to have a lower bias than {baseline}."


def _truth_finding(own: SetNumbers, attribute: str) -> str:
    baseline, title = own.baseline, attribute_title(attribute)
    estimate, hardest = baseline.bias(attribute), baseline.hardest(attribute)
    if estimate is None or hardest is None:
        return ""
    weights = "with these weights " if baseline.seeds == 1 else ""
    text = f"{title}: {weights}the bias of {baseline.called}, without what noise adds"
    text += f", is {with_span(estimate_interval(estimate))} years"
    if not estimate.above_zero:
        return f"{text}, so it may be 0."
    text += (
        f"; its largest measured error is {years(hardest.error)}, of {group_words(hardest.name)} "
        f"({count(hardest.n, 'face')}), against {number(hardest.others)} on the other faces."
    )
    return text if len(own.versions) == 1 else f"{text} {_lower(own, attribute)}"


@dataclass(frozen=True)
class NumberCell:
    """A number as text, its spread over seeds, and whether it is the lowest of all, resolved."""

    text: str
    spread: str = ""
    lowest: bool = False


@dataclass(frozen=True)
class NumberRow:
    """One kind of number of one version: `kind` is `ours` or `other`."""

    name: str
    kind: str
    cells: list[NumberCell]


@dataclass(frozen=True)
class VersionRows:
    """The rows of one version."""

    name: str
    experiment: str
    description: str
    rows: list[NumberRow]


@dataclass(frozen=True)
class ChangeCell:
    """A difference to the baseline, its interval, and whether it is resolved."""

    text: str
    span: str
    resolved: bool


@dataclass(frozen=True)
class ChangeRow:
    """The differences of one version."""

    name: str
    cells: list[ChangeCell]


def columns_of(numbers: SuiteNumbers) -> dict[str, str]:
    """Return the title of each column: the biases, the average, the MAE."""
    biases = {bias_column(name): attribute_title(name) for name in numbers.attributes}
    return {**biases, AVERAGE_BIAS: "Average", MAE: "MAE"}


def version_rows(numbers: SuiteNumbers, columns: Sequence[str]) -> list[VersionRows]:
    """Return each version's rows: what was measured, its interval, the study's, the floor."""
    return [
        VersionRows(
            version.name,
            version.run.experiment,
            version.run.description,
            _rows(version, numbers.set_of(version), columns),
        )
        for version in numbers.versions
    ]


def change_rows(numbers: SetNumbers, columns: Sequence[str]) -> list[ChangeRow]:
    """Return the change of each version but the baseline."""
    return [
        ChangeRow(version.name, [_change(numbers, version, column) for column in columns])
        for version in numbers.others
    ]


def _rows(version: VersionNumbers, own: SetNumbers, columns: Sequence[str]) -> list[NumberRow]:
    metrics = version.statistics.metrics
    lowest = {column: own.lowest(column) for column in columns}
    measured = [_measured(metrics.get(c), lowest=lowest[c] is version) for c in columns]
    rows = [NumberRow("measured", "ours", measured)]
    estimates = [metrics.get(column) for column in columns]
    if version.average_bias is not None:
        corrected = [NumberCell(_corrected(estimate)) for estimate in estimates]
        rows.append(NumberRow("noise-corrected", "other", corrected))
    spans = [NumberCell(_span(estimate)) for estimate in estimates]
    rows.append(NumberRow("95 % interval", "other", spans))
    if published := version.run.published:
        cells = [NumberCell(number(published.get(column))) for column in columns]
        rows.append(NumberRow("study", "other", cells))
    if version.average_bias is not None:
        floors = [NumberCell(_floor(estimate)) for estimate in estimates]
        rows.append(NumberRow("noise floor", "other", floors))
    return rows


def _measured(estimate: MetricEstimate | None, *, lowest: bool) -> NumberCell:
    if estimate is None:
        return NumberCell(number(None))
    spread = "" if estimate.sd is None else number(estimate.sd)
    return NumberCell(number(estimate.mean), spread, lowest)


def _corrected(estimate: MetricEstimate | None) -> str:
    known = estimate is not None and estimate.corrected is not None
    return number(estimate.corrected) if known and estimate is not None else ""


def _span(estimate: MetricEstimate | None) -> str:
    return "" if estimate is None else span(estimate_interval(estimate))


def _floor(estimate: MetricEstimate | None) -> str:
    if estimate is None or estimate.floor is None:
        return ""
    return f"{number(estimate.floor.mean)} ({number(estimate.floor.p975)})"


def _change(numbers: SetNumbers, version: VersionNumbers, column: str) -> ChangeCell:
    change = numbers.change(column, version)
    if change is None:
        return ChangeCell(number(None), "", resolved=False)
    inside = span(difference_interval(change), sign=True)
    return ChangeCell(signed(change.value), inside, change.resolved)
