"""Rows as they come: true ages, failures, ranges, persons, weights."""

import math
from contextlib import suppress

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage._tables_io import open_table
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.columns import ColumnRequest, find_columns
from fairage.auditing.estimates import ModelRows
from fairage.auditing.rows import RowReport, Rows, read_models, read_rows
from fairage.exceptions import ConfigError, DataError, FairageError

NAN, INF = math.nan, math.inf


def read(source, *, options: dict | None = None, **request) -> tuple[Rows, RowReport]:
    """Read a mapping of columns or the bytes of a file."""
    if isinstance(source, dict):
        source = pl.DataFrame([pl.Series(name, own, strict=False) for name, own in source.items()])
    table = open_table(source)
    named = ColumnRequest(**request)
    columns = find_columns(table, named)
    chosen = AuditSettings(**(options or {}))
    return read_rows(table, columns, chosen, labels=named.labels, bins=named.bins, keep_images=True)


def model(source, **options) -> ModelRows:
    rows, _ = read(source, **options)
    return next(iter(rows.models.values()))


def estimates(cells: list, **options) -> ModelRows:
    n = len(cells)
    return model({"age": [30.0] * n, "pred": cells}, **options)


def true_ages(cells: list, **options) -> Rows:
    return read({"age": cells, "pred": [30.0] * len(cells)}, **options)[0]


# Failures


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (None, "missing"),
        (NAN, "missing"),
        (-1.0, "-1"),
        (-99.0, "-99"),
        (-0.5, "below 0"),
        (120.5, "above 120"),
        (999.0, "above 120"),
        (INF, "infinite"),
        (-INF, "infinite"),
        ("", "missing"),
        (" ", "missing"),
        ("nan", "missing"),
        ("N/A", "missing"),
        ("no face", "no face"),
        (" ERR ", "ERR"),
        ("-1", "-1"),
        ("inf", "infinite"),
        ("121", "above 120"),
        ("110-130", "above 120"),
        ("old", "old"),
    ],
)
def test_a_cell_without_an_estimate_fails_with_its_reason(cell, reason: str) -> None:
    cells = [31.0, cell] if isinstance(cell, float | None) else ["31", cell]
    own = estimates(cells)
    assert own.failed.tolist() == [False, True]
    assert own.reasons == {reason: 1}
    np.testing.assert_array_equal(own.estimates, [31, NAN])


@pytest.mark.parametrize("cell", [0, 120, 0.5, "0", "120", "1e1", "31 years", "100-120"])
def test_a_cell_with_an_estimate_does_not_fail(cell) -> None:
    own = estimates([30, cell] if not isinstance(cell, str) else ["30", cell])
    assert not own.failed.any()
    assert own.reasons == {}


def test_zero_is_missing_only_where_that_is_said() -> None:
    assert not estimates([31.0, 0.0]).failed.any()
    own = estimates([31.0, 0.0], options={"missing": ("0",)})
    assert (own.failed.tolist(), own.reasons) == ([False, True], {"0": 1})
    own = estimates(["31", "0.0"], options={"missing": ("0",)})
    assert (own.failed.tolist(), own.reasons) == ([False, True], {"0": 1})


def test_named_sentinels_are_compared_as_numbers_and_without_case() -> None:
    options = {"missing": ("99", "No Face", "unsure-1")}
    own = estimates(["31", "99.0", "99", "no face", "UNSURE-1"], options=options)
    assert own.failed.tolist() == [False, True, True, True, True]
    assert own.reasons == {"99": 2, "UNSURE-1": 1, "no face": 1}


def test_a_named_sentinel_is_missing_even_where_it_looks_like_a_range() -> None:
    own = estimates(["31", "0-99"], options={"missing": ("0-99",)})
    assert own.reasons == {"0-99": 1}


def test_many_reasons_are_counted_as_others() -> None:
    own = estimates(["31", *(f"error {i}" for i in range(30))])
    assert len(own.reasons) == 21
    assert own.reasons["other"] == 10
    assert own.failed.sum() == 30


