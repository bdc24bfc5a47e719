"""The command `fairage tune`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from fairage.cli.options import FacesArgument, Json, copies_line, takes_run_options
from fairage.tables import read_faces

if TYPE_CHECKING:
    from fairage.experiments.run_options import RunOptions
    from fairage.experiments.tuning.search_output import TuningOutcome

SHOWN = 12


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
        }
        typer.echo(json.dumps(result, allow_nan=False))
        return
    console = Console()
    console.print(_table(outcome))
    counts = ", ".join(f"{n} {state}" for state, n in outcome.counts.items())
    console.print(f"Trials: {counts}; {outcome.new} of them now, in {outcome.seconds:.0f} s")
    if outcome.copies:
        console.print(copies_line(outcome.copies, outcome.new_copies))
    console.print(f"Chosen: trial {outcome.chosen}; most accurate: trial {outcome.accurate}")
    if outcome.note:
        console.print(outcome.note)
    console.print(f"Recipes: {outcome.folder / 'chosen.yaml'} and accurate.yaml", soft_wrap=True)
    console.print(f"Report: {outcome.folder / 'tuning.html'}", soft_wrap=True)
    console.print("Measure on the test faces: fairage run .../chosen.yaml .../accurate.yaml ...")


def _table(outcome: "TuningOutcome") -> Table:
    """Return the front, thinned where it is long."""
    title = "Pareto front: validation MAE and biases in years; low is good. Trial 0 is the recipe."
    columns = [c for c in outcome.front.columns if c in ("trial", "mae") or c.endswith("_bias")]
    table = Table(title=title)
    for column in columns:
        table.add_column(column.removesuffix("_bias").replace("_", " "), justify="right")
    rows = outcome.front.select(columns).to_dicts()
    for number, row in enumerate(rows):
        if len(rows) <= SHOWN or number * SHOWN // len(rows) != (number - 1) * SHOWN // len(rows):
            table.add_row(*(_cell(row[column]) for column in columns))
    return table


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.2f}"
