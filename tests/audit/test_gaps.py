"""Numbers made of group errors, against slow re-writes and textbook identities."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.audit.gaps import bias, biases
from fairage.audit.spread import BIAS, GAP, GINI, RATIO, gini

errors = st.lists(st.floats(0.1, 50), min_size=2, max_size=12)


def slow_gini(values: list[float]) -> float:
    """Area between the Lorenz curve and the diagonal, over the area under the diagonal."""
    rising = np.sort(values)
    lorenz = np.concatenate([[0], np.cumsum(rising) / rising.sum()])
    area = np.mean((lorenz[1:] + lorenz[:-1]) / 2)
    return float(1 - 2 * area)


@given(values=errors)
def test_gini_is_the_area_that_the_lorenz_curve_leaves(values: list[float]) -> None:
    assert gini(np.array([values]))[0] == pytest.approx(slow_gini(values), abs=1e-9)


@given(values=errors)
def test_gini_is_bias_times_k_less_one_over_two_k_means(values: list[float]) -> None:
    k = len(values)
    expected = bias(values) * (k - 1) / k / (2 * np.mean(values))
    assert gini(np.array([values]))[0] == pytest.approx(expected, abs=1e-12)


@given(rows=st.lists(st.lists(st.floats(0, 50), min_size=3, max_size=3), min_size=1, max_size=5))
def test_replicates_have_the_biases_that_each_has_alone(rows: list[list[float]]) -> None:
    slow = [np.mean([abs(a - b) for a, b in combinations(row, 2)]) for row in rows]
    assert biases(np.array(rows)) == pytest.approx(slow, abs=1e-9)


@pytest.mark.parametrize("spread", [BIAS, GAP, RATIO, GINI])
def test_slopes_are_the_derivatives(spread) -> None:
    means = np.array([3.0, 5.5, 4.2, 9.1])
    step = 1e-6
    for i, slope in enumerate(spread.slopes(means)):
        moved = means.copy()
        moved[i] += step
        pair = spread.of(np.stack([means, moved]))
        assert (pair[1] - pair[0]) / step == pytest.approx(slope, abs=1e-4)
