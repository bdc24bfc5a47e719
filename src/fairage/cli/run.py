"""The commands `fairage run` and `fairage suite`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from fairage.cli.backbones import run_backbones
from fairage.cli.detector import Detector
from fairage.cli.extra_faces import ExtraFaces, read_extra_faces
from fairage.cli.run_options import (
    Backbones,
    Common,
    FacesArgument,
    Json,
    MinRows,
    NoFlip,
    OnError,
    Out,
    Seeds,
    Store,
    Workers,
    common_settings,
    copies_line,
)
from fairage.exceptions import ConfigError
from fairage.tables import read_faces

if TYPE_CHECKING:
    from fairage.experiments.recipe import Recipe
    from fairage.experiments.suite import SuiteOutcome, SuiteSettings

__all__ = ["run", "show_outcome", "suite"]

BACKBONES = "backbones"

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
    min_rows: MinRows = 30,
    as_json: Json = False,
) -> None:
    """Train and measure recipes, and write a report.

    Example: `fairage run published/0-baseline my.yaml --faces faces.parquet --backbone embedded
    --out runs`
    """
    from fairage.experiments.recipe import read_recipe

    common = common_settings(
        backbone,
        no_flip=no_flip,
        store=store,
        seeds=seeds,
        workers=workers,
        on_error=on_error,
        detector=detector,
        min_rows=min_rows,
    )
    settings = _settings("Recipes compared", faces, extra_faces, common)
    outcome = _run([read_recipe(name) for name in recipes], faces, settings, out)
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
    min_rows: MinRows = 30,
    as_json: Json = False,
    recipe: RecipeName = None,
    concatenated: Concatenated = False,
) -> None:
    """Run a shipped suite of recipes.

    `published` holds the experiments of the study, `frontier` our best recipes from accurate to
    fair, `trials` what was tried on the way to them, `mitigations` each mitigation alone,
    `finetuned` what trains the backbone too; `backbones` compares backbones, each alone, on any
    faces tables. An interrupted suite goes on where it stopped when the command is given again.

    Example: `fairage suite published --faces appa.parquet --backbone ./mobilenet --out results`
    """
    from fairage.experiments.recipe import shipped_recipes, suite_names

    if name not in (known := (*suite_names(), BACKBONES)):
        raise ConfigError.unknown_name("suite", name, known)
    common = common_settings(
        backbone,
        no_flip=no_flip,
        store=store,
        seeds=seeds,
        workers=workers,
        on_error=on_error,
        detector=detector,
        min_rows=min_rows,
    )
    if name == BACKBONES:
        extra = read_extra_faces(extra_faces)
        outcome = run_backbones(faces, extra, out, common, recipe=recipe, concatenated=concatenated)
        show_outcome(outcome, as_json=as_json)
        return
    if len(faces) > 1 or recipe is not None or concatenated:
        raise ConfigError(
            f"expected one --faces, no --recipe and no --concatenated for the suite {name!r}, got "
            "more, which only the suite backbones takes, leave them out"
        )
    settings = _settings(f"Suite {name}", faces[0], extra_faces, common)
    settings = replace(settings, leave_out=True)
    outcome = _run(shipped_recipes(name), faces[0], settings, out)
    show_outcome(outcome, as_json=as_json)


def show_outcome(outcome: "SuiteOutcome", *, as_json: bool) -> None:
    """Print the summary of a suite and where its report is."""
    if as_json:
        result = {
            "summary": outcome.summary.to_dicts(),
            "out": str(outcome.folder),
            "copies": outcome.copies,
            "new_copies": outcome.new_copies,
        }
        typer.echo(json.dumps(result, allow_nan=False))
        return
    console = Console()
    console.print(_table(outcome))
    for sentence in outcome.left_out.values():
        console.print(sentence)
    first = outcome.summary.row(0, named=True)
    if first["average_bias_floor"] is not None:
        console.print(
            f"Noise floor of the average bias: {first['average_bias_floor']:.2f}; noise alone "
            f"exceeds {first['average_bias_floor_p975']:.2f} once in forty times."
        )
    if outcome.copies:
        console.print(copies_line(outcome.copies, outcome.new_copies))
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


def _settings(
    title: str, faces: Path, extra_faces: list[str] | None, common: Common
) -> "SuiteSettings":
    from fairage.experiments.suite import SuiteSettings

    extra = read_extra_faces(extra_faces)
    return SuiteSettings(title=title, faces_name=faces.name, extra_faces=extra, **common)


def _run(
    recipes: "list[Recipe]", faces: Path, settings: "SuiteSettings", out: Path
) -> "SuiteOutcome":
    from fairage.experiments.suite import run_suite

    return run_suite(recipes, read_faces(faces), settings, out)
