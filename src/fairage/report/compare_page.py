"""The report of a comparison: one HTML file that tells what changes from one model to another."""

from collections.abc import Sequence

from markupsafe import Markup

from fairage.audit.comparing import ComparisonResult, Difference
from fairage.audit.result import ALL
from fairage.report.audit_tables import TableRow
from fairage.report.compare_text import (
    compare_findings,
    compare_headline,
    difference_name,
    model_names,
)
from fairage.report.estimates import as_signed_cell
from fairage.report.figures import figure_svg, responsive
from fairage.report.figures.group_intervals import GroupInterval, GroupIntervals
from fairage.report.pages import render
from fairage.report.words import attribute_title, count, faces_of, number

__all__ = ["compare_html"]

XLABEL = "Change in years (left: the second is better)"


def compare_html(result: ComparisonResult) -> str:
    """Return the report of a comparison as one HTML file that needs nothing from the network.

    Args:
        result: What `fairage.compare` found.
    """
    a, b = model_names(result)
    overall = [d for d in result.differences if d.group == ALL]
    attributes = list(dict.fromkeys(d.attribute for d in result.differences if d.group != ALL))
    return render(
        "compare.html.j2",
        title=f"{a} and {b} compared",
        a=a,
        b=b,
        headline=compare_headline(result),
        rows_sentence=f"All numbers rest on {count(result.n, 'image')} that both have.",
        warnings=result.warnings,
        findings=compare_findings(result),
        overall={"svg": _overall_figure(overall), "rows": _rows(overall)},
        groups=[_groups(result, name, i) for i, name in enumerate(attributes)],
        levelling=[(attribute_title(told.attribute), told.text) for told in result.levelling],
        facts=[
            ("First", f"{result.a}, predictions {result.columns_a.predictions[0]}"),
            ("Second", f"{result.b}, predictions {result.columns_b.predictions[0]}"),
            ("Intervals", f"95 %, {result.settings.replicates:,} paired bootstrap replicates"),
            ("Seed", str(result.settings.seed)),
            ("Software", f"fairage {result.fairage_version}, schema {result.schema_version}"),
        ],
    )


def _overall_figure(differences: Sequence[Difference]) -> Markup:
    drawing = _drawing(differences)
    size = drawing.size
    wide = type(size)(720, size.height)
    label = "Change of MAE and of each bias, with intervals"
    return responsive(drawing, wide, size, key="overall", label=label)


def _groups(result: ComparisonResult, attribute: str, i: int) -> dict[str, object]:
    found = [d for d in result.differences if d.attribute == attribute and d.group != ALL]
    drawing = _drawing(found)
    title = attribute_title(attribute)
    label = f"Change of the group errors by {title.lower()}, with intervals"
    return {
        "title": title,
        "svg": figure_svg(drawing, drawing.size, key=f"groups{i}", label=label),
        "sentence": _sentence(found),
        "rows": _rows(found),
    }


def _drawing(differences: Sequence[Difference]) -> GroupIntervals:
    rows = [
        GroupInterval(
            difference_name(d),
            d.change.n,
            d.change.value,
            d.change.low,
            d.change.high,
            faint=not d.resolved,
        )
        for d in differences
    ]
    return GroupIntervals(rows, overall=0.0, xlabel=XLABEL)


def _sentence(differences: Sequence[Difference]) -> str:
    clear = [d for d in differences if d.resolved]
    if not clear:
        return "No change here is beyond chance."
    most = max(clear, key=lambda d: abs(d.change.value))
    verb = "falls" if most.change.value < 0 else "rises"
    whose = faces_of(most.attribute, most.group)
    return (
        f"The error of {whose} {verb} most, from {number(most.a)} to {number(most.b)}; "
        f"{len(clear)} of {count(len(differences), 'change')} are beyond chance."
    )


def _rows(differences: Sequence[Difference]) -> list[TableRow]:
    return [
        TableRow(
            difference_name(d),
            [
                (f"{d.change.n:,}", ""),
                (number(d.a), ""),
                (number(d.b), ""),
                as_signed_cell(d.change),
            ],
            "beyond chance" if d.resolved else "",
        )
        for d in differences
    ]
