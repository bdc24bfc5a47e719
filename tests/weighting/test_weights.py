"""What weights say of themselves: effective sample size, largest weight, shares."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.tables import AGE
from fairage.weighting import Weights, make_weighting
from fairage.weighting.weights import weights_from_raw

positive = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30)


@given(raw=positive)
def test_raw_weights_are_divided_by_their_mean_and_keep_their_ratios(raw: list[float]) -> None:
    weights = weights_from_raw(np.array(raw))
    assert weights.values.mean() == pytest.approx(1)
    assert weights.scale == pytest.approx(sum(raw) / len(raw))
    np.testing.assert_allclose(weights.values * weights.scale, raw)


@given(raw=positive)
def test_the_effective_sample_size_equals_a_slow_loop(raw: list[float]) -> None:
    total = squares = 0.0
    for weight in raw:
        total += weight
        squares += weight * weight
    weights = weights_from_raw(np.array(raw))
    assert weights.effective_sample_size == pytest.approx(total * total / squares)


def test_equal_weights_have_the_rows_as_effective_sample_size() -> None:
    assert make_weighting("none").weigh(
        pl.DataFrame({AGE: [1.0, 2.0, 3.0]})
    ).effective_sample_size == pytest.approx(3)


def test_the_largest_weight_is_told_in_average_rows() -> None:
    assert weights_from_raw(np.array([1.0, 1.0, 4.0])).largest == 2


@given(raw=positive, groups=st.data())
def test_shares_add_up_to_one(raw: list[float], groups: st.DataObject) -> None:
    labels = groups.draw(st.lists(st.sampled_from("abc"), min_size=len(raw), max_size=len(raw)))
    shares = weights_from_raw(np.array(raw)).shares(labels)
    assert sum(shares.values()) == pytest.approx(1)
    for group, share in shares.items():
        own = sum(weight for weight, label in zip(raw, labels, strict=True) if label == group)
        assert share == pytest.approx(own / sum(raw))


def test_shares_refuse_labels_of_another_length() -> None:
    with pytest.raises(ValueError, match="length"):
        Weights(np.ones(3)).shares(["a", "b"])


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_a_weighting_that_gives_no_positive_weight_is_our_mistake(wrong: float) -> None:
    with pytest.raises(AssertionError, match="not positive"):
        weights_from_raw(np.array([1.0, wrong]))
