"""Limits of quantiles from order statistics."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fairage.auditing.rates import quantile_limits, rate_of

quick = settings(max_examples=30)


def slow_limits(values: list[float], share: float) -> tuple[float | None, float | None]:
    """The largest value that is surely below the quantile, the smallest surely above it."""
    n, low, high = len(values), None, None
    for rank, value in enumerate(values, start=1):
        if stats.binom.cdf(rank - 1, n, share) <= 0.025:
            low = value  # the quantile lies below it in 2.5 % of samples
        if high is None and stats.binom.sf(rank - 1, n, share) <= 0.025:
            high = value
    return low, high


@pytest.mark.parametrize("n", [2, 3, 5, 6, 7, 20, 28, 29, 36, 37, 60, 100, 543])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_rows_have_the_exact_order_statistics(n: int, share: float) -> None:
    values = [float(i) for i in range(1, n + 1)]
    assert quantile_limits(np.array(values), share) == slow_limits(values, share)


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("n", [19_000, 21_000, 400_000])
def test_very_many_rows_have_them_too(n: int, share: float) -> None:
    low, high = quantile_limits(np.arange(1.0, n + 1), share)
    exact = stats.binom.ppf([0.025, 0.975], n, share)
    assert low == pytest.approx(exact[0], abs=2)
    assert high == pytest.approx(exact[1] + 1, abs=2)


def test_too_few_rows_leave_an_end_open() -> None:
    assert quantile_limits(np.array([3.0]), 0.5) == (None, None)
    assert quantile_limits(np.array([1.0, 2.0, 3.0]), 0.5) == (None, None)
    assert quantile_limits(np.arange(10.0), 0.9)[1] is None
    assert quantile_limits(np.arange(10.0), 0.9)[0] is not None
    assert quantile_limits(np.zeros(0), 0.5) == (None, None)


def test_persons_of_one_row_are_rows(rng: np.random.Generator) -> None:
    values = np.sort(rng.exponential(3, 90))
    persons = rng.permutation(90)
    low, high = quantile_limits(values, 0.5, units=persons)
    plain = quantile_limits(values, 0.5)
    assert low in values[:45]
    assert abs(np.searchsorted(values, low) - np.searchsorted(values, plain[0])) <= 1
    assert abs(np.searchsorted(values, high) - np.searchsorted(values, plain[1])) <= 1


def test_people_of_several_rows_have_wider_limits(rng: np.random.Generator) -> None:
    own = rng.exponential(3, 80)
    order = np.argsort(np.repeat(own, 6))
    values, persons = np.repeat(own, 6)[order], np.repeat(np.arange(80), 6)[order]
    low, high = quantile_limits(values, 0.5, units=persons)
    inner = quantile_limits(values, 0.5)
    expected = quantile_limits(np.sort(own), 0.5)
    assert low < inner[0] < inner[1] < high
    assert low == pytest.approx(expected[0], abs=0.2)
    assert high == pytest.approx(expected[1], abs=0.3)


def test_one_person_alone_bounds_nothing() -> None:
    assert quantile_limits(np.arange(30.0), 0.5, units=np.zeros(30, dtype=int)) == (None, None)


def test_weights_have_woodruffs_limits(rng: np.random.Generator) -> None:
    values, weights = np.sort(rng.exponential(3, 300)), rng.uniform(0.2, 3, 300)
    low, high = quantile_limits(values, 0.5, weights=weights)
    below = np.cumsum(weights) / weights.sum()
    middle = values[np.searchsorted(below, 0.5)]
    n = rate_of((values <= middle).astype(float), None, weights).effective
    half = 1.96 * math.sqrt(0.25 / n)
    assert low == pytest.approx(values[np.searchsorted(below, 0.5 - half)], abs=0.15)
    assert high == pytest.approx(values[np.searchsorted(below, 0.5 + half)], abs=0.15)


@quick
@given(
    values=st.lists(st.floats(0, 50), min_size=2, max_size=60),
    share=st.sampled_from([0.25, 0.5, 0.9]),
    mode=st.sampled_from(["rows", "persons", "weights"]),
)
def test_limits_are_in_order_and_are_values(values: list[float], share: float, mode: str) -> None:
    ordered = np.sort(values)
    options = {
        "rows": {},
        "persons": {"units": np.arange(len(values)) // 2},
        "weights": {"weights": 1.0 + np.arange(len(values)) % 3},
    }[mode]
    low, high = quantile_limits(ordered, share, **options)
    assert low is None or low in values
    assert high is None or high in values
    if low is not None and high is not None:
        assert low <= high


@quick
@given(values=st.lists(st.floats(0, 50), min_size=2, max_size=60), factor=st.floats(0.1, 30))
def test_the_scale_of_weights_does_not_matter(values: list[float], factor: float) -> None:
    ordered, weights = np.sort(values), 1.0 + np.arange(len(values)) % 3
    one = quantile_limits(ordered, 0.9, weights=weights)
    assert quantile_limits(ordered, 0.9, weights=weights * factor) == one


def test_a_higher_level_is_wider(rng: np.random.Generator) -> None:
    values = np.sort(rng.exponential(3, 200))
    low, high = quantile_limits(values, 0.5)
    inner = quantile_limits(values, 0.5, level=0.8)
    assert low < inner[0] < inner[1] < high


@pytest.mark.parametrize(("n", "share"), [(30, 0.5), (60, 0.9)])
def test_they_cover_the_quantile(n: int, share: float) -> None:
    rng = np.random.default_rng(2)
    true, held = float(stats.expon.ppf(share)), 0
    for _ in range(1000):
        low, high = quantile_limits(np.sort(rng.exponential(1, n)), share)
        held += (low is None or low <= true) and (high is None or true <= high)
    assert held / 1000 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 1000)