def test_a_reason_column_says_why() -> None:
    table = {
        "age": [30] * 4,
        "pred": [31.0, None, None, -1.0],
        "reason": ["fine", "no face", "", "blurred"],
    }
    assert model(table).reasons == {"blurred": 1, "missing": 1, "no face": 1}


def test_one_models_failures_remove_no_row_of_another() -> None:
    rows, report = read({"age": [30, 40, 50], "pred_a": [31, None, 52], "pred_b": [None, 41, 51]})
    assert (len(rows), report.used, report.without_age) == (3, 3, 0)
    assert rows.models["pred_a"].failed.tolist() == [False, True, False]
    assert rows.models["pred_b"].failed.tolist() == [True, False, False]
    np.testing.assert_array_equal(rows.models["pred_a"].estimates, [31, NAN, 52])


@pytest.mark.parametrize("cells", [[None, None], ["no face", "ERR"], [-1.0, NAN], [999.0, 999.0]])
def test_a_column_without_an_estimate_is_an_error_that_names_it(cells) -> None:
    table = {"age": [30, 40], "pred_a": [31, 41], "pred_b": cells}
    with pytest.raises(DataError, match=r"'pred_b': expected estimates in years, got none in 2"):
        read(table, predictions=("pred_a", "pred_b"))


def test_estimates_in_months_are_suspected() -> None:
    with pytest.raises(DataError, match="they look like months: divide them by 12"):
        read({"age": [30, 40], "pred": [361, 490]})


# True ages


def test_rows_without_a_true_age_are_counted_and_left_out() -> None:
    rows, report = read({"age": ["30", "", "NA", "50"], "pred": [31, 32, 33, 34]})
    assert rows.ages.tolist() == [30, 50]
    assert rows.models["pred"].estimates.tolist() == [31, 34]
    assert rows.numbers.tolist() == [1, 4]
    assert (report.rows, report.used, report.without_age) == (4, 2, 2)
    assert report.reasons_age == {"missing": 2}


def test_named_sentinels_are_missing_true_ages_where_they_are_no_ages() -> None:
    options = {"missing": ("-1", "hidden", "0")}
    rows, report = read(
        {"age": ["30", "-1", "hidden", "0"], "pred": ["1", "2", "3", "4"]}, options=options
    )
    assert rows.ages.tolist() == [30, 0]
    assert report.reasons_age == {"-1": 1, "hidden": 1}


def test_all_wrong_true_ages_are_counted_and_ten_shown_with_the_files_row_numbers() -> None:
    lines = ["age,pred", "30,31", "", *["old,31"] * 12, "-4,31", "121,31", ",31"]
    with pytest.raises(DataError) as caught:
        read("\n".join(lines).encode())
    text = str(caught.value)
    assert "column 'age': expected years in 0..120 or ranges such as '20-29'" in text
    assert "in 14 rows (row 4: 'old', row 5: 'old'" in text
    assert "row 13: 'old', ...)" in text
    assert "row 14" not in text
    assert text.endswith("correct or remove these rows")


@pytest.mark.parametrize("cell", ["thirty", "-1", "121", "inf", "110-130", "30-20", "1,234.5"])
def test_what_is_no_true_age_is_an_error(cell: str) -> None:
    with pytest.raises(DataError, match=f"row 3: '{cell}'"):
        read(f'age,pred\n30,31\n"{cell}",31\n'.encode())


def test_true_ages_in_months_are_suspected() -> None:
    with pytest.raises(DataError, match="they look like months: divide them by 12"):
        true_ages([360.0, 240.0, 100.0])


def test_a_table_without_a_true_age_is_an_error() -> None:
    with pytest.raises(DataError, match="'age': expected true ages in years, got none in 2 rows"):
        true_ages([None, NAN])


@pytest.mark.parametrize("cells", [[True, False], [[1], [2]]])
def test_other_types_are_no_ages(cells) -> None:
    with pytest.raises(DataError, match="column"):
        true_ages(cells)


# Ranges


