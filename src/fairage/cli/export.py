"""The command that makes a model ready for use elsewhere: `fairage export`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from fairage._graph_words import cost_of_int8
from fairage.cli.options import Detector, Json
from fairage.cli.terminal import say, working


def export(
    bundle: Annotated[
        str,
        typer.Argument(
            help="Folder of a bundle, as `fairage run` and `fairage export` write them."
        ),
    ],
    onnx: Annotated[
        Path, typer.Option("--onnx", help="Folder for the graph; an earlier export is replaced.")
    ],
    int8: Annotated[
        bool, typer.Option("--int8", help="Have the backbones compute in int8; say what it costs.")
    ] = False,
    calibration: Annotated[
        Path | None,
        typer.Option(help="For --int8: a table of faces or a folder of pictures, at least 100."),
    ] = None,
    crops: Annotated[
        bool,
        typer.Option(
            "--crops", help="Each picture of --calibration shows one face, as in the training."
        ),
    ] = False,
    detector: Detector = None,
    as_json: Json = False,
) -> None:
    """Write a model as one ONNX graph, from pixels to ages, which runs without torch.

    Beside it stand what it takes to cut faces for it in any language, and a script that runs it.

    Example: `fairage export out/1a/seed-0/bundle --onnx exported`
    """
    from fairage.prediction import load

    with working("exporting"):
        model = load(bundle, device="cpu", detector=detector)
        about = model.export(onnx, int8=int8, calibration=calibration, crops=crops)
    if as_json:
        typer.echo(json.dumps(about))
    else:
        say(*_lines(about, onnx))


def _lines(about: dict[str, Any], folder: Path) -> list[str]:
    lines: list[str] = []
    if (difference := about.get("difference")) is not None:
        lines.append(
            f"The graph gives the ages of the bundle within {difference['largest_years']:.1g} years"
            f" (tried on {difference['random_pictures']} random pictures, in fp32)"
        )
    if "bf16" in about.get("trained_in", ()):
        lines.append(
            "The head was trained on embeddings in bf16; the graph computes in fp32, which moves "
            "ages a little"
        )
    if (cost := about.get("int8")) is not None:
        lines += cost_of_int8(cost)
        lines.append(
            "It has no intervals, which rest on ages in fp32: calibrate it (fairage calibrate)"
        )
    return [*lines, f"Wrote {folder}"]
