"""The commands that train: `fairage run`, `suite`, `backbones`, `tune` and `demo`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from fairage._text import number
from fairage._work import worker_processes
from fairage.age_groups import AgeGroups
from fairage.cli.options import FacesArgument, Json, Out, copies_line, takes_run_options
from fairage.cli.terminal import Terminal, say
from fairage.exceptions import ConfigError
from fairage.faces_file import read_faces

if TYPE_CHECKING:
    from fairage.experiments.plan import RunOptions, SuiteOutcome
    from fairage.experiments.tuning.search_output import TuningOutcome


@takes_run_options()
def run(
    recipes: Annotated[
        list[str], typer.Argument(help="Recipe files, or names such as published/1-loss-2b.")
    ],
    faces: FacesArgument,
    out: Out,
    options: "RunOptions",
    as_json: Json = False,
) -> None:
    """Train and measure recipes, and write a report.

    Example: `fairage run published/0-baseline my.yaml --faces faces.parquet --backbone embedded
    --out runs`
    """
    from fairage.experiments.recipe_files import read_recipe
    from fairage.experiments.suite import run_suite

    chosen, table = [read_recipe(name) for name in recipes], read_faces(faces)
    outcome = run_suite(chosen, table, options, out, faces_name=faces.name)
    show_outcome(outcome, as_json=as_json)


@takes_run_options()
def suite(
    name: Annotated[str, typer.Argument(help="Name of the suite: published, frontier, ...")],
    faces: FacesArgument,
    out: Out,
    options: "RunOptions",
    as_json: Json = False,
) -> None:
    """Run a shipped suite of recipes.

    `published` holds the experiments of the study, `frontier` our best recipes from accurate to
    fair, `trials` what was tried on the way to them, `mitigations` each mitigation alone,
    `finetuned` what trains the backbone too. An interrupted suite goes on where it stopped when
    the command is given again.

    Example: `fairage suite published --faces appa.parquet --backbone ./mobilenet --out results`
    """
    from fairage.experiments.recipe_files import shipped_recipes
    from fairage.experiments.suite import run_suite

    recipes, table = shipped_recipes(name), read_faces(faces)
    outcome = run_suite(
        recipes,
        table,
        options,
        out,
        title=f"Suite {name}",
        faces_name=faces.name,
        leave_out=True,
    )
    show_outcome(outcome, as_json=as_json)


@takes_run_options()
def backbones(
    faces: Annotated[
        list[Path],
        typer.Option(
            "--faces",
            help="Faces table with the splits train, valid and test. Give it again for several.",
        ),
    ],
    out: Out,
    options: "RunOptions",
    recipe: Annotated[
        str, typer.Option("--recipe", help="How each model is trained: a recipe file or name.")
    ] = "published/0-baseline",
    concatenated: Annotated[
        bool, typer.Option("--concatenated", help="Try all backbones side by side, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare backbones, each alone, with one recipe on one faces table or more.

    Example: `fairage backbones --faces appa.parquet --faces utk.parquet --backbone ./mobilenet
    --backbone ./facenet@crop:0.7 --out backbones`
    """
    from fairage.experiments.backbone_comparison import compare_backbones
    from fairage.experiments.recipe_files import read_recipe

    names = [path.stem for path in faces]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"expected faces tables of different names, got {twice} twice, rename")
    tables = {name: read_faces(path) for name, path in zip(names, faces, strict=True)}
    outcome = compare_backbones(
        read_recipe(recipe), tables, options, out, concatenated=concatenated
    )
    show_outcome(outcome, as_json=as_json)


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

    outcome = run_demo(out, faces=faces, seeds=seeds, workers=worker_processes())
    show_outcome(outcome, as_json=as_json)


def show_outcome(outcome: "SuiteOutcome", *, as_json: bool) -> None:
    """Print the summary of a suite and where its report is."""
    if as_json:
        result = {
            "summary": outcome.summary.to_dicts(),
            "out": str(outcome.folder),
            "copies": outcome.copies,
            "new_copies": outcome.new_copies,
            "left_out": outcome.left_out,
            "warnings": outcome.warnings,
        }
        typer.echo(json.dumps(result, allow_nan=False))
        return
    _show_table(outcome)
    first = outcome.summary.row(0, named=True)
    floor = first["average_bias_floor"]
    say(
        *outcome.left_out.values(),
        ""
        if floor is None
        else f"Noise floor of the average bias: {number(floor)}; noise alone exceeds "
        f"{number(first['average_bias_floor_p975'])} once in forty times.",
        copies_line(outcome.copies, outcome.new_copies),
        f"{outcome.new_runs} runs trained in {outcome.seconds:.0f} s",
        f"Report: {outcome.folder / 'report.html'}",
    )


