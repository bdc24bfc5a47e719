"""Columns of attributes turned into groups."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage._demographics import similar_names
from fairage.auditing.coding import bin_numbers, code_column, present_groups
from fairage.exceptions import ConfigError, DataError


def groups(values, column="gender", **options) -> list[str]:
    """The group of each row."""
    series = values if isinstance(values, pl.Series) else pl.Series(values, strict=False)
    coded = code_column(series, column, **options)
    return [coded.names[code] for code in coded.codes]


@pytest.mark.parametrize(
    "missing", [None, "", "  ", "nan", "NaN", "N/A", "NA", "NULL", "none", "-", "?", "Unknown"]
)
def test_missing_values_are_unknown(missing: str | None) -> None:
    assert groups(["f", missing, "m"]) == ["f", "unknown", "m"]


def test_nan_is_unknown() -> None:
    assert groups([1.0, float("nan"), 0.0, None]) == ["1", "unknown", "0", "unknown"]


def test_spaces_around_a_text_do_not_count_and_letter_case_does() -> None:
    assert groups([" Male", "male ", "Male"]) == ["Male", "male", "Male"]


@pytest.mark.parametrize("kind", [pl.Int64, pl.Float64, pl.String])
def test_codes_are_groups_named_by_their_number(kind) -> None:
    values = pl.Series([0, 1, 1, None]).cast(kind)
    assert groups(values) == ["0", "1", "1", "unknown"]


def test_groups_of_numbers_are_in_the_numbers_order() -> None:
    assert code_column(pl.Series([10, 2, 1]), "monk").names == ("1", "2", "10", "unknown")


def test_exactly_minus_one_and_one_are_codes() -> None:
    assert groups([-1, 1, None]) == ["-1", "1", "unknown"]


@pytest.mark.parametrize("values", [[-1, 0, 1], [-1, 0], [-1, 2], ["-1", "0", "1"]])
def test_another_negative_code_is_unknown(values) -> None:
    assert groups(values)[0] == "unknown"
    assert "unknown" not in groups(values)[1:]


def test_negative_numbers_count_under_other_names() -> None:
    assert groups([-1, 0, 1], "pose") == ["-1", "0", "1"]


def test_true_and_false_are_groups() -> None:
    assert groups([True, False, None], "glasses") == ["true", "false", "unknown"]


def test_categories_keep_their_order() -> None:
    values = pl.Series(["dark", "light", None], dtype=pl.Enum(["light", "dark"]))
    assert code_column(values, "skin").names == ("light", "dark", "unknown")
    assert groups(values.cast(pl.Categorical), "skin") == ["dark", "light", "unknown"]


def test_labels_name_groups() -> None:
    labels = {"0": "male", "1": "female"}
    assert groups([0, 1, None], labels=labels) == ["male", "female", "unknown"]
    assert groups(["0", "1.0"], labels=labels) == ["male", "female"]
    assert groups(["M", "male"], labels={"M": "male"}) == ["male", "male"]


def test_a_label_makes_a_value_known() -> None:
    assert groups([-1, 0, 1], labels={"-1": "other"}) == ["other", "0", "1"]
    labels = {"none": "no disability"}
    assert groups(["none", "blind", ""], "disability", labels=labels) == [
        "no disability",
        "blind",
        "unknown",
    ]


@pytest.mark.parametrize("values", [[0, 1], ["f", "m"]])
def test_a_label_for_another_code_is_an_error(values) -> None:
    with pytest.raises(ConfigError, match="group of 'gender' to label must be one of"):
        groups(values, labels={"7": "male"})


def test_many_groups_are_an_error() -> None:
    with pytest.raises(DataError, match="'city': expected at most 200 groups, got 201"):
        code_column(pl.Series([f"city {i}" for i in range(201)]), "city")


def test_two_hundred_groups_are_fine() -> None:
    coded = code_column(pl.Series([f"city {i}" for i in range(200)] + ["", None]), "city")
    assert len(coded.names) == 201


@pytest.mark.parametrize("values", [pl.Series([[1], [2]]), pl.Series([{"a": 1}, {"a": 2}])])
def test_nested_values_are_an_error(values: pl.Series) -> None:
    with pytest.raises(DataError, match="expected groups, got values of the type"):
        code_column(values, "gender")


@pytest.mark.parametrize("kind", [pl.Int64, pl.Float64, pl.String])
def test_more_than_twelve_numbers_are_binned_in_quartiles(kind) -> None:
    values = pl.Series(list(range(1, 101))).cast(kind)
    coded = code_column(values, "income")
    assert coded.binned
    assert coded.names == (
        "1 to 25.75",
        "25.75 to 50.5",
        "50.5 to 75.25",
        "75.25 to 100",
        "unknown",
    )
    assert np.bincount(coded.codes).tolist() == [25, 25, 25, 25]


def test_negative_numbers_are_binned_too() -> None:
    angles = pl.Series(np.linspace(-50, 90, 57).tolist())
    assert code_column(angles, "skin_ita", bins=[10, 28]).names == (
        "below 10",
        "10 to 28",
        "28 and above",
        "unknown",
    )


def test_bins_are_half_open() -> None:
    assert groups([9.9, 10, 28, None], "ita", bins=[10, 28]) == [
        "below 10",
        "10 to 28",
        "28 and above",
        "unknown",
    ]


def test_few_numbers_are_binned_where_that_is_asked() -> None:
    assert groups([1, 2, 3, 4], "monk", bins=2) == ["1 to 2.5", "1 to 2.5", "2.5 to 4", "2.5 to 4"]


def test_bins_can_be_labelled() -> None:
    labels = {"below 18": "minor"}
    assert groups([3, 20], "years", bins=[18], labels=labels) == ["minor", "18 and above"]


@pytest.mark.parametrize("bins", [1, 51, [], [2, 1], [1, 1], [float("nan")]])
def test_impossible_bins_are_an_error(bins) -> None:
    with pytest.raises(ConfigError, match="bins of 'ita'"):
        code_column(pl.Series([1.0, 2.0, 3.0]), "ita", bins=bins)


def test_texts_cannot_be_binned() -> None:
    with pytest.raises(ConfigError, match="expected numbers in column 'race' to bin"):
        code_column(pl.Series(["a", "b"]), "race", bins=4)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.integers(2, 6))
def test_each_number_has_a_bin_with_a_name_of_its_own(numbers: list[float], bins: int) -> None:
    names, places = bin_numbers(np.array(numbers), "x", bins)
    assert len(set(names)) == len(names)
    assert ((places >= 0) & (places < len(names))).all()
    order = np.argsort(numbers)
    assert (np.diff(places[order]) >= 0).all()


def test_only_groups_with_rows_are_kept() -> None:
    present = present_groups(("a", "b", "c"), np.array([2, 0, 2]))
    assert (present.names, present.codes.tolist(), present.counts.tolist()) == (
        ("a", "c"),
        [1, 0, 1],
        [1, 2],
    )


def test_names_that_look_like_spellings_of_one() -> None:
    names = ["Male", "male", "M", "female", "F", "other", "East Asian", "east_asian", "unknown"]
    assert similar_names(names) == (
        ("Male", "male", "M"),
        ("female", "F"),
        ("East Asian", "east_asian"),
    )


@pytest.mark.parametrize(
    "names", [["1", "-1"], ["<20", ">20"], ["10", "1.0"], ["m", "f"], ["a", "b"]]
)
def test_names_that_differ_are_no_spellings(names: list[str]) -> None:
    assert similar_names(names) == ()


@given(
    st.lists(st.one_of(st.none(), st.integers(-2, 5).map(str), st.text(max_size=4)), max_size=20)
)
def test_every_row_has_one_group(texts: list[str | None]) -> None:
    coded = code_column(pl.Series(texts, dtype=pl.String), "race")
    assert coded.names[-1] == "unknown"
    assert len(set(coded.names)) == len(coded.names)
    assert coded.codes.shape == (len(texts),)
    assert ((coded.codes >= 0) & (coded.codes < len(coded.names))).all()
