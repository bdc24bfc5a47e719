"""The few distributions that the audit needs, against scipy's and statsmodels'."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from fairage.auditing.distributions import (
    LARGE,
    beta_cdf,
    beta_quantile,
    clopper_pearson,
    normal_quantile,
    student_quantile,
    wilson,
)

quick = settings(max_examples=30)

SHARES = (1e-6, 0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9999, 1 - 1e-7)
shares = st.floats(1e-5, 1 - 1e-5)


@pytest.mark.parametrize("share", SHARES)
def test_normal_quantiles_are_scipys(share: float) -> None:
    assert normal_quantile(share) == pytest.approx(stats.norm.ppf(share), abs=1e-9)


@pytest.mark.parametrize("degrees", [1, 1.5, 2, 3.7, 4, 9, 29, 199, 5000, 19_999, 30_000])
@pytest.mark.parametrize("share", SHARES)
def test_student_quantiles_are_scipys(share: float, degrees: float) -> None:
    expected = stats.t.ppf(share, degrees)
    digits = 1e-4 if degrees <= LARGE else 1e-3  # the normal one stands in
    assert student_quantile(share, degrees) == pytest.approx(expected, rel=digits, abs=1e-8)


def test_the_middle_of_students_distribution_is_zero() -> None:
    assert student_quantile(0.5, 3) == 0
    assert student_quantile(0.5, 1e6) == 0


@pytest.mark.parametrize("a", [0.5, 1, 2, 7.3, 60, 900, 25_000])
@pytest.mark.parametrize("b", [0.5, 1, 3, 41.5, 700, 30_000])
@pytest.mark.parametrize("share", [1e-5, 0.025, 0.5, 0.9, 0.99999])
def test_beta_quantiles_are_scipys(share: float, a: float, b: float) -> None:
    expected = stats.beta.ppf(share, a, b)
    assert beta_quantile(share, a, b) == pytest.approx(expected, rel=1e-4, abs=1e-12)


@quick
@given(share=shares, a=st.floats(0.5, 2000), b=st.floats(0.5, 2000))
def test_a_beta_quantile_has_its_share_below_it(share: float, a: float, b: float) -> None:
    x = beta_quantile(share, a, b)
    assert beta_cdf(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), abs=1e-8)
    assert beta_cdf(x, a, b) == pytest.approx(share, abs=1e-5)


def test_nothing_lies_outside_of_zero_and_one() -> None:
    assert beta_cdf(-0.1, 2, 3) == beta_cdf(0, 2, 3) == 0
    assert beta_cdf(1, 2, 3) == beta_cdf(1.5, 2, 3) == 1


@pytest.mark.parametrize(
    ("hits", "n"), [(0, 1), (1, 1), (0, 30), (30, 30), (3, 10), (97, 100), (5, 4000), (2000, 4000)]
)
@pytest.mark.parametrize("level", [0.95, 0.999])
def test_exact_limits_of_a_rate_are_scipys(hits: int, n: int, level: float) -> None:
    expected = stats.binomtest(hits, n).proportion_ci(level, method="exact")
    low, high = clopper_pearson(hits, n, level)
    assert (low, high) == pytest.approx((expected.low, expected.high), rel=1e-4, abs=1e-9)


@pytest.mark.parametrize(("hits", "n"), [(120_000, 300_000), (2, 1_000_000), (999_999, 1_000_000)])
def test_exact_limits_hold_for_very_many_rows(hits: int, n: int) -> None:
    expected = stats.binomtest(hits, n).proportion_ci(0.95, method="exact")
    assert clopper_pearson(hits, n) == pytest.approx((expected.low, expected.high), rel=1e-3)


def test_hits_need_not_be_whole_numbers() -> None:
    low, high = clopper_pearson(2.5, 12.5)
    assert low == pytest.approx(stats.beta.ppf(0.025, 2.5, 11.0), rel=1e-4)
    assert high == pytest.approx(stats.beta.ppf(0.975, 3.5, 10.0), rel=1e-4)


@quick
@given(hits=st.integers(0, 60), more=st.integers(0, 60))
def test_exact_limits_hold_the_rate_and_more_rows_narrow_them(hits: int, more: int) -> None:
    n = max(hits + more, 1)
    low, high = clopper_pearson(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    four_times = clopper_pearson(4 * hits, 4 * n)
    assert four_times[1] - four_times[0] < high - low


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (20, 20), (7, 20), (1, 400), (399, 400)])
@pytest.mark.parametrize("level", [0.95, 0.9999])
def test_wilsons_limits_are_statsmodels(hits: int, n: int, level: float) -> None:
    expected = proportion_confint(hits, n, alpha=1 - level, method="wilson")
    assert wilson(hits / n, n, level) == pytest.approx(expected, abs=1e-9)


def test_without_rows_a_rate_may_be_anything() -> None:
    assert wilson(0.5, 0) == clopper_pearson(0, 0) == (0.0, 1.0)


@quick
@given(share=shares, degrees=st.floats(1, 500))
def test_students_quantiles_are_symmetric_and_wider_than_the_normal_ones(
    share: float, degrees: float
) -> None:
    value = student_quantile(share, degrees)
    assert value == pytest.approx(-student_quantile(1 - share, degrees), rel=1e-6, abs=1e-7)
    assert abs(value) >= abs(normal_quantile(share)) - 1e-6
    assert np.isfinite(value)
