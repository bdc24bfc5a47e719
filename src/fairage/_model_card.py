"""The card of a model bundle: what the model is, what it was made from, and what it is not for."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from fairage._bundle_files import BOXED_NAME, own_name, target_of_estimates
from fairage._card_results import (
    audit_section,
    decision_section,
    groups_of,
    in_table,
    intervals_section,
)
from fairage._graph_words import GRAPH, graph_section
from fairage._text import NOTHING

_TASK = "image-classification"
"""The hub has no task for numbers read off a picture; age estimators stand under this one."""
_TAGS = ["age-estimation", "face", "fairness", "regression"]
_TARGETS = {
    "apparent": "Estimates are of apparent age: how old people look, not how old they are.",
    "real": "Estimates are meant to be of real age, in years since birth.",
    "mixed": "Estimates are of apparent and of real ages; which of them one is cannot be said.",
    None: "Nobody said whether estimates are of apparent or of real age.",
}
_LIMITS = """\
## Not for

- Deciding about a person without another way to prove their age.
- Ages, groups or pictures that the training data does not show.
- Telling who somebody is, or their gender or ethnicity.

The groups are what people perceived in the pictures, not what the persons say of themselves.
Audit the predictions on your own data before you rely on them: `fairage audit predictions.parquet`.
"""


def age_sentences(config: Mapping[str, Any]) -> list[str]:
    """Return which age a model's estimates, and its intervals if it has some, are about.

    Args:
        config: The bundle's `config.json`.

    Examples:
        >>> age_sentences({"target": "apparent", "intervals": {"target": "real"}})[1]
        'Intervals and answers are about real age.'
    """
    target = target_of_estimates(config)
    sentences = [_TARGETS.get(target, _TARGETS[None])]
    own = (config.get("intervals") or {}).get("target", target)
    if own != target:
        kind = f"{own} age" if own else "an age of which nobody said whether it is apparent or real"
        sentences.append(f"Intervals and answers are about {kind}.")
    return sentences


def model_card(config: Mapping[str, Any], name: str | None = None) -> str:
    """Return the card as Markdown with the metadata that the Hugging Face hub reads.

    Args:
        config: The bundle's configuration. `license`, `datasets` (names on the hub), `target`,
            `intervals`, `audits` and `decisions` (see `fairage._card_results`) are told where they
            are there. A bundle without `head`, or with `model.onnx` among its `files`, holds all
            that it needs in its graph.
        name: `ORG/NAME` on the hub, if it has one; `boxed` of the model in the box.

    Examples:
        >>> print(model_card({"target": "real"}, "me/ages")[:34])
        ---
        library_name: fairage
        pipeline
    """
    training = config.get("training", {})
    lines = ["# Age estimator trained by fairage", "", str(training.get("description", "")), ""]
    lines += [
        *age_sentences(config),
        "",
        *_use(name),
        *_made_from(config, training),
    ]
    lines += _table("## Measured (years, lower is better)", training.get("scores", {}))
    lines += [line for audit in config.get("audits", ()) for line in audit_section(audit)]
    lines += intervals_section(config.get("intervals") or {})
    lines += [line for rule in config.get("decisions", ()) for line in decision_section(rule)]
    lines += graph_section(config)
    for attribute, counts in training.get("groups", {}).items():
        lines += _table(f"## Training rows by {in_table(attribute)}", counts)
    metadata = yaml.safe_dump(_metadata(config, name), sort_keys=False, allow_unicode=True)
    return "\n".join(["---", f"{metadata}---", "", *lines, _LIMITS])


def _metadata(config: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    """Return what stands between the dashes; see the hub's specification of model cards."""
    results = [
        {
            "task": {"type": _TASK, "name": "Age estimation"},
            "dataset": {"type": "faces", "name": faces},
            "metrics": metrics,
        }
        for faces, metrics in _results(config)
        if metrics
    ]
    content = {
        "library_name": "fairage",
        "license": config.get("license"),
        "pipeline_tag": _TASK,
        "tags": _TAGS,
        "datasets": config.get("datasets"),
        "metrics": ["mae"] if results else None,
        "model-index": [{"name": name or "Age estimator", "results": results}] if results else None,
    }
    return {key: value for key, value in content.items() if value}


