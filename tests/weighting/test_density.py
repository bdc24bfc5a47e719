"""Density weights: against the sum of Gaussians written slowly."""

from math import exp

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.exceptions import ConfigError
from fairage.tables import AGE
from fairage.weighting import make_weighting
from fairage.weighting.balancing import smoothed_density

ages = st.lists(st.floats(0, 120), min_size=1, max_size=30)
sigmas = st.floats(0.5, 20)


@given(ages=ages, sigma=sigmas)
def test_the_density_equals_a_slow_sum_of_gaussians(ages: list[float], sigma: float) -> None:
    expected = [sum(exp(-(((a - b) / sigma) ** 2) / 2) for b in ages) for a in ages]
    np.testing.assert_allclose(smoothed_density(np.array(ages), sigma), expected, rtol=1e-3)


@given(ages=ages, sigma=sigmas)
def test_weights_are_the_inverse_density(ages: list[float], sigma: float) -> None:
    weights = make_weighting("density", sigma=sigma).weigh(pl.DataFrame({AGE: ages}))
    dense = smoothed_density(np.array(ages), sigma)
    np.testing.assert_allclose(weights.values * weights.scale * dense, 1)


def test_the_square_root_lies_between_even_and_inverse() -> None:
    table = pl.DataFrame({AGE: [30.0, 30.2, 30.4, 70.0]})
    largest = [make_weighting("density", power=p).weigh(table).largest for p in (0, 0.5, 1)]
    assert largest[0] == pytest.approx(1)
    assert largest[0] < largest[1] < largest[2]


def test_ages_are_floats_and_no_bin_edge_matters() -> None:
    table = pl.DataFrame({AGE: [19.9, 20.1, 50.0, 50.2]})
    values = make_weighting("density").weigh(table).values
    np.testing.assert_allclose(values, 1, rtol=1e-3)


def test_a_million_rows_are_quick(rng: np.random.Generator) -> None:
    table = pl.DataFrame({AGE: rng.uniform(0, 100, 1_000_000)})
    assert make_weighting("density").weigh(table).effective_sample_size > 900_000


@pytest.mark.parametrize("options", [{"sigma": 0}, {"sigma": float("nan")}, {"power": -1}])
def test_a_wrong_option_is_an_error(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"expected a sigma of 0\.1\.\.100 years"):
        make_weighting("density", **options)
