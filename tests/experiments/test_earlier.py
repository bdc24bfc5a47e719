"""What earlier commands left in a folder stays in its tables, where it was measured alike."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.plan import Version
from fairage.experiments.recipe_files import recipe_from, shipped_recipes, suite_names
from fairage.experiments.suite import run_plan

QUICK = {"experiment": "1", "training": {"epochs": 2, "learning_rate": 1e-2}}


def recipe(version: str, **more):
    return recipe_from({**QUICK, "version": version, **more}, "test")


FIRST, SECOND, THIRD = recipe("first"), recipe("second", weighting="1b"), recipe("third")


def rows(out: Path) -> list[tuple[str, int]]:
    return list(pl.read_csv(out / "results.csv").select("version", "seed").iter_rows())


def both(*names: str, seeds: int = 2) -> list[tuple[str, int]]:
    return [(name, seed) for name in names for seed in range(seeds)]


def test_another_recipe_is_added_to_the_tables_and_the_report(
    plan_of, trained, tmp_path: Path
) -> None:
    run_plan(plan_of(FIRST), tmp_path)
    before = pl.read_csv(tmp_path / "results.csv")
    trained.clear()
    outcome = run_plan(plan_of(SECOND), tmp_path)
    assert trained == both("second")
    assert outcome.new_runs == 2
    assert outcome.summary["version"].to_list() == ["first", "second"]
    assert rows(tmp_path) == both("first", "second")
    assert pl.read_csv(tmp_path / "results.csv").head(2).equals(before)
    report = (tmp_path / "report.html").read_text()
    assert "Kept from earlier commands, measured on the same faces: first." in report


def test_the_tables_are_those_of_one_command(plan_of, tmp_path: Path) -> None:
    run_plan(plan_of(FIRST, SECOND), tmp_path / "one")
    for told in (FIRST, SECOND):
        run_plan(plan_of(told), tmp_path / "two")
    for name in ("results.csv", "summary.csv"):
        assert (tmp_path / "one" / name).read_text() == (tmp_path / "two" / name).read_text()


def test_the_order_stays_whichever_is_given_again(plan_of, trained, tmp_path: Path) -> None:
    for told in (FIRST, SECOND, THIRD, FIRST):
        run_plan(plan_of(told), tmp_path)
    assert rows(tmp_path) == both("first", "second", "third")
    assert trained == both("first", "second", "third")
    run_plan(plan_of(THIRD, FIRST, SECOND), tmp_path)  # all are given: in the order given
    assert rows(tmp_path) == both("third", "first", "second")


def test_each_keeps_its_own_number_of_seeds(plan_of, tmp_path: Path) -> None:
    run_plan(replace(plan_of(FIRST), seeds=3), tmp_path)
    run_plan(replace(plan_of(SECOND), seeds=1), tmp_path)
    assert rows(tmp_path) == both("first", seeds=3) + both("second", seeds=1)


@pytest.mark.parametrize("other", ["faces", "backbone", "min_rows", "suite.json", "folder"])
def test_what_was_measured_otherwise_is_not_kept(
    other: str, plan_of, embedded: EmbeddedFaces, tmp_path: Path
) -> None:
    run_plan(plan_of(FIRST), tmp_path)
    plan = plan_of(SECOND)
    if other == "faces":
        frame = embedded.frame.with_columns(pl.col("age") + 1)
        plan = replace(plan, versions=[Version(SECOND, replace(embedded, frame=frame))])
    elif other == "backbone":
        data = replace(embedded, embeddings=embedded.embeddings + 1)
        plan = replace(plan, versions=[Version(SECOND, data)])
    elif other == "min_rows":
        plan = replace(plan, min_rows=6)
    elif other == "suite.json":
        (tmp_path / "suite.json").write_text("{")
    else:
        (tmp_path / "1-first").rename(tmp_path / "elsewhere")
    run_plan(plan, tmp_path)
    assert rows(tmp_path) == both("second")
    assert "Kept from earlier" not in (tmp_path / "report.html").read_text()


def test_a_damaged_one_is_left_out_and_told(plan_of, trained, tmp_path: Path) -> None:
    run_plan(plan_of(FIRST), tmp_path)
    (tmp_path / "1-first" / "seed-1" / "predictions.parquet").write_bytes(b"PAR1")
    outcome = run_plan(plan_of(SECOND), tmp_path)
    assert rows(tmp_path) == both("second")
    assert "seed-1: predictions.parquet missing or damaged" in outcome.left_out["1-first"]
    assert "of an earlier command, was left out" in (tmp_path / "report.html").read_text()
    trained.clear()
    with pytest.warns(UserWarning, match="trained again"):
        run_plan(plan_of(FIRST), tmp_path)
    assert trained == [("first", 1)]
    assert rows(tmp_path) == both("second", "first")


@pytest.mark.parametrize("text", ["{", "[" * 9999, '"seeds": 1'])
def test_a_damaged_list_of_earlier_versions_is_told(text: str, plan_of, tmp_path: Path) -> None:
    run_plan(plan_of(FIRST), tmp_path)
    path = tmp_path / "suite.json"
    changed = path.read_text().replace('"1-first": 2', '"1-first": 1')
    path.write_text(changed if "seeds" in text else text)
    outcome = run_plan(plan_of(SECOND), tmp_path)
    assert rows(tmp_path) == both("second")
    assert "suite.json, which lists them, is damaged or" in outcome.left_out["suite.json"]
    run_plan(plan_of(FIRST, SECOND), tmp_path)
    assert rows(tmp_path) == both("first", "second")


def test_a_version_that_fails_now_is_not_taken_for_an_earlier_one(plan_of, tmp_path: Path) -> None:
    run_plan(plan_of(FIRST, SECOND), tmp_path)
    plan = replace(plan_of(SECOND), left_out={"1-first": "first was left out: no reason"})
    run_plan(plan, tmp_path)
    assert rows(tmp_path) == both("second")


def test_suite_json_lists_all_of_them(plan_of, tmp_path: Path) -> None:
    for told in (FIRST, SECOND):
        run_plan(plan_of(told), tmp_path)
    described = json.loads((tmp_path / "suite.json").read_text())
    assert [told["version"] for told in described["recipes"]] == ["first", "second"]
    assert described["seeds"] == {"1-first": 2, "1-second": 2}
    assert list(described["age_groups"]) == ["1-first", "1-second"]


@pytest.mark.parametrize("suite", suite_names())
def test_recipes_come_back_from_suite_json_as_they_were(suite: str) -> None:
    for told in shipped_recipes(suite):
        again = recipe_from(json.loads(json.dumps(told.model_dump(mode="json"))), "suite.json")
        assert again.fingerprint == told.fingerprint
        assert again == told
