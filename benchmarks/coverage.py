"""Whether the audit keeps its promises, on simulated tables whose truth is known.

Each cell of the grid in `coverage_cells.py` is one way of drawing tables. Every table goes through
the inference that `fairage audit` prints; a figure within two standard errors of its limit is run
on to 2,000 tables. Seeds come from the cell's name and the number of the table.

Run: `python benchmarks/coverage.py [--cells PATTERN] [--tables 500] [--processes 2]
[--reference construction.py] [--json coverage.json] [--out docs/results/coverage.md]`

The exit code is 1 if any limit is not kept. Cells that the JSON file holds are not run again.
"""

import argparse
import hashlib
import importlib.util
import json
import multiprocessing
import os
import sys
from collections.abc import Collection, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.progress import Progress

from coverage_cells import CELLS
from coverage_checks import check
from coverage_page import page, summary
from coverage_promises import GROUPS, Record, at_risk, broken
from fairage._random import numpy_rng

CHUNK = 25
MOST = 2000
LEAST = 500  # fewer tables are not run on
REFERENCE_TABLES = 100
SOURCES = Path(__file__).resolve().parents[1] / "src" / "fairage" / "auditing"
BEHIND = (
    "age_cells bias_change bias_interval by_age changes distributions groups inference means "
    "measures noise paired_inference rates suite_comparison suite_estimates "
    "suite_statistics verdicts"
)


def main() -> int:
    """Run the grid, write the page and say which limits hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", default="", help="part of the names of the cells to run")
    parser.add_argument("--tables", type=int, default=LEAST, help="tables a cell")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--reference", type=Path, help="module to hold the bias interval against")
    parser.add_argument("--json", type=Path, help="keeps finished cells, to go on from")
    parser.add_argument("--out", type=Path, help="page to write")
    options = parser.parse_args()
    names = [name for name in CELLS if options.cells in name]
    if not names:
        parser.error(f"expected part of a cell's name, got {options.cells!r}, leave it out")
    records = _kept(options.json)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    runner = _Runner(records, options.json, options.reference, options.processes)
    runner.run(dict.fromkeys(names, options.tables))
    if options.tables >= LEAST:
        risky = {name: at_risk(CELLS[name], records[name]) for name in names}
        near = {name: keys for name, keys in risky.items() if keys}
        runner.run(dict.fromkeys(near, MOST), groups=[n for n in near if GROUPS & {*near[n]}])
    own = {name: records[name] for name in names}
    if options.out:
        options.out.write_text(page(own), encoding="utf-8")
    print(summary(own))
    return 1 if broken(own) else 0


class _Runner:
    """Runs tables of cells in several processes, and keeps what they give."""

    def __init__(
        self,
        records: dict[str, Record],
        kept: Path | None,
        reference: Path | None,
        processes: int,
    ) -> None:
        self.records, self.kept, self.reference = records, kept, reference
        self.processes = processes
        self.digest = _digest()

    def run(self, wanted: Mapping[str, int], groups: Collection[str] | None = None) -> None:
        """Bring each cell to the number of tables that is wanted.

        Args:
            wanted: Tables of each cell.
            groups: Cells in which single groups are looked at; all where nothing is given.
        """
        tasks = [
            (name, first, min(first + CHUNK, tables))
            for name, tables in wanted.items()
            for first in range(self.records.get(name, Record()).tables, tables, CHUNK)
        ]
        waiting = {name: sum(task[0] == name for task in tasks) for name in wanted}
        parts: dict[str, Record] = {name: Record() for name in wanted}
        context = multiprocessing.get_context("spawn")
        reference = None if self.reference is None else str(self.reference)
        with (
            ProcessPoolExecutor(self.processes, mp_context=context) as pool,
            Progress(console=Console(stderr=True)) as progress,
        ):
            bar = progress.add_task("tables", total=sum(last - first for _, first, last in tasks))
            futures = {
                pool.submit(
                    run_tables, *task, reference, groups=groups is None or task[0] in groups
                ): task
                for task in tasks
            }
            for future in as_completed(futures):
                name, first, last = futures[future]
                parts[name].merge(future.result())
                waiting[name] -= 1
                progress.update(bar, advance=last - first, description=name)
                if not waiting[name]:
                    self.records.setdefault(name, Record()).merge(parts[name])
                    self._save()

    def _save(self) -> None:
        if self.kept is not None:
            cells = {name: asdict(record) for name, record in self.records.items()}
            text = json.dumps({"sources": self.digest, "cells": cells})
            self.kept.write_text(text, encoding="utf-8")


def run_tables(
    name: str, first: int, last: int, reference: str | None = None, *, groups: bool = True
) -> Record:
    """Return what the tables of a cell give, from the number `first` up to `last`."""
    cell, record = CELLS[name], Record()
    module = None if reference is None else _module(reference)
    for number in range(first, last):
        if cell.design is None:
            assert cell.special is not None, "a cell has one of both"
            record.add(cell.special(numpy_rng(number, "coverage", name), number))
            continue
        table = cell.design.draw(numpy_rng(number, "coverage", name))
        compare = module if number < REFERENCE_TABLES else None
        if compare is not None:
            compare.rng = numpy_rng(number, "reference", name)  # type: ignore[attr-defined]  # its own
        figures = check(
            cell.design, table, number, min_rows=cell.min_rows, groups=groups, reference=compare
        )
        record.add(figures)
    return record


@lru_cache(maxsize=1)
def _module(path: str) -> ModuleType:
    """Return a module from its file."""
    spec = importlib.util.spec_from_file_location("reference", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _digest() -> str:
    """Return a digest of the code that the figures come from."""
    own = [path for path in Path(__file__).parent.glob("coverage_*.py") if "_p" not in path.name]
    files = [*sorted(own), *(SOURCES / f"{name}.py" for name in BEHIND.split())]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def _kept(path: Path | None) -> dict[str, Record]:
    """Return the cells that a file holds, if they come from today's code."""
    if path is None or not path.exists():
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))
    if kept["sources"] != _digest():
        print(f"{path} comes from other code: every cell is run again", file=sys.stderr)
        return {}
    return {name: Record.of(values) for name, values in kept["cells"].items() if name in CELLS}


if __name__ == "__main__":
    sys.exit(main())
