"""The card of a model bundle: what the model is, what it was made from, and what it is not for."""

from typing import Any

_LIMITS = """\
## Not for

- Deciding about a person without another way to prove their age.
- Ages, groups or pictures that the training data does not show; look at the group counts above.
- Telling who somebody is, or their gender or ethnicity.

The groups are what people perceived in the pictures, not what the persons say of themselves.
Audit the predictions on your own data before you rely on them: `fairage audit predictions.parquet`.
"""


def model_card(config: dict[str, Any]) -> str:
    """Return the card as Markdown, from the bundle's configuration."""
    training = config["training"]
    lines = ["# Age estimator trained by fairage", "", str(training.get("description", "")), ""]
    lines += ["## Made from", ""]
    lines += [_backbone(backbone) for backbone in config["backbones"]]
    lines += [f"- {key}: {training[key]}" for key in ("version", "seed") if key in training]
    lines += [f"- Rows in {split}: {n}" for split, n in training.get("rows", {}).items()]
    lines += [f"- {name}: {version}" for name, version in training.get("versions", {}).items()]
    lines += ["", *_table("## Measured (years, lower is better)", training.get("scores", {}))]
    for attribute, counts in training.get("groups", {}).items():
        lines += _table(f"## Training rows by {attribute}", counts)
    return "\n".join([*lines, _LIMITS])


def _backbone(backbone: dict[str, Any]) -> str:
    line = f"- Backbone: `{backbone.get('name')}`, view `{backbone.get('view')}`"
    if "folder" in backbone:
        line += f", fine-tuned: in the folder `{backbone['folder']}`"
    return line


def _table(title: str, rows: dict[str, Any]) -> list[str]:
    if not rows:
        return []
    cells = [f"| {name} | {_cell(value)} |" for name, value in rows.items()]
    return [title, "", "| | |", "|---|---|", *cells, ""]


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
