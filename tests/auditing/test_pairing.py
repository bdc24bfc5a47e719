"""Two tables put side by side: every image once, the same images, the same true ages."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fairage.auditing.auditor import audit
from fairage.auditing.comparison import compare
from fairage.exceptions import ConfigError, DataError

N = 200


@pytest.fixture
def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    ages = rng.uniform(20, 60, N).round(1)
    return pl.DataFrame(
        {
            "image": [f"{i}.jpg" for i in range(N)],
            "age": ages,
            "prediction": (ages + rng.normal(0, 4, N)).round(2),
            "gender": rng.choice(["female", "male"], N),
        }
    )


def with_column(frame: pl.DataFrame, name: str, values: object) -> pl.DataFrame:
    return frame.with_columns(pl.Series(name, values))


def test_rows_are_paired_by_image_whatever_their_order(table: pl.DataFrame) -> None:
    other = table.with_columns(pl.col("prediction") + 1)
    straight, turned = compare(table, other), compare(table, other[::-1])
    assert turned.n == N
    assert turned.overall["mae"] == straight.overall["mae"]
    assert turned.overall["mean_error"].value == pytest.approx(1.0)


def test_other_images_are_refused_with_the_number_that_match(table: pl.DataFrame) -> None:
    strangers = table.tail(30).with_columns(pl.concat_str(pl.lit("x"), "image").alias("image"))
    mixed = pl.concat([table.head(120), strangers])
    with pytest.raises(DataError, match="120 images in both tables, 80 only in A and 30 only in B"):
        compare(table, mixed)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.with_columns(pl.lit("same").alias("image")), "each image once in B, got 199"),
        (lambda f: pl.concat([f, f.head(3)]), "each image once in B, got 3 of 203 rows"),
        (lambda f: f.drop("image"), "a column of images in B"),
        (lambda f: f.with_columns(pl.col("age") / 2), "got 200 images of 200 with different ones"),
        (
            lambda f: f.rename({"prediction": "pred_a"}).with_columns(pred_b=pl.lit(1.0)),
            "one column of estimates in B, got .*--prediction-b",
        ),
        (lambda f: f.with_columns(image=pl.lit(None, pl.String)), "0 images in both"),
    ],
)
def test_tables_that_cannot_be_paired_are_an_error(
    change: Callable[[pl.DataFrame], pl.DataFrame], words: str, table: pl.DataFrame
) -> None:
    with pytest.raises(DataError, match=words):
        compare(table, change(table))


def test_errors_name_the_table_that_is_wrong(table: pl.DataFrame) -> None:
    with pytest.raises(DataError, match="a column of images in A"):
        compare(table.drop("image"), table)
    with pytest.raises(DataError, match="each image once in A"):
        compare(pl.concat([table, table]), table)


def test_errors_name_the_file_that_is_wrong(table: pl.DataFrame, tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    table.write_csv(one)
    table.with_columns(pl.col("age") - 500).write_csv(two)
    with pytest.raises(DataError, match=r"^two\.csv: column 'age'"):
        compare(one, two)
    table[1:].write_csv(two)
    with pytest.raises(DataError, match=r"^one\.csv and two\.csv: expected .* same images"):
        compare(one, two)
    table.drop("prediction").write_csv(two)
    with pytest.raises(DataError, match=r"^two\.csv: expected a column of estimates"):
        audit(two)


def test_a_column_that_is_not_there_is_an_error(table: pl.DataFrame) -> None:
    with pytest.raises(ConfigError, match="prediktion"):
        compare(table, table, prediction_a="prediktion")
    with pytest.raises(ConfigError, match="gendre"):
        compare(table, table, attributes="gendre")


def test_numbers_of_images_are_the_same_in_every_type(table: pl.DataFrame) -> None:
    numbers = with_column(table, "image", list(range(N)))
    floats = with_column(table, "image", [float(i) for i in range(N)])
    texts = with_column(table, "image", [f" {i}" for i in range(N)])
    assert compare(numbers, floats).n == compare(numbers, texts).n == N


def test_leading_zeros_tell_images_apart(table: pl.DataFrame) -> None:
    texts = with_column(table, "image", [f"{i:06d}" for i in range(N)])
    with pytest.raises(DataError, match="0 images in both tables"):
        compare(texts, with_column(table, "image", [str(i) for i in range(N)]))


def test_rows_without_a_true_age_are_left_out_and_counted(table: pl.DataFrame) -> None:
    without = with_column(
        table, "age", [None if i < 5 else age for i, age in enumerate(table["age"])]
    )
    result = compare(table, without)
    assert result.n == N - 5
    text = next(note.text for note in result.notes if note.name == "unpaired_rows")
    assert text.startswith("5 rows")


def test_attributes_are_those_of_the_first_table(table: pl.DataFrame) -> None:
    plain = table.select("image", "age", "prediction")
    assert list(compare(table, plain).groups) == ["gender", "age_group"]
    assert list(compare(plain, table).groups) == ["age_group"]


def test_attributes_may_stand_in_a_third_table(table: pl.DataFrame) -> None:
    plain = table.select("image", "age", "prediction")
    result = compare(plain, plain, join=table.select("image", "gender")[::-1])
    male = table.filter(pl.col("gender") == "male").height
    assert result.groups["gender"]["male"].n == male


def test_two_columns_of_one_table_are_compared(table: pl.DataFrame) -> None:
    both = table.rename({"prediction": "first"}).with_columns(second=pl.col("first") + 2)
    result = compare(both, both, prediction_a="first", prediction_b="second")
    assert (result.a, result.b) == ("first", "second")
    assert result.overall["mean_error"].value == pytest.approx(2.0)


def test_two_models_of_a_long_table_are_compared(table: pl.DataFrame) -> None:
    long = pl.concat(
        [
            table.with_columns(model=pl.lit("one")),
            table.with_columns(pl.col("prediction") + 2, model=pl.lit("two")),
        ]
    )
    result = compare(long, long, prediction_a="one", prediction_b="two")
    assert (result.a, result.b, result.n) == ("one", "two", N)
    assert result.overall["mean_error"].value == pytest.approx(2.0)
    with pytest.raises(DataError, match=r"one column of estimates in A, got .*one.*two"):
        compare(long, long)


def test_tables_are_named_by_their_files(table: pl.DataFrame, tmp_path: Path) -> None:
    before, after = tmp_path / "before.csv", tmp_path / "after.parquet"
    table.write_csv(before)
    table.write_parquet(after)
    result = compare(before, after)
    assert (result.a, result.b) == ("before.csv", "after.parquet")
    assert result.identical


def test_frames_without_names_are_a_and_b(table: pl.DataFrame) -> None:
    result = compare(table, table.with_columns(pl.col("prediction") + 1))
    assert (result.a, result.b) == ("A", "B")


def test_notes_of_one_table_name_it(table: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "vendor.csv"
    failing = with_column(
        table, "prediction", ["ERR" if i < 3 else str(p) for i, p in enumerate(table["prediction"])]
    )
    failing.write_csv(path)
    notes = [note.text for note in compare(table, path).notes if note.name == "missing_estimates"]
    assert len(notes) == 1
    assert notes[0].startswith("vendor.csv: 3 rows")


def test_an_attribute_called_overall_is_refused(table: pl.DataFrame) -> None:
    named = table.rename({"gender": "overall"})
    with pytest.raises(DataError, match="another name for an attribute"):
        compare(named, table, attributes=["overall"])


def test_ranges_with_other_ends_are_other_ages(table: pl.DataFrame) -> None:
    one = with_column(table, "age", ["20-29" if i % 2 else "40-59" for i in range(N)])
    other = with_column(table, "age", ["20-29" if i % 2 else "45-54" for i in range(N)])
    assert compare(one, one).n == N
    with pytest.raises(DataError, match="100 images of 200"):
        compare(one, other)
