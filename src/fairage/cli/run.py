"""The commands `fairage run` and `fairage suite`."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer
from rich.console import Console
from rich.table import Table

from fairage.cli.backbones import run_backbones
from fairage.cli.detector import Detector
from fairage.cli.extra_faces import ExtraFaces, read_extra_faces
from fairage.config import default_store
from fairage.exceptions import ConfigError
from fairage.tables import read_faces

if TYPE_CHECKING:
    from fairage.experiments.recipe import Recipe
    from fairage.experiments.suite import SuiteOutcome

__all__ = ["run", "show_outcome", "suite"]

BACKBONES = "backbones"

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
    str, typer.Option("--on-error", help="What an unreadable image does: fail or skip.")
]
FacesTables = Annotated[
    list[Path],
    typer.Option(
        "--faces",
        help="Faces table with the splits train, valid and test; `backbones` takes several.",
    ),
]
RecipeName = Annotated[
    str | None, typer.Option("--recipe", help="Recipe of the suite backbones; 0-baseline if unset.")
]
Concatenated = Annotated[
    bool, typer.Option("--concatenated", help="Suite backbones: all of them side by side, too.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]


def run(
    recipes: Annotated[
        list[str], typer.Argument(help="Recipe files, or names such as published/1-loss-2b.")
    ],
    faces: FacesArgument,
    backbone: Backbones,
    out: Out,
    extra_faces: ExtraFaces = None,
    seeds: Seeds = 3,
    store: Store = None,
    workers: Workers = None,
    no_flip: NoFlip = False,
    detector: Detector = None,
    on_error: OnError = "fail",
    as_json: Json = False,
) -> None:
    """Train and measure recipes on frozen embeddings, and write a report.

    Example: `fairage run published/0-baseline my.yaml --faces faces.parquet --backbone embedded
    --out runs`
    """
    from fairage.experiments.recipe import read_recipe

    found = [read_recipe(name) for name in recipes]
    options: dict[str, Any] = {"title": "Recipes compared", "seeds": seeds, "workers": workers}
    options |= {"flip": not no_flip, "detector": detector}
    options["extra_faces"] = read_extra_faces(extra_faces)
    outcome = _run(found, faces, backbone, out, store, on_error, leave_out=False, **options)
    show_outcome(outcome, as_json=as_json)


def suite(
    name: Annotated[str, typer.Argument(help="Name of the suite: published, ..., or backbones.")],
    faces: FacesTables,
    backbone: Backbones,
    out: Out,
    extra_faces: ExtraFaces = None,
    seeds: Seeds = 3,
    store: Store = None,
    workers: Workers = None,
    no_flip: NoFlip = False,
    detector: Detector = None,
    on_error: OnError = "fail",
    as_json: Json = False,
    recipe: RecipeName = None,
    concatenated: Concatenated = False,
) -> None:
    """Run a shipped suite of recipes: `published` holds the experiments of the study.

    An interrupted suite goes on where it stopped when the command is given again. `backbones`
    compares backbones, each alone, on any faces tables.

    Example: `fairage suite published --faces appa.parquet --backbone ./mobilenet --out results`
    """
    from fairage.experiments.recipe import shipped_recipes, suite_names

    if name not in (known := (*suite_names(), BACKBONES)):
        raise ConfigError.unknown_name("suite", name, known)
    if name == BACKBONES:
        run: dict[str, Any] = {"recipe": recipe, "concatenated": concatenated, "detector": detector}
        run |= {"seeds": seeds, "store": store, "workers": workers, "on_error": on_error}
        outcome = run_backbones(faces, backbone, out, flip=not no_flip, **run)
        show_outcome(outcome, as_json=as_json)
        return
    if len(faces) > 1 or recipe is not None or concatenated:
        raise ConfigError(
            f"expected one --faces, no --recipe and no --concatenated for the suite {name!r}, got "
            "more, which only the suite backbones takes, leave them out"
        )
    found = shipped_recipes(name)
    options: dict[str, Any] = {"title": f"Suite {name}", "seeds": seeds, "workers": workers}
    options |= {"flip": not no_flip, "detector": detector}
    options["extra_faces"] = read_extra_faces(extra_faces)
    outcome = _run(found, faces[0], backbone, out, store, on_error, leave_out=True, **options)
    show_outcome(outcome, as_json=as_json)


def show_outcome(outcome: "SuiteOutcome", *, as_json: bool) -> None:
    """Print the summary of a suite and where its report is."""
    if as_json:
        told = {"summary": outcome.summary.to_dicts(), "out": str(outcome.folder)}
        typer.echo(json.dumps(told | {"copies": outcome.copies, "new_copies": outcome.new_copies}))
        return
    console = Console()
    console.print(_table(outcome))
    for name, reason in outcome.left_out.items():
        console.print(f"Left out: {name}: {reason}")
    floor = outcome.summary["average_bias_floor"][0]
    if floor is not None:
        console.print(f"Noise floor of the average bias: {floor:.3f}; less is chance.")
    if outcome.copies:
        console.print(
            f"{outcome.copies:,} augmented copies have an embedding: {outcome.new_copies:,} new, "
            f"{outcome.copies - outcome.new_copies:,} cached"
        )
    console.print(f"{outcome.new_runs} runs trained in {outcome.seconds:.0f} s")
    console.print(f"Report: {outcome.folder / 'report.html'}", soft_wrap=True)


def _table(outcome: "SuiteOutcome") -> Table:
    title = "MAE and bias of each attribute, years ± sd over seeds; lower is better"
    table = Table(title=title, box=None, pad_edge=False, header_style="bold")
    columns = [c.removesuffix("_mean") for c in outcome.summary.columns if c.endswith("_mean")]
    for heading in ("exp", "version"):
        table.add_column(heading)
    for column in columns:
        table.add_column(_heading(column), justify="right", no_wrap=True)
    for row in outcome.summary.to_dicts():
        cells = (_cell(row[f"{column}_mean"], row[f"{column}_sd"]) for column in columns)
        table.add_row(row["experiment"], row["version"], *cells)
    return table


def _heading(column: str) -> str:
    return "MAE" if column == "mae" else column.removesuffix("_bias").replace("_", " ")


def _cell(mean: float | None, deviation: float | None) -> str:
    if mean is None:
        return ""
    return f"{mean:.2f}" if deviation is None else f"{mean:.2f}±{deviation:.2f}"


def _run(
    recipes: "list[Recipe]",
    faces: Path,
    backbones: list[str],
    out: Path,
    store: Path | None,
    on_error: str,
    **options: Any,  # noqa: ANN401  # handed on to SuiteSettings
) -> "SuiteOutcome":
    from fairage.embeddings import BackboneSpec
    from fairage.experiments.suite import SuiteSettings, run_suite

    if on_error not in ("fail", "skip"):
        raise ConfigError.unknown_name("--on-error", on_error, ("fail", "skip"))
    flip = options.pop("flip")
    workers = options.pop("workers") or os.cpu_count() or 1
    settings = SuiteSettings(
        backbones=tuple(BackboneSpec.parse(text, flip=flip) for text in backbones),
        store=store or default_store(),
        on_error=cast("Literal['fail', 'skip']", on_error),
        faces_name=faces.name,
        workers=workers,
        **options,
    )
    return run_suite(recipes, read_faces(faces), settings, out)
