"""The option that hands over further faces tables, for the stages of recipes."""

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from fairage.exceptions import ConfigError
from fairage.tables import Faces, read_faces

__all__ = ["ExtraFaces", "read_extra_faces"]

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
    from fairage.experiments.recipe_stages import MAIN

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