def test_true_ranges() -> None:
    rows = true_ages(["20-29", "22-30", "31", "(25, 32)", "<18"])
    assert rows.low is not None
    assert rows.high is not None
    assert rows.low.tolist() == [20, 22, 31, 25, 0]
    assert rows.high.tolist() == [30, 31, 31, 33, 18]
    assert rows.ages.tolist() == [25, 26.5, 31, 29, 9]


def test_numbers_alone_have_no_ranges() -> None:
    rows = true_ages(["20", "31,5", "7 years"])
    assert (rows.low, rows.high) == (None, None)
    assert rows.ages.tolist() == [20, 31.5, 7]


def test_ranges_without_an_end_have_no_mid_point_unless_it_is_closed() -> None:
    rows = true_ages(["20-29", "70+"])
    np.testing.assert_array_equal(rows.ages, [25, NAN])
    assert rows.high is not None
    assert rows.high.tolist() == [30, INF]
    closed = true_ages(["20-29", "70+"], options={"oldest": 90})
    assert closed.ages.tolist() == [25, 80]
    assert closed.high is not None
    assert closed.high.tolist() == [30, 90]


def test_an_oldest_age_below_an_open_range_is_an_error() -> None:
    with pytest.raises(ConfigError, match="expected oldest above 95"):
        true_ages(["20-29", "95+"], options={"oldest": 90})


def test_open_ranges_alone_need_an_oldest_age() -> None:
    with pytest.raises(DataError, match="close them with --oldest"):
        true_ages(["70+", "70+"])
    with pytest.raises(DataError, match="close them with --oldest"):
        estimates(["70+", "70+"])


def test_open_range_ends() -> None:
    rows = true_ages(["20-29", "70+"], options={"range_end": "open"})
    assert rows.high is not None
    assert rows.high.tolist() == [29, INF]


def test_categories_of_pandas_intervals() -> None:
    values = pl.Series(["(20, 30]", "[30, 40)", None], dtype=pl.Categorical)
    rows = read({"age": values, "pred": [1, 2, 3]})[0]
    assert rows.ages.tolist() == [25, 35]


def test_columns_of_both_ends() -> None:
    table = {"age_low": [20, 20.5, 70, None], "age_high": [29, 29.5, None, None], "pred": [1] * 4}
    rows, report = read(table)
    assert rows.low is not None
    assert rows.high is not None
    assert rows.low.tolist() == [20, 20.5, 70]
    assert rows.high.tolist() == [30, 29.5, INF]
    assert report.without_age == 1


def test_mappings_with_low_and_high() -> None:
    own = model(
        {"age": [25, 30, 35], "AgeRange": [{"Low": 20, "High": 30}, None, {"Low": 31, "High": 31}]}
    )
    assert own.low is not None
    assert own.high is not None
    np.testing.assert_array_equal(own.low, [20, NAN, 31])
    np.testing.assert_array_equal(own.high, [31, NAN, 32])
    np.testing.assert_array_equal(own.estimates, [25.5, NAN, 31.5])
    assert (own.failed.tolist(), own.reasons) == ([False, True, False], {"missing": 1})


def test_texts_of_mappings() -> None:
    own = estimates(['{"Low": 20, "High": 30}', "31"])
    assert own.estimates.tolist() == [25.5, 31]


@pytest.mark.parametrize(
    "columns", [{"pred": ["31", "30-20"]}, {"pred_low": [20, 30], "pred_high": [30, 20]}]
)
def test_ends_the_wrong_way_round_are_an_error_with_rows(columns) -> None:
    with pytest.raises(DataError, match=r"ranges that begin before they end.*row 2: "):
        read({"age": [30, 40]} | columns)


def test_predicted_ranges() -> None:
    own = estimates(["20-29", "31", "70+", "no face"])
    assert own.low is not None
    assert own.high is not None
    np.testing.assert_array_equal(own.low, [20, 31, 70, NAN])
    np.testing.assert_array_equal(own.high, [30, 31, INF, NAN])
    np.testing.assert_array_equal(own.estimates, [25, 31, NAN, NAN])
    assert own.failed.tolist() == [False, False, True, True]
    assert own.reasons == {"no face": 1, "range without an end": 1}


