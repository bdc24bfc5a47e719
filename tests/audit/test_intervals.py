"""Intervals, against scipy and against plain resampling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fairage.audit.groups import group_rows
from fairage.audit.intervals import bootstrap_estimate, quantile_estimate, wilson
from fairage.audit.measures import mean_estimates
from fairage.audit.sample import gather


@given(n=st.integers(1, 500), share=st.floats(0, 1))
def test_wilson_equals_scipy(n: int, share: float) -> None:
    k = round(share * n)
    expected = stats.binomtest(k, n).proportion_ci(method="wilson")
    found = wilson(k, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_nobody_gives_no_proportion() -> None:
    found = wilson(0, 0)
    assert np.isnan(found.value)
    assert found.low is None


@given(
    draws=st.lists(st.floats(-100, 100), min_size=20, max_size=60),
    value=st.floats(-100, 100),
    acceleration=st.floats(-0.3, 0.3),
)
def test_intervals_hold_their_number(draws: list[float], value: float, acceleration: float) -> None:
    found = bootstrap_estimate(value, np.array(draws), 30, acceleration=acceleration)
    assert found.low is not None
    assert found.bca_low is not None
    assert found.low <= value <= found.high
    assert found.bca_low <= value <= found.bca_high


def test_one_row_has_no_interval() -> None:
    assert bootstrap_estimate(3.0, np.full(50, 3.0), 1).low is None


def test_bca_of_a_mean_equals_scipys(rng: np.random.Generator) -> None:
    values = rng.exponential(3, 60)
    sample = gather({"x": group_rows(["a"] * 60)})
    draws = np.array([rng.choice(values, 60).mean() for _ in range(30_000)])[:, np.newaxis]
    found = mean_estimates(sample.quantity(values), sample.attributes["x"], draws, sample)[0]
    expected = stats.bootstrap((values,), np.mean, n_resamples=30_000, rng=rng).confidence_interval
    assert found.bca_low == pytest.approx(expected.low, abs=0.08)
    assert found.bca_high == pytest.approx(expected.high, abs=0.08)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_quantiles_have_the_interval_of_plain_resampling(
    share: float, rng: np.random.Generator
) -> None:
    values = np.sort(rng.exponential(3, 400))
    plain = [np.quantile(rng.choice(values, 400), share) for _ in range(3000)]
    found = quantile_estimate(values, share, effective=400, replicates=3000, rng=rng)
    expected = np.quantile(plain, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.15)
