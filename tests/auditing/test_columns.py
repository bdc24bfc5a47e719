"""Which column holds what: as named, or guessed; and why others are not used."""

import polars as pl
import pytest

from fairage._tables_io import open_table
from fairage.auditing.columns import ColumnRequest, Columns, find_columns
from fairage.exceptions import ConfigError, DataError


def find(columns: dict[str, list], **request) -> Columns:
    frame = pl.DataFrame([pl.Series(name, values) for name, values in columns.items()])
    return find_columns(open_table(frame), ColumnRequest(**request))


def attributes(**columns: list) -> tuple[str, ...]:
    n = len(next(iter(columns.values())))
    return find({"age": [1.0] * n, "pred": [2.0] * n} | columns).attributes


@pytest.mark.parametrize(
    "age", ["age", "true_age", "apparent_age_avg", "label", "Age", "True Age", "y_true"]
)
@pytest.mark.parametrize(
    "prediction", ["prediction", "pred", "predicted_age", "pred_model", "a_pred"]
)
def test_usual_names_are_guessed(age: str, prediction: str) -> None:
    columns = find({"file": ["a"], prediction: [2.0], age: [1.0], "race": ["x"]})
    assert (columns.age, columns.predictions, columns.image) == (age, (prediction,), "file")
    assert columns.attributes == ("race",)
    assert columns.guessed == ("age", "prediction", "attribute", "image")


def test_guesses_are_told_in_one_sentence() -> None:
    columns = find({"age": [1.0], "pred": [2.0], "sex": ["f"], "subject_id": ["a"]})
    assert columns.describe() == (
        "Columns guessed: age 'age'; prediction 'pred'; attribute 'sex'; identity 'subject_id'."
    )
    assert find({"age": [1.0], "pred": [2.0]}, age="age").describe() == (
        "Columns guessed: prediction 'pred', attribute none."
    )


def test_what_is_named_is_not_guessed() -> None:
    table = {"age": [1.0], "x": [1.0], "pred": [1.0], "sex": ["f"]}
    columns = find(table, age="x", predictions=("pred",), attributes=())
    assert (columns.age, columns.attributes, columns.describe()) == ("x", (), "")
    assert columns.unused == {"age": "another true age", "sex": "not named with --attribute"}


def test_several_prediction_columns_are_several_models() -> None:
    columns = find({"age": [1.0], "pred_a": [1.0], "b_pred": [2.0]})
    assert columns.predictions == ("pred_a", "b_pred")


def test_one_usual_prediction_is_enough_where_others_look_alike() -> None:
    columns = find({"age": [1.0], "prediction": [1.0], "pred_b": [2.0]})
    assert columns.predictions == ("prediction",)
    assert columns.unused == {"pred_b": "other estimates: name it with --prediction"}


@pytest.mark.parametrize(
    "name", ["pred_gender", "predicted_race", "pred_score", "pred_std", "gender_pred", "pred_id"]
)
def test_other_predictions_are_no_estimates_of_ages(name: str) -> None:
    columns = find({"age": [1.0], "pred_a": [1.0], name: [0.0]})
    assert columns.predictions == ("pred_a",)
    assert columns.attributes == ()
    assert name in columns.unused


def test_a_prediction_column_of_texts_without_ages_is_none() -> None:
    columns = find({"age": ["1"], "pred_a": ["no face"], "pred_b": ["20-29"]})
    assert columns.predictions == ("pred_b",)


def test_two_kinds_of_true_age_must_be_chosen_from() -> None:
    table = {"apparent_age_avg": [1.0], "real_age": [1.0], "pred": [1.0]}
    with pytest.raises(DataError, match="choose one with --age"):
        find(table)
    assert find(table, age="real_age").age == "real_age"


@pytest.mark.parametrize(
    ("names", "option"),
    [
        (("Age", "age", "pred"), "--age"),
        (("true age", "True_Age", "pred"), "--age"),
        (("age", "pred", "Pred"), "--prediction"),
        (("age", "pred", "gender", "Gender"), "--attribute"),
        (("age", "pred", "image", "Image "), "--image"),
        (("age", "pred", "Identity", "identity"), "--identity"),
    ],
)
def test_names_equal_but_for_case_and_spaces_are_an_error_that_asks(names, option) -> None:
    with pytest.raises(DataError, match=f"choose one with {option}"):
        find({name: [1] for name in names})


def test_one_of_two_twins_can_be_named() -> None:
    columns = find({"Age": [1.0], "age": [2.0], "pred": [3.0]}, age="Age")
    assert (columns.age, columns.unused) == ("Age", {"age": "another true age"})


@pytest.mark.parametrize(
    ("table", "option"), [({"pred": [1.0]}, "--age"), ({"age": [1.0]}, "--prediction")]
)
def test_a_missing_column_names_the_option(table, option: str) -> None:
    with pytest.raises(DataError, match=option):
        find(table)