def _show_table(outcome: "SuiteOutcome") -> None:
    columns = [c.removesuffix("_mean") for c in outcome.summary.columns if c.endswith("_mean")]
    rows = [
        (
            f"{row['experiment']} {row['version']}",
            *(_cell(row[f"{column}_mean"], row[f"{column}_sd"]) for column in columns),
        )
        for row in outcome.summary.to_dicts()
    ]
    Terminal().table(
        ("version", *map(_heading, columns)),
        rows,
        whole=range(1, 1 + len(columns)),
        title="MAE and bias of each attribute, years ± sd over seeds; lower is better",
    )


def _heading(column: str) -> str:
    return "MAE" if column == "mae" else column.removesuffix("_bias").replace("_", " ")


def _cell(mean: float | None, deviation: float | None) -> str:
    if mean is None:
        return ""
    return number(mean) if deviation is None else f"{number(mean)}±{number(deviation)}"


FRONT_ROWS = 12


@takes_run_options(seeds=1)
def tune(
    recipe: Annotated[
        str, typer.Argument(help="Recipe file, or a name such as published/1-loss-2b.")
    ],
    faces: FacesArgument,
    out: Annotated[Path, typer.Option("--out", help="Folder for trials, recipes and report.")],
    options: "RunOptions",
    trials: Annotated[int, typer.Option("--trials", min=1, help="Trials in all.")] = 60,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=1, help="Seconds after which none begins.")
    ] = None,
    space: Annotated[
        Path | None, typer.Option("--space", help="YAML file of what is drawn from what.")
    ] = None,
    delta: Annotated[
        float,
        typer.Option(
            "--delta", min=0, max=1, help="Share of the lowest MAE that fairness may cost."
        ),
    ] = 0.03,
    seed: Annotated[int, typer.Option("--seed", help="Start of the random numbers.")] = 0,
    as_json: Json = False,
) -> None:
    """Search the fairest of the most accurate recipes; test faces are never looked at.

    A search that was stopped goes on when the command is given again.

    Example: `fairage tune published/0-baseline --faces appa.parquet --backbone ./mobilenet
    --out tuned --trials 60`
    """
    from fairage.experiments.recipe_files import read_recipe
    from fairage.experiments.tuning.search import TuningSettings
    from fairage.experiments.tuning.search import tune as run_search
    from fairage.experiments.tuning.search_output import write_search
    from fairage.experiments.tuning.space import read_space

    base, drawn, table = read_recipe(recipe), read_space(space), read_faces(faces)
    settings = TuningSettings(options, trials=trials, timeout=timeout, delta=delta, seed=seed)
    search = run_search(base, table, drawn, settings, out)
    show_search(write_search(base, search, settings, out, faces.name), as_json=as_json)


def show_search(outcome: "TuningOutcome", *, as_json: bool) -> None:
    """Print the front of a search, what is chosen, and where it is."""
    if as_json:
        result = {
            "front": outcome.front.to_dicts(),
            "chosen": outcome.chosen,
            "accurate": outcome.accurate,
            "trials": outcome.counts,
            "out": str(outcome.folder),
            "copies": outcome.copies,
            "new_copies": outcome.new_copies,
            "note": outcome.note,
            "warnings": outcome.warnings,
        }
        typer.echo(json.dumps(result, allow_nan=False))
        return
    _show_front(outcome)
    counts = ", ".join(f"{n} {state}" for state, n in outcome.counts.items())
    edges = ",".join(f"{edge:g}" for edge in outcome.age_groups.edges)
    say(
        f"Trials: {counts}; {outcome.new} of them now, in {outcome.seconds:.0f} s",
        copies_line(outcome.copies, outcome.new_copies),
        f"Chosen: trial {outcome.chosen}; most accurate: trial {outcome.accurate}",
        outcome.note,
        f"Recipes: {outcome.folder / 'chosen.yaml'} and accurate.yaml",
        f"Report: {outcome.folder / 'tuning.html'}",
        "Measure on the test faces: fairage run .../chosen.yaml .../accurate.yaml ...",
        ""
        if outcome.age_groups == AgeGroups()
        else f"with --age-edges {edges}, unless the faces table says them",
    )


def _show_front(outcome: "TuningOutcome") -> None:
    """Print the front, thinned where it is long."""
    title = "Pareto front: validation MAE and biases in years; low is good. Trial 0 is the recipe."
    columns = [c for c in outcome.front.columns if c in ("trial", "mae") or c.endswith("_bias")]
    rows = outcome.front.select(columns).rows()
    places = np.linspace(0, len(rows) - 1, min(FRONT_ROWS, len(rows))).round().astype(int)
    headings = [column.removesuffix("_bias").replace("_", " ") for column in columns]
    cells = [list(map(_front_cell, rows[place])) for place in places]
    Terminal().table(headings, cells, words=0, title=title)


def _front_cell(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else number(value)
