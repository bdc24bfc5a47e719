"""The report of a suite: one HTML file that tells what every version gave and what it means."""

from collections.abc import Iterable

import polars as pl
from markupsafe import Markup

from fairage.audit.score_columns import AVERAGE_BIAS, MAE
from fairage.exceptions import DataError
from fairage.report.figures import figure_svg, responsive
from fairage.report.figures.group_dots import GroupDots
from fairage.report.figures.scatter import OURS, REFERENCE, STUDY, Point, Scatter
from fairage.report.figures.svg import Size
from fairage.report.pages import render
from fairage.report.suite_captions import (
    panel_sentence,
    scatter_sentence,
    table_sentence,
    truth_findings,
)
from fairage.report.suite_frames import results_frame, summary_frame
from fairage.report.suite_numbers import (
    VersionNumbers,
    baseline_of,
    front_of,
    version_numbers,
)
from fairage.report.suite_runs import Reference, SuiteRuns, VersionRuns, with_distinct_titles
from fairage.report.suite_table import change_rows, headings, version_rows
from fairage.report.suite_text import conclusion
from fairage.report.words import attribute_title
from fairage.seeding import numpy_rng

__all__ = [
    "Reference",
    "SuiteRuns",
    "VersionRuns",
    "results_frame",
    "suite_html",
    "summary_frame",
]

PERMUTATIONS = 1000


def suite_html(runs: SuiteRuns, summary: pl.DataFrame | None = None) -> str:
    """Return the report of a suite as one HTML file that needs nothing from the network.

    Args:
        runs: The suite.
        summary: Its summary frame; made here where it is not given.

    Raises:
        DataError: There is no version, or a version without predictions.
    """
    _check(runs)
    runs = with_distinct_titles(runs)
    if summary is None:
        summary = summary_frame(runs, permutations=PERMUTATIONS, rng=numpy_rng(0, "noise floor"))
    versions = version_numbers(runs, summary)
    columns = [*_biases(versions), AVERAGE_BIAS, MAE]
    scatter = _scatter(runs, versions)
    return render(
        "suite.html.j2",
        title=runs.title,
        sentences=conclusion(runs, versions),
        truth=runs.truth,
        findings=truth_findings(versions),
        table_sentence=table_sentence(runs),
        headings=headings(columns),
        table=version_rows(versions, columns),
        spreads=any(version.mae.sd is not None for version in versions),
        baseline=baseline_of(versions).called,
        changes=change_rows(versions, columns),
        front=len(scatter.front) > 1,
        scatter=_scatter_svg(scatter),
        scatter_sentence=scatter_sentence(scatter, versions, same_faces=runs.same_faces),
        panels=[_panel(versions, attribute) for attribute in _attributes(versions)],
        facts=list(runs.facts.items()),
        notes=runs.notes,
    )


def _check(runs: SuiteRuns) -> None:
    if not runs.versions or not all(version.predictions for version in runs.versions):
        raise DataError(
            "expected at least one version and one predictions table a version, got "
            f"{[(v.version, len(v.predictions)) for v in runs.versions]}, run the suite first"
        )


def _biases(versions: Iterable[VersionNumbers]) -> list[str]:
    known = dict.fromkeys(column for version in versions for column in version.metrics)
    return [column for column in known if column not in (MAE, AVERAGE_BIAS)]


def _attributes(versions: Iterable[VersionNumbers]) -> list[str]:
    return list(dict.fromkeys(name for version in versions for name in version.groups))


def _scatter(runs: SuiteRuns, versions: list[VersionNumbers]) -> Scatter:
    ours = {v.name: _point(v) for v in versions}
    references, study = (
        [Point(r.name, r.mae, r.average_bias, kind) for r in published]
        for kind, published in ((REFERENCE, runs.references), (STUDY, runs.study))
    )
    chance = baseline_of(versions).average_bias
    return Scatter(
        points=[*ours.values(), *references, *study],
        front=[ours[v.name] for v in front_of(versions)] if runs.same_faces else [],
        floor=chance.floor or 0.0,
        floor_p95=chance.floor_p95 or 0.0,
    )


def _point(version: VersionNumbers) -> Point:
    mae, bias = version.mae, version.average_bias
    return Point(version.name, mae.mean, bias.mean, OURS, mae.sd or 0.0, bias.sd or 0.0)


def _scatter_svg(scatter: Scatter) -> Markup:
    return responsive(
        scatter,
        Size(760, 440),
        Size(360, 400),
        key="scatter",
        label="Scatter of MAE against average bias, a point a version",
    )


def _panel(versions: list[VersionNumbers], attribute: str) -> dict[str, object]:
    known = [v for v in versions if attribute in v.groups]
    dots = GroupDots([v.name for v in known], [v.groups[attribute] for v in known])
    title = attribute_title(attribute)
    svg = figure_svg(
        dots, dots.size, key=f"groups-{attribute}", label=f"Group errors by {title.lower()}"
    )
    return {"title": title, "svg": svg, "sentence": panel_sentence(known, attribute)}
