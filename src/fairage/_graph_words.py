"""What cards and commands say of a bundle's graph, and of what int8 costs."""

from collections.abc import Mapping
from typing import Any

from fairage._text import joined, number

GRAPH, RUN = "model.onnx", "run.py"


def graph_section(config: Mapping[str, Any]) -> list[str]:
    """Return the lines of a card on the graph, none where the bundle was not exported.

    Args:
        config: The bundle's, with `graph`: `precision`, and `int8` where the graph is one.

    Examples:
        >>> graph_section({"graph": {"precision": "fp32"}})[-2]
        '- Precision: fp32'
    """
    about = config.get("graph")
    if not about:
        return []
    lines = [
        "## The graph",
        "",
        f"`{GRAPH}` takes pictures of faces and gives ages; `export.json` says how the faces are "
        "cut.",
        f"`python {RUN} FACE.png`, with the script that `fairage export` writes beside it, runs it "
        "with onnxruntime, numpy and Pillow alone.",
        "The weights of the backbones are inside: their licences hold for the graph.",
        "",
        f"- Precision: {about['precision']}",
    ]
    tuned = [str(each["name"]) for each in config.get("backbones", ()) if each.get("fine_tuned")]
    if tuned:
        lines.append(f"- Fine-tuned: {joined(map(repr, tuned))}")
    lines += [f"- {line}" for line in cost_of_int8(about["int8"])] if "int8" in about else []
    return [*lines, ""]


def cost_of_int8(cost: Mapping[str, Any]) -> list[str]:
    """Return sentences on what int8 costs, from what `export.json` says of it."""
    overall = cost["overall"]
    lines = [
        f"int8 moves ages by {number(overall['mae'], 2)} years on average (at most "
        f"{number(overall['largest'], 1)}), on {overall['n']:,} faces that did not set its ranges",
        f"Cosine of the embeddings: {number(overall['cosine'], 4)} on average, "
        f"{number(overall['least_cosine'], 4)} at least",
        f"Size: {number(cost['megabytes']['int8'], 1)} MB, with fp32 "
        f"{number(cost['megabytes']['fp32'], 1)} MB",
    ]
    for attribute, groups in cost["groups"].items():
        ages = ", ".join(
            f"{group} {number(each['mae'], 2)} years ({each['n']:,} faces)"
            for group, each in groups.items()
        )
        lines.append(f"By {attribute}: {ages}")
    return lines
