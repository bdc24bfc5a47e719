"""The option that names the face detector, for backbones with aligned views."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Detector"]

Detector = Annotated[
    Path | None,
    typer.Option(
        "--detector",
        help="ONNX file of the YuNet face detector, which aligned views need; "
        "the one that FAIRAGE_DETECTOR names if unset.",
    ),
]
