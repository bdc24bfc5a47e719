"""The page of an audit: one HTML file for whoever must judge or hand on the findings."""

from collections.abc import Iterable, Sequence

from fairage._text import joined, plain_years, visible
from fairage.auditing.measures import MEASURES
from fairage.auditing.result import AuditResult, ModelAudit
from fairage.auditing.result_parts import ALL, DIFFER, TELL, WITHIN, AgeCheck
from fairage.reports.audit_captions import (
    age_sentence,
    group_age_sentence,
    group_sentence,
    intersection_sentence,
)
from fairage.reports.audit_coverage import coverage_sentences, coverage_view
from fairage.reports.audit_figures import (
    LEAST_FACES,
    age_figure,
    bias_figure,
    check_figure,
    group_figure,
    intersection_map,
    map_scale,
)
from fairage.reports.audit_rates import (
    age_check_sentences,
    check_group_sentence,
    failure_sentences,
)
from fairage.reports.audit_tables import (
    adjusted_table,
    bias_table,
    error_rows,
    group_table,
    model_table,
    spread_table,
)
from fairage.reports.audit_text import (
    audit_facts,
    findings,
    headline,
    range_sentences,
    rows_sentence,
    tiles,
)
from fairage.reports.format import attribute_title, attribute_words, group_order, upper_first
from fairage.reports.gap_tables import (
    check_table,
    failure_table,
    failure_verdict_table,
    gap_panels,
    in_need,
    range_rows,
    reason_rows,
    verdict_table,
)
from fairage.reports.html import render
from fairage.reports.verdict_text import bias_sentence
from fairage.tables import AGE_GROUP

View = dict[str, object]
KINDS = {DIFFER: "differ", TELL: "tell", WITHIN: "within"}  # classes of the style sheet
VERDICT_TILE = "Groups"
MOST_FIGURES, MOST_AGES, MOST_MAPS = 12, 8, 15  # of a kind, over all models of a page
MOST_BIASES = 20
MOST_HEADLINES = 4
MOST_GROUPS, GROUPS_OF_PAGE = 60, 240
LEAST_GROUPS = 3
MOST_COLUMNS = 100


def audit_html(result: AuditResult) -> str:
    """Return the page of an audit as one HTML file that needs nothing from the network.

    Args:
        result: What `fairage.audit` returned; several models stand side by side.
    """
    models = list(result.models.values())
    several = len(models) > 1
    return render(
        "audit.html.j2",
        title=f"Audit of {result.name}",
        several=several,
        headlines=[headline(model, named=several) for model in models[:MOST_HEADLINES]],
        headlines_left=max(len(models) - MOST_HEADLINES, 0),
        rows_sentence=rows_sentence(result),
        tiles=[] if several else _tiles(models[0]),
        notes=result.notes,
        side_by_side=model_table(result) if several else None,
        margin=plain_years(result.settings.margin),
        measure_keys=list(MEASURES),
        models=[
            _model(model, result, headed=place >= MOST_HEADLINES)
            for place, model in enumerate(models)
        ],
        columns=_columns(result),
        facts=audit_facts(result),
    )


def _tiles(model: ModelAudit) -> list[View]:
    """The numbers to know first; that of the verdict has its colour."""
    return [
        {
            "name": tile.name,
            "value": tile.value,
            "note": tile.note,
            "kind": KINDS[model.verdict.kind] if tile.name == VERDICT_TILE else "",
        }
        for tile in tiles(model)
    ]


