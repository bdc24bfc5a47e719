"""The commands for single steps of a run: `fairage embed` and `fairage weights`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import polars as pl
import typer

from fairage._registry import default_store
from fairage._tables_io import write_table
from fairage.cli.options import AgeEdges, Detector, OnError, age_groups_of
from fairage.cli.terminal import Terminal, say
from fairage.datasets.table_warnings import unused_columns
from fairage.faces_file import read_faces
from fairage.tables import AGE_GROUP, IMAGE, SPLIT, WEIGHT, Faces, group_labels, group_names
from fairage.weighting import Weights, make_weighting

if TYPE_CHECKING:
    from fairage.embeddings import Embeddings


def embed(
    faces: Annotated[Path, typer.Argument(help="Faces table (Parquet, CSV, TSV).")],
    backbone: Annotated[
        list[str],
        typer.Option(
            help="Hub name, local folder, ONNX file, `boxed` or `embedded`; `NAME@crop:0.7` sees "
            "the central 70 %, `NAME@aligned` the upright face; `FILE.onnx#OUTPUT` is one of "
            "several outputs. Give it again to concatenate several."
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            help="Which output of ONNX files that have several; `model.onnx#OUTPUT` for one."
        ),
    ] = None,
    view: Annotated[
        str,
        typer.Option(
            help="View for backbones that name none: `whole`, `crop:SHARE`, `aligned` or "
            "`aligned:MARGIN`."
        ),
    ] = "whole",
    detector: Detector = None,
    no_flip: Annotated[
        bool, typer.Option("--no-flip", help="Do not average with the mirror image's embedding.")
    ] = False,
    store: Annotated[Path | None, typer.Option(help="Folder of the embedding store.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Images a batch; what suits the device if unset.")
    ] = None,
    device: Annotated[str, typer.Option(help="`auto`, `cpu`, `cuda`, ...")] = "auto",
    precision: Annotated[
        Literal["auto", "fp32", "bf16"], typer.Option(help="What networks compute in.")
    ] = "auto",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads that read images; one a core if unset.")
    ] = None,
    on_error: OnError = "fail",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compute the embeddings of all faces that the store does not hold yet.

    Killed or interrupted, it goes on where it stopped when the command is given again.

    Example: `fairage embed faces.parquet --backbone ./mobilenet --backbone ./facenet@crop:0.7`
    """
    table = read_faces(faces)
    from fairage.embeddings import BackboneSpec, EmbedOptions
    from fairage.embeddings import embed as embed_faces

    options = EmbedOptions(
        backbones=tuple(
            BackboneSpec.parse(each, view=view, flip=not no_flip, output=output)
            for each in backbone
        ),
        store=store or default_store(),
        batch_size=batch_size,
        device=device,
        precision=precision,
        workers=workers,
        detector=detector,
        on_error=on_error,
    )
    summary = _summary(embed_faces(table, options), options.store)
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
    else:
        _show(summary)


def _summary(embeddings: "Embeddings", folder: Path) -> dict[str, Any]:
    return {
        "faces": len(embeddings.rows) + len(embeddings.failures),
        "embedded": len(embeddings.rows),
        "new": embeddings.new,
        "cached": len(embeddings.rows) - embeddings.new,
        "failed": [
            {"row": failure.row + 1, "image": failure.image, "reason": failure.reason}
            for failure in embeddings.failures
        ],
        "no_face": len(embeddings.no_face),
        "dim": int(embeddings.values.shape[1]),
        "seconds": round(embeddings.seconds, 3),
        "images_per_second": round(embeddings.new / embeddings.seconds, 2)
        if embeddings.seconds
        else None,
        "store": str(folder),
        "backbones": list(embeddings.backbones),
    }


