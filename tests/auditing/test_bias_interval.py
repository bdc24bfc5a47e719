"""The bias of group means, and the interval that inverts its test along the path."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq
from sklearn.isotonic import IsotonicRegression

from fairage.auditing.bias_interval import _isotonic, _Problem, bias, bias_estimate, biases

quick = settings(max_examples=30)

years = st.floats(0, 30, allow_subnormal=False)
several = st.lists(years, min_size=2, max_size=9)


def slow_bias(means: list[float]) -> float:
    gaps = [abs(one - other) for one, other in combinations(means, 2)]
    return sum(gaps) / len(gaps) if gaps else 0.0


@quick
@given(means=st.lists(years, min_size=0, max_size=9))
def test_the_bias_is_the_mean_gap_of_all_pairs(means: list[float]) -> None:
    assert bias(means) == pytest.approx(slow_bias(means), abs=1e-9)


@quick
@given(means=several, shift=st.floats(-9, 9), factor=st.floats(0.1, 9), turn=st.integers(0, 8))
def test_neither_order_nor_a_shift_changes_the_bias(
    means: list[float], shift: float, factor: float, turn: int
) -> None:
    moved = np.roll(np.array(means) + shift, turn) * factor
    assert bias(moved) == pytest.approx(bias(means) * factor, abs=1e-7)


def test_biases_are_taken_on_the_last_axis(rng: np.random.Generator) -> None:
    means = rng.normal(size=(3, 4, 5))
    for i, j in np.ndindex(3, 4):
        assert biases(means)[i, j] == pytest.approx(slow_bias(means[i, j].tolist()))


@quick
@given(values=several, data=st.data())
def test_pooling_is_isotonic_regression(values: list[float], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.floats(0.1, 9), min_size=len(values), max_size=len(values)))
    expected = (
        IsotonicRegression().fit(range(len(values)), values, weights).predict(range(len(values)))
    )
    assert _isotonic(np.array(values), np.array(weights)) == pytest.approx(expected, abs=1e-8)


def problem(
    means: list[float], errors: list[float], blocks: list[list[int]], draws: int = 4000
) -> _Problem:
    rng = np.random.default_rng(1)
    variance = np.diag(np.array(errors) ** 2)
    noise = rng.normal(size=(draws, len(means))) * errors
    return _Problem(np.array(means), variance, noise, [np.array(block) for block in blocks])


def test_the_gradient_is_the_slope_of_the_average_bias() -> None:
    own = problem([3.0, 4.0, 6.5, 1.0, 2.0], [1.0] * 5, [[0, 1, 2], [3, 4]])
    gradient = own.gradient(own.means)
    for column in range(5):
        moved = own.means.copy()
        moved[column] += 1e-4
        slope = (own.average(moved) - own.average(own.means)) / 1e-4
        assert gradient[column] == pytest.approx(slope, abs=1e-6)


def test_the_path_runs_from_equal_means_upwards() -> None:
    own = problem([3.0, 4.0, 6.5, 2.0], [0.4, 0.2, 0.5, 0.3], [[0, 1, 2, 3]])
    value = float(own.average(own.means))
    down = own._down(value, own.gradient(own.means))[::-1]
    at = [float(own.average(point)) for point in [*down, *own._up(value, 0.3)]]
    assert at[0] == pytest.approx(0, abs=1e-12)
    assert (np.diff(at) > 0).all()
    assert len(at) > 30
    assert at[-1] > value + 1


def two_groups(gap: float, error: float) -> tuple[float, float, float]:
    """Low, high and corrected bias of two groups: |gap + noise| has a law of its own."""

    def above(t: float) -> float:
        return float(stats.norm.sf(gap, t, error) + stats.norm.cdf(-gap, t, error))

    usual = max(gap, 0.6745 * error)

    def below(t: float, value: float) -> float:
        return float(stats.norm.cdf(value, t, error) - stats.norm.cdf(-value, t, error))

    most = gap + 10 * error
    low = 0.0 if above(0) >= 0.025 else brentq(lambda t: above(t) - 0.025, 0, most)
    high = brentq(lambda t: below(t, usual) - 0.025, 0, most)
    corrected = 0.0 if below(0, gap) <= 0.5 else brentq(lambda t: below(t, gap) - 0.5, 0, most)
    return low, high, corrected


@pytest.mark.parametrize("gap", [0.0, 0.2, 0.5, 0.9, 1.4, 3.0])
def test_two_groups_have_the_interval_of_an_absolute_difference(gap: float) -> None:
    own = problem([4.0, 4.0 + gap], [0.3, 0.4], [[0, 1]], draws=40_000)
    estimate = bias_estimate(own.means, own.variance, own.draws, own.blocks)
    low, high, corrected = two_groups(gap, 0.5)
    assert estimate.value == pytest.approx(gap)
    assert estimate.low == pytest.approx(low, abs=0.04)
    assert estimate.high == pytest.approx(high, abs=0.04)
    assert estimate.corrected == pytest.approx(corrected, abs=0.06)
    assert estimate.floor.mean == pytest.approx(0.5 * np.sqrt(2 / np.pi), abs=0.02)
    assert estimate.floor.p975 == pytest.approx(0.5 * 2.241, abs=0.04)


@quick
@given(
    groups=st.lists(st.tuples(years, st.floats(0.05, 2)), min_size=2, max_size=7),
    several_attributes=st.booleans(),
)
def test_ends_and_the_corrected_bias_are_in_order(
    groups: list[tuple[float, float]], several_attributes: bool
) -> None:
    means, errors = map(list, zip(*groups, strict=True))
    blocks = [list(range(len(groups)))]
    if several_attributes:
        means, errors = means * 2, errors * 2
        blocks = [blocks[0], [len(groups) + i for i in blocks[0]]]
    own = problem(means, errors, blocks, draws=300)
    estimate = bias_estimate(own.means, own.variance, own.draws, own.blocks)
    assert 0 <= estimate.low <= estimate.corrected <= estimate.high
    assert estimate.low <= estimate.value + 1e-9
    assert 0 < estimate.floor.mean <= estimate.floor.p975
    if len(groups) == 2 and not several_attributes:
        assert estimate.value <= estimate.high + 1e-9


def test_without_noise_the_interval_is_the_value() -> None:
    means = np.array([2.7, 2.7, 3.1])
    nothing = np.zeros((50, 3))
    estimate = bias_estimate(means, np.zeros((3, 3)), nothing, [np.arange(3)])
    assert estimate.low == estimate.high == estimate.corrected == estimate.value
    assert estimate.value == pytest.approx(0.8 / 3)


def test_rounding_is_no_bias() -> None:
    means = np.array([2.7, 2.7 + 2e-15])
    estimate = bias_estimate(means, np.zeros((2, 2)), np.zeros((50, 2)), [np.arange(2)])
    assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)


def test_one_attribute_twice_is_that_attribute(rng: np.random.Generator) -> None:
    once = problem([3.0, 4.0, 4.4], [0.3, 0.2, 0.5], [[0, 1, 2]])
    variance = np.tile(once.variance, (2, 2))
    twice = bias_estimate(
        np.tile(once.means, 2), variance, np.tile(once.draws, 2), [np.arange(3), np.arange(3, 6)]
    )
    alone = bias_estimate(once.means, once.variance, once.draws, once.blocks)
    for name in ("value", "low", "high", "corrected"):
        assert getattr(twice, name) == pytest.approx(getattr(alone, name), abs=0.02), name


def test_the_names_of_the_groups_do_not_matter() -> None:
    one = problem([3.0, 4.0, 4.4], [0.3, 0.2, 0.5], [[0, 1, 2]])
    turned = [2, 0, 1]
    other = bias_estimate(
        one.means[turned],
        one.variance[np.ix_(turned, turned)],
        one.draws[:, turned],
        one.blocks,
    )
    alone = bias_estimate(one.means, one.variance, one.draws, one.blocks)
    assert other.low == pytest.approx(alone.low, abs=1e-6)
    assert other.high == pytest.approx(alone.high, abs=1e-6)


def test_only_the_groups_of_the_blocks_count() -> None:
    own = problem([3.0, 99.0, 4.0], [0.3, 9.0, 0.2], [[0, 2]])
    estimate = bias_estimate(own.means, own.variance, own.draws, own.blocks)
    assert estimate.value == pytest.approx(1.0)
    assert estimate.high < 2.5


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_a_higher_level_is_wider(level: float) -> None:
    own = problem([3.0, 4.0, 4.9], [0.2, 0.2, 0.2], [[0, 1, 2]])
    narrow = bias_estimate(own.means, own.variance, own.draws, own.blocks, level=0.7)
    wide = bias_estimate(own.means, own.variance, own.draws, own.blocks, level=level)
    assert wide.low < narrow.low
    assert narrow.high < wide.high
