"""The scripts behind docs/results print the pages' tables."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl

ROOT = Path(__file__).parents[1]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def summary(deviation: float | None) -> pl.DataFrame:
    told = {"experiment": "0", "version": "baseline"}
    for metric in ("mae", "average_bias"):
        told |= {f"{metric}_mean": 4.2, f"{metric}_sd": deviation, f"{metric}_floor": 0.25}
    return pl.DataFrame([told])


def test_a_single_seed_has_no_deviation() -> None:
    for deviation, expected in ((None, "4.200"), (0.045, "4.200 ± 0.045")):
        lines = script("results_table").values_table(summary(deviation), [{"published": None}])
        assert lines[2] == f"| 0 | baseline | {expected} | {expected} |"
    assert script("group_table").cell(np.array([4.2])) == "4.20"


def test_what_was_published_is_a_column_where_something_was() -> None:
    recipes = [{"published": {"mae": 4.8119, "average_bias": 0.9256}}]
    lines = script("results_table").values_table(summary(None), recipes)
    assert lines[0].endswith("| published: MAE / average |")
    assert lines[2].endswith("| 4.812 / 0.926 |")
    assert lines[-1].endswith("| 0.250 | |")


def test_the_table_of_rates_reads_the_validation_split(tmp_path: Path) -> None:
    recipe = {"experiment": "rates", "version": "1e-3"}
    (tmp_path / "suite.json").write_text(json.dumps({"recipes": [recipe]}))
    for seed, mae in enumerate((3.0, 4.0)):
        folder = tmp_path / "rates-1e-3" / f"seed-{seed}"
        folder.mkdir(parents=True)
        told = {"scores": {"valid": {"mae": mae}, "test": {"mae": 9.0}}}
        (folder / "run.json").write_text(json.dumps(told))
    assert script("rates_table").table(tmp_path) == [
        "| rate | 1e-3 |",
        "|---|---:|",
        "| validation MAE, seed 0 | 3.000 |",
        "| mean of seeds 0 to 1 | 3.500 |",
    ]
