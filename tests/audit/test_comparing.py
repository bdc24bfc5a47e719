"""Two models on the same images."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.audit.comparing import compare
from fairage.audit.gaps import bias
from fairage.audit.levelling import level
from fairage.audit.result import SCHEMA_VERSION
from fairage.exceptions import DataError

errors = st.lists(st.floats(0.1, 20), min_size=3, max_size=3)


@pytest.fixture
def better(predictions_frame: pl.DataFrame) -> pl.DataFrame:
    """The same rows in another order, the men's errors halved."""
    halved = pl.col("age") + (pl.col("prediction") - pl.col("age")) / 2
    changed = pl.when(pl.col("gender") == "male").then(halved).otherwise("prediction")
    return predictions_frame.with_columns(changed.alias("prediction"))[::-1]


def test_differences_equal_those_of_two_audits(predictions_frame, better, quick) -> None:
    found = compare(predictions_frame, better, settings=quick)
    joined = predictions_frame.join(better.select("image", b="prediction"), on="image")
    truth = joined["age"].to_numpy()
    one = np.abs(joined["prediction"].to_numpy() - truth)
    other = np.abs(joined["b"].to_numpy() - truth)
    mae = found.difference("mae")
    assert (mae.a, mae.b) == pytest.approx((one.mean(), other.mean()))
    assert mae.change.value == pytest.approx(other.mean() - one.mean())
    male = (joined["gender"] == "male").to_numpy()
    gender = found.difference("bias", "gender")
    assert gender.a == pytest.approx(abs(one[male].mean() - one[~male].mean()))
    assert gender.b == pytest.approx(abs(other[male].mean() - other[~male].mean()))
    assert found.difference("mae", "gender", "male").resolved
    assert not found.difference("mae", "gender", "female").resolved


def test_what_both_models_share_cancels_out(predictions_frame, quick) -> None:
    shifted = predictions_frame.with_columns(pl.col("prediction") + 0.01)
    found = compare(predictions_frame, shifted, settings=quick).difference("mae")
    assert found.change.high - found.change.low < 0.02


def test_the_same_predictions_do_not_differ(predictions_frame, quick) -> None:
    found = compare(predictions_frame, predictions_frame, settings=quick)
    assert not any(difference.resolved for difference in found.differences)
    assert all("is the same" in levelling.text for levelling in found.levelling)


def test_levelling_up_is_said_in_words(predictions_frame, better, quick) -> None:
    found = {
        lv.attribute: lv for lv in compare(predictions_frame, better, settings=quick).levelling
    }
    assert found["gender"].share_up == pytest.approx(1)
    assert "levelling up: the error fell in male" in found["gender"].text


def test_other_images_are_refused_with_the_number_that_match(predictions_frame, quick) -> None:
    other = predictions_frame.head(150).with_columns(
        pl.concat_str(pl.lit("x"), "image").alias("image")
    )
    mixed = pl.concat([predictions_frame.head(120), other.tail(30)])
    with pytest.raises(DataError, match="120 images in both tables, 80 only in A and 30 only in B"):
        compare(predictions_frame, mixed, settings=quick)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.with_columns(pl.lit("same").alias("image")), "each image once in B"),
        (lambda f: f.drop("image"), "a column of images in B"),
        (lambda f: f.with_columns(pl.col("age") / 2), "the same true ages"),
        (lambda f: f.rename({"prediction": "pred_a"}).with_columns(pred_b=1.0), "--prediction-b"),
    ],
)
def test_tables_that_cannot_be_paired_are_an_error(change, words, predictions_frame, quick) -> None:
    with pytest.raises(DataError, match=words):
        compare(predictions_frame, change(predictions_frame), settings=quick)


def test_a_missing_prediction_leaves_its_image_out_of_both(predictions_frame, quick) -> None:
    holes = predictions_frame.with_columns(
        pl.when(pl.col("image") == "7.jpg").then(None).otherwise("prediction").alias("prediction")
    )
    found = compare(predictions_frame, holes, settings=quick)
    assert found.n == predictions_frame.height - 1
    assert "unpaired_predictions" in {warning.name for warning in found.warnings}


def test_a_comparison_is_told_as_a_table(predictions_frame, better, quick) -> None:
    found = compare(predictions_frame, better, settings=quick)
    assert found.to_frame().height == len(found.differences)
    assert "<table>" in found._repr_html_()
    assert found.to_dict()["schema_version"] == SCHEMA_VERSION


@given(a=errors, b=errors)
def test_levelling_up_and_down_sum_to_the_reduction(a: list[float], b: list[float]) -> None:
    found = level("x", ["a", "b", "c"], np.array(a), np.array(b))
    assert found.up + found.down == pytest.approx(bias(a) - bias(b), abs=1e-9)
    assert found.reduction == pytest.approx(bias(a) - bias(b), abs=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ([6, 4], [5, 4], "by levelling up: the error fell in worse"),
        ([6, 4], [6, 5], "by levelling down: the error rose in better"),
        ([6, 4], [5.5, 4.5], "50% by levelling up"),
        ([6, 4], [7, 4], "rose by 1.00 years"),
    ],
)
def test_words_say_who_moved(a: list[float], b: list[float], words: str) -> None:
    assert words in level("x", ["worse", "better"], np.array(a), np.array(b)).text
