"""The page of a comparison: one HTML file that says what changes from one model to another."""

from collections.abc import Sequence

from markupsafe import Markup

from fairage._text import number, plain_years, signed, visible
from fairage.auditing.changes import (
    BETTER,
    CANNOT_TELL,
    FAIRER,
    LESS_FAIR,
    MIXED,
    OVERALL,
    SHIFTED,
    WITHIN_MARGIN,
    WORSE,
)
from fairage.auditing.columns import Columns
from fairage.auditing.comparison_result import ComparisonResult
from fairage.auditing.result_parts import MAE, MEAN_ERROR, Interval
from fairage.reports.comparison_tables import (
    bias_change_table,
    failure_change_table,
    group_change_table,
    overall_table,
    verdict_table,
)
from fairage.reports.comparison_text import findings, headline, headline_sentences
from fairage.reports.comparison_words import images, model_names, verdict_cell
from fairage.reports.figures import GroupInterval, GroupIntervals, Panel, responsive
from fairage.reports.format import attribute_title, attribute_words, group_order, span, upper_first
from fairage.reports.html import render

View = dict[str, object]
WIDE, NARROW = 984.0, 350.0
MOST_FIGURES, MOST_ROWS, MOST_GROUPS = 12, 20, 60
COLOURS: dict[str, str] = {
    BETTER: "within",
    FAIRER: "within",
    WITHIN_MARGIN: "within",
    WORSE: "differ",
    LESS_FAIR: "differ",
    MIXED: "differ",
    SHIFTED: "tell",
    CANNOT_TELL: "tell",
}


def comparison_html(result: ComparisonResult) -> str:
    """Return the page of a comparison as one HTML file that needs nothing from the network.

    Args:
        result: What `fairage.compare` returned.
    """
    a, b = model_names(result)
    attributes = [name for name in result.groups if len(result.groups[name]) > 0]
    return render(
        "compare.html.j2",
        title=f"{a} and {b} compared",
        a=a,
        b=b,
        headline=headline_sentences(result),
        rows_sentence=f"The numbers rest on {images(result)} that both estimate.",
        tiles=_tiles(result),
        notes=result.notes,
        findings=findings(result),
        overall=overall_table(result),
        verdicts=verdict_table(result),
        groups=[_panel(result, name) for name in attributes[:MOST_FIGURES]],
        groups_left=max(len(attributes) - MOST_FIGURES, 0),
        bias=bias_change_table(result) if result.bias else None,
        failures=failure_change_table(result, MOST_GROUPS) if result.failures.any else None,
        facts=_facts(result),
    )


def comparison_view(result: ComparisonResult) -> str:
    """Return a small piece of HTML for the cell of a notebook: the headline and the changes."""
    a, b = model_names(result)
    rows = Markup("").join(
        Markup("<tr><th>{}</th>{}<td>{}</td></tr>").format(
            row.name,
            Markup("").join(Markup("<td>{}<br>{}</td>").format(*cell) for cell in row.cells),
            row.remark,
        )
        for table in (overall_table(result), bias_change_table(result))
        for row in table.rows
    )
    return str(
        Markup("<p>{}</p><table><caption>{} less {}, in years</caption>{}</table>").format(
            headline(result), b, a, rows
        )
    )


def _tiles(result: ComparisonResult) -> list[View]:
    """The numbers to know first; those of verdicts have their colour."""
    a, b = result.values["a"], result.values["b"]
    names = model_names(result)
    verdict = result.verdicts[OVERALL]
    tiles: list[View] = [
        _tile("Change of MAE", result.overall[MAE], a.overall[MAE], b.overall[MAE], names),
        {
            "name": "All faces",
            "value": upper_first(verdict_cell(verdict, names)),
            "note": f"margin {plain_years(verdict.margin)}",
            "kind": COLOURS.get(verdict.kind, ""),
        },
    ]
    if result.average_bias is not None:
        average = (a.average_bias, b.average_bias)
        tile = _tile("Change of average bias", result.average_bias, *average, names)
        tiles.append(tile | {"kind": COLOURS.get(str(result.average_bias_kind), "")})
    tiles.append(_groups_tile(result))
    return tiles


