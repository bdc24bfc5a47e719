"""A training that fails among others: they end whole, and what is wrong is told at last."""

import json
from pathlib import Path

import polars as pl
import pytest

from fairage.exceptions import ConfigError
from fairage.experiments import runner
from fairage.experiments.plan import Plan, Version
from fairage.experiments.recipe import recipe_from
from fairage.experiments.versions import run_plan

QUICK = {"experiment": "1", "training": {"epochs": 2, "learning_rate": 1e-2}}
LINEAR = {"head": {"name": "regression", "output": "linear"}}
TOO_FAST = {"epochs": 2, "learning_rate": 1e30}


def recipe(version: str, **more):
    return recipe_from({**QUICK, "version": version, **more}, "test")


def plan(embedded, *recipes, workers: int = 1) -> Plan:
    versions = [Version(told, embedded) for told in recipes]
    return Plan("test", versions, 2, workers, {}, [])


@pytest.fixture
def wild():
    return recipe("wild", **LINEAR, training=TOO_FAST)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_other_versions_end_whole(workers: int, wild, embedded, tmp_path: Path) -> None:
    told = plan(embedded, recipe("before"), wild, recipe("behind", weighting="1b"), workers=workers)
    with pytest.raises(ConfigError, match="wild, seed 0: expected a finite loss") as error:
        run_plan(told, tmp_path)
    assert str(tmp_path / "report.html") in str(error.value)
    assert not (tmp_path / "1-wild").exists() or not list((tmp_path / "1-wild").iterdir())
    assert pl.read_csv(tmp_path / "summary.csv")["version"].to_list() == ["before", "behind"]
    left_out = json.loads((tmp_path / "suite.json").read_text())["left_out"]
    assert list(left_out) == ["1-wild"]
    assert "expected a finite loss" in left_out["1-wild"]
    assert "left out its version: wild, seed" in (tmp_path / "report.html").read_text()


def test_once_it_is_corrected_only_it_is_trained(
    wild, embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="finite loss"):
        run_plan(plan(embedded, recipe("before"), wild), tmp_path)
    trained = []
    real = runner.fit
    monkeypatch.setattr(
        runner, "fit", lambda r, *a, **k: trained.append(r.version) or real(r, *a, **k)
    )
    found = run_plan(plan(embedded, recipe("before"), recipe("wild", **LINEAR)), tmp_path)
    assert trained == ["wild", "wild"]
    assert found.new_runs == 2
    assert not found.left_out


def test_seeds_that_did_not_fail_are_kept(
    embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained, real, unlucky = [], runner.fit, {("unlucky", 1)}

    def failing(told, *args, seed: int, **more):
        trained.append((told.version, seed))
        if trained[-1] in unlucky:
            raise ConfigError("expected luck, got none, wait")
        return real(told, *args, seed=seed, **more)

    monkeypatch.setattr(runner, "fit", failing)
    told = plan(embedded, recipe("unlucky"), recipe("behind"))
    with pytest.raises(ConfigError, match="unlucky, seed 1: expected luck"):
        run_plan(told, tmp_path)
    assert len(trained) == 4
    unlucky.clear()
    run_plan(told, tmp_path)
    assert trained[4:] == [("unlucky", 1)]


def test_where_the_baseline_fails_the_report_says_what_stands_in_for_it(
    wild, embedded, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="finite loss"):
        run_plan(plan(embedded, wild, recipe("behind")), tmp_path)
    told = "behind stands in for the baseline wild, which was left out."
    assert told in (tmp_path / "report.html").read_text()


def test_every_version_that_failed_is_told(wild, embedded, tmp_path: Path) -> None:
    other = recipe("wilder", **LINEAR, weighting="1b", training=TOO_FAST)
    with pytest.raises(ConfigError, match=r"wild, seed 0: .*; wilder, seed 0: .*; the other"):
        run_plan(plan(embedded, wild, recipe("plain"), other), tmp_path)


def test_without_any_other_version_nothing_is_written(wild, embedded, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^wild, seed 0: expected a finite loss") as error:
        run_plan(plan(embedded, wild), tmp_path)
    assert "other versions" not in str(error.value)
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} <= {".fairage.lock"}


def test_experts_of_an_ensemble_that_fails_are_trained_alone(embedded, tmp_path: Path) -> None:
    alone = recipe("alone", **LINEAR, weighting={"name": "expert", "attribute": "gender"})
    joint = {"attributes": ["gender", "age_group"], "joint_training": TOO_FAST}
    ensemble = recipe("ensemble", **LINEAR, experts=joint)
    with pytest.raises(ConfigError, match="ensemble, seed 0: expected a finite loss"):
        run_plan(plan(embedded, alone, ensemble), tmp_path)
    assert pl.read_csv(tmp_path / "results.csv")["version"].to_list() == ["alone", "alone"]
