"""What every weighting must hold; a new member of WEIGHTINGS is checked without another line."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage.exceptions import DataError
from fairage.tables import AGE, UNKNOWN
from fairage.weighting import WEIGHTINGS, make_weighting

GROUPS = {
    "gender": ["male", "female"],
    "expression": ["happy", "slightlyhappy", "neutral", "other"],
    "ethnicity": ["caucasian", "afroamerican", "asian"],
}
every_weighting = pytest.mark.parametrize("name", sorted(WEIGHTINGS))


def faces(rows: int, seed: int = 0, **constant: str) -> pl.DataFrame:
    """Random faces of the challenge's groups; a constant replaces a column's values."""
    rng = np.random.default_rng(seed)
    columns = {attribute: rng.choice(groups, rows) for attribute, groups in GROUPS.items()}
    columns |= {attribute: np.full(rows, group) for attribute, group in constant.items()}
    return pl.DataFrame({AGE: rng.uniform(0, 100, rows), **columns})


@st.composite
def any_faces(draw: st.DrawFn) -> pl.DataFrame:
    """One to thirty rows; any group may be rare, missing or `unknown`."""
    rows = draw(st.integers(1, 30))
    columns: dict[str, list[str] | list[float]] = {
        attribute: draw(st.lists(st.sampled_from([*groups, UNKNOWN]), min_size=rows, max_size=rows))
        for attribute, groups in GROUPS.items()
    }
    columns[AGE] = draw(st.lists(st.floats(0, 120), min_size=rows, max_size=rows))
    return pl.DataFrame(columns)


@every_weighting
@settings(max_examples=25)
@given(table=any_faces())
def test_weights_are_positive_finite_and_have_mean_one(name: str, table: pl.DataFrame) -> None:
    weights = make_weighting(name).weigh(table)
    assert weights.values.shape == (table.height,)
    assert weights.values.dtype == np.float64
    assert np.all(np.isfinite(weights.values) & (weights.values > 0))
    assert weights.values.mean() == pytest.approx(1)
    assert 1 - 1e-9 <= weights.effective_sample_size <= table.height + 1e-9


@every_weighting
@settings(max_examples=25)
@given(table=any_faces(), shuffle=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(name: str, table: pl.DataFrame, shuffle) -> None:
    order = list(range(table.height))
    shuffle.shuffle(order)
    expected = make_weighting(name).weigh(table).values[order]
    np.testing.assert_allclose(make_weighting(name).weigh(table[order]).values, expected)


@every_weighting
def test_the_same_table_gives_the_same_weights(name: str) -> None:
    first, second = (make_weighting(name).weigh(faces(80)) for _ in range(2))
    np.testing.assert_array_equal(first.values, second.values)
    assert first.groups == second.groups


@every_weighting
def test_rows_that_are_alike_weigh_alike(name: str) -> None:
    table = pl.concat([faces(40), faces(40)])
    values = make_weighting(name).weigh(table).values
    np.testing.assert_array_equal(values[:40], values[40:])


@every_weighting
def test_the_scale_leads_back_to_the_formulas_own_weights(name: str) -> None:
    weights = make_weighting(name).weigh(faces(80))
    assert (weights.values * weights.scale).mean() == pytest.approx(weights.scale)
    assert all(weight > 0 for table in weights.groups.values() for weight in table.values())


@every_weighting
@pytest.mark.parametrize("attribute", sorted(GROUPS))
def test_a_missing_value_is_a_group_of_its_own(name: str, attribute: str) -> None:
    table = faces(40)
    blank = table.with_columns(table[attribute].scatter([0, 1, 2], None))
    named = blank.with_columns(pl.col(attribute).fill_null(UNKNOWN))
    values = make_weighting(name).weigh(blank).values
    assert np.all(np.isfinite(values) & (values > 0))
    np.testing.assert_array_equal(values, make_weighting(name).weigh(named).values)


@every_weighting
def test_one_row_weighs_one(name: str) -> None:
    assert make_weighting(name).weigh(faces(1)).values.tolist() == [pytest.approx(1)]


@every_weighting
@pytest.mark.parametrize(("attribute", "group"), [("gender", "male"), ("ethnicity", "asian")])
def test_an_attribute_with_one_group_is_weighed_too(name: str, attribute: str, group: str) -> None:
    values = make_weighting(name).weigh(faces(60, **{attribute: group})).values
    assert np.all(np.isfinite(values) & (values > 0))
    assert values.mean() == pytest.approx(1)


@every_weighting
def test_no_rows_are_an_error_that_says_so(name: str) -> None:
    with pytest.raises(DataError, match="expected at least one row to weigh, got none"):
        make_weighting(name).weigh(faces(5).clear())
