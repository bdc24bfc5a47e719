"""Numbers made of group errors, against slow re-writes and textbook identities."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.audit.bootstrap import draw_means
from fairage.audit.gaps import bias, biases
from fairage.audit.groups import group_rows
from fairage.audit.sample import gather
from fairage.audit.spread import (
    BIAS,
    GAP,
    GINI,
    RATIO,
    average_estimate,
    gini,
    pair_gaps,
    spread_estimates,
)
from fairage.audit.units import Units

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


def replicated(errors: np.ndarray, labels: list[str], persons: list[int], rng):
    """Return quantity, groups by attribute, replicates and the sample of rows with identities."""
    codes = np.array(persons)
    sample = gather({"x": group_rows(labels)}, Units(codes, len(set(persons))))
    quantity, own = sample.quantity(errors), sample.attributes
    return quantity, own, draw_means([quantity], own, sample, replicates=200, rng=rng)[0], sample


def test_a_group_of_one_person_has_no_gap_that_is_resolved(rng: np.random.Generator) -> None:
    errors = np.concatenate([np.full(10, 9.0), rng.uniform(0, 1, 30)])
    persons = [0] * 10 + list(range(1, 31))
    quantity, own, draws, sample = replicated(errors, ["a"] * 10 + ["b"] * 30, persons, rng)
    (pair,) = pair_gaps(quantity, own["x"], draws["x"], sample)
    assert pair.gap.low is None
    assert not pair.resolved
    persons = list(range(40))
    quantity, own, draws, sample = replicated(errors, ["a"] * 10 + ["b"] * 30, persons, rng)
    assert pair_gaps(quantity, own["x"], draws["x"], sample)[0].resolved


def test_one_person_in_all_gives_no_interval(rng: np.random.Generator) -> None:
    errors, labels = rng.uniform(0, 9, 20), ["a", "b"] * 10
    quantity, own, draws, sample = replicated(errors, labels, [0] * 20, rng)
    (found,) = spread_estimates([BIAS], quantity, own["x"], draws["x"], sample)
    average = average_estimate(quantity, own, draws, sample)
    assert (found.low, found.high) == (average.low, average.high) == (None, None)


@pytest.mark.parametrize("by_chance", [True, False])
def test_no_average_bias_reaches_below_0(by_chance: bool, rng: np.random.Generator) -> None:
    sample = gather({"x": group_rows(["a", "b"] * 20)})
    quantity, own = sample.quantity(rng.uniform(0, 9, 40)), sample.attributes
    draws = draw_means([quantity], own, sample, replicates=200, rng=rng)[0]
    assert average_estimate(quantity, own, draws, sample, by_chance=by_chance).low == 0