def _results(config: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Return the metrics of each audit, by the name of its faces; else those of the training."""
    for audit in config.get("audits", ()):
        yield str(audit["faces"]), list(_audit_metrics(audit))
    if not config.get("audits"):
        scores = config.get("training", {}).get("scores", {})
        yield "Test faces", list(_score_metrics(scores))


def _score_metrics(scores: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for key, value in scores.items():
        kind = "bias" if key.endswith("_bias") and key != "average_bias" else key
        yield from _metric(kind, f"{_title(key)}, years", value)


def _audit_metrics(audit: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Return MAE and biases, and each group's MAE."""
    for kind in ("mae", "average_bias"):
        figure = audit.get("overall", {}).get(kind) or audit.get(kind)
        yield from _metric(kind, f"{_title(kind)}, years", _value(figure))
    for attribute, figure in audit.get("bias", {}).items():
        yield from _metric("bias", f"Bias by {attribute}, years", _value(figure))
    for attribute, group, figures in groups_of(audit):
        title = f"MAE where {attribute} is {group}, years"
        yield from _metric("mae", title, _value(figures.get("mae")))


def _metric(kind: str, title: str, value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, int | float) and math.isfinite(value):
        yield {"type": kind, "name": title, "value": round(float(value), 4)}


def _value(figure: object) -> object:
    return figure.get("value") if isinstance(figure, Mapping) else figure


def _title(key: str) -> str:
    """Return a score's name in words.

    Examples:
        >>> _title("mae"), _title("age_bias"), _title("average_bias")
        ('MAE', 'Age bias', 'Average bias')
    """
    return "MAE" if key == "mae" else key.replace("_", " ").capitalize()


def _use(name: str | None) -> list[str]:
    source = f'"hub:{name}"' if name else '"the bundle\'s folder"'
    source = "" if name == BOXED_NAME else source
    lines = ["## Use", "", "```python", "import fairage", "", f"model = fairage.load({source})"]
    return [*lines, 'model.predict("photos/").show()', "```", ""]


def _made_from(config: Mapping[str, Any], training: Mapping[str, Any]) -> list[str]:
    graph = "head" not in config or "graph" in config or GRAPH in config.get("files", {})
    backbones = config.get("backbones", ())
    lines = [_backbone(backbone, graph=graph) for backbone in backbones]
    lines += [f"- {key}: {training[key]}" for key in ("version", "seed") if key in training]
    lines += [f"- Rows in {split}: {n}" for split, n in training.get("rows", {}).items()]
    lines += [f"- {name}: {version}" for name, version in training.get("versions", {}).items()]
    return ["## Made from", "", *lines, ""] if lines else []


def _backbone(backbone: Mapping[str, Any], *, graph: bool) -> str:
    name = str(backbone.get("name"))
    line = f"- Backbone: `{name}`, view `{backbone.get('view')}`"
    if graph:
        return f"{line}, inside `{GRAPH}`"
    if "folder" in backbone:
        return f"{line}, fine-tuned: in the folder `{backbone['folder']}`"
    if name == "embedded":
        return f"{line}, which comes with fairage"
    return (
        f"{line}. It is **not in this bundle**: put a copy of it into the bundle's folder as "
        f"`{own_name(name)}`. If the name is one on the Hugging Face hub, it is loaded from "
        f"there. Its weights must have the fingerprint `{backbone.get('fingerprint')}`."
    )


def _table(title: str, rows: Mapping[str, Any]) -> list[str]:
    if not rows:
        return []
    cells = [f"| {in_table(name)} | {_cell(value)} |" for name, value in rows.items()]
    return [title, "", "| | |", "|---|---|", *cells, ""]


def _cell(value: object) -> str:
    if value is None:
        return NOTHING
    return f"{value:.3f}" if isinstance(value, float) else str(value)