def test_an_unknown_column_is_an_error_with_the_nearest_name() -> None:
    table = {"age": [1.0], "pred": [1.0], "gender": ["f"]}
    with pytest.raises(ConfigError, match="Did you mean 'gender'"):
        find(table, attributes=("gendre",))
    with pytest.raises(ConfigError, match="column must be one of"):
        find(table, identity="who")


@pytest.mark.parametrize(
    "name",
    ["gender", "Sex", "ethnicity", "race", "expression", "emotion", "skin", "skin_tone", "skinType",
     "fitzpatrick", "Fitzpatrick Scale", "monk", "monk_scale", "glasses", "country", "region",
     "disability", "true_gender", "subject_race", "demographics.gender", "gender_label",
     "person.ethnic group", "self_reported_race", "country_of_birth"],
)  # fmt: skip
def test_names_of_demographics_are_attributes(name: str) -> None:
    assert attributes(**{name: ["a", "b"]}) == (name,)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pred_gender", "what a model said"),
        ("predicted_race", "what a model said"),
        ("gender_pred", "what a model said"),
        ("estimated_gender", "what a model said"),
        ("dominant_emotion", "what a model said"),
        ("face.dominant_race", "what a model said"),
        ("gender_score", "what a model said"),
        ("gender_confidence", "what a model said"),
        ("gender.Woman", "not named like a demographic: name it with --attribute"),
        ("hair", "not named like a demographic: name it with --attribute"),
        ("note", "not named like a demographic: name it with --attribute"),
        ("uuid", "an identifier"),
        ("session_id", "an identifier"),
        ("split", "describes the row, not the person"),
        ("seed", "describes the row, not the person"),
        ("weight", "looks like survey weights: name it with --weight"),
        ("sample_weight", "looks like survey weights: name it with --weight"),
        ("survey_weight", "looks like survey weights: name it with --weight"),
        ("lower", "a model's own interval"),
        ("real_age", "another true age"),
        (
            "age_group",
            "age groups are made from the true age: name it with --attribute to use it too",
        ),
    ],
)
def test_other_columns_are_listed_with_why(name: str, reason: str) -> None:
    columns = find({"age": [1.0, 2.0], "pred": [2.0, 3.0], "sex": ["f", "m"], name: ["a", "b"]})
    assert columns.attributes == ("sex",)
    assert columns.unused == {name: reason}


def test_every_column_is_used_or_listed() -> None:
    table = {"file": ["a"], "age": [1.0], "pred": [2.0], "sex": ["f"], "x": [1], "weight": [1.0]}
    columns = find(table)
    assert sorted([*columns.used, *columns.unused]) == sorted(table)


def test_many_values_and_free_text_are_no_groups() -> None:
    many = [f"region {i}" for i in range(31)]
    columns = find(
        {
            "age": [1.0] * 31,
            "pred": [1.0] * 31,
            "region": many,
            "country": [many[i % 30] for i in range(31)],
            "disability": ["a long description of it " * 6, *["no"] * 30],
            "race": [""] * 31,
        }
    )
    assert columns.attributes == ("country",)
    assert columns.unused == {
        "region": "31 different values",
        "disability": "free text",
        "race": "no value",
    }


@pytest.mark.parametrize("values", [[0, 1], [0.0, 1.0], ["0", "1"], [-1, 1], [-1, 0], [1, None]])
def test_codes_under_a_demographics_name_are_groups(values) -> None:
    assert attributes(gender=values) == ("gender",)


@pytest.mark.parametrize("values", [[0.5, 1], ["0.25", "1"], list(range(13))])
def test_other_numbers_are_not_guessed(values) -> None:
    n = len(values)
    columns = find({"age": [1.0] * n, "pred": [2.0] * n, "skin_tone": values})
    assert columns.attributes == ()
    assert columns.unused == {
        "skin_tone": "numbers that are no codes: name it with --attribute to bin it"
    }


def test_numbers_with_bins_are_used() -> None:
    table = {"age": [1.0, 2.0], "pred": [2.0, 1.0], "skin_tone": [0.5, 1.5]}
    assert find(table, bins={"skin_tone": 4}).attributes == ("skin_tone",)


def test_at_most_six_attributes_are_guessed_by_their_weight() -> None:
    names = ["glasses", "emotion", "region", "country", "disability", "race", "sex"]
    columns = find({"age": [1.0], "pred": [2.0]} | {name: ["a"] for name in names})
    assert columns.attributes == ("emotion", "region", "country", "disability", "race", "sex")
    assert columns.unused == {"glasses": "more than 6 attributes: name it with --attribute"}


def test_named_attributes_can_be_any_and_many() -> None:
    names = tuple("abcdefgh")
    table = {"age": [1.0], "pred": [2.0]} | {name: ["x"] for name in names}
    assert find(table, attributes=names).attributes == names


def test_ones_own_age_group_can_be_named() -> None:
    table = {"age": [1.0], "pred": [2.0], "age_group": ["child"]}
    assert find(table, attributes=("age_group",)).attributes == ("age_group",)
    del table["age_group"]
    assert find(table, attributes=("age_group",)).attributes == ()


