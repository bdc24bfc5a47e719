"""Rows without an estimate, counted by group: who withholds hard faces is not better for it."""

import math

import numpy as np
import pytest

from fairage.auditing.failures import audit_failures, mae_if_withheld
from fairage.auditing.groups import Groups, Units, groups_of
from fairage.auditing.result_parts import ALL, DIFFER, TELL, WITHIN, Failures
from fairage.tables import UNKNOWN


def failures_of(failed: np.ndarray, groups: Groups, **options: object) -> Failures:
    absolute = np.where(failed, np.nan, 3.0)
    settings: dict[str, object] = {
        "p90": {ALL: {ALL: 8.0}, "x": dict.fromkeys(groups.names, 9.0)},
        "reasons": {"no face": int(failed.sum())},
        "units": None,
        "weights": None,
        "min_rows": 30,
        "margin": 0.05,
    }
    return audit_failures(failed, absolute, {"x": groups}, **{**settings, **options})  # type: ignore[arg-type]  # options by name


def two(*sizes: int) -> Groups:
    names = ("a", "b", UNKNOWN)[: len(sizes)]
    return groups_of(names, np.repeat(np.arange(len(sizes)), sizes))


def first(n: int, failing: int) -> np.ndarray:
    return np.arange(n) < failing


def test_rates_are_counted_by_group() -> None:
    result = failures_of(first(300, 30), two(100, 200))
    assert result["x"]["a"].value == pytest.approx(0.3)
    assert result["x"]["b"].value == 0
    assert result.overall.value == pytest.approx(0.1)
    assert (result["x"]["a"].n, result.overall.n) == (100, 300)
    assert result.reasons == {"no face": 30}
    assert list(result) == ["x"]
    assert result.verdicts["x"].kind == DIFFER
    assert result.verdicts["x"].differing[0].first == "a"
    assert result.verdicts["x"].at_least > 0.15


def test_even_failures_lie_within_the_margin_with_enough_rows() -> None:
    failed = np.tile([True] + [False] * 9, 800)
    result = failures_of(failed, groups_of(("a", "b"), np.arange(8000) // 10 % 2))
    assert result.verdicts["x"].kind == WITHIN
    few = failures_of(failed[:200], groups_of(("a", "b"), np.arange(200) // 10 % 2))
    assert few.verdicts["x"].kind == TELL
    assert few.verdicts["x"].rows_needed is not None
    assert few.verdicts["x"].rows_needed > 200


def test_withholding_87_of_214_hard_faces_differs() -> None:
    failed = np.concatenate([first(214, 87), first(1763, 9)])
    result = failures_of(failed, two(214, 1763))
    assert result.verdicts["x"].kind == DIFFER
    assert result.verdicts["x"].at_least > 0.3


def test_no_failure_is_no_gap_and_no_other_mae() -> None:
    result = failures_of(np.zeros(3000, dtype=bool), two(1500, 1500))
    assert result.overall.value == 0
    assert result.overall.high == pytest.approx(0.0012, abs=0.0002)
    assert result.mae_if_withheld == {}
    assert result.verdicts["x"].kind == WITHIN


def test_small_groups_and_unknown_are_listed_and_left_out() -> None:
    result = failures_of(first(200, 5), two(150, 10, 40))
    assert set(result["x"]) == {"a", "b", UNKNOWN}
    assert result.verdicts["x"].reason == "fewer than two groups"
    assert result.verdicts["x"].left_out == (("x", "b", 10), ("x", UNKNOWN, 40))


def test_persons_are_the_unit() -> None:
    units = Units(np.repeat(np.arange(100), 4), 100)
    failed = np.repeat(np.arange(100) % 5 == 0, 4)
    known, rows = (
        failures_of(failed, two(200, 200), units=units),
        failures_of(failed, two(200, 200)),
    )
    assert known.overall.value == rows.overall.value
    assert known.overall.n_persons == 100
    assert (known.overall.high or 0) - (known.overall.low or 0) > 1.7 * (
        (rows.overall.high or 0) - (rows.overall.low or 0)
    )
    few = failures_of(failed, two(100, 300), units=units)
    assert few.verdicts["x"].left_out == (("x", "a", 100),)


def test_unequal_weights_must_leave_enough_rows() -> None:
    weights = np.concatenate([[200.0], np.ones(99)])
    result = failures_of(first(100, 20), two(40, 60), weights=weights)
    assert result.verdicts["x"].left_out == (("x", "a", 40),)
    assert result["x"]["a"].value == pytest.approx(219 / 239)
    assert failures_of(first(100, 20), two(40, 60)).verdicts["x"].left_out == ()


def test_the_mae_if_withheld_is_that_of_a_slow_loop(rng: np.random.Generator) -> None:
    failed = rng.random(60) < 0.3
    absolute = np.where(failed, np.nan, rng.exponential(3, 60))
    groups, p90, weights = two(20, 40), [7.0, 12.0], rng.uniform(0.5, 2, 60)
    values = [
        p90[group] if gone else error
        for gone, error, group in zip(failed, absolute, groups.codes, strict=True)
    ]
    assert mae_if_withheld(failed, absolute, groups, p90, 9.0) == pytest.approx(np.mean(values))
    assert mae_if_withheld(failed, absolute, groups, p90, 9.0, weights) == pytest.approx(
        np.average(values, weights=weights)
    )


def test_a_group_without_any_estimate_takes_the_p90_of_all() -> None:
    failed = np.array([True, True, False, False])
    absolute = np.array([np.nan, np.nan, 1.0, 3.0])
    value = mae_if_withheld(failed, absolute, two(2, 2), [math.nan, 3.0], 5.0)
    assert value == pytest.approx((5 + 5 + 1 + 3) / 4)


def test_rows_with_an_estimate_and_no_mid_point_do_not_count() -> None:
    failed = np.array([True, False, False])
    absolute = np.array([np.nan, np.nan, 1.0])  # the second has an open range as its age
    assert mae_if_withheld(failed, absolute, two(3), [3.0], 3.0) == 2.0
    nothing = np.full(3, np.nan)
    assert math.isnan(mae_if_withheld(failed, nothing, two(3), [math.nan], math.nan))


def test_withholding_never_lowers_the_mae() -> None:
    rng = np.random.default_rng(3)
    absolute = rng.exponential(4, 500)
    groups = groups_of(("a", "b"), rng.integers(0, 2, 500))
    hard = absolute > np.quantile(absolute, 0.85)
    withheld = np.where(hard, np.nan, absolute)
    p90 = [np.quantile(withheld[(groups.codes == g) & ~hard], 0.9) for g in (0, 1)]
    value = mae_if_withheld(hard, withheld, groups, p90, 9.0)
    assert value > np.nanmean(withheld)
