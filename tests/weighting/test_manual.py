"""Weights set by hand: the study's loss 3, tables of one's own, and what is wrong with them."""

import polars as pl
import pytest

from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE, UNKNOWN
from fairage.weighting import make_weighting

STUDY_FACES = pl.DataFrame(
    {
        AGE: [25.0, 70.0, 19.9, 40.0],
        "gender": ["male", "female", "male", "female"],
        "expression": ["neutral", "other", "happy", "slightlyhappy"],
        "ethnicity": ["caucasian", "afroamerican", "asian", "caucasian"],
    }
)


def test_the_default_table_is_the_studys_loss_3() -> None:
    weights = make_weighting("3").weigh(STUDY_FACES)
    raw = [0.35 * 1 * 0.4 * 0.3, 0.5 * 7 * 15 * 10, 0.35 * 2 * 4 * 0.8, 0.5 * 1 * 0.4 * 1.5]
    assert (weights.values * weights.scale).tolist() == pytest.approx(raw)
    assert weights.groups["ethnicity"] == {"caucasian": 0.4, "afroamerican": 15, "asian": 4}


def test_attributes_that_the_table_leaves_out_do_not_matter() -> None:
    weights = make_weighting("3", table={"gender": {"male": 1, "female": 3}}).weigh(STUDY_FACES)
    assert weights.values.tolist() == [0.5, 1.5, 0.5, 1.5]


def test_unknown_has_the_factor_one_where_the_table_does_not_name_it() -> None:
    faces = pl.DataFrame({AGE: [25.0, 25.0], "gender": ["f", UNKNOWN]})
    weights = make_weighting("3", table={"gender": {"f": 3}}).weigh(faces)
    assert (weights.values * weights.scale).tolist() == [3, 1]


def test_unknown_has_the_tables_weight_where_the_table_names_it() -> None:
    faces = pl.DataFrame({AGE: [25.0, 25.0], "gender": ["f", UNKNOWN]})
    weights = make_weighting("3", table={"gender": {"f": 3, UNKNOWN: 9}}).weigh(faces)
    assert (weights.values * weights.scale).tolist() == [3, 9]


def test_an_attribute_that_is_not_there_is_an_error() -> None:
    with pytest.raises(DataError, match=r"expected the attribute 'ethnicity' .* got"):
        make_weighting("3").weigh(STUDY_FACES.drop("ethnicity"))


def test_a_group_without_a_weight_is_an_error_that_names_it() -> None:
    faces = STUDY_FACES.with_columns(ethnicity=pl.Series(["caucasian", "inuit", "asian", "asian"]))
    with pytest.raises(DataError, match=r"'ethnicity', got none for \['inuit'\] .*'caucasian'"):
        make_weighting("3").weigh(faces)


@pytest.mark.parametrize("weight", [0, -1, float("inf"), float("nan")])
def test_a_weight_that_is_not_positive_and_finite_is_an_error(weight: float) -> None:
    weighting = make_weighting("3", table={"gender": {"male": weight, "female": 1}})
    with pytest.raises(DataError, match=r"expected positive weights for 'gender', got \{'male'"):
        weighting.weigh(STUDY_FACES)


@pytest.mark.parametrize("table", [{}, {"gender": {}}])
def test_a_table_without_weights_is_an_error(table: dict[str, dict[str, float]]) -> None:
    with pytest.raises(ConfigError, match="expected a weight of each group of an attribute"):
        make_weighting("3", table=table)


@pytest.mark.parametrize("weight", [1e-300, 1e300])
def test_weights_whose_product_no_number_can_hold_are_an_error(weight: float) -> None:
    ages = {"young": weight, "adult": weight, "senior": weight, "old": weight}
    table = {"gender": {"male": weight, "female": weight}, "age_group": ages}
    with pytest.raises(DataError, match=r"products are in 1e-30\.\.1e\+30, got"):
        make_weighting("3", table=table).weigh(STUDY_FACES)


@pytest.mark.parametrize("table", [["male"], {"gender": 3}, {"gender": {"male": "much"}}])
def test_a_table_of_another_form_is_an_error(table: object) -> None:
    with pytest.raises(ConfigError, match=r"option 'table.* of weighting '3': expected"):
        make_weighting("3", table=table)