def _tile(
    name: str,
    change: Interval,
    a: float | None,
    b: float | None,
    names: tuple[str, str],
) -> View:
    both = f"{names[0]} {number(a)}, {names[1]} {number(b)}"
    limits = span(change, sign=True)
    note = f"{both}; 95 % interval {limits}" if limits else both
    return {"name": name, "value": f"{signed(change.value)} years", "note": note, "kind": ""}


def _groups_tile(result: ComparisonResult) -> View:
    verdicts = [verdict for name, verdict in result.verdicts.items() if name != OVERALL]
    judged = sum(len(verdict.groups) for verdict in verdicts)
    smaller = sum(len(verdict.improved) for verdict in verdicts)
    larger = sum(len(verdict.worsened) for verdict in verdicts)
    return {
        "name": "Groups with a sure change",
        "value": f"{smaller + larger:,} of {judged:,}",
        "note": f"errors smaller for {smaller:,}, larger for {larger:,}; all judged at once",
        "kind": "",
    }


def _panel(result: ComparisonResult, attribute: str) -> View:
    table = group_change_table(result, attribute, MOST_GROUPS)
    verdict = result.verdicts[attribute]
    return {
        "title": attribute_title(attribute),
        "label": f"Changes by {attribute_words(attribute)}",
        "verdict": upper_first(verdict_cell(verdict, model_names(result))),
        "svg": None if result.identical else _figure(result, attribute),
        "table": table,
    }


def _figure(result: ComparisonResult, attribute: str) -> Markup:
    """Return the change of MAE and of mean error of an attribute's groups."""
    groups = result.groups[attribute]
    names = list(groups)
    largest = sorted(names, key=lambda name: -groups[name].n)[:MOST_ROWS]
    ordered = [names[i] for i in group_order(attribute, names) if names[i] in largest]
    rows = [
        GroupInterval(
            name,
            groups[name].n,
            [groups[name][measure] for measure in (MAE, MEAN_ERROR)],
            faint=not groups[name].takes_part,
        )
        for name in ordered
    ]
    panels = [
        Panel("Change of MAE in years", sign=True),
        Panel("Change of mean error in years", sign=True),
    ]
    drawing = GroupIntervals(rows, panels)
    label = f"Change of MAE and mean error by {attribute_words(attribute)}, with limits"
    return responsive(drawing, drawing.size(WIDE), drawing.size(NARROW, narrow=True), label=label)


def _facts(result: ComparisonResult) -> list[tuple[str, str]]:
    """Return name and value of everything needed to repeat the comparison."""
    settings, columns = result.settings, result.columns_a
    identity = columns.identity
    facts = [
        ("First", f"{visible(result.a)}, {_estimates(result.columns_a)}"),
        ("Second", f"{visible(result.b)}, {_estimates(result.columns_b)}"),
        ("Paired by", f"{visible(str(columns.image))} and {visible(str(result.columns_b.image))}"),
        ("True age", visible(columns.age)),
        ("Attributes", _listed(columns.attributes)),
        ("Persons", visible(identity) if identity else "not known: each row counts as one"),
    ]
    if columns.weight:
        facts.append(("Survey weights", visible(columns.weight)))
    guesses = [text for each in (columns, result.columns_b) if (text := each.describe())]
    if guesses:
        facts.append(("Guessed", " ".join(dict.fromkeys(guesses))))
    return [
        *facts,
        ("Groups are judged from", f"{settings.min_rows} rows, or persons where they are known"),
        ("Margin", f"{settings.margin:g} years, {100 * settings.rate_margin:g} points for rates"),
        ("Intervals", "95 %; those of groups hold for all groups at once, also of both measures"),
        ("Seed", str(settings.seed)),
        ("Software", f"fairage {result.fairage_version}, schema {result.schema_version}"),
    ]


def _estimates(columns: Columns) -> str:
    return f"estimates {_listed([columns.title(name) for name in columns.predictions])}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(visible, names)) or "none"
