"""Weights from supports beyond the study, against slow re-writes row by row."""

from math import prod, sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE
from fairage.weighting import make_weighting

ATTRIBUTES = ("gender", "place")
Rows = list[dict[str, str]]


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(st.integers(1, 25))
    columns = {
        name: draw(st.lists(st.sampled_from("abc"), min_size=rows, max_size=rows))
        for name in ATTRIBUTES
    }
    return pl.DataFrame({AGE: [30.0] * rows, **columns})


def support(rows: Rows, row: dict[str, str], names: tuple[str, ...]) -> int:
    return sum(all(other[name] == row[name] for name in names) for other in rows)


def slow_smoothed(rows: Rows, row: dict[str, str], k: float) -> float:
    expected = len(rows) * prod(support(rows, row, (name,)) / len(rows) for name in ATTRIBUTES)
    return 1 / (support(rows, row, ATTRIBUTES) + k * expected)


def slow_effective(rows: Rows, row: dict[str, str], beta: float) -> float:
    return prod((1 - beta) / (1 - beta ** support(rows, row, (name,))) for name in ATTRIBUTES)


SLOW = [
    ("inverse", {}, lambda rows, row: prod(1 / support(rows, row, (n,)) for n in ATTRIBUTES)),
    (
        "sqrt-inverse",
        {},
        lambda rows, row: prod(1 / sqrt(support(rows, row, (n,))) for n in ATTRIBUTES),
    ),
    ("effective-number", {}, lambda rows, row: slow_effective(rows, row, 0.999)),
    ("effective-number", {"beta": 0.5}, lambda rows, row: slow_effective(rows, row, 0.5)),
    ("smoothed-cells", {}, lambda rows, row: slow_smoothed(rows, row, 1.0)),
    ("smoothed-cells", {"k": 0.3}, lambda rows, row: slow_smoothed(rows, row, 0.3)),
]


@pytest.mark.parametrize(("name", "options", "slow"), SLOW)
@settings(max_examples=50)
@given(table=tables())
def test_weights_equal_the_formula_written_slowly(name, options, slow, table) -> None:
    weights = make_weighting(name, attributes=ATTRIBUTES, **options).weigh(table)
    rows = table.to_dicts()
    expected = [slow(rows, row) for row in rows]
    np.testing.assert_allclose(weights.values * weights.scale, expected, rtol=1e-9)


@given(table=tables())
def test_the_inverse_support_gives_every_group_the_same_total(table: pl.DataFrame) -> None:
    shares = make_weighting("inverse", attributes=["gender"]).weigh(table).shares(table["gender"])
    assert list(shares.values()) == pytest.approx([1 / len(shares)] * len(shares))


@given(table=tables())
def test_beta_zero_weighs_all_alike_and_beta_near_one_is_the_inverse(table: pl.DataFrame) -> None:
    flat = make_weighting("effective-number", beta=0.0).weigh(table)
    np.testing.assert_allclose(flat.values, 1)
    steep = make_weighting("effective-number", beta=1 - 1e-9).weigh(table)
    inverse = make_weighting("inverse").weigh(table)
    np.testing.assert_allclose(steep.values, inverse.values, rtol=1e-5)


@given(table=tables())
def test_smoothing_draws_cells_to_the_product_of_the_margins(table: pl.DataFrame) -> None:
    far = make_weighting("smoothed-cells", attributes=ATTRIBUTES, k=1e9).weigh(table)
    independent = make_weighting("inverse", attributes=ATTRIBUTES).weigh(table)
    np.testing.assert_allclose(far.values, independent.values, rtol=1e-5)


def test_smoothing_keeps_a_lonely_cell_of_common_groups_from_weighing_like_a_crowd() -> None:
    gender, place = ["f"] * 20 + ["m"] * 21, ["a"] * 20 + ["b"] * 20 + ["a"]
    table = pl.DataFrame({AGE: [30.0] * 41, "gender": gender, "place": place})
    plain, smoothed = (
        make_weighting("smoothed-cells", attributes=ATTRIBUTES, k=k).weigh(table) for k in (0, 1)
    )
    assert smoothed.largest < plain.largest


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("inverse", {"power": -1}),
        ("inverse", {"power": float("nan")}),
        ("effective-number", {"beta": 1.0}),
        ("effective-number", {"beta": -0.1}),
        ("smoothed-cells", {"k": -1}),
        ("smoothed-cells", {"k": float("inf")}),
    ],
)
def test_a_value_out_of_range_is_an_error(name: str, options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="expected a"):
        make_weighting(name, **options)


@pytest.mark.parametrize("name", ["inverse", "effective-number", "smoothed-cells", "raking"])
def test_an_attribute_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(DataError, match="got 'sex'"):
        make_weighting(name, attributes=["sex"]).weigh(pl.DataFrame({AGE: [30.0], "a": ["f"]}))
