"""A training that fails among others: they end whole, and what is wrong is told at last."""

import gc
import json
import weakref
from pathlib import Path

import polars as pl
import pytest

from fairage.exceptions import ConfigError
from fairage.experiments import runner
from fairage.experiments.recipe_files import recipe_from
from fairage.experiments.schedule import Batch, Job, run_batches
from fairage.experiments.suite import run_plan

QUICK = {"experiment": "1", "training": {"epochs": 2, "learning_rate": 1e-2}}
LINEAR = {"head": {"name": "regression", "output": "linear"}}
TOO_FAST = {"epochs": 2, "learning_rate": 1e30}


def recipe(version: str, **more):
    return recipe_from({**QUICK, "version": version, **more}, "test")


@pytest.fixture
def wild():
    return recipe("wild", **LINEAR, training=TOO_FAST)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_other_versions_end_whole(workers: int, wild, plan_of, tmp_path: Path) -> None:
    told = plan_of(recipe("before"), wild, recipe("behind", weighting="1b"), workers=workers)
    with pytest.raises(ConfigError, match="wild, seed 0: expected a finite loss") as error:
        run_plan(told, tmp_path)
    assert str(tmp_path / "report.html") in str(error.value)
    assert not (tmp_path / "1-wild").exists() or not list((tmp_path / "1-wild").iterdir())
    assert pl.read_csv(tmp_path / "summary.csv")["version"].to_list() == ["before", "behind"]
    left_out = json.loads((tmp_path / "suite.json").read_text())["left_out"]
    assert list(left_out) == ["1-wild"]
    assert "expected a finite loss" in left_out["1-wild"]
    assert "left out its version: wild, seed" in (tmp_path / "report.html").read_text()


def test_once_it_is_corrected_only_it_is_trained(wild, plan_of, trained, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="finite loss"):
        run_plan(plan_of(recipe("before"), wild), tmp_path)
    trained.clear()
    found = run_plan(plan_of(recipe("before"), recipe("wild", **LINEAR)), tmp_path)
    assert trained == [("wild", 0), ("wild", 1)]
    assert found.new_runs == 2
    assert not found.left_out


def test_seeds_that_did_not_fail_are_kept(
    plan_of, trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = runner.fit

    def unlucky(*args, seed: int, **more):
        found = recording(*args, seed=seed, **more)
        if trained[-1] == ("unlucky", 1):
            raise ConfigError("expected luck, got none, wait")
        return found

    told = plan_of(recipe("unlucky"), recipe("behind"))
    with monkeypatch.context() as patched:
        patched.setattr(runner, "fit", unlucky)
        with pytest.raises(ConfigError, match="unlucky, seed 1: expected luck"):
            run_plan(told, tmp_path)
    trained.clear()
    run_plan(told, tmp_path)
    assert trained == [("unlucky", 1)]


def test_what_a_failed_training_held_is_let_go_at_once(
    embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Model:
        pass

    held = []

    def fit(*_: object, **__: object) -> None:
        model = Model()
        held.append(weakref.ref(model))
        raise ConfigError("expected a finite loss, got nan, wait")

    monkeypatch.setattr(runner, "fit", fit)
    jobs = [Job(recipe("wild"), seed, tmp_path / str(seed)) for seed in range(2)]
    gc.disable()
    try:
        for done in run_batches([Batch(jobs, embedded)], workers=1, scratch=tmp_path):
            assert done.error is not None
            assert held[-1]() is None
    finally:
        gc.enable()


def test_where_the_baseline_fails_the_report_names_what_stands_in_for_it(
    wild, plan_of, tmp_path: Path
) -> None:
    versions = wild, recipe("second"), recipe("third", weighting="1b")
    with pytest.raises(ConfigError, match="finite loss"):
        run_plan(plan_of(*versions), tmp_path)
    assert "adds to the numbers of second, means" in (tmp_path / "report.html").read_text()


def test_every_version_that_failed_is_told(wild, plan_of, tmp_path: Path) -> None:
    other = recipe("wilder", **LINEAR, weighting="1b", training=TOO_FAST)
    with pytest.raises(ConfigError, match=r"wild, seed 0: .*; wilder, seed 0: .*; the other"):
        run_plan(plan_of(wild, recipe("plain"), other), tmp_path)


def test_without_any_other_version_nothing_is_written(wild, plan_of, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^wild, seed 0: expected a finite loss") as error:
        run_plan(plan_of(wild), tmp_path)
    assert "other versions" not in str(error.value)
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} <= {".fairage.lock"}


def test_experts_of_an_ensemble_that_fails_are_trained_alone(plan_of, tmp_path: Path) -> None:
    alone = recipe("alone", **LINEAR, weighting={"name": "expert", "attribute": "gender"})
    joint = {"attributes": ["gender", "age_group"], "joint_training": TOO_FAST}
    ensemble = recipe("ensemble", **LINEAR, experts=joint)
    with pytest.raises(ConfigError, match="ensemble, seed 0: expected a finite loss"):
        run_plan(plan_of(alone, ensemble), tmp_path)
    assert pl.read_csv(tmp_path / "results.csv")["version"].to_list() == ["alone", "alone"]
