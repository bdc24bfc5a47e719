"""The command `fairage embed`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from fairage._registry import default_store
from fairage.cli.options import Detector, OnError
from fairage.exceptions import ConfigError
from fairage.tables import read_faces

if TYPE_CHECKING:
    from fairage.embeddings import Embeddings

__all__ = ["embed"]

ENGINES = ("local",)


def embed(
    faces: Annotated[Path, typer.Argument(help="Faces table (Parquet, CSV, TSV).")],
    backbone: Annotated[
        list[str],
        typer.Option(
            help="Hub name, local folder, ONNX file or `embedded`; `NAME@crop:0.7` sees the "
            "central 70 %, `NAME@aligned` the upright face. Give it again to concatenate several."
        ),
    ],
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
    precision: Annotated[str, typer.Option(help="`auto`, `fp32` or `bf16`.")] = "auto",
    on_error: OnError = "fail",
    engine: Annotated[str, typer.Option(help="What the work runs on: `local`.")] = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compute the embeddings of all faces that the store does not hold yet.

    Killed or interrupted, it goes on where it stopped when the command is given again.

    Example: `fairage embed faces.parquet --backbone ./mobilenet --backbone ./facenet@crop:0.7`
    """
    if engine not in ENGINES:
        raise ConfigError.unknown_name("--engine", engine, ENGINES)
    table = read_faces(faces)
    from fairage.embeddings import BackboneSpec
    from fairage.embeddings import embed as embed_faces

    folder = store or default_store()
    found = embed_faces(
        table,
        [BackboneSpec.parse(text, view=view, flip=not no_flip) for text in backbone],
        store=folder,
        batch_size=batch_size,
        device=device,
        precision=precision,
        detector=detector,
        on_error=on_error,
    )
    told = _told(found, folder)
    if as_json:
        typer.echo(json.dumps(told, indent=2))
    else:
        _show(told)


def _told(found: "Embeddings", folder: Path) -> dict[str, Any]:
    return {
        "faces": len(found.rows) + len(found.failures),
        "embedded": len(found.rows),
        "new": found.new,
        "cached": len(found.rows) - found.new,
        "failed": [
            {"row": failure.row + 1, "image": failure.image, "reason": failure.reason}
            for failure in found.failures
        ],
        "no_face": len(found.no_face),
        "dim": int(found.values.shape[1]),
        "seconds": round(found.seconds, 3),
        "images_per_second": round(found.new / found.seconds, 2) if found.seconds else None,
        "store": str(folder),
        "backbones": list(found.backbones),
    }


def _show(told: dict[str, Any]) -> None:
    console = Console()
    console.print(
        f"{told['embedded']:,} of {told['faces']:,} faces have an embedding: {told['new']:,} new, "
        f"{told['cached']:,} cached"
    )
    if told["new"]:
        console.print(f"{told['seconds']:.1f} s, {told['images_per_second']:.1f} new images/s")
    if told["no_face"]:
        console.print(
            f"No face found in {told['no_face']:,}: aligned views show the middle of these images"
        )
    _show_each(console, told)
    console.print(f"{told['dim']} numbers a face, in {told['store']}", soft_wrap=True, markup=False)


def _show_each(console: Console, told: dict[str, Any]) -> None:
    """Print a line for every image that failed and every backbone."""
    lines = [
        f"Failed: row {failure['row']} {failure['image']}: {failure['reason']}"
        for failure in told["failed"]
    ]
    for backbone in told["backbones"]:
        flip = ", flip-averaged" if backbone["flip"] else ""
        lines.append(
            f"{backbone['name']} ({backbone['kind']}), view {backbone['view']}{flip}: "
            f"{backbone['dim']} numbers, {_in_words(backbone['precision'])}"
        )
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)


def _in_words(precision: str) -> str:
    return "in the file's precision" if precision == "file" else f"in {precision}"
