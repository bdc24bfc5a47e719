"""The scripts behind docs/results print the pages' tables."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl

from fairage.experiments.recipe_files import read_recipe

ROOT = Path(__file__).parents[1]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def summary(deviation: float | None) -> pl.DataFrame:
    row = {"experiment": "0", "version": "baseline"}
    for metric in ("mae", "average_bias"):
        row |= {f"{metric}_mean": 4.2, f"{metric}_sd": deviation, f"{metric}_floor": 0.25}
    return pl.DataFrame([row])


def test_a_single_seed_has_no_deviation() -> None:
    for deviation, expected in ((None, "4.200"), (0.045, "4.200 ± 0.045")):
        lines = script("results_table").values_table(summary(deviation), [{"published": None}])
        assert lines[2] == f"| 0 | baseline | {expected} | {expected} |"
    assert script("group_table").cell(np.array([4.2])) == "4.20"


def test_a_change_is_bold_only_where_it_is_resolved() -> None:
    row: dict[str, object] = {"version": "b"}
    for metric, resolved in (("mae", True), ("average_bias", False)):
        row |= {f"{metric}_low": 3.9, f"{metric}_high": 4.1, f"{metric}_change": -0.5}
        row |= {f"{metric}_change_low": -0.7, f"{metric}_change_high": -0.3}
        row[f"{metric}_change_resolved"] = resolved
    lines = script("results_table").changes_table(pl.DataFrame([row]))
    change = "-0.500 (-0.700 to -0.300)"
    assert lines[2] == f"| b | 3.900 to 4.100 | **{change}** | 3.900 to 4.100 | {change} |"


def test_what_is_not_known_is_an_empty_cell() -> None:
    row = {"version": "b"} | {
        f"{metric}_{name}": None
        for metric in ("mae", "average_bias")
        for name in ("low", "high", "change")
    }
    assert script("results_table").changes_table(pl.DataFrame([row]))[2] == "| b | | | | |"
    assert script("group_table").cell(np.array([np.nan])) == ""
    scores = [{"valid": {"average_bias": None}, "test": {"average_bias": None}}]
    assert script("validation_table").spread(scores, "average_bias") == ""


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


def test_validation_stands_beside_test(tmp_path: Path) -> None:
    recipe = {"experiment": "trials", "version": "gap"}
    (tmp_path / "suite.json").write_text(json.dumps({"recipes": [recipe]}))
    (tmp_path / "results.csv").write_text("experiment,version,seed\ntrials,gap,0\ntrials,gap,1\n")
    for seed, mae in enumerate((3.0, 4.0, 9.0)):  # the last is left of an earlier suite
        folder = tmp_path / "trials-gap" / f"seed-{seed}"
        folder.mkdir(parents=True)
        scores = {"valid": {"mae": mae, "average_bias": 0.5}}
        scores["test"] = {"mae": mae + 1, "average_bias": 0.7}
        (folder / "run.json").write_text(json.dumps({"scores": scores}))
    lines = script("validation_table").table(tmp_path)
    assert lines[2] == "| gap | 3.500 | 0.500 | 4.500 ± 0.707 | 0.700 ± 0.000 |"


def few_faces(rows: int) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "image": [f"/faces/{row}.jpg" for row in range(rows)],
            "age": rng.uniform(5, 90, rows),
            "gender": rng.choice(["female", "male"], rows),
            "split": rng.choice(["train", "valid", "test"], rows),
        }
    )


def test_folds_hold_every_face_that_is_no_test_face_once(tmp_path: Path) -> None:
    faces = few_faces(200)
    faces.write_parquet(tmp_path / "faces.parquet")
    script("folds").write_folds(tmp_path / "faces.parquet", tmp_path / "folds")
    tables = [pl.read_parquet(tmp_path / "folds" / f"{fold}.parquet") for fold in range(5)]
    own = [table.filter(pl.col("split") == "test")["image"] for table in tables]
    known = faces.filter(pl.col("split") != "test")["image"]
    assert sorted(pl.concat(own)) == sorted(known)
    for table in tables:
        assert set(table["image"]) == set(known)
        assert set(table["split"]) == {"train", "valid", "test"}
    told = read_recipe(tmp_path / "folds" / "fair.yaml")
    assert (told.after, told.members) == ((), 3)


def test_estimates_are_stretched_by_lines_of_the_other_folds(tmp_path: Path) -> None:
    folds = script("folds")
    for name in folds.RECIPES:
        for fold in range(5):
            rows = few_faces(400).with_columns(split=pl.lit("test"))[fold * 80 : fold * 80 + 80]
            shift = 10 if fold == 0 else 0  # what only the others must not learn
            rows = rows.with_columns(prediction=20 + pl.col("age") / 2 + shift)
            path = tmp_path / f"runs-{fold}" / read_recipe(folds.RECIPES[name]).slug / "seed-0"
            path.mkdir(parents=True)
            rows.write_parquet(path / "predictions.parquet")
    rows = folds.unseen(tmp_path, "fair")
    found = folds.stretched(rows, 1.0, ()) - rows["age"].to_numpy()
    np.testing.assert_allclose(found[:80], 20, atol=1e-2)
    assert np.abs(found[80:]).max() > 1
    lines = folds.table(tmp_path)
    assert len(lines) == 3 + len(folds.POWERS) * len(folds.KNOTS)
    assert lines[2].startswith("| no line | | ")