def test_thousands_separators_are_refused() -> None:
    with pytest.raises(DataError, match=r"without thousands separators.*row 2: '1,234.5'"):
        estimates(["31", "1,234.5"])


def test_decimal_commas_are_read_and_reported() -> None:
    rows, report = read(b"age;pred\n30,5;31,5\n40;no face\n")
    assert rows.ages.tolist() == [30.5, 40]
    np.testing.assert_array_equal(rows.models["pred"].estimates, [31.5, NAN])
    assert report.decimal_commas
    assert not read(b"age;pred\n30.5;31\n")[1].decimal_commas


TEXTS = st.sampled_from(
    [
        "20-29",
        "20-30",
        "30-40",
        "22-30",
        "31",
        "31,5",
        "70+",
        "<18",
        "[20, 30)",
        "",
        "18 or younger",
    ]
)


@settings(max_examples=60)
@given(data=st.data(), texts=st.lists(TEXTS, min_size=2, max_size=12))
def test_a_rows_ends_never_depend_on_other_rows(data, texts: list[str]) -> None:
    texts = ["50", "50-51", *texts]
    order = data.draw(st.permutations(range(len(texts))))
    some = [0, *data.draw(st.lists(st.sampled_from(order), min_size=1, unique=True))]

    def ends(cells: list[str]) -> list[tuple[float, float]]:
        rows = true_ages([*cells, "50-51"])
        assert rows.low is not None
        assert rows.high is not None
        own = dict(zip(rows.numbers - 1, zip(rows.low, rows.high, strict=True), strict=True))
        return [own.get(i, (NAN, NAN)) for i in range(len(cells))]

    whole = ends(texts)
    np.testing.assert_array_equal(ends([texts[i] for i in order]), [whole[i] for i in order])
    np.testing.assert_array_equal(ends([texts[i] for i in some]), [whole[i] for i in some])


# Groups, persons, weights, raters, images


def test_age_groups_come_last_and_are_of_the_mid_points() -> None:
    table = {"age": ["10-19", "20-29", "60", "70+"], "pred": [1] * 4, "sex": list("ffmm")}
    rows, report = read(table)
    assert list(rows.attributes) == ["sex", "age_group"]
    groups = rows.attributes["age_group"]
    assert groups.names == ("young", "adult", "old", "unknown")
    assert groups.codes.tolist() == [0, 1, 2, 3]
    assert report.unknown == {}


def test_ones_own_age_group_stands_beside_the_derived_one() -> None:
    table = {"age": [10, 70], "pred": [1, 2], "age_group": ["child", "adult"]}
    rows, _ = read(table, attributes=("age_group",))
    assert rows.attributes["age_group (column)"].names == ("adult", "child")
    assert rows.attributes["age_group"].names == ("young", "old")


def test_unknown_values_spellings_bins_and_empty_attributes_are_reported() -> None:
    n = 40
    table = {
        "age": list(range(n)),
        "pred": list(range(n)),
        "gender": ["Male", "male ", "M", "f", None] * 8,
        "race": [None] * n,
        "tone": [i / 2 for i in range(n)],
    }
    rows, report = read(table, attributes=("gender", "race", "tone"), bins={"tone": [10]})
    assert rows.attributes["gender"].names == ("M", "Male", "f", "male", "unknown")
    assert report.unknown == {"gender": 8}
    assert report.spellings == {"gender": (("M", "Male", "male"),)}
    assert report.left_out == {"race": "no value in any row"}
    assert report.binned == {"tone": ("below 10", "10 and above")}
    assert rows.attributes["tone"].counts.tolist() == [20, 20]


def test_groups_of_rows_without_a_true_age_do_not_count() -> None:
    rows, report = read({"age": [30, None], "pred": [1, 2], "sex": ["f", None]})
    assert rows.attributes["sex"].names == ("f",)
    assert report.unknown == {}


def test_labels_name_groups() -> None:
    labels = {"sex": {"0": "male", "1": "female"}}
    rows, _ = read({"age": [30, 40], "pred": [1, 2], "sex": [0, 1]}, labels=labels)
    assert rows.attributes["sex"].names == ("male", "female")


