"""Faces that one model leaves out: who fails more, where, and what equal models show."""

import numpy as np
import pytest

from fairage.auditing.groups import Groups, Units, groups_of
from fairage.auditing.paired_failures import PairedFailures, compare_failures

RNG = np.random.default_rng


def compared(
    a: np.ndarray, b: np.ndarray, groups: Groups | None = None, **options: object
) -> PairedFailures:
    errors = {side: np.where(failed, np.nan, 2.0) for side, failed in (("a", a), ("b", b))}
    return compare_failures(
        {"a": a, "b": b},
        errors,
        {} if groups is None else {"skin": groups},
        reasons={"a": {}, "b": {}},
        **options,  # type: ignore[arg-type]  # options by name
    )


def skin(n: int) -> Groups:
    return groups_of(("dark", "light"), np.arange(n) % 2)


def test_rates_and_their_change() -> None:
    rows = np.arange(200)
    failures = compared(rows < 10, (rows >= 6) & (rows < 36), skin(200))
    assert failures.overall.a.value == pytest.approx(0.05)
    assert failures.overall.b.value == pytest.approx(0.15)
    assert failures.overall.change.value == pytest.approx(0.10)
    dark = failures["skin"]["dark"]
    assert dark.change.value == pytest.approx(dark.b.value - dark.a.value)
    assert dark.a.n == 100


def test_a_vendor_that_withholds_the_hard_faces_of_one_group_is_caught() -> None:
    """87 of 214 dark faces are withheld by B, 3 of both groups by A."""
    codes = np.repeat([0, 1], [214, 600])
    rows = np.arange(814)
    failures = compared(rows % 270 == 5, rows < 87, groups_of(("dark", "light"), codes))
    assert failures["skin"]["dark"].fails_more == "b"
    assert failures["skin"]["light"].fails_more == ""
    assert failures.more("b") == [("skin", "dark")]
    assert failures.failing == {"b"}
    assert failures.uneven["b"] == ("skin",)


def test_the_same_failures_favour_nobody() -> None:
    failed = np.arange(300) < 90  # all of them in a row, spread unevenly
    groups = groups_of(("x", "y"), (np.arange(300) >= 100).astype(int))
    failures = compared(failed, failed, groups)
    assert failures.any
    assert failures.failing == frozenset()
    assert failures.overall.change.value == 0


def test_who_leaves_out_less_of_the_same_faces_may_be_better() -> None:
    rows = np.arange(400)
    failures = compared(rows < 100, rows < 50)
    assert failures.failing == {"a"}


def test_uneven_lone_failures_count_even_where_nobody_fails_more() -> None:
    """A leaves out light faces, B as many dark ones."""
    rows = np.arange(400)
    groups = skin(400)
    dark = groups.codes == 0
    failures = compared((rows < 80) & ~dark, (rows < 80) & dark, groups)
    assert failures.overall.fails_more == ""
    assert failures.failing == {"a", "b"}


def test_one_failure_is_no_difference() -> None:
    failures = compared(np.zeros(500, dtype=bool), np.arange(500) == 3, skin(500))
    assert failures.failing == frozenset()
    assert failures.overall.change.low is not None
    assert failures.overall.change.low < 0 < failures.overall.change.high  # type: ignore[operator]  # both ends are there


@pytest.mark.parametrize(("alone", "more"), [(5, ""), (6, "b"), (7, "b")])
def test_lone_failures_prove_what_an_exact_sign_test_says(alone: int, more: str) -> None:
    """With five lone failures of B and none of A the exact p is 2 / 2⁵ = .0625; with six .031."""
    nobody = np.zeros(1000, dtype=bool)
    assert compared(nobody, np.arange(1000) < alone).overall.fails_more == more
    assert compared(np.arange(1000) < alone, nobody).overall.fails_more == ("a" if more else "")


def test_small_groups_are_not_compared() -> None:
    codes = np.repeat([0, 1], [20, 400])
    failures = compared(
        np.zeros(420, dtype=bool), np.arange(420) < 20, groups_of(("few", "many"), codes)
    )
    assert not failures["skin"]["few"].takes_part
    assert failures.more("b") == []


def test_equal_failure_rates_seldom_differ() -> None:
    rng, flagged, more = RNG(1), 0, 0
    for _ in range(200):
        codes = groups_of([f"g{i}" for i in range(6)], rng.integers(0, 6, 1200))
        a, b = rng.random(1200) < 0.05, rng.random(1200) < 0.05
        failures = compared(a, b, codes)
        more += bool(failures.overall.fails_more or failures.more("a") or failures.more("b"))
        flagged += bool(failures.failing)
    assert more / 200 <= 0.065
    assert flagged / 200 <= 0.15


def test_limits_cover_the_difference() -> None:
    rng, hits = RNG(3), 0
    for _ in range(500):
        shared = rng.random(300) < 0.05
        a, b = shared | (rng.random(300) < 0.02), shared | (rng.random(300) < 0.08)
        change = compared(a, b).overall.change
        hits += change.low <= 0.95 * (0.08 - 0.02) <= change.high  # type: ignore[operator]  # both ends are there
    assert hits / 500 >= 0.93


def test_rows_of_one_person_are_not_independent() -> None:
    """One person whose twenty pictures all fail is one person."""
    persons = Units(np.repeat(np.arange(40), 20), 40)
    failed = persons.codes == 0
    nobody = np.zeros(800, dtype=bool)
    assert compared(nobody, failed).failing == {"b"}
    assert compared(nobody, failed, units=persons).failing == frozenset()


def test_mae_with_withheld_faces_at_the_p90_of_their_group() -> None:
    rng = RNG(3)
    groups = skin(400)
    errors = np.where(groups.codes == 0, 6.0, 2.0) * rng.uniform(0.5, 1.5, 400)
    failed = (groups.codes == 0) & (np.arange(400) < 120)
    nobody = np.zeros(400, dtype=bool)
    failures = compare_failures(
        {"a": nobody, "b": failed},
        {"a": errors, "b": np.where(failed, np.nan, errors)},
        {"skin": groups},
        reasons={"a": {}, "b": {"no face": 60}},
    )
    dark = errors[(groups.codes == 0) & ~failed]
    expected = np.where(failed, np.quantile(dark, 0.9), errors).mean()
    assert failures.mae_if_withheld["skin"]["a"] == pytest.approx(errors.mean())
    assert failures.mae_if_withheld["skin"]["b"] == pytest.approx(expected)
    assert failures.reasons["b"] == {"no face": 60}


def test_without_failures_there_is_nothing_withheld() -> None:
    nobody = np.zeros(100, dtype=bool)
    failures = compared(nobody, nobody, skin(100))
    assert not failures.any
    assert failures.mae_if_withheld == {}
