"""The options that commands share, each declared once, and what they mean together."""

import inspect
import re
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fairage._registry import default_store
from fairage._work import worker_processes
from fairage.age_groups import AgeGroups
from fairage.exceptions import ConfigError
from fairage.faces_file import read_faces
from fairage.tables import Faces

if TYPE_CHECKING:
    from fairage.experiments.plan import RunOptions


Detector = Annotated[
    Path | None,
    typer.Option(
        "--detector",
        help="ONNX file of another YuNet face detector for aligned views; "
        "if unset, the one that FAIRAGE_DETECTOR names, else the one that comes with fairage.",
    ),
]


FacesArgument = Annotated[
    Path, typer.Option("--faces", help="Faces table with the splits train, valid and test.")
]
Backbones = Annotated[
    list[str],
    typer.Option(
        "--backbone",
        help="Hub name, local folder, ONNX file, `boxed` or `embedded`; `NAME@crop:0.7` sees "
        "the central 70 %, `FILE.onnx#OUTPUT` is one of several outputs. Give it again to "
        "concatenate several.",
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
AGE_EDGES_HELP = (
    "Lower edges of the age groups, such as 0,18,65; if unset, those that the Parquet file says, "
    "else 0,20,40,60."
)
AgeEdges = Annotated[str | None, typer.Option("--age-edges", metavar="AGES", help=AGE_EDGES_HELP)]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]


NAME = re.compile(r"[\w-]+")

ExtraFaces = Annotated[
    list[str] | None,
    typer.Option(
        "--extra-faces",
        help="NAME=TABLE: further faces that a stage of a recipe trains on by this name. "
        "Give it again for several.",
    ),
]

_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def run_options(
    backbone: Backbones,
    extra_faces: ExtraFaces = None,
    seeds: Seeds = 3,
    store: Store = None,
    workers: Workers = None,
    no_flip: NoFlip = False,
    detector: Detector = None,
    on_error: OnError = "fail",
    min_rows: MinRows = 30,
    age_edges: AgeEdges = None,
) -> "RunOptions":
    """Return the options of a run that these mean, what is unset filled in."""
    from fairage.embeddings import BackboneSpec, EmbedOptions
    from fairage.experiments.plan import RunOptions

    embedding = EmbedOptions(
        backbones=tuple(BackboneSpec.parse(text, flip=not no_flip) for text in backbone),
        store=store or default_store(),
        detector=detector,
        on_error=on_error,
    )
    processes = workers or worker_processes()
    return RunOptions(
        embedding,
        seeds,
        processes,
        min_rows,
        read_extra_faces(extra_faces),
        age_groups_of(age_edges),
    )


def age_groups_of(edges: str | None) -> AgeGroups | None:
    """Return the age groups with these lower edges; None where nothing is given."""
    return None if edges is None else AgeGroups.parse(edges)


def takes_run_options(*, seeds: int = 3) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of `run_options`; it gets what they mean as `options`.

    Args:
        seeds: Runs of each recipe where the user says nothing.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command).parameters
        shared = inspect.signature(run_options).parameters
        defaults = {**shared, "seeds": shared["seeds"].replace(default=seeds)}
        kept = [parameter for name, parameter in own.items() if name != "options"]
        both = [parameter.replace(kind=_KEYWORD) for parameter in (*kept, *defaults.values())]

        @wraps(command)
        def with_options(**values: object) -> None:
            options = {name: values.pop(name) for name in shared}
            command(options=run_options(**options), **values)  # type: ignore[arg-type]  # as typer read them

        with_options.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what typer reads
            sorted(both, key=lambda parameter: parameter.default is not inspect.Parameter.empty)
        )
        with_options.__annotations__ = {p.name: p.annotation for p in both}
        return with_options

    return decorate


def copies_line(copies: int, new: int) -> str:
    """Return what commands print of augmented copies; nothing where there are none.

    Examples:
        >>> copies_line(1200, 200)
        '1,200 augmented copies have an embedding: 200 new, 1,000 cached'
    """
    if not copies:
        return ""
    return f"{copies:,} augmented copies have an embedding: {new:,} new, {copies - new:,} cached"


def read_extra_faces(texts: Sequence[str] | None) -> dict[str, Faces]:
    """Return the checked faces table of each name.

    Examples:
        >>> read_extra_faces(["utkface"])
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: expected --extra-faces as NAME=TABLE, got 'utkface', ...
    """
    from fairage.experiments.recipe import MAIN

    tables: dict[str, Faces] = {}
    for text in texts or ():
        name, separator, path = text.partition("=")
        if not separator or not NAME.fullmatch(name) or not path:
            raise ConfigError(
                f"expected --extra-faces as NAME=TABLE, got {text!r}, write for example "
                "--extra-faces utkface=utk.parquet"
            )
        if name in tables or name == MAIN:
            raise ConfigError(
                f"expected a name of its own for each of --extra-faces, other than {MAIN!r}, got "
                f"{name!r} again, choose another"
            )
        tables[name] = read_faces(path)
    return tables
