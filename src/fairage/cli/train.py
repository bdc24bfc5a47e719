"""What `fairage suite backbones` does with its options."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from fairage.cli.options import (
    Backbones,
    Common,
    Detector,
    ExtraFaces,
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
    read_extra_faces,
)
from fairage.exceptions import ConfigError
from fairage.tables import Faces, read_faces

if TYPE_CHECKING:
    from fairage.experiments.recipe import Recipe
    from fairage.experiments.suite import SuiteOutcome, SuiteSettings


__all__ = ["demo", "run", "run_backbones", "show_outcome", "suite"]

RECIPE = "published/0-baseline"


def run_backbones(
    faces: Sequence[Path],
    extra_faces: Mapping[str, Faces],
    out: Path,
    common: Common,
    *,
    recipe: str | None,
    concatenated: bool,
) -> "SuiteOutcome":
    """Compare backbones on the faces tables of these files, each named after its file."""
    from fairage.experiments.backbone_comparison import BackbonesSettings, compare_backbones
    from fairage.experiments.recipe_files import read_recipe

    names = [path.stem for path in faces]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"expected faces tables of different names, got {twice} twice, rename")
    settings = BackbonesSettings(concatenated=concatenated, extra_faces=extra_faces, **common)
    tables = {name: read_faces(path) for name, path in zip(names, faces, strict=True)}
    return compare_backbones(read_recipe(recipe or RECIPE), tables, settings, out)


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
    from fairage.experiments.recipe_files import read_recipe

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
    from fairage.experiments.recipe_files import shipped_recipes, suite_names

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


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything that the demo makes.")] = Path(
        "demo-out"
    ),
    faces: Annotated[int, typer.Option(min=300, help="How many faces are drawn.")] = 5000,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each recipe.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Go the whole way on synthetic faces, offline: draw, embed, train, compare, report.

    The faces carry a bias of known size, which the report shows beside what was measured.

    Example: `fairage demo --out demo-out`
    """
    from fairage.experiments.demo import run_demo

    outcome = run_demo(out, faces=faces, seeds=seeds, workers=os.cpu_count() or 1)
    show_outcome(outcome, as_json=as_json)
