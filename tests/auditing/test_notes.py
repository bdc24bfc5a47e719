"""What a reader must know: each note where it must stand, and the nearest case where not."""

import numpy as np
import polars as pl
import pytest

from fairage._tables_io import open_table
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.columns import ColumnRequest, find_columns
from fairage.auditing.rows import read_models

AGES = [20.0, 31.0, 42.0, 53.0, 64.0, 75.0]


def notes(columns, *, options: dict | None = None, **request) -> dict[str, str]:
    """The notes by name."""
    frame = pl.DataFrame([pl.Series(name, own, strict=False) for name, own in columns.items()])
    table = open_table(frame)
    named = ColumnRequest(**request)
    chosen = AuditSettings(**(options or {}))
    columns_ = find_columns(table, named)
    _, report = read_models(table, columns_, chosen, labels=named.labels, bins=named.bins)
    return {note.name: note.text for note in report.notes}


def of_estimates(estimates, ages=AGES, **options) -> dict[str, str]:
    return notes({"age": ages, "pred": estimates}, **options)


GOOD = [21.0, 30.0, 45.0, 50.0, 60.0, 80.0]


def test_a_good_table_has_no_note() -> None:
    assert notes({"age": AGES, "pred": GOOD, "sex": list("ffmmfm"), "image": list("abcdef")}) == {}


def test_rows_without_a_true_age() -> None:
    text = of_estimates(GOOD, [None, *AGES[1:]])["missing_ages"]
    assert text == "1 row without a true age was left out (missing 1)."
    assert of_estimates(GOOD, [None, None, *AGES[2:]])["missing_ages"] == (
        "2 rows without a true age were left out (missing 2)."
    )


def test_rows_without_an_estimate() -> None:
    cells = [*map(str, GOOD[:3]), "no face", "no face", "ERR"]
    assert of_estimates(cells)["missing_estimates"] == (
        "3 rows of 6 without an estimate (no face 2, ERR 1): they count as failures. None is what "
        "is empty, no number or range, below 0 or above 120."
    )
    several = notes({"age": AGES, "pred_a": cells, "pred_b": GOOD})
    assert several["missing_estimates"].startswith("pred_a: 3 rows of 6")


def test_only_the_first_five_reasons_are_named() -> None:
    cells = [*map(str, GOOD), *(f"E{i}" for i in range(7))]
    text = of_estimates(cells, [*AGES, *AGES, 30])["missing_estimates"]
    assert "(E0 1, E1 1, E2 1, E3 1, E4 1, others 2)" in text


def test_repeated_images_and_missing_identities() -> None:
    table = {
        "age": AGES,
        "pred": GOOD,
        "image": list("aabcde"),
        "identity": ["x", "x", "y", "z", "", ""],
    }
    assert notes(table) == {
        "duplicate_images": "1 row with the image of an earlier row: they count.",
        "missing_identities": "2 rows without an identity: each is a person of its own.",
    }


def test_values_that_are_missing_and_columns_that_are_empty() -> None:
    table = {"age": AGES, "pred": GOOD, "sex": ["f", "f", "m", "m", "m", "NA"], "race": [None] * 6}
    assert notes(table, attributes=("sex", "race")) == {
        "unknown_values": "sex: 1 row without a value: the group unknown.",
        "left_out": "race is left out: no value in any row.",
    }


def test_an_attribute_of_one_group() -> None:
    table = {"age": AGES, "pred": GOOD, "sex": ["f", "f", "f", "f", "f", None]}
    assert notes(table)["one_group"] == "sex has one group only (f): it has no gaps."
    assert "one_group" not in notes(table | {"sex": list("fffffm")})


def test_spellings_say_how_to_join_them() -> None:
    table = {"age": AGES, "pred": GOOD, "sex": ["male", "male", "M", "f", "f", "f"]}
    assert notes(table)["spellings"] == (
        "sex: M, male look like spellings of one group. They are kept apart; "
        "--label sex.male=M joins them."
    )
    assert notes(table, labels={"sex": {"M": "male"}}) == {}


def test_bins_are_told() -> None:
    table = {"age": AGES, "pred": GOOD, "tone": [1, 2, 3, 4, 5, 6]}
    text = notes(table, attributes=("tone",), bins={"tone": 2})["binned"]
    assert text == "tone holds numbers; its bins: 1 to 3.5, 3.5 to 6."


def test_decimal_commas_are_told() -> None:
    assert "decimal_commas" in of_estimates(["21,5", *map(str, GOOD[1:])])
    assert of_estimates(["21.5", *map(str, GOOD[1:])]) == {}