def _model(model: ModelAudit, result: AuditResult, *, headed: bool) -> View:
    """Return everything that the page says of one model; parts without content are empty.

    `headed` tells that its headline is not at the head of the page.
    """
    names = in_need(model)
    compared = [name for name in names if len(model.groups[name]) > 1]
    share = max(len(result.models), 1)
    figures, maps = max(MOST_FIGURES // share, 2), max(MOST_MAPS // share, 2)
    pairs = [name for name in compared if model.gaps.get(name)]
    return {
        "name": model.name,
        "headline": headline(model) if headed else "",
        "findings": _without(findings(model, result.settings), _sentences_below(model)),
        "verdicts": verdict_table(model, [name for name in names if name in model.verdicts]),
        "gaps": gap_panels(model, pairs[:figures]),
        "gaps_left": len(pairs[figures:]),
        "errors": error_rows(model),
        "bias": _bias(model, names),
        "groups": [_group_panel(model, name) for name in compared[:figures]],
        "groups_left": len(compared[figures:]),
        "ages": _ages(model, compared, min(figures, MOST_AGES)),
        "adjusted": _adjusted(model, compared),
        "crossed": _crossed(model, maps),
        "crossed_left": max(len(model.intersections) - maps, 0),
        "failures": _failures(model, names),
        "coverage": coverage_view(model, names, figures, MOST_GROUPS),
        "age_check": None if model.age_check is None else _check(model, compared, figures),
        "ranges": _ranges(model),
        "spread": _spread(model, names),
        "all_groups": _all_groups(model, names, share),
    }


def _sentences_below(model: ModelAudit) -> list[str]:
    """Return what sections further down say: of each, all but the first sentence."""
    parts = (
        failure_sentences(model),
        coverage_sentences(model.coverage),
        range_sentences(model),
        age_check_sentences(model),
    )
    return [sentence for sentences in parts for sentence in sentences[1:]]


def _without(sentences: Iterable[str], others: Sequence[str]) -> list[str]:
    """Return the sentences that stand in none of the others."""
    return [sentence for sentence in sentences if not any(sentence in other for other in others)]


def _bias(model: ModelAudit, names: Sequence[str]) -> View | None:
    if not model.bias:
        return None
    return {
        "svg": bias_figure(model, [name for name in names if name in model.bias][:MOST_BIASES]),
        "sentence": bias_sentence(model),
        "table": bias_table(model, names),
    }


def _group_panel(model: ModelAudit, attribute: str) -> View:
    return {
        "title": attribute_title(attribute),
        "svg": group_figure(model, attribute),
        "sentence": group_sentence(model, attribute),
    }


def _ages(model: ModelAudit, compared: Sequence[str], most: int) -> list[View]:
    """All faces first, then each attribute; the age group is the horizontal axis itself."""
    parts = [(ALL, "All faces", age_sentence(model))]
    parts += [
        (name, attribute_title(name), group_age_sentence(model, name))
        for name in compared
        if name != AGE_GROUP
    ]
    panels = []
    for name, title, sentence in parts:
        bands = model.by_age.bands.get(name, ())
        if any(band.n >= LEAST_FACES for band in bands):
            words = "all faces" if name == ALL else attribute_words(name)
            panels.append((title, bands, words, sentence))
    return [
        {"title": title, "svg": age_figure(bands, words), "sentence": sentence}
        for title, bands, words, sentence in panels[:most]
    ]


def _adjusted(model: ModelAudit, compared: Sequence[str]) -> object | None:
    table = adjusted_table(model, compared, MOST_GROUPS)
    return table if table.rows else None


def _crossed(model: ModelAudit, most: int) -> list[View]:
    """The intersections in need: those that differ or are undecided first."""
    kinds, scale = list(KINDS), map_scale(model)
    ordered = sorted(model.intersections, key=lambda each: kinds.index(each.verdict.kind))
    return [
        {
            "title": upper_first(" and ".join(map(attribute_words, each.attributes))),
            "label": f"Errors by {' and '.join(map(attribute_words, each.attributes))}",
            "map": intersection_map(each, model, scale),
            "sentence": intersection_sentence(each),
        }
        for each in ordered[:most]
    ]


def _failures(model: ModelAudit, names: Sequence[str]) -> View | None:
    if not model.failures.overall.value > 0:
        return None
    return {
        "sentences": failure_sentences(model),
        "attributes": failure_verdict_table(model, names),
        "table": failure_table(model, names, MOST_GROUPS),
        "reasons": reason_rows(model.failures),
    }


def _check(model: ModelAudit, compared: Sequence[str], most: int) -> View:
    check = model.age_check
    assert check is not None
    names = [name for name in compared if name in check.curves and name != AGE_GROUP]
    panels = [_check_panel(check, name) for name in (names or [ALL])[:most]]
    captions = [str(panel["sentence"]) for panel in panels]
    return {
        "legal_age": f"{check.legal_age:g}",
        "caption": f"Rates of each group at a threshold of {check.threshold:g}",
        "sentences": _without(age_check_sentences(model), captions),
        "table": check_table(check, MOST_GROUPS),
        "figures": panels,
    }


def _check_panel(check: AgeCheck, attribute: str) -> View:
    return {
        "title": "All faces" if attribute == ALL else attribute_title(attribute),
        "svg": check_figure(check, attribute),
        "sentence": "" if attribute == ALL else check_group_sentence(check, attribute),
    }


def _ranges(model: ModelAudit) -> View | None:
    if model.ranges is None:
        return None
    return {"sentences": range_sentences(model), "rows": range_rows(model.ranges)}


def _spread(model: ModelAudit, names: Sequence[str]) -> object | None:
    table = spread_table(model, names)
    return table if table.rows else None


def _all_groups(model: ModelAudit, names: Sequence[str], models: int) -> list[View]:
    """Every number of every group, so many in all that a page stays light."""
    budget, panels = max(GROUPS_OF_PAGE // models, LEAST_GROUPS * len(names)), []
    for place, name in enumerate(names):
        later = LEAST_GROUPS * (len(names) - place - 1)
        most = max(min(MOST_GROUPS, budget - later), LEAST_GROUPS)
        groups = model.groups[name]
        ordered = [list(groups)[i] for i in group_order(name, list(groups))]
        table = group_table(groups, ordered, most, model.own_measures)
        budget -= len(table.rows)
        title = attribute_title(name)
        panels.append({"title": title, "label": f"{title}, all measures", "table": table})
    return panels


def _columns(result: AuditResult) -> View:
    """Why columns are not used, and how attributes of numbers were cut into groups."""
    unused = list((result.columns.unused | result.rows.left_out).items())
    binned = [(name, joined(map(visible, bins))) for name, bins in result.rows.binned.items()]
    return {
        "binned": binned,
        "unused": unused[:MOST_COLUMNS],
        "more": max(len(unused) - MOST_COLUMNS, 0),
    }
