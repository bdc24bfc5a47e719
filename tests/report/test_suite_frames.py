from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from fairage.audit import AuditSettings, audit
from fairage.report import SuiteRuns, VersionRuns, results_frame, summary_frame

Make = Callable[..., SuiteRuns]


def test_results_have_a_row_a_version_and_seed(suite: Make) -> None:
    runs = suite({"baseline": {"female": 3.0, "male": 5.0}, "b": {"female": 4.0, "male": 4.0}})
    frame = results_frame(runs)
    assert frame.columns == [
        "experiment", "version", "seed", "mae", "gender_bias", "age_bias", "average_bias"
    ]  # fmt: skip
    assert frame["version"].to_list() == ["baseline", "baseline", "b", "b"]
    assert frame["seed"].to_list() == [0, 1, 0, 1]
    assert frame["mae"].to_list() == pytest.approx([4.0] * 4)
    assert frame["gender_bias"].to_list() == pytest.approx([2.0, 2.0, 0.0, 0.0])


def test_average_bias_is_the_mean_of_the_biases(suite: Make) -> None:
    frame = results_frame(suite({"baseline": {"female": 3.0, "male": 5.0}}, jitter=1.0))
    mean = (frame["gender_bias"] + frame["age_bias"]) / 2
    assert frame["average_bias"].to_list() == pytest.approx(mean.to_list())


def test_a_bias_that_a_version_lacks_is_null(suite: Make) -> None:
    runs = suite({"baseline": {"female": 3.0, "male": 5.0}, "bare": {"female": 3.0, "male": 5.0}})
    bare = runs.versions[1]
    stripped = tuple(frame.drop("gender") for frame in bare.predictions)
    bare = VersionRuns(bare.experiment, bare.version, bare.title, "", None, stripped)
    runs = SuiteRuns("A suite", (runs.versions[0], bare), {})
    frame = results_frame(runs)
    assert frame["gender_bias"].is_null().to_list() == [False, False, True, True]
    summary = summary_frame(runs, permutations=20, rng=np.random.default_rng(0))
    assert summary["gender_bias_floor"].is_null().to_list() == [False, True]


def test_summary_has_mean_and_sd_over_seeds_and_the_floor(suite: Make) -> None:
    runs = suite({"baseline": {"female": 3.0, "male": 5.0}}, seeds=3, jitter=0.5)
    results = results_frame(runs)
    summary = summary_frame(runs, permutations=200, rng=np.random.default_rng(0))
    assert summary["seeds"].item() == 3
    assert summary["mae_mean"].item() == pytest.approx(results["mae"].mean())
    assert summary["mae_sd"].item() == pytest.approx(np.std(results["mae"].to_numpy(), ddof=1))
    assert "mae_floor" not in summary.columns
    assert 0 < summary["gender_bias_floor"].item() < summary["gender_bias_floor_p95"].item() < 1
    assert summary["gender_bias_mean"].item() > summary["gender_bias_floor_p95"].item()


def test_summary_of_one_seed_has_no_sd(suite: Make) -> None:
    runs = suite({"baseline": {"female": 3.0, "male": 5.0}}, seeds=1)
    summary = summary_frame(runs, permutations=20, rng=np.random.default_rng(0))
    assert summary["mae_sd"].item() is None


def test_seeds_are_numbered_where_the_table_does_not_name_them(suite: Make) -> None:
    runs = suite({"baseline": {"female": 3.0, "male": 5.0}})
    version = runs.versions[0]
    bare: tuple[pl.DataFrame, ...] = tuple(f.drop("seed") for f in version.predictions)
    named = VersionRuns(version.experiment, version.version, version.title, "", None, bare)
    assert results_frame(SuiteRuns("t", (named,), {}))["seed"].to_list() == [0, 1]


def test_intervals_of_biases_reach_down_to_0_where_those_of_the_audit_do(suite: Make) -> None:
    runs = suite({"baseline": {"female": 3.0, "male": 3.02}}, seeds=1, jitter=2.0)
    frame = runs.versions[0].predictions[0]
    shift = (frame["age"].is_between(36, 60) * 4.0).alias("shift")  # seniors alone are worse
    frame = frame.with_columns(pl.col("prediction") + shift)
    version = replace(runs.versions[0], predictions=(frame,))
    summary = summary_frame(
        replace(runs, versions=(version,)), permutations=200, rng=np.random.default_rng(0)
    )
    model = audit(frame, attributes=["gender"], settings=AuditSettings(permutations=200)).models[0]
    ends = {
        "gender_bias": model.attribute("gender").bias.low,
        "age_bias": model.attribute("age_group").bias.low,
        "average_bias": model.average_bias.bias.low,
    }
    assert ends["gender_bias"] == summary["gender_bias_low"].item() == 0
    assert ends["age_bias"] > 1  # type: ignore[operator]  # there are rows enough
    for column, low in ends.items():
        assert summary[f"{column}_low"].item() == pytest.approx(low, abs=0.1), column
