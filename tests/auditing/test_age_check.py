"""An age check: who passes, group by group, and what threshold a wanted rate takes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fairage.auditing.age_check import audit_age_check
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.groups import Groups, Units, groups_of
from fairage.auditing.result_parts import ALL, DIFFER, TELL, AgeCheck
from fairage.tables import AGE_GROUP, UNKNOWN

quick = settings(max_examples=30)


def check(
    ages: np.ndarray,
    estimates: np.ndarray,
    groups: Groups | None = None,
    *,
    high: np.ndarray | None = None,
    units: Units | None = None,
    weights: np.ndarray | None = None,
    **options: object,
) -> AgeCheck:
    groups = (
        groups_of(("all of them",), np.zeros(len(ages), dtype=int)) if groups is None else groups
    )
    result = audit_age_check(
        ages,
        ages if high is None else high,
        estimates,
        {"x": groups, AGE_GROUP: groups},
        units=units,
        weights=weights,
        settings=AuditSettings(**{"legal_age": 18, "min_rows": 10, **options}),  # type: ignore[arg-type]  # options by name
    )
    assert result is not None
    return result


def sample(rng: np.random.Generator, n: int = 600) -> tuple[np.ndarray, np.ndarray, Groups]:
    ages = rng.uniform(10, 40, n)
    groups = groups_of(("a", "b", UNKNOWN), rng.choice(3, n, p=[0.5, 0.4, 0.1]))
    return ages, ages + rng.normal(0, 3, n) + 3 * groups.codes, groups


def test_without_a_legal_age_there_is_no_check() -> None:
    ages = np.array([10.0, 20.0])
    assert (
        audit_age_check(ages, ages, ages, {}, units=None, weights=None, settings=AuditSettings())
        is None
    )


def test_rates_are_those_of_slow_loops(rng: np.random.Generator) -> None:
    ages, estimates, groups = sample(rng)
    result = check(ages, estimates, groups, challenge=25)
    assert (result.legal_age, result.threshold) == (18, 25)
    assert (result.minors, result.adults) == ((ages < 18).sum(), (ages >= 18).sum())
    assert set(result.groups) == {"x"}
    for name, rates in [*result.groups["x"].items(), (None, result.overall)]:
        rows = np.ones(len(ages), dtype=bool)
        if name is not None:
            rows = groups.codes == groups.names.index(name)
        minors, adults = estimates[rows & (ages < 18)], estimates[rows & (ages >= 18)]
        assert rates.false_positive.value == pytest.approx(np.mean(minors >= 25))
        assert rates.false_positive.n == len(minors)
        assert rates.challenged.value == pytest.approx(np.mean(adults < 25))
        assert rates.challenged.n == len(adults)
    expected = stats.binomtest(
        int((estimates[ages < 18] >= 25).sum()), int((ages < 18).sum())
    ).proportion_ci(method="exact")
    assert result.overall.false_positive.high == pytest.approx(expected.high, rel=1e-4)


def test_the_legal_age_is_of_age_and_the_threshold_passes() -> None:
    ages = np.array([18.0, 17.99, 18.0, 17.99])
    result = check(ages, np.array([18.0, 18.0, 17.99, 17.99]))
    assert (result.minors, result.adults) == (2, 2)
    assert result.threshold == 18
    assert result.overall.false_positive.value == 0.5
    assert result.overall.challenged.value == 0.5


def test_ranges_across_the_legal_age_are_left_out() -> None:
    low = np.array([10.0, 15.0, 18.0, 0.0, 70.0, 17.0])
    high = np.array([18.0, 20.0, 30.0, 18.0, np.inf, 18.5])
    result = check(low, np.full(6, 25.0), high=high)
    assert (result.minors, result.adults, result.across) == (2, 2, 2)


def test_verdicts_follow_from_the_rates(rng: np.random.Generator) -> None:
    ages, estimates, groups = sample(rng, 3000)
    result = check(ages, estimates, groups)
    assert result.verdicts["x"].kind == DIFFER
    assert {gap.measure for gap in result.verdicts["x"].differing} == {"false_positive"}
    assert result.verdicts["x"].differing[0].first == "b"
    assert {gap.measure for gap in result.challenged_verdicts["x"].differing} == {"challenged"}
    assert UNKNOWN in {group for _, group, _ in result.verdicts["x"].left_out}
    same = check(ages, ages + rng.normal(0, 3, 3000), groups)
    assert not same.verdicts["x"].differing


def test_groups_with_few_minors_and_unknown_take_no_part(rng: np.random.Generator) -> None:
    ages, estimates, groups = sample(rng)
    few = groups_of(groups.names, np.where((ages < 18) & (groups.codes == 1), 0, groups.codes))
    result = check(ages, estimates, few)
    assert result.groups["x"]["a"].takes_part
    assert not result.groups["x"]["b"].takes_part
    assert not result.groups["x"][UNKNOWN].takes_part
    assert result.groups["x"]["b"].false_positive.n == 0
    assert math.isnan(result.groups["x"]["b"].false_positive.value)
    assert result.verdicts["x"].kind == TELL
    assert result.verdicts["x"].reason == "fewer than two groups"
    # those of legal age are enough
    assert result.challenged_verdicts["x"].reason == ""


def slow_threshold(estimates: np.ndarray, wanted: float) -> float:
    """Lowest tenth of a year at which at most the wanted share passes."""
    tenth = 0
    while np.mean(estimates >= tenth / 10) > wanted:
        tenth += 1
    return tenth / 10


@quick
@given(
    tenths=st.lists(st.integers(0, 600), min_size=10, max_size=60),
    wanted=st.sampled_from([0.01, 0.1, 0.25, 0.5]),
)
def test_the_threshold_is_the_lowest_tenth_that_reaches_the_rate(
    tenths: list[int], wanted: float
) -> None:
    estimates = np.array(tenths) / 10
    result = check(np.full(len(tenths), 15.0), estimates, wanted_rate=wanted)
    assert result.reached_at == pytest.approx(slow_threshold(estimates, wanted))
    assert result.reached_at is not None
    assert np.mean(estimates >= result.reached_at) <= wanted


def test_the_worst_group_that_takes_part_decides_the_threshold(rng: np.random.Generator) -> None:
    ages, estimates, groups = sample(rng)
    result = check(ages, estimates, groups, wanted_rate=0.05)
    needed = {
        name: slow_threshold(estimates[(ages < 18) & (groups.codes == i)], 0.05)
        for i, name in enumerate(groups.names)
    }
    assert needed[UNKNOWN] > needed["b"] > needed["a"]
    assert result.reached_at == pytest.approx(needed["b"])
    assert result.reached_by == ("x", "b")
    minors = estimates[(ages < 18) & (groups.codes == 1)]
    assert result.reached_n == len(minors)
    hits = int((minors >= result.reached_at).sum())
    expected = stats.binomtest(hits, len(minors)).proportion_ci(method="exact")
    assert result.reached_bound == pytest.approx(expected.high, rel=1e-4)
    assert result.reached_bound > 0.05
    assert result.challenged_then is not None
    assert result.challenged_then.value == pytest.approx(
        np.mean(estimates[ages >= 18] < result.reached_at)
    )


def test_few_minors_say_how_little_the_threshold_is_worth() -> None:
    result = check(np.full(30, 15.0), np.r_[np.full(29, 12.0), 68.9])
    assert result.reached_at == pytest.approx(69.0)
    assert result.reached_n == 30
    assert result.reached_bound == pytest.approx(0.116, abs=0.001)
    assert result.challenged_then is not None
    assert math.isnan(result.challenged_then.value)


def test_without_enough_minors_there_is_no_threshold(rng: np.random.Generator) -> None:
    result = check(rng.uniform(20, 40, 60), rng.uniform(20, 40, 60))
    assert result.reached_at is None
    assert result.reached_by is None
    assert result.challenged_then is None
    assert math.isnan(result.overall.false_positive.value)
    impossible = check(np.full(30, 15.0), np.full(30, 120.0))
    assert impossible.reached_at is None


def test_persons_are_the_unit(rng: np.random.Generator) -> None:
    ages = np.repeat(rng.uniform(10, 17, 40), 5)
    estimates = np.repeat(rng.uniform(12, 24, 40), 5)
    units = Units(np.repeat(np.arange(40), 5), 40)
    rows, known = check(ages, estimates), check(ages, estimates, units=units)
    one, other = rows.overall.false_positive, known.overall.false_positive
    assert one.value == other.value
    assert (other.high or 0) - (other.low or 0) > 1.8 * ((one.high or 0) - (one.low or 0))
    assert other.n_persons == 40
    assert known.reached_n == 40
    assert not check(ages, estimates, units=units, min_rows=41).overall.takes_part


def test_weights_count_in_rates_curves_and_the_threshold() -> None:
    ages, estimates = np.full(20, 15.0), np.arange(20.0) + 10
    weights = np.where(estimates == 29, 20.0, 1.0)
    result = check(ages, estimates, weights=weights, wanted_rate=0.4, min_rows=2)
    assert result.overall.false_positive.value == pytest.approx((11 + 20) / 39)
    assert result.reached_at == pytest.approx(29.1)
    assert check(ages, estimates, wanted_rate=0.4, min_rows=2).reached_at == pytest.approx(21.1)


@pytest.mark.parametrize("weighted", [False, True])
def test_curves_are_the_rates_at_each_threshold(weighted: bool, rng: np.random.Generator) -> None:
    ages, estimates, groups = sample(rng)
    weights = rng.uniform(0.3, 2, len(ages)) if weighted else None
    result = check(ages, estimates, groups, weights=weights)
    assert result.thresholds[0] == 13
    assert result.thresholds[-1] == 38
    assert {curve.group for curve in result.curves["x"]} == {"a", "b", UNKNOWN}
    (everyone,) = result.curves[ALL]
    for curve in (everyone, *result.curves["x"]):
        rows = np.ones(len(ages), dtype=bool)
        if curve.group in groups.names:
            rows = groups.codes == groups.names.index(curve.group)
        for threshold, false, challenged in zip(
            result.thresholds, curve.false_positive, curve.challenged, strict=True
        ):
            for value, hits, who in (
                (false, estimates >= threshold, ages < 18),
                (challenged, estimates < threshold, ages >= 18),
            ):
                own = rows & who
                mass = None if weights is None else weights[own]
                assert value == pytest.approx(np.average(hits[own], weights=mass), abs=1e-9)
                assert value is not None
                assert 0 <= value <= 1


def test_a_group_without_minors_has_an_empty_curve(rng: np.random.Generator) -> None:
    ages = rng.uniform(20, 40, 40)
    (curve,) = check(ages, ages).curves["x"]
    assert set(curve.false_positive) == {None}
    assert None not in curve.challenged