@pytest.mark.parametrize("kind", [pl.String, pl.Int64, pl.Float64])
def test_a_missing_identity_is_a_person_of_its_own(kind) -> None:
    identity = pl.Series([7, 8, 7, None, None]).cast(kind)
    rows, report = read({"age": [30] * 5, "pred": [1] * 5, "identity": identity})
    assert rows.units is not None
    assert rows.units.count == 4
    codes = rows.units.codes
    assert codes[0] == codes[2]
    assert len({*codes.tolist()}) == 4
    assert sorted({*codes.tolist()}) == [0, 1, 2, 3]
    assert (report.persons, report.without_identity) == (4, 2)


@pytest.mark.parametrize("spelled", ["", "nan", "N/A", "unknown", " "])
def test_spelled_missing_identities_are_persons_of_their_own(spelled: str) -> None:
    identity = ["a", "a ", spelled, spelled]
    rows, _ = read({"age": [30] * 4, "pred": [1] * 4, "identity": identity})
    assert rows.units is not None
    assert rows.units.count == 3


@pytest.mark.parametrize(
    "identity", [["a", "b", "c"], [None, None, None], ["a", None, ""], [1, 2, 3]]
)
def test_persons_of_one_row_each_are_rows(identity) -> None:
    rows, report = read({"age": [30] * 3, "pred": [1] * 3, "identity": identity})
    assert (rows.units, report.persons) == (None, None)


@pytest.mark.parametrize("identity", [["x"] * 4, [0] * 4, ["x", "x", "x", None]])
def test_one_identity_for_all_is_an_error(identity) -> None:
    with pytest.raises(
        DataError, match=r"'identity': expected who is on each image, got .* --identity"
    ):
        read({"age": [30] * 4, "pred": [1] * 4, "identity": identity})


def test_ids_with_leading_zeros_are_different_persons() -> None:
    rows, _ = read(b"age,pred,identity\n30,31,0012\n30,31,12\n30,31,12\n")
    assert rows.units is not None
    assert rows.units.count == 2


def test_persons_of_rows_without_a_true_age_do_not_count() -> None:
    table = {"age": [30, 30, None], "pred": [1] * 3, "identity": ["a", "b", "b"]}
    assert read(table)[0].units is None


def test_weights_are_those_of_the_rows() -> None:
    table = {"age": [30, None, 40], "pred": [1] * 3, "w": [0.5, None, 2]}
    rows, _ = read(table, weight="w")
    assert rows.weights is not None
    assert rows.weights.tolist() == [0.5, 2]
    assert read(table)[0].weights is None


@pytest.mark.parametrize("bad", ["0", "-1", "", "inf", "nan"])
def test_weights_that_are_not_above_0_are_an_error_with_rows(bad: str) -> None:
    source = f"age,pred,w\n30,31,1\n30,31,{bad}\n".encode()
    with pytest.raises(
        DataError, match=r"'w': expected weights above 0, got .* in 1 row \(row 3: "
    ):
        read(source, weight="w")


def test_weights_that_are_texts_are_an_error_with_rows() -> None:
    with pytest.raises(DataError, match=r"'w': expected numbers, .*row 3: 'heavy'"):
        read(b"age,pred,w\n30,31,1\n30,31,heavy\n", weight="w")


def test_standard_deviations_of_raters() -> None:
    table = {"age": [30] * 4, "pred": [1] * 4, "age_std": [5.0, None, 0.0, 3.0]}
    rows, _ = read(table)
    assert rows.stds is not None
    np.testing.assert_array_equal(rows.stds, [5, NAN, NAN, 3])
    with pytest.raises(DataError, match=r"standard deviations of 0 or more, .*row 2: -1"):
        read(table | {"age_std": [5.0, -1.0, 0.0, 3.0]})


