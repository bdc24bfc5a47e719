"""The option that names the face detector, for backbones with aligned views."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Detector"]

Detector = Annotated[
    Path | None,
    typer.Option(
        "--detector",
        envvar="FAIRAGE_DETECTOR",
        help="ONNX file of the YuNet face detector, which aligned views need.",
    ),
]
