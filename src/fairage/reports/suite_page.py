"""The page of a suite: one HTML file with what every version gave and what it means."""

from markupsafe import Markup

from fairage.auditing.scoring import AVERAGE_BIAS
from fairage.auditing.suite_runs import SuiteRuns, with_distinct_titles
from fairage.auditing.suite_statistics import SuiteStatistics, suite_statistics
from fairage.reports.figures import (
    OURS,
    REFERENCE,
    STUDY,
    GroupDots,
    Point,
    Scatter,
    Size,
    figure_svg,
    responsive,
)
from fairage.reports.format import attribute_title
from fairage.reports.html import render
from fairage.reports.suite_captions import (
    change_rows,
    changes_sentence,
    columns_of,
    panel_sentence,
    scatter_sentence,
    table_sentence,
    truth_findings,
    version_rows,
)
from fairage.reports.suite_numbers import SuiteNumbers, VersionNumbers, front_of
from fairage.reports.suite_text import conclusion, set_name

WIDTH = 560.0


def suite_html(suite: SuiteRuns | SuiteStatistics) -> str:
    """Return the page of a suite as one HTML file that needs nothing from the network.

    Args:
        suite: The suite, or its statistics where they are there already.

    Raises:
        DataError: There is no version, or a version without predictions.
    """
    statistics = suite if isinstance(suite, SuiteStatistics) else suite_statistics(suite)
    runs = with_distinct_titles(statistics.runs)
    numbers = SuiteNumbers.of(SuiteStatistics(runs, statistics.versions, statistics.face_sets))
    columns = columns_of(numbers)
    scatter = _scatter(numbers)
    return render(
        "suite.html.j2",
        title=runs.title,
        sentences=conclusion(numbers),
        truth=runs.truth,
        findings=truth_findings(numbers),
        table_sentence=table_sentence(numbers),
        headings=list(columns.values()),
        table=version_rows(numbers, list(columns)),
        spreads=any(version.mae.sd is not None for version in numbers.versions),
        changes=_changes(numbers, list(columns)),
        front=scatter is not None and len(scatter.front) > 1,
        scatter=None if scatter is None else _scatter_svg(scatter),
        scatter_sentence="" if scatter is None else scatter_sentence(scatter, numbers),
        panels=[_panel(numbers, attribute) for attribute in numbers.attributes],
        facts=list(runs.facts.items()),
        notes=runs.notes,
        warnings=runs.warnings,
    )


def _changes(numbers: SuiteNumbers, columns: list[str]) -> list[dict[str, object]]:
    return [
        {
            "title": set_name(own) if len(numbers.sets) > 1 else "",
            "baseline": own.baseline.called,
            "rows": change_rows(own, columns),
            "note": changes_sentence(own),
        }
        for own in numbers.sets
        if own.others
    ]


def _scatter(numbers: SuiteNumbers) -> Scatter | None:
    """Return the scatter; None where no version has an average bias.

    The front and the floor belong to one set of faces, so that they are left out with several.
    """
    points = {v.number: p for v in numbers.versions if (p := _point(v)) is not None}
    if not points:
        return None
    runs = numbers.statistics.runs
    published = [
        Point(reference.name, reference.mae, reference.average_bias, kind)
        for kind, references in ((REFERENCE, runs.references), (STUDY, runs.study))
        for reference in references
    ]
    if len(numbers.sets) > 1:
        return Scatter([*points.values(), *published], [])
    (own,) = numbers.sets
    baseline = own.baseline.statistics.metrics.get(AVERAGE_BIAS)
    floor = None if baseline is None else baseline.floor
    return Scatter(
        points=[*points.values(), *published],
        front=[points[version.number] for version in front_of(own.versions)],
        floor=None if floor is None else floor.mean,
        floor_p975=None if floor is None else floor.p975,
    )


def _point(version: VersionNumbers) -> Point | None:
    mae, bias = version.mae, version.average_bias
    if bias is None:
        return None
    across = min(mae.low, mae.mean), max(mae.high, mae.mean)
    up = min(bias.low, bias.mean), max(bias.high, bias.mean)
    return Point(version.name, mae.mean, bias.mean, OURS, across, up)


def _scatter_svg(scatter: Scatter) -> Markup:
    label = "Scatter of MAE against average bias, a point a version"
    return responsive(scatter, Size(760, 440), Size(360, 400), label=label)


def _panel(numbers: SuiteNumbers, attribute: str) -> dict[str, object]:
    versions = [v for v in numbers.versions if attribute in v.statistics.groups]
    errors = [version.errors(attribute) for version in versions]
    counts: dict[str, int] = {}
    for version in versions:
        groups = version.statistics.groups[attribute]
        sizes = dict(zip(groups.names, groups.counts.tolist(), strict=True))
        for name in version.errors(attribute):
            counts.setdefault(name, sizes[name])
    dots = GroupDots([version.name for version in versions], errors, counts)
    title = attribute_title(attribute)
    svg = figure_svg(dots, dots.size(WIDTH), label=f"Group errors by {title}")
    return {"title": title, "svg": svg, "sentence": panel_sentence(numbers, attribute)}
