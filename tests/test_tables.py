"""The faces and predictions tables: what is accepted, what is refused and in which words."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage._tables_io import read_table, write_table
from fairage.age_groups import AgeGroups
from fairage.exceptions import DataError
from fairage.faces_file import check_faces, read_faces, write_faces
from fairage.tables import Faces, attribute_names, group_labels, group_names, with_age_groups


def faces(**columns: object) -> pl.DataFrame:
    return pl.DataFrame({"image": ["a.jpg", "b.jpg"], "age": [20.0, 30.0], **columns})


@pytest.mark.parametrize(
    ("age", "expected", "shown"),
    [
        (None, "a number", "None"),
        (float("nan"), "a number", "nan"),
        (float("inf"), "a number", "inf"),
        (-0.5, r"years in 0\.\.120", r"-0\.5"),
        (120.5, r"years in 0\.\.120", r"120\.5"),
    ],
)
def test_a_wrong_age_is_named_with_row_and_column(
    age: float | None, expected: str, shown: str
) -> None:
    with pytest.raises(DataError, match=rf"column 'age': expected {expected}, .*row 2: {shown}\)"):
        check_faces(faces(age=[20.0, age]))


@pytest.mark.parametrize("age", ["thirty", "", " "])
def test_an_age_in_words_is_refused(age: str) -> None:
    with pytest.raises(DataError, match=r"column 'age': expected a number, .* in 1 row \(row 2: "):
        check_faces(faces(age=["20", age]))


def test_ages_written_as_text_become_numbers() -> None:
    assert check_faces(faces(age=[" 20", "30.5"]))["age"].to_list() == [20.0, 30.5]


@pytest.mark.parametrize("image", [None, "", "  "])
def test_a_row_without_an_image_is_refused(image: str | None) -> None:
    with pytest.raises(DataError, match=r"column 'image': expected a path or URL, .*row 2: "):
        check_faces(faces(image=["a.jpg", image]))


@pytest.mark.parametrize("split", ["validation", None, "Train"])
def test_an_unknown_split_is_refused(split: str | None) -> None:
    with pytest.raises(DataError, match=r"column 'split': expected one of \['train'.*row 2: "):
        check_faces(faces(split=["train", split]))


def test_splits_and_images_written_as_numbers_are_told_or_taken() -> None:
    with pytest.raises(DataError, match=r"column 'split': .*row 1: 0"):
        check_faces(faces(split=[0, 1]))
    assert check_faces(faces(image=[1, 2]))["image"].to_list() == ["1", "2"]


def test_missing_columns_and_rows_are_refused() -> None:
    with pytest.raises(DataError, match=r"add or rename \['age'\]"):
        check_faces(pl.DataFrame({"image": ["a"]}))
    with pytest.raises(DataError, match="at least one row"):
        check_faces(faces().clear())


@pytest.mark.parametrize("missing", [None, "", "  "])
def test_a_missing_attribute_is_the_group_unknown(missing: str | None) -> None:
    checked = check_faces(faces(gender=["female", missing]))
    assert checked["gender"].to_list() == ["female", "unknown"]


def test_true_and_false_are_groups() -> None:
    checked = check_faces(faces(glasses=[True, None]))
    assert group_labels(checked, "glasses").tolist() == ["true", "unknown"]


def test_attributes_are_the_text_columns_without_another_meaning() -> None:
    frame = faces(split=["train"] * 2, identity=["p", "q"], gender=["f", "m"], blur=[0.1, 0.2])
    assert attribute_names(frame) == ["gender"]


def test_an_unknown_attribute_names_the_known_ones() -> None:
    with pytest.raises(DataError, match=r"'ethnicity', got \['gender'\]"):
        group_labels(faces(gender=["f", "m"]), "ethnicity")


def test_age_groups_are_derived_from_the_true_age() -> None:
    frame = pl.DataFrame({"age": [0.0, 19.99, 20.0, 39.99, 40.0, 59.99, 60.0, 120.0]})
    expected = ["young", "young", "adult", "adult", "senior", "senior", "old", "old"]
    assert group_labels(frame, "age_group").tolist() == expected


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".tsv"])
def test_tables_survive_being_written_and_read(tmp_path: Path, suffix: str) -> None:
    frame = faces(split=["train", "test"], gender=["f", "m"])
    write_table(frame, tmp_path / f"t{suffix}")
    assert read_table(tmp_path / f"t{suffix}").equals(frame)
    assert [path.name for path in tmp_path.iterdir()] == [f"t{suffix}"]


@pytest.mark.parametrize("name", ["t.xlsx", "t"])
def test_other_kinds_of_files_are_not_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"\.parquet, \.csv, \.tsv"):
        write_table(faces(), tmp_path / name)


def test_a_missing_and_a_damaged_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got no file"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "bad.parquet").write_bytes(b"not parquet")
    with pytest.raises(DataError, match="expected a readable table"):
        read_table(tmp_path / "bad.parquet")


def test_relative_images_start_at_the_table_s_folder(tmp_path: Path) -> None:
    write_table(faces(image=["x/a.jpg", "https://h.org/b.jpg"]), tmp_path / "f.csv")
    found = read_faces(tmp_path / "f.csv")
    assert found.images == [str(tmp_path / "x" / "a.jpg"), "https://h.org/b.jpg"]


def test_wrong_rows_are_counted_and_shown_by_their_numbers_in_the_file(tmp_path: Path) -> None:
    lines = ["image,age", *(f"{i}.jpg,{-1 if i > 1 else 30}" for i in range(14))]
    (tmp_path / "f.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"in 12 rows \(row 4: -1, .*row 13: -1, \.\.\.\)"):
        read_faces(tmp_path / "f.csv")


def test_wrong_cells_are_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "faces.csv").write_text("image,age\na.jpg,-1\n")
    with pytest.raises(DataError, match=r"/faces\.csv: column 'age': .*row 2"):
        read_faces(tmp_path / "faces.csv")


def test_an_empty_split_names_those_that_are_there() -> None:
    table = Faces(check_faces(faces(split=["train", "train"])))
    assert len(table.split("train")) == 2
    with pytest.raises(DataError, match=r"got only \['train'\]"):
        table.split("test")
    with pytest.raises(DataError, match="expected a column 'split'"):
        Faces(faces()).split("train")


def test_rows_are_taken_by_mask_and_by_number() -> None:
    table = Faces(faces())
    assert table.rows(np.array([False, True])).images == table.rows(np.array([1])).images


@given(st.lists(st.floats(0, 120), min_size=1, max_size=20))
def test_checking_keeps_every_row_and_age(ages: list[float]) -> None:
    frame = pl.DataFrame({"image": [str(i) for i in range(len(ages))], "age": ages})
    checked = check_faces(frame)
    assert checked["age"].to_list() == ages
    assert check_faces(checked).equals(checked)


EDGES = AgeGroups.from_edges([0, 18, 65])


def test_age_groups_travel_in_a_parquet_file(tmp_path: Path) -> None:
    table = Faces(faces(age=[17.0, 70.0]), age_groups=EDGES)
    write_faces(table, tmp_path / "f.parquet")
    again = read_faces(tmp_path / "f.parquet")
    assert again.age_groups == EDGES
    assert group_labels(again.rows(np.array([1])).frame, "age_group").tolist() == ["65+"]
    assert "age_group" not in pl.read_parquet(tmp_path / "f.parquet").columns


def test_a_file_that_does_not_say_them_has_the_default_age_groups(tmp_path: Path) -> None:
    write_faces(Faces(faces(age=[17.0, 70.0]), age_groups=EDGES), tmp_path / "f.csv")
    assert read_faces(tmp_path / "f.csv").age_groups == AgeGroups()
    assert read_faces(tmp_path / "f.csv", EDGES).frame["age_group"].to_list() == ["0-18", "65+"]


def test_a_column_of_age_groups_in_a_file_is_replaced(tmp_path: Path) -> None:
    kind = pl.Enum(["low", "high"])
    frame = faces(age=[17.0, 70.0]).with_columns(pl.Series("age_group", ["low"] * 2, dtype=kind))
    frame.write_parquet(tmp_path / "f.parquet")
    assert read_faces(tmp_path / "f.parquet").frame["age_group"].to_list() == ["young", "old"]


def test_age_groups_of_faces_cannot_be_mistaken_for_others() -> None:
    table = Faces(faces(), age_groups=EDGES)
    with pytest.raises(DataError, match="hand over the age groups that they have"):
        Faces(table.frame)
    assert Faces(table.frame, age_groups=EDGES).frame.equals(table.frame)
    assert table.regrouped(AgeGroups()).age_groups == AgeGroups()


def test_all_age_groups_are_named_and_of_others_those_with_rows() -> None:
    table = Faces(faces(age=[17.0, 17.0], gender=["m", "m"]), age_groups=EDGES)
    assert group_names(table.frame, "age_group") == ["0-18", "18-65", "65+"]
    assert group_names(table.frame, "gender") == ["m"]


def test_age_groups_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    faces().write_parquet(tmp_path / "f.parquet", metadata={"fairage.age_groups": "?"})
    with pytest.raises(DataError, match="expected age groups with edges and names"):
        read_faces(tmp_path / "f.parquet")


def test_images_without_ages_are_faces_without_age_groups() -> None:
    assert Faces(pl.DataFrame({"image": ["a.jpg"]})).frame.columns == ["image"]


def test_what_is_no_age_is_in_no_age_group() -> None:
    frame = with_age_groups(pl.DataFrame({"age": [None, float("nan"), -1.0, 0.0]}), EDGES)
    assert frame["age_group"].to_list() == [None, None, None, "0-18"]
    assert group_labels(frame, "age_group").tolist() == [*["unknown"] * 3, "0-18"]


def test_codes_under_a_demographics_name_are_groups(tmp_path: Path) -> None:
    frame = faces(gender=[0, 1], race=[2.0, float("nan")], fold=[1, 2], skin_tone=[0.2, 0.7])
    frame.write_csv(tmp_path / "f.csv")
    table = read_faces(tmp_path / "f.csv")
    assert table.attributes == ["gender", "race"]
    assert group_labels(table.frame, "gender").tolist() == ["0", "1"]
    assert group_labels(table.frame, "race").tolist() == ["2", "unknown"]


def test_negative_codes_are_unknown_unless_they_are_one_of_two() -> None:
    assert check_faces(faces(gender=[-1, 0]))["gender"].to_list() == ["unknown", "0"]
    assert check_faces(faces(gender=[-1, 1]))["gender"].to_list() == ["-1", "1"]


def test_numbers_that_are_no_codes_are_no_attribute() -> None:
    many = [str(number) for number in range(13)]
    frame = pl.DataFrame({"image": many, "age": [30.0] * 13, "race": range(13)})
    assert "race" not in Faces(check_faces(frame)).attributes
    with_infinity = check_faces(faces(gender=[float("inf"), 1.0]))
    assert with_infinity["gender"].to_list() == ["unknown", "1"]


def test_ranges_hold_their_age() -> None:
    faces = pl.DataFrame({"image": ["a", "b", "c"], "age": [25.0, 75.0, 8.0]})
    ranges = {"age_low": [20, 70, None], "age_high": [30.0, None, 10.0]}
    checked = check_faces(faces.with_columns(**{k: pl.Series(v) for k, v in ranges.items()}))
    assert checked["age_low"].to_list() == [20.0, 70.0, 0.0]
    assert checked["age_high"].to_list() == [30.0, None, 10.0]
    for low, high in ((26.0, 30.0), (20.0, 24.0), (30.0, 20.0), (-1.0, 30.0)):
        wrong = faces.with_columns(age_low=pl.lit(low), age_high=pl.lit(high))
        with pytest.raises(DataError, match="'age_low': expected a range around the age"):
            check_faces(wrong.head(1))