def test_repeated_images_are_counted() -> None:
    table = {"age": [30] * 6, "pred": [1] * 6, "image": ["a", "b", "a", "a", None, ""]}
    rows, report = read(table)
    assert report.duplicate_images == 2
    assert rows.images is not None
    assert rows.images.to_list() == ["a", "b", "a", "a", None, ""]


def test_rows_are_numbered_as_in_the_file() -> None:
    rows, _ = read(b"age,pred\n30,31\n\n,31\n50,51\n")
    assert rows.numbers.tolist() == [2, 5]


def test_parquet_and_csv_give_the_same_rows(tmp_path) -> None:
    frame = pl.DataFrame(
        {
            "image": ["a", "b", "c", "d"],
            "age": [30.0, None, 50.5, 7.0],
            "prediction": [31.0, 32.0, None, -1.0],
            "gender": ["f", "m", None, "f"],
            "race": [0, 1, 2, 0],
            "identity": [5, None, 6, 5],
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_csv(tmp_path / "a.csv")
    first, second = (read(tmp_path / name) for name in ("a.parquet", "a.csv"))
    np.testing.assert_array_equal(first[0].ages, second[0].ages)
    for name, groups in first[0].attributes.items():
        assert groups.names == second[0].attributes[name].names
        assert groups.codes.tolist() == second[0].attributes[name].codes.tolist()
    own, other = (each[0].models["prediction"] for each in (first, second))
    np.testing.assert_array_equal(own.estimates, other.estimates)
    assert own.reasons == other.reasons == {"-1": 1, "missing": 1}
    assert first[0].units is not None
    assert second[0].units is not None
    assert first[0].units.codes.tolist() == second[0].units.codes.tolist()
    assert first[1] == second[1]


# Models side by side and long tables


def test_models_side_by_side_share_their_rows() -> None:
    table = open_table({"age": [30, 40], "pred_a": [31, 41], "pred_b": [32, None]})
    models, report = read_models(table, find_columns(table, ColumnRequest()), AuditSettings())
    assert list(models) == ["pred_a", "pred_b"]
    assert models["pred_a"] is models["pred_b"]
    assert report.rows == 2


def long(**changes) -> tuple[dict[str, Rows], RowReport]:
    columns = {
        "image": ["a", "b", "c", "a", "b", "a"],
        "age": [30, 40, 50, 30, 40, None],
        "pred": [31, None, 53, 29, 44, 1],
        "sex": ["f", "m", "m", "f", "m", "f"],
        "identity": ["x", "y", "y", "x", "y", "x"],
        "vendor": ["A", "A", "A", "B", "B", "B"],
    } | changes
    frame = pl.DataFrame([pl.Series(name, own, strict=False) for name, own in columns.items()])
    table = open_table(frame)
    return read_models(table, find_columns(table, ColumnRequest(model="vendor")), AuditSettings())


def test_each_model_of_a_long_table_has_its_own_rows() -> None:
    models, report = long()
    assert list(models) == ["A", "B"]
    first, second = models["A"], models["B"]
    assert first.ages.tolist() == [30, 40, 50]
    assert second.ages.tolist() == [30, 40]
    assert list(first.models) == ["A"]
    np.testing.assert_array_equal(first.models["A"].estimates, [31, NAN, 53])
    assert second.models["B"].estimates.tolist() == [29, 44]
    assert first.models["A"].reasons == {"missing": 1}
    assert first.attributes["sex"].counts.tolist() == [1, 2]
    assert first.units is not None
    assert first.units.count == 2
    assert second.units is None
    assert first.numbers.tolist() == [1, 2, 3]
    assert (report.rows, report.used, report.without_age) == (6, 5, 1)


def test_images_of_a_long_table_repeat_only_within_a_model() -> None:
    assert long()[1].duplicate_images == 0
    assert long(image=["a", "a", "c", "a", "b", "a"])[1].duplicate_images == 1


def test_images_that_a_model_has_no_row_for_are_counted() -> None:
    assert long()[1].absent_images == {"B": 1}


def test_groups_that_a_model_has_no_row_of_are_not_its_groups() -> None:
    models, _ = long(sex=["f", "m", "m", "f", "f", "f"])
    assert models["A"].attributes["sex"].names == ("f", "m")
    assert models["B"].attributes["sex"].names == ("f",)


def test_one_model_gives_its_name() -> None:
    models, _ = long(vendor=["A"] * 6)
    assert list(models) == ["A"]
    assert models["A"].models["A"].failed.sum() == 1


def test_rows_without_a_model_are_an_error() -> None:
    with pytest.raises(DataError, match=r"expected a model in each row, .*row 2: None"):
        long(vendor=["A", None, "A", "B", "B", "B"])


def test_a_model_without_an_estimate_is_an_error() -> None:
    with pytest.raises(DataError, match="'B': expected estimates in years"):
        long(pred=[31, 40, 53, None, None, None])


def test_fifty_one_models_are_too_many() -> None:
    n = 51
    table = open_table({"age": [30] * n, "pred": [31] * n, "m": [f"{i}" for i in range(n)]})
    columns = find_columns(table, ColumnRequest(model="m"))
    with pytest.raises(DataError, match="the names of 1 to 50 models, got 51"):
        read_models(table, columns, AuditSettings())


def test_two_columns_of_a_long_table_are_two_estimates_of_each_model() -> None:
    models, _ = long(pred_b=[1, 2, 3, 4, 5, 6], pred=[31, 41, 53, 29, 44, 1])
    assert list(models) == ["A", "B"]
    frame = {
        "image": ["a", "b"] * 2,
        "age": [30, 40] * 2,
        "pred_a": [1, 2, 3, 4],
        "pred_b": [5, 6, 7, 8],
        "model": ["x", "x", "y", "y"],
    }
    table = open_table(frame)
    models, _ = read_models(table, find_columns(table, ColumnRequest()), AuditSettings())
    assert list(models) == ["x pred_a", "x pred_b", "y pred_a", "y pred_b"]
    assert models["y pred_b"].models["y pred_b"].estimates.tolist() == [7, 8]


# Anything


CELLS = st.one_of(
    st.floats(allow_nan=True).map(str),
    st.integers(-5, 2000).map(str),
    st.sampled_from(
        ["20-29", "70+", "20,5", "", "NA", "inf", "old", '"', "\ufeff", "1,234.5", "a;b"]
    ),
    st.text(max_size=6),
)


@settings(max_examples=150)
@given(rows=st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=6))
def test_any_texts_give_rows_or_an_error(rows: list[list[str]]) -> None:
    names = ["age", "prediction", "sex", "identity"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    try:
        read_in, report = read(frame)
    except FairageError:
        return
    assert 1 <= len(read_in) == report.used <= len(rows)
    own = read_in.models["prediction"]
    known = read_in.ages[~np.isnan(read_in.ages)]
    assert ((known >= 0) & (known <= 120.5)).all()
    assert np.isnan(own.estimates[own.failed]).all()
    assert sum(own.reasons.values()) == own.failed.sum()
    for groups in read_in.attributes.values():
        assert groups.counts.sum() == len(read_in)


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([[1.0], [2.0]]),
        pl.Series([b"x", b"\xff"]),
        pl.Series([1, 2]).cast(pl.Date),
        pl.Series([1, 2]).cast(pl.Duration("ms")),
        pl.Series([True, False]),
        pl.Series([None, None]),
        pl.Series(["1.5", "2"]).cast(pl.Decimal(5, 2)),
        pl.Series(["a", "b"], dtype=pl.Categorical),
        pl.Series([1, 2], dtype=pl.UInt8),
    ],
)
@pytest.mark.parametrize(
    "role", ["age", "prediction", "sex", "identity", "image", "model", "reason", "w", "age_std"]
)
def test_any_type_of_column_gives_rows_or_an_error(values: pl.Series, role: str) -> None:
    frame = pl.DataFrame(
        {"age": [30.0, 40.0], "prediction": [31.0, None], "w": [1, 1], role: values}
    )
    request = {"weight": "w"} if role == "w" else {"attributes": ("sex",)} if role == "sex" else {}
    with suppress(FairageError):
        assert read(frame, **request)[1].rows == 2
