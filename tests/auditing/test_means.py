"""The mean of a group and its interval: ratio of sums over units, Student's t, bootstrap-t."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS

from fairage.auditing import means as module
from fairage.auditing.means import DRAWS, UnitSums, error_draws, mean_limits

quick = settings(max_examples=30)

numbers = st.lists(st.floats(-60, 60, width=32), min_size=2, max_size=40)


def slow_sums(
    values: list[float], units: list[int], weights: list[float]
) -> tuple[list[float], list[float]]:
    sums, sizes = [], []
    for unit in sorted(set(units)):
        own = [(v, w) for v, u, w in zip(values, units, weights, strict=True) if u == unit]
        sums.append(sum(v * w for v, w in own))
        sizes.append(sum(w for _, w in own))
    return sums, sizes


@quick
@given(
    rows=st.lists(
        st.tuples(st.floats(-50, 50), st.integers(0, 8), st.floats(0.1, 5)), min_size=1, max_size=30
    )
)
def test_units_are_those_of_a_slow_loop(rows: list[tuple[float, int, float]]) -> None:
    values, units, weights = map(list, zip(*rows, strict=True))
    sums, sizes = slow_sums(values, units, weights)
    own = UnitSums.of(np.array(values), np.array(units), np.array(weights))
    assert own.sums == pytest.approx(sums, abs=1e-9)
    assert own.sizes == pytest.approx(sizes)
    assert own.mean == pytest.approx(sum(sums) / sum(sizes), abs=1e-9)


def test_the_standard_error_of_rows_is_the_usual_one(rng: np.random.Generator) -> None:
    values = rng.normal(size=40)
    assert UnitSums.of(values).error == pytest.approx(stats.sem(values))


def test_the_standard_error_of_persons_is_the_cluster_robust_one(rng: np.random.Generator) -> None:
    units = np.repeat(np.arange(25), rng.integers(1, 9, 25))
    values = rng.normal(size=25)[units] + rng.normal(size=len(units))
    robust = OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": units, "use_correction": False}
    )
    expected = float(robust.bse[0]) * np.sqrt(25 / 24)
    assert UnitSums.of(values, units).error == pytest.approx(expected)


def test_one_unit_has_no_limits_and_no_units_no_mean() -> None:
    assert mean_limits(UnitSums.of(np.array([3.0])), 0) is None
    assert mean_limits(UnitSums.of(np.array([3.0, 5.0]), np.array([4, 4])), 0) is None
    assert np.isnan(UnitSums.of(np.zeros(0)).mean)
    assert mean_limits(UnitSums.of(np.zeros(0)), 0) is None


@pytest.mark.parametrize("n", [2, 3, 4])
def test_two_to_four_units_have_students_limits(n: int, rng: np.random.Generator) -> None:
    values = rng.normal(5, 2, n)
    expected = stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values))
    assert mean_limits(UnitSums.of(values), 0) == pytest.approx(expected, rel=1e-4)


def test_many_units_have_normal_limits(rng: np.random.Generator) -> None:
    values = rng.exponential(3, 201)
    expected = stats.norm.interval(0.95, values.mean(), stats.sem(values))
    assert mean_limits(UnitSums.of(values), 0) == pytest.approx(expected)


@pytest.mark.parametrize("n", [2, 4, 5, 50, 200, 201])
def test_errors_that_are_all_equal_have_no_spread(n: int) -> None:
    units = UnitSums.of(np.full(n, 2.7))
    assert units.error == 0
    assert mean_limits(units, 0) == pytest.approx((2.7, 2.7), abs=1e-12)
    if n <= 200:
        assert not error_draws(units, 0).any()


@quick
@given(values=numbers)
def test_the_limits_hold_the_mean(values: list[float]) -> None:
    units = UnitSums.of(np.array(values))
    limits = mean_limits(units, 0)
    assert limits is not None
    assert limits[0] - 1e-9 <= units.mean <= limits[1] + 1e-9


@quick
@given(values=numbers, level=st.sampled_from([0.8, 0.9]))
def test_a_higher_level_has_wider_limits(values: list[float], level: float) -> None:
    units = UnitSums.of(np.array(values))
    low, high = mean_limits(units, 0) or (0, 0)
    inner = mean_limits(units, 0, level) or (0, 0)
    assert low - 1e-9 <= inner[0]
    assert inner[1] <= high + 1e-9


@quick
@given(values=numbers, factor=st.floats(0.1, 50), shift=st.floats(-50, 50))
def test_limits_move_and_grow_with_the_values(
    values: list[float], factor: float, shift: float
) -> None:
    plain = UnitSums.of(np.array(values))
    assume(plain.error > 1e-4)
    moved = UnitSums.of(np.array(values) * factor + shift)
    expected = [limit * factor + shift for limit in mean_limits(plain, 0) or ()]
    assert mean_limits(moved, 0) == pytest.approx(expected, rel=1e-6, abs=1e-4)


@quick
@given(values=numbers, factor=st.floats(0.1, 9))
def test_the_scale_of_weights_does_not_matter(values: list[float], factor: float) -> None:
    weights = 1 + np.arange(len(values)) % 3 / 2
    one = UnitSums.of(np.array(values), None, weights)
    other = UnitSums.of(np.array(values), None, weights * factor)
    assume(one.error > 1e-4)
    assert mean_limits(one, 0) == pytest.approx(mean_limits(other, 0), rel=1e-6, abs=1e-6)


def test_equal_rows_of_a_person_are_one_row(rng: np.random.Generator) -> None:
    values = rng.exponential(3, 60)
    persons = np.repeat(np.arange(60), 5)
    repeated = UnitSums.of(np.repeat(values, 5), persons)
    assert mean_limits(repeated, 0) == pytest.approx(mean_limits(UnitSums.of(values), 0))


def test_the_draws_are_those_of_a_slow_bootstrap_t(rng: np.random.Generator) -> None:
    units = np.repeat(np.arange(12), rng.integers(1, 6, 12))
    values = rng.exponential(3, len(units))
    own = UnitSums.of(values, units)
    n, mean, error = 12, own.mean, own.error
    expected = []
    for times in module._resamples(7, n):
        pick = np.repeat(np.arange(n), times.astype(int))
        sums, sizes = own.sums[pick], own.sizes[pick]
        drawn = sums.sum() / sizes.sum()
        residuals = (sums - drawn * sizes) / sizes.sum() * np.sqrt(n / (n - 1))
        spread = max(np.sqrt((residuals**2).sum()), 0.2 * error)
        expected.append(error * (drawn - mean) / spread)
    assert error_draws(own, 7) == pytest.approx(np.sort(expected), abs=1e-9)
    assert len(expected) == DRAWS


def test_resamples_draw_as_many_units_as_there_are() -> None:
    times = module._resamples(0, 9)
    assert (times.sum(axis=1) == 9).all()
    assert times.mean() == pytest.approx(1)
    assert np.array_equal(times, module._resamples(0, 9))


def test_skewed_errors_have_skewed_limits(rng: np.random.Generator) -> None:
    units = UnitSums.of(np.exp(rng.normal(size=30)))
    low, high = mean_limits(units, 0) or (0.0, 0.0)
    assert high - units.mean > 1.2 * (units.mean - low)


def test_the_seed_decides_the_draws(rng: np.random.Generator) -> None:
    units = UnitSums.of(rng.normal(size=20))
    assert mean_limits(units, 1) == mean_limits(units, 1)
    assert mean_limits(units, 1) != mean_limits(units, 2)
