"""One rule of who takes part, from the command to the numbers of a run."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fairage.exceptions import ConfigError
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.plan import blind_sentences
from fairage.experiments.recipe_files import recipe_from
from fairage.experiments.runner import PREDICTIONS, RUN, run_version
from fairage.experiments.suite import run_plan

QUICK = {"experiment": "1", "version": "quick", "training": {"epochs": 2}}
FAIR = {**QUICK, "select": "fair"}


def test_min_rows_fill_what_a_recipe_leaves_unset() -> None:
    stages = [{"name": "a", "select": {"rule": "fair", "min_rows": 7}}, {"name": "b"}]
    recipe = recipe_from({**FAIR, "stages": stages}, "test").with_min_rows(12)
    assert recipe.select.least_rows == 12
    assert recipe.stages[0].select is not None
    assert recipe.stages[0].select.min_rows == 7
    assert recipe.stages[1].select is None
    assert recipe_from(FAIR, "test").select.least_rows == 30


def test_a_recipe_is_another_one_only_where_min_rows_may_choose_another_epoch() -> None:
    fair, plain = recipe_from(FAIR, "test"), recipe_from(QUICK, "test")
    assert fair.with_min_rows(30).fingerprint == fair.fingerprint
    assert fair.with_min_rows(10).fingerprint != fair.fingerprint
    assert plain.with_min_rows(10).fingerprint == plain.fingerprint
    stages = [{"name": "a", "select": "fair"}]
    staged = recipe_from({**QUICK, "stages": stages}, "test")
    assert staged.with_min_rows(10).fingerprint != staged.fingerprint
    assert staged.with_min_rows(30).fingerprint == staged.fingerprint


@pytest.mark.parametrize("min_rows", [1, 0])
def test_fewer_than_two_rows_are_refused(min_rows: int) -> None:
    with pytest.raises(ConfigError, match="min_rows"):
        recipe_from({**QUICK, "select": {"rule": "fair", "min_rows": min_rows}}, "test")


def test_scores_of_a_run_follow_the_rule(embedded: EmbeddedFaces, tmp_path: Path) -> None:
    scores = {}
    for min_rows in (5, 100):
        folder = tmp_path / str(min_rows)
        recipe = recipe_from(QUICK, "test")
        run_version(recipe, embedded, seed=0, folder=folder, min_rows=min_rows)
        written = json.loads((folder / RUN).read_text(encoding="utf-8"))
        assert written["min_rows"] == min_rows
        scores[min_rows] = written["scores"]["test"]
    assert scores[5]["gender_bias"] > 0
    assert scores[100]["gender_bias"] is None
    assert scores[100]["average_bias"] is None
    assert scores[5]["mae"] == scores[100]["mae"]


def test_persons_stay_in_the_predictions_and_are_what_counts(
    embedded: EmbeddedFaces, tmp_path: Path
) -> None:
    names = [f"p{row // 12}" for row in range(embedded.frame.height)]
    frame = embedded.frame.with_columns(pl.Series("identity", names))
    data = EmbeddedFaces(frame, embedded.embeddings, embedded.backbones)
    own = frame.filter(pl.col("split") == "test")
    rows = int(own.group_by("gender").len()["len"].min())  # type: ignore[arg-type]  # polars types it loosely
    run_version(recipe_from(QUICK, "test"), data, seed=0, folder=tmp_path / "run", min_rows=rows)
    predictions = pl.read_parquet(tmp_path / "run" / PREDICTIONS)
    assert predictions["identity"].to_list() == own["identity"].to_list()
    score = json.loads((tmp_path / "run" / RUN).read_text(encoding="utf-8"))["scores"]["test"]
    persons = own.group_by("gender").agg(pl.col("identity").n_unique())["identity"].min()
    assert persons < rows, "so that rows would take part and persons do not"
    assert score["gender_bias"] is None


def test_versions_that_saw_no_bias_are_noted_once(embedded: EmbeddedFaces) -> None:
    fair, plain = recipe_from(FAIR, "test"), recipe_from({**QUICK, "version": "plain"}, "test")
    (note,) = blind_sentences([r.with_min_rows(100) for r in (fair, plain)], embedded)
    assert note.startswith("quick: No attribute has two groups of 100 validation rows or more")
    assert blind_sentences([fair.with_min_rows(5)], embedded) == ()
    assert blind_sentences([plain.with_min_rows(100)], embedded) == ()


def test_a_suite_measures_by_the_plans_min_rows(plan_of, tmp_path: Path) -> None:
    run_plan(plan_of(recipe_from(QUICK, "test")), tmp_path / "out")
    summary = pl.read_csv(tmp_path / "out" / "summary.csv")
    results = pl.read_csv(tmp_path / "out" / "results.csv")
    assert np.isclose(summary["gender_bias_mean"].item(), results["gender_bias"].mean())
    assert summary["gender_bias_floor_p975"].item() > summary["gender_bias_floor"].item() > 0
    settings = json.loads((tmp_path / "out" / "suite.json").read_text(encoding="utf-8"))
    assert settings["min_rows"] == 5