def test_last_years_are_told_only_where_a_range_counts_one() -> None:
    ranges = ["20-29", "30-39", "40-49", "50-59", "60-69", "70-79"]
    assert "last_years" in of_estimates(GOOD, ranges)
    assert "last_years" in of_estimates(ranges)
    assert "last_years" not in of_estimates(GOOD, ranges, options={"range_end": "open"})
    half_open = [f"[{low}, {low + 10})" for low in range(20, 80, 10)]
    assert of_estimates(GOOD, half_open) == {}


def test_ranges_without_an_end_are_told_unless_they_are_closed() -> None:
    ranges = ["20-29", "30-39", "40-49", "50-59", "60+", "60+"]
    text = of_estimates(GOOD, ranges)["open_ranges"]
    assert text.startswith("2 rows with a range of true age that has no end")
    assert "open_ranges" not in of_estimates(GOOD, ranges, options={"oldest": 90})
    assert of_estimates(ranges)["open_estimates"].startswith("2 rows with an estimated range")
    assert "open_estimates" not in of_estimates(ranges, options={"oldest": 90})


def test_estimates_that_are_the_truth() -> None:
    assert set(of_estimates(AGES)) == {"estimates_equal_truth"}
    assert of_estimates([20.5, *AGES[1:]]) == {}
    assert "estimates_equal_truth" in of_estimates([None, *AGES[1:]])


def test_ranges_are_the_truth_only_where_both_ends_are() -> None:
    ranges = ["20-29", "30-39", "40-49", "50-59", "60-69", "70-79"]
    assert "estimates_equal_truth" in of_estimates(ranges, ranges)
    wider = ["15-34", "25-44", "35-54", "45-64", "55-74", "65-84"]
    assert "estimates_equal_truth" not in of_estimates(wider, ranges)
    assert "estimates_equal_truth" not in of_estimates([25, 35, 45, 55, 65, 75], ranges)


def test_a_range_of_all_ages_is_constant_and_not_the_truth() -> None:
    assert set(of_estimates(["0-100"] * 6)) == {"constant_estimates", "last_years"}


def test_constant_estimates() -> None:
    assert set(of_estimates([30.0] * 6)) == {"constant_estimates"}
    assert of_estimates([30.0] * 5 + [31.0]) == {}
    assert of_estimates([30.0], [40.0]).keys() == {"one_group"}


def test_answers_shares_and_months() -> None:
    assert set(of_estimates([0, 1, 0, 1, 1, 1])) == {"binary_estimates"}
    assert set(of_estimates([age / 100 for age in AGES])) == {"estimates_in_shares"}
    children = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    months = of_estimates([12.0 * age + 1 for age in children], children)
    assert set(months) == {"estimates_in_months", "one_group"}
    years = of_estimates([age + 1 for age in children], children)
    assert set(years) == {"one_group"}


def test_zeros_of_grown_people_are_told_to_be_perhaps_missing() -> None:
    cells = [0, 0, 0, *GOOD[3:]]
    assert of_estimates(cells)["zero_estimates"] == (
        "pred is 0 in 3 rows of people aged 5 and over: where 0 means no estimate, "
        "give --missing 0."
    )
    assert "zero_estimates" not in of_estimates([0, 0, *GOOD[2:]])
    assert "zero_estimates" not in of_estimates(cells, [1, 2, 3, *AGES[3:]])
    assert set(of_estimates(cells, options={"missing": ("0",)})) == {"missing_estimates"}


def test_images_that_a_model_lacks_are_told() -> None:
    table = {
        "image": ["a", "b", "c", "a", "b"],
        "age": [20, 31, 70, 20, 31],
        "pred": [21, 30, 72, 22, 33],
        "model": ["x", "x", "x", "y", "y"],
    }
    text = notes(table)["absent_images"]
    assert text == "y has no row for 1 of the images: they are not counted as failures."


def test_values_that_may_be_models_are_told() -> None:
    table = {"image": list("abcdef"), "age": AGES, "pred": GOOD, "model": list("xxxyyy")}
    assert notes(table)["one_model"].startswith(
        "All rows are audited as of one model; model is not used: most images have one value"
    )
    assert notes(table | {"model": ["x"] * 6}) == {}


def test_what_the_file_reader_says_comes_first() -> None:
    table = open_table(b"age,pred\n20,21\n70,75\n")
    columns = find_columns(table, ColumnRequest())
    table = type(table)(**{**vars(table), "notes": ("Text was read as Windows-1252.",)})
    _, report = read_models(table, columns, AuditSettings())
    assert [(note.name, note.text) for note in report.notes] == [
        ("file", "Text was read as Windows-1252.")
    ]


@pytest.mark.parametrize("n", [2, 50])
def test_a_note_is_one_line(n: int) -> None:
    rng = np.random.default_rng(n)
    ages = rng.uniform(1, 90, n)
    for text in of_estimates(["ERR", *map(str, ages[1:])], ages.tolist()).values():
        assert "\n" not in text
        assert text.endswith(".") or text.endswith("?")
