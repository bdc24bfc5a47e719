"""The report of an audit: one HTML file for whoever must judge or hand on the findings."""

from collections.abc import Sequence

from fairage.audit.result import (
    ALL,
    AttributeAudit,
    AuditResult,
    Intersection,
    ModelAudit,
    PolicyAudit,
)
from fairage.report.audit_captions import (
    LEAST_FACES,
    age_sentence,
    bias_sentence,
    group_age_sentence,
    group_sentence,
    intersection_sentence,
    policy_sentence,
    reach_sentence,
)
from fairage.report.audit_facts import audit_facts, rows_sentence, tiles
from fairage.report.audit_figures import (
    age_figure,
    bias_figure,
    group_figure,
    intersection_figure,
    policy_figure,
)
from fairage.report.audit_tables import (
    attribute_rows,
    chance_rows,
    error_rows,
    group_rows,
    model_rows,
    policy_rows,
)
from fairage.report.audit_text import findings, headline
from fairage.report.pages import render
from fairage.report.words import attribute_title, attribute_words
from fairage.tables import AGE_GROUP

__all__ = ["audit_html"]

MOST_ROWS = 60
TOLD_ABOVE = ("missing_ages", "missing_predictions")  # the sentence on rows tells of these
TOO_FEW = ("small_groups", "unresolved_gaps")
View = dict[str, object]


def audit_html(result: AuditResult) -> str:
    """Return the report of an audit as one HTML file that needs nothing from the network.

    Args:
        result: What `fairage.audit` found; several models stand side by side.
    """
    several = len(result.models) > 1
    return render(
        "audit.html.j2",
        title=f"Audit of {result.name}",
        several=several,
        headlines=[headline(model, named=several) for model in result.models],
        rows_sentence=rows_sentence(result),
        tiles=[] if several else tiles(result.models[0]),
        warnings=[w for w in result.warnings if w.name not in (*TOLD_ABOVE, *TOO_FEW)],
        too_few=[w for w in result.warnings if w.name in TOO_FEW],
        side_by_side=model_rows(result) if several else [],
        bias_headings=[attribute_title(a.name) for a in result.models[0].attributes],
        models=[_model(model, result, f"m{number}") for number, model in enumerate(result.models)],
        facts=audit_facts(result),
    )


def _model(model: ModelAudit, result: AuditResult, key: str) -> View:
    compared = [a for a in model.attributes if len(a.groups) > 1]
    return {
        "name": model.name,
        "findings": findings(model),
        "errors": error_rows(model.errors),
        "claim": model.claim,
        "bias": {"svg": bias_figure(model, f"{key}-bias"), "sentence": bias_sentence(model)},
        "chance": chance_rows(model),
        "further": attribute_rows(model),
        "groups": [_groups(a, model, f"{key}-group{i}") for i, a in enumerate(compared)],
        "ages": _ages(model, key),
        "crossed": [
            _crossed(found, model, result.settings.min_rows, f"{key}-cross{i}")
            for i, found in enumerate(model.intersections)
        ],
        "policy": None if model.policy is None else _policy(model.policy, compared, key),
    }


def _groups(attribute: AttributeAudit, model: ModelAudit, key: str) -> View:
    return {
        "title": attribute_title(attribute.name),
        "svg": group_figure(attribute, model.errors.mae.value, key),
        "sentence": group_sentence(attribute),
        "rows": group_rows(attribute, MOST_ROWS),
        "more": max(len(attribute.groups) - MOST_ROWS, 0),
    }


def _ages(model: ModelAudit, key: str) -> list[View]:
    """All faces first, then each attribute; the age group is the horizontal axis itself."""
    found = [("All faces", model.along_age, age_sentence(model.along_age))]
    found += [
        (attribute_title(a.name), a.along_age, group_age_sentence(a))
        for a in model.attributes
        if a.name != AGE_GROUP and len(a.groups) > 1 and a.along_age
    ]
    return [
        {
            "title": title,
            "svg": age_figure(points, title.lower(), f"{key}-age{i}"),
            "sentence": told,
        }
        for i, (title, points, told) in enumerate(found)
        if any(point.n >= LEAST_FACES for point in points)
    ]


def _crossed(found: Intersection, model: ModelAudit, minimum: int, key: str) -> View:
    names = " and ".join(map(attribute_words, found.attributes))
    return {
        "title": names[:1].upper() + names[1:],
        "svg": intersection_figure(found, model, minimum, key),
        "sentence": intersection_sentence(found, model),
    }


def _policy(policy: PolicyAudit, attributes: Sequence[AttributeAudit], key: str) -> View:
    known = {curve.attribute for curve in policy.curves}
    names = [a.name for a in attributes if a.name in known and a.name != AGE_GROUP]
    return {
        "legal_age": policy.legal_age,
        "threshold": policy.threshold,
        "reach": reach_sentence(policy),
        "rows": policy_rows(policy),
        "figures": [
            {
                "title": attribute_title(name),
                "svg": policy_figure(policy, name, f"{key}-policy{i}"),
                "sentence": policy_sentence(policy, name),
            }
            for i, name in enumerate(names or [ALL])
        ],
    }
