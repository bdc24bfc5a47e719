"""The command `fairage demo`."""

import os
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["demo"]


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
    from fairage.cli.run import show_outcome
    from fairage.experiments.demo import run_demo

    outcome = run_demo(out, faces=faces, seeds=seeds, workers=os.cpu_count() or 1)
    show_outcome(outcome, as_json=as_json)
