"""The option that names the face detector, for backbones with aligned views."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict

import typer

from fairage._registry import default_store
from fairage.exceptions import ConfigError
from fairage.tables import Faces, read_faces

if TYPE_CHECKING:
    from fairage.embeddings import BackboneSpec


__all__ = [
    "Backbones",
    "Common",
    "Detector",
    "ExtraFaces",
    "FacesArgument",
    "Json",
    "MinRows",
    "NoFlip",
    "OnError",
    "Out",
    "Seeds",
    "Store",
    "Workers",
    "common_settings",
    "copies_line",
    "read_extra_faces",
]

Detector = Annotated[
    Path | None,
    typer.Option(
        "--detector",
        help="ONNX file of the YuNet face detector, which aligned views need; "
        "the one that FAIRAGE_DETECTOR names if unset.",
    ),
]


FacesArgument = Annotated[
    Path, typer.Option("--faces", help="Faces table with the splits train, valid and test.")
]
Backbones = Annotated[
    list[str],
    typer.Option(
        "--backbone",
        help="Hub name, local folder, ONNX file or `embedded`; `NAME@crop:0.7` sees the central "
        "70 %. Give it again to concatenate several.",
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Folder for results, report and models.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Runs of each recipe.")]
Store = Annotated[Path | None, typer.Option("--store", help="Folder of the embedding store.")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes that train; one a core if unset.")
]
NoFlip = Annotated[
    bool, typer.Option("--no-flip", help="Do not average with the mirror image's embedding.")
]
OnError = Annotated[
    Literal["fail", "skip"], typer.Option("--on-error", help="What an unreadable image does.")
]
MinRows = Annotated[
    int,
    typer.Option(
        "--min-rows",
        min=2,
        help="Faces (persons, where known) that a group must have to take part in biases.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]


class Common(TypedDict):
    """What the settings of a suite, of compared backbones and of a search all hold."""

    backbones: "tuple[BackboneSpec, ...]"
    store: Path
    seeds: int
    workers: int
    on_error: Literal["fail", "skip"]
    detector: Path | None
    min_rows: int


def common_settings(
    backbones: Sequence[str],
    *,
    no_flip: bool,
    store: Path | None,
    seeds: int,
    workers: int | None,
    on_error: Literal["fail", "skip"],
    detector: Path | None,
    min_rows: int,
) -> Common:
    """Return the settings that these options mean, what is unset filled in."""
    from fairage.embeddings import BackboneSpec

    return {
        "backbones": tuple(BackboneSpec.parse(text, flip=not no_flip) for text in backbones),
        "store": store or default_store(),
        "seeds": seeds,
        "workers": workers or os.cpu_count() or 1,
        "on_error": on_error,
        "detector": detector,
        "min_rows": min_rows,
    }


def copies_line(copies: int, new: int) -> str:
    """Return what commands print of augmented copies.

    Examples:
        >>> copies_line(1200, 200)
        '1,200 augmented copies have an embedding: 200 new, 1,000 cached'
    """
    return f"{copies:,} augmented copies have an embedding: {new:,} new, {copies - new:,} cached"


NAME = re.compile(r"[\w-]+")

ExtraFaces = Annotated[
    list[str] | None,
    typer.Option(
        "--extra-faces",
        help="NAME=TABLE: further faces that a stage of a recipe trains on by this name. "
        "Give it again for several.",
    ),
]


def read_extra_faces(told: Sequence[str] | None) -> dict[str, Faces]:
    """Return the checked faces table of each name.

    Examples:
        >>> read_extra_faces(["utkface"])
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: expected --extra-faces as NAME=TABLE, got 'utkface', ...
    """
    from fairage.experiments.recipe import MAIN

    found: dict[str, Faces] = {}
    for text in told or ():
        name, separator, path = text.partition("=")
        if not separator or not NAME.fullmatch(name) or not path:
            raise ConfigError(
                f"expected --extra-faces as NAME=TABLE, got {text!r}, write for example "
                "--extra-faces utkface=utk.parquet"
            )
        if name in found or name == MAIN:
            raise ConfigError(
                f"expected a name of its own for each of --extra-faces, other than {MAIN!r}, got "
                f"{name!r} again, choose another"
            )
        found[name] = read_faces(path)
    return found
