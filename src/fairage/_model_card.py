"""The card of a model bundle: what the model is, what it was made from, and what it is not for."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from fairage._text import NOTHING, count, number, percent, visible

GRAPH = "model.onnx"

_TASK = "image-classification"
"""The hub has no task for numbers read off a picture; age estimators stand under this one."""
_TAGS = ["age-estimation", "face", "fairness", "regression"]
_DATASET = {"type": "faces", "name": "Test faces"}
_TARGETS = {
    "apparent": "Estimates are of apparent age: how old people look, not how old they are.",
    "real": "Estimates are meant to be of real age, in years since birth.",
    "mixed": "Estimates are of apparent and of real ages; which of them one is cannot be said.",
    None: "Nobody said whether estimates are of apparent or of real age.",
}
_LIMITS = """\
## Not for

- Deciding about a person without another way to prove their age.
- Ages, groups or pictures that the training data does not show; look at the group counts above.
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
    target = config.get("target")
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
            `calibration_rows` and `audit` (`overall`, `groups`, `bias` and `average_bias` of one
            model, as in `audit.json`) are told where they are there. A bundle without `head`, or
            with `model.onnx` among its `files`, holds all that it needs in its graph.
        name: `ORG/NAME` on the hub, if it has one.

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
    lines += _audit_tables(config.get("audit") or {})
    lines += _intervals(config.get("calibration_rows") or config.get("intervals") or {})
    for attribute, counts in training.get("groups", {}).items():
        lines += _table(f"## Training rows by {_in_table(attribute)}", counts)
    metadata = yaml.safe_dump(_metadata(config, name), sort_keys=False, allow_unicode=True)
    return "\n".join(["---", f"{metadata}---", "", *lines, _LIMITS])


def _metadata(config: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    """Return what stands between the dashes; see the hub's specification of model cards."""
    metrics = list(_metrics(config))
    index = {
        "name": name or "Age estimator",
        "results": [
            {
                "task": {"type": _TASK, "name": "Age estimation"},
                "dataset": _DATASET,
                "metrics": metrics,
            }
        ],
    }
    content = {
        "library_name": "fairage",
        "license": config.get("license"),
        "pipeline_tag": _TASK,
        "tags": _TAGS,
        "datasets": config.get("datasets"),
        "metrics": ["mae"] if metrics else None,
        "model-index": [index] if metrics else None,
    }
    return {key: value for key, value in content.items() if value}


def _metrics(config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Return MAE and biases: those of the audit with each group's MAE, else the test scores."""
    audit = config.get("audit")
    if not audit:
        for key, value in config.get("training", {}).get("scores", {}).items():
            kind = "bias" if key.endswith("_bias") and key != "average_bias" else key
            yield from _metric(kind, f"{_title(key)}, years", value)
        return
    for kind in ("mae", "average_bias"):
        figure = audit.get("overall", {}).get(kind) or audit.get(kind)
        yield from _metric(kind, f"{_title(kind)}, years", _value(figure))
    for attribute, figure in audit.get("bias", {}).items():
        yield from _metric("bias", f"Bias by {attribute}, years", _value(figure))
    for attribute, group, figures in _groups(audit):
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
    source = f"hub:{name}" if name else "the bundle's folder"
    lines = ["## Use", "", "```python", "import fairage", "", f'model = fairage.load("{source}")']
    return [*lines, 'model.predict("photos/").show()', "```", ""]


def _made_from(config: Mapping[str, Any], training: Mapping[str, Any]) -> list[str]:
    graph = "head" not in config or GRAPH in config.get("files", {})
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
        f"`{Path(name).name}`. If the name is one on the Hugging Face hub, it is loaded from "
        f"there. Its weights must have the fingerprint `{backbone.get('fingerprint')}`."
    )


def _intervals(rows: Mapping[str, Any]) -> list[str]:
    """Return what the intervals rest on."""
    if not rows:
        return []
    where = f" ({visible(str(rows['source']))})" if rows.get("source") else ""
    faces = count(rows["n"], "face") if "n" in rows else "faces"
    return [
        "## Intervals",
        "",
        f"The intervals were calibrated on {faces}{where}. On faces like those, "
        f"{percent(rows.get('level', 0.9))} of the intervals are to hold the true age. On others "
        "they may hold it less often: calibrate the model on your own faces with `fairage "
        "calibrate`.",
        "",
    ]


def _audit_tables(audit: Mapping[str, Any]) -> list[str]:
    """Return a table with all faces and each group: faces, MAE and mean error."""
    rows = [("all", "", audit["overall"])] if "overall" in audit else []
    rows += list(_groups(audit))
    if not rows:
        return []
    lines = [
        "## Results by group",
        "",
        "Years, with 95 % intervals. MAE: the lower the better. Mean error: estimate minus true "
        "age; above 0 is too old.",
        "",
        "| attribute | group | faces | MAE | mean error |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {_in_table(attribute)} | {_in_table(group)} | {_faces(figures)} | "
        f"{_figure(figures.get('mae'))} | {_figure(figures.get('mean_error'))} |"
        for attribute, group, figures in rows
    ]
    bias = audit.get("average_bias")
    average = (
        "Average bias (the mean gap between the MAE of groups that have enough faces, averaged "
        f"over the attributes): {_figure(bias)} years."
    )
    return [*lines, "", *([average, ""] if bias else [])]


def _groups(audit: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for attribute, groups in audit.get("groups", {}).items():
        for group, figures in groups.items():
            yield attribute, group, figures


def _faces(figures: Mapping[str, Any]) -> str:
    n = figures.get("n", (figures.get("mae") or {}).get("n"))
    return NOTHING if n is None else f"{n:,}"


def _figure(figure: Mapping[str, Any] | None) -> str:
    """Return a figure with its interval; an end that is open is said so."""
    if not figure or figure.get("value") is None:
        return NOTHING
    ends: Sequence[float | None] = (figure.get("low"), figure.get("high"))
    if ends == (None, None):
        return number(figure["value"])
    low, high = ("open" if end is None else number(end) for end in ends)
    return f"{number(figure['value'])} ({low} to {high})"


def _table(title: str, rows: Mapping[str, Any]) -> list[str]:
    if not rows:
        return []
    cells = [f"| {_in_table(name)} | {_cell(value)} |" for name, value in rows.items()]
    return [title, "", "| | |", "|---|---|", *cells, ""]


def _in_table(name: object) -> str:
    """Return a name that stays within its cell."""
    return visible(str(name)).replace("|", "\\|")


def _cell(value: object) -> str:
    if value is None:
        return NOTHING
    return f"{value:.3f}" if isinstance(value, float) else str(value)
