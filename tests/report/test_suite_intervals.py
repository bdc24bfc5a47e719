from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fairage.report import SuiteRuns, results_frame, suite_html, summary_frame
from fairage.report.suite_intervals import version_intervals

Make = Callable[..., SuiteRuns]


def test_values_are_the_means_over_seeds_within_their_intervals(suite: Make) -> None:
    runs = suite({"baseline": {"f": 3.0, "m": 5.0}, "b": {"f": 3.0, "m": 4.0}}, seeds=3, jitter=2.0)
    found = version_intervals(runs, replicates=200, rng=np.random.default_rng(0))
    results = results_frame(runs)
    for version, intervals in zip(runs.versions, found, strict=True):
        own = results.filter(version=version.version)
        for column, estimate in intervals.values.items():
            assert estimate.value == pytest.approx(own[column].mean())
            assert estimate.low is not None
            assert estimate.high is not None
            assert estimate.low <= estimate.value <= estimate.high


def test_changes_are_paired_so_that_shared_luck_cancels(suite: Make) -> None:
    errors = {"baseline": {"f": 3.0, "m": 5.0}, "b": {"f": 2.5, "m": 4.5}}
    found = version_intervals(
        suite(errors, jitter=2.0), replicates=200, rng=np.random.default_rng(0)
    )
    assert found[0].changes == {}
    change, value = found[1].changes["mae"], found[1].values["mae"]
    assert change.value == pytest.approx(-0.5)
    assert change.low == pytest.approx(-0.5)
    assert change.high == pytest.approx(-0.5)
    assert value.high - value.low > 0.1  # type: ignore[operator]  # polars and figures type it loosely


def test_the_interval_of_an_mae_is_that_of_a_mean(suite: Make) -> None:
    runs = suite({"baseline": {"f": 3.0, "m": 3.0}}, n=900, seeds=1, jitter=2.0)
    (found,) = version_intervals(runs, replicates=2000, rng=np.random.default_rng(0))
    frame = runs.versions[0].predictions[0]
    errors = (frame["prediction"] - frame["age"]).abs().to_numpy()
    half = 1.96 * errors.std() / 30
    mae = found.values["mae"]
    assert mae.low == pytest.approx(mae.value - half, abs=0.15 * half)
    assert mae.high == pytest.approx(mae.value + half, abs=0.15 * half)


def test_versions_on_different_faces_have_no_intervals(suite: Make) -> None:
    runs = suite({"baseline": {"f": 3.0, "m": 5.0}, "b": {"f": 2.5, "m": 4.5}})
    other = replace(
        runs.versions[1], predictions=tuple(f.head(100) for f in runs.versions[1].predictions)
    )
    runs = replace(runs, versions=(runs.versions[0], other))
    summary = summary_frame(runs, permutations=20, rng=np.random.default_rng(0))
    assert summary["mae_low"].is_null().all()
    assert summary["mae_change"].is_null().all()
    html = suite_html(runs, summary)
    assert "95 % interval</th>" not in html
    assert "Against the baseline" not in html


def test_the_page_marks_changes_beyond_chance(published_suite: SuiteRuns) -> None:
    html = suite_html(published_suite)
    assert "Against the baseline" in html
    assert "95 % interval</th>" in html
    assert "<strong>\N{MINUS SIGN}1.48</strong>" in html or "<strong>\N{MINUS SIGN}1.5" in html
