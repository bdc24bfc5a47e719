"""Guessing which column holds what."""

import polars as pl
import pytest

from fairage.audit.columns import find_columns
from fairage.audit.reading import open_frame
from fairage.exceptions import ConfigError, DataError


def guess(**columns: object):
    return find_columns(open_frame(pl.DataFrame(columns)))


@pytest.mark.parametrize("age", ["age", "true_age", "apparent_age_avg", "label", "Age", "y_true"])
@pytest.mark.parametrize("prediction", ["prediction", "pred", "predicted_age", "pred_model"])
def test_usual_names_are_found(age: str, prediction: str) -> None:
    found = guess(**{"file": ["a"], prediction: [2.0], age: [1.0], "race": ["x"]})
    assert (found.age, found.predictions, found.image) == (age, (prediction,), "file")
    assert found.attributes == ("race",)


def test_several_prediction_columns_are_several_models() -> None:
    assert guess(age=[1.0], pred_a=[1.0], pred_b=[2.0]).predictions == ("pred_a", "pred_b")


def test_a_prediction_column_by_name_is_enough_where_others_look_alike() -> None:
    assert guess(age=[1.0], prediction=[1.0], pred_b=[2.0]).predictions == ("prediction",)


def test_two_kinds_of_true_age_must_be_chosen_from() -> None:
    with pytest.raises(DataError, match="choose one with --age"):
        guess(apparent_age_avg=[1.0], real_age=[1.0], pred=[1.0])


@pytest.mark.parametrize(
    ("columns", "option"), [({"pred": [1.0]}, "--age"), ({"age": [1.0]}, "--prediction")]
)
def test_a_missing_column_names_the_option(columns: dict[str, list[float]], option: str) -> None:
    with pytest.raises(DataError, match=option):
        guess(**columns)


def test_numbers_names_and_splits_are_no_attributes() -> None:
    many = [f"person {i}" for i in range(50)]
    found = guess(
        age=[1.0] * 50,
        pred=[1.0] * 50,
        note=many,
        count=["7"] * 50,
        split=["test"] * 50,
        sex=[0, 1] * 25,
        hair=["dark", None] * 25,
    )
    assert found.attributes == ("sex", "hair")


def test_what_is_told_is_not_guessed() -> None:
    table = open_frame(pl.DataFrame({"age": [1.0], "x": [1.0], "pred": [1.0], "sex": ["f"]}))
    found = find_columns(table, age="x", predictions=["pred"], attributes=[])
    assert (found.age, found.attributes, found.told()) == ("x", (), "")


def test_an_unknown_column_is_an_error_with_the_nearest_name() -> None:
    table = open_frame(pl.DataFrame({"age": [1.0], "pred": [1.0], "gender": ["f"]}))
    with pytest.raises(ConfigError, match="Did you mean 'gender'"):
        find_columns(table, attributes=["gendre"])