@pytest.mark.parametrize("request_", [{"labels": {"sx": {"0": "m"}}}, {"bins": {"sx": 4}}])
def test_labels_and_bins_of_no_attribute_are_an_error(request_) -> None:
    with pytest.raises(ConfigError, match="must be one of \\['sex'\\]; got 'sx'"):
        find({"age": [1.0], "pred": [2.0], "sex": ["f"]}, **request_)


def test_weights_are_used_only_where_they_are_named() -> None:
    table = {"age": [1.0], "pred": [2.0], "weight": [1.0]}
    assert find(table).weight is None
    columns = find(table, weight="weight")
    assert (columns.weight, columns.unused) == ("weight", {})


def test_an_empty_name_says_that_there_is_no_such_column() -> None:
    table = {"age": [1.0], "pred": [2.0], "identity": ["x"], "image": ["y"]}
    columns = find(table, identity="", image="")
    assert (columns.identity, columns.image) == (None, None)
    assert set(columns.unused) == {"identity", "image"}


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("age_low", "age_high"),
        ("Age Low", "Age High"),
        ("min_age", "max_age"),
        ("age.min", "age.max"),
    ],
)
def test_two_columns_can_hold_the_ends_of_true_ages(low: str, high: str) -> None:
    columns = find({low: [20], high: [29], "pred": [25]})
    assert (columns.age, columns.age_high) == (low, high)
    assert columns.describe().startswith(f"Columns guessed: age {low!r} to {high!r}")


def test_the_ends_are_not_used_beside_a_true_age() -> None:
    columns = find({"age": [25], "age_low": [20], "age_high": [29], "pred": [25]})
    assert (columns.age, columns.age_high) == ("age", None)
    assert columns.unused == {"age_low": "the ends of 'age'", "age_high": "the ends of 'age'"}


@pytest.mark.parametrize(
    ("low", "high", "title"),
    [
        ("AgeRange.Low", "AgeRange.High", "AgeRange"),
        ("FaceDetails.AgeRange.Low", "FaceDetails.AgeRange.High", "FaceDetails.AgeRange"),
        ("Low", "High", "Low to High"),
        ("pred_low", "pred_high", "pred"),
        ("pred_a_min", "pred_a_max", "pred_a"),
    ],
)
def test_two_columns_can_hold_the_ends_of_estimates(low: str, high: str, title: str) -> None:
    columns = find({"age": [25], low: [20], high: [30]})
    assert (columns.predictions, columns.prediction_high) == ((low,), {low: high})
    assert columns.title(low) == title


def test_pairs_can_be_named() -> None:
    table = {"a": [1], "b": [2], "c": [3], "d": [4], "e": [5]}
    columns = find(table, age=("a", "b"), predictions=(("c", "d"), "e"), attributes=())
    assert (columns.age, columns.age_high) == ("a", "b")
    assert (columns.predictions, columns.prediction_high) == (("c", "e"), {"c": "d"})
    assert columns.unused == {}
    with pytest.raises(ConfigError, match="got 'x'"):
        find(table, age=("a", "x"), predictions=("e",))


def test_a_mapping_with_low_and_high_is_an_estimate() -> None:
    table = {"age": [25], "AgeRange": [{"Low": 20, "High": 30}]}
    for request in ({}, {"predictions": ("AgeRange",)}):
        columns = find(table, **request)
        assert columns.predictions == ("AgeRange.Low",)
        assert columns.prediction_high == {"AgeRange.Low": "AgeRange.High"}
        assert columns.title("AgeRange.Low") == "AgeRange"


def test_a_column_of_models_is_guessed_where_images_repeat() -> None:
    table = {"image": ["a", "b", "a", "b"], "age": [1] * 4, "pred": [2] * 4}
    columns = find(table | {"vendor": ["x", "x", "y", "y"]})
    assert columns.model == "vendor"
    assert "model 'vendor'" in columns.describe()


def test_a_column_of_models_that_share_no_image_is_not_guessed() -> None:
    table = {"image": ["a", "b", "c", "d"], "age": [1] * 4, "pred": [2] * 4}
    columns = find(table | {"model": ["iPhone", "iPhone", "Pixel", "Pixel"]})
    assert columns.model is None
    assert "most images have one value of it" in columns.unused["model"]
    assert find(table | {"model": ["x", "x", "y", "y"]}, model="model").model == "model"


def test_models_without_images_are_asked_for() -> None:
    columns = find({"age": [1, 1], "pred": [2, 2], "model": ["x", "y"]})
    assert columns.model is None
    assert "--model" in columns.unused["model"]


def test_one_model_is_guessed() -> None:
    assert find({"age": [1, 1], "pred": [2, 2], "model": ["x", "x"]}).model == "model"


def test_a_reason_column_is_guessed() -> None:
    assert find({"age": [1], "pred": [2], "reason": ["no face"]}).reason == "reason"