def _show(summary: dict[str, Any]) -> None:
    new, none = summary["new"], summary["no_face"]
    say(
        f"{summary['embedded']:,} of {summary['faces']:,} faces have an embedding: "
        f"{new:,} new, {summary['cached']:,} cached",
        f"{summary['seconds']:.1f} s, {summary['images_per_second']:.1f} new images/s"
        if new
        else "",
        f"No face found in {none:,}: aligned views show the middle of these images" if none else "",
        *_each(summary),
        f"{summary['dim']} numbers a face, in {summary['store']}",
    )


def _each(summary: dict[str, Any]) -> list[str]:
    """Return a line for every image that failed and every backbone."""
    lines = [
        f"Failed: row {failure['row']} {failure['image']}: {failure['reason']}"
        for failure in summary["failed"]
    ]
    for backbone in summary["backbones"]:
        flip = ", flip-averaged" if backbone["flip"] else ""
        lines.append(
            f"{backbone['name']} ({backbone['kind']}), view {backbone['view']}{flip}: "
            f"{backbone['dim']} numbers, {_in_words(backbone['precision'])}"
        )
    return lines


def _in_words(precision: str) -> str:
    return "in the file's precision" if precision == "file" else f"in {precision}"


def weights(
    faces: Annotated[Path, typer.Argument(help="Faces table (Parquet, CSV, TSV).")],
    weighting: Annotated[str, typer.Option(help="Name of the weighting, such as 1b or kit.")],
    out: Annotated[Path | None, typer.Option(help="Write image and weight to this table.")] = None,
    age_edges: AgeEdges = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Weigh the training rows and show what the weights do to each group.

    Example: `fairage weights faces.parquet --weighting 2b --out weights.parquet`
    """
    table = read_faces(faces, age_groups_of(age_edges))
    train = table.split("train") if SPLIT in table.frame.columns else table
    weighed = make_weighting(weighting).weigh(train.frame)
    if out is not None:
        column = pl.Series(WEIGHT, weighed.values)
        write_table(train.frame.select(IMAGE).with_columns(column), out)
    summary = _weights_summary(weighting, train, weighed)
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
    else:
        _show_weights(summary, out)


def _weights_summary(name: str, train: Faces, weighed: Weights) -> dict[str, Any]:
    groups = []
    for attribute in (*train.attributes, AGE_GROUP):
        labels = group_labels(train.frame, attribute)
        shares = weighed.shares(labels)
        for group in (name for name in group_names(train.frame, attribute) if name in shares):
            support = int((labels == group).sum())
            formula = weighed.groups.get(attribute, {}).get(group)
            groups.append(
                {
                    "attribute": attribute,
                    "group": group,
                    "support": support,
                    "share_of_rows": support / len(train),
                    "formula_weight": formula,
                    "share_of_weight": shares[group],
                }
            )
    return {
        "weighting": name,
        "rows": len(train),
        "effective_sample_size": weighed.effective_sample_size,
        "largest_weight": weighed.largest,
        "warnings": (*unused_columns(train.frame), *weighed.warnings(name)),
        "groups": groups,
    }


def _show_weights(summary: dict[str, Any], out: Path | None) -> None:
    terminal = Terminal()
    terminal.table(
        ("attribute", "group", "rows", "% of rows", "formula", "% of weight"),
        map(_weights_row, summary["groups"]),
        words=2,
        title=f"Weighting {summary['weighting']} on {summary['rows']:,} training rows",
    )
    terminal.line(
        f"Weights have mean 1. Effective sample size {summary['effective_sample_size']:,.0f} of "
        f"{summary['rows']:,}: the weighted rows inform like so many equal ones. "
        f"Largest weight {summary['largest_weight']:.1f}."
    )
    for warning in summary["warnings"]:
        terminal.line(f"Note: {warning}.")
    terminal.line("" if out is None else f"Wrote {out}", wrap=False)


def _weights_row(row: dict[str, Any]) -> list[str]:
    formula = row["formula_weight"]
    return [
        row["attribute"],
        row["group"],
        f"{row['support']:,}",
        f"{100 * row['share_of_rows']:.1f}",
        "" if formula is None else f"{formula:.2f}",
        f"{100 * row['share_of_weight']:.1f}",
    ]
