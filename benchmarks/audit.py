"""Time and memory of the whole command `fairage audit`: start, reading, inference and the page.

Run: `python benchmarks/audit.py [--case million|persons|attributes|all] [--repeats 3]`

Cases: a million rows with three attributes and age groups from Parquet (limit 3 s, 1 GB); the same
with 100,000 persons (6 s); 40 attributes on 2,000 rows (10 s, a page under 1 MB). The limits are
for two idle cores, the best of three runs.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from fairage._random import numpy_rng

ATTRIBUTES = {
    "gender": (["female", "male"], [0.5, 0.5]),
    "ethnicity": (["caucasian", "asian", "afroamerican"], [0.87, 0.10, 0.03]),
    "expression": (["neutral", "slightlyhappy", "happy", "other"], [0.35, 0.44, 0.17, 0.04]),
}
# The command in a process of its own, and what that process cost.
COMMAND = """
import json, resource, sys, time
started = time.perf_counter()
sys.argv = json.loads(sys.argv[1])
from fairage.cli.app import main
try:
    main()
except SystemExit as error:
    code = error.code
seconds = time.perf_counter() - started
unit = 1 if sys.platform == "darwin" else 1024
peak = unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sys.stderr.write("\\n" + json.dumps([code or 0, seconds, peak / 1e9]))
"""


@dataclass(frozen=True)
class Case:
    """One measurement: what it is, how its table is written, which options, which limits."""

    title: str
    write: Callable[[Path], None]
    options: tuple[str, ...]
    seconds: float
    gigabytes: float | None = None
    page_megabytes: float | None = None


@dataclass(frozen=True)
class Cost:
    """Seconds of the whole command with the start of Python, its most memory, its page's size."""

    seconds: float
    gigabytes: float
    page_megabytes: float


def main() -> None:
    """Print what each case costs beside its limits; exit code 1 where one is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=[*CASES, "all"], default="all")
    parser.add_argument("--repeats", type=int, default=3, help="the best of these is printed")
    options = parser.parse_args()
    names = list(CASES) if options.case == "all" else [options.case]
    exceeded = False
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            exceeded |= not report(CASES[name], Path(folder), options.repeats)
    sys.exit(1 if exceeded else 0)


def report(case: Case, folder: Path, repeats: int) -> bool:
    """Measure and print one case; return whether its limits hold."""
    path = folder / "predictions.parquet"
    case.write(path)
    costs = [cost_of(path, case.options, folder) for _ in range(repeats)]
    best = min(costs, key=lambda cost: cost.seconds)
    memory = max(cost.gigabytes for cost in costs)
    print(f"{case.title}, best of {repeats}:")
    print(f"  {best.seconds:.2f} s (limit {case.seconds:g} s), all: "
          f"{', '.join(f'{cost.seconds:.2f}' for cost in costs)}")  # fmt: skip
    print(f"  memory {memory:.2f} GB (limit {case.gigabytes or '-'})")
    print(f"  page {best.page_megabytes:.2f} MB (limit {case.page_megabytes or '-'})", flush=True)
    return (
        best.seconds <= case.seconds
        and (case.gigabytes is None or memory <= case.gigabytes)
        and (case.page_megabytes is None or best.page_megabytes <= case.page_megabytes)
    )


def cost_of(path: Path, options: tuple[str, ...], folder: Path) -> Cost:
    """Return what one audit costs in a process of its own."""
    out = folder / "audit"
    words = ["fairage", "audit", str(path), "--out", str(out), *options]
    started = subprocess.run(
        [sys.executable, "-c", COMMAND, json.dumps(words)],
        capture_output=True,
        text=True,
        check=True,
    )
    code, seconds, gigabytes = json.loads(started.stderr.splitlines()[-1])
    if code:
        sys.exit(f"the audit failed:\n{started.stderr}")
    return Cost(seconds, gigabytes, (out / "audit.html").stat().st_size / 1e6)


def predictions(rows: int, rng: np.random.Generator) -> dict[str, pl.Series]:
    """Return predictions with errors that grow with age."""
    ages = rng.uniform(1, 90, rows).round(1)
    estimates = (ages + rng.normal(0, 1 + ages / 15)).clip(0, 120)
    columns = {"image": pl.Series([f"{i:07}.jpg" for i in range(rows)])}
    columns |= {"age": pl.Series(ages), "prediction": pl.Series(estimates.round(2))}
    for name, (groups, shares) in ATTRIBUTES.items():
        columns[name] = pl.Series(rng.choice(groups, rows, p=shares))
    return columns


def write_million(path: Path) -> None:
    """Write a million rows."""
    pl.DataFrame(predictions(1_000_000, numpy_rng(0, "benchmark"))).write_parquet(path)


def write_persons(path: Path) -> None:
    """Write a million rows of 100,000 persons."""
    rng = numpy_rng(0, "benchmark")
    columns = predictions(1_000_000, rng)
    columns["identity"] = pl.Series(rng.integers(0, 100_000, 1_000_000))
    pl.DataFrame(columns).write_parquet(path)


def write_attributes(path: Path) -> None:
    """Write 2,000 rows with 40 attributes of two to five groups."""
    rng = numpy_rng(0, "benchmark")
    columns = predictions(2_000, rng)
    for i in range(37):
        columns[f"trait_{i}"] = pl.Series([f"g{g}" for g in rng.integers(0, 2 + i % 4, 2_000)])
    pl.DataFrame(columns).write_parquet(path)


def _named(attributes: list[str]) -> tuple[str, ...]:
    return tuple(word for name in attributes for word in ("--attribute", name))


CASES = {
    "million": Case(
        "1,000,000 rows, 3 attributes and age groups", write_million, _named([*ATTRIBUTES]), 3, 1
    ),
    "persons": Case(
        "the same of 100,000 persons",
        write_persons,
        (*_named([*ATTRIBUTES]), "--identity", "identity"),
        6,
    ),
    "attributes": Case(
        "2,000 rows, 40 attributes",
        write_attributes,
        _named([*ATTRIBUTES, *(f"trait_{i}" for i in range(37))]),
        10,
        page_megabytes=1,
    ),
}

if __name__ == "__main__":
    main()
