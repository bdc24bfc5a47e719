"""What a faces table does not allow, in sentences."""

import polars as pl
import pytest

from fairage.datasets.table_warnings import leak_warnings, table_warnings

SPLITS = ["train"] * 100 + ["valid"] * 60 + ["test"] * 60
N = len(SPLITS)


def table(**columns: list[object]) -> pl.DataFrame:
    """A table in which nothing is wrong but for these columns: groups of 30 and more a split."""
    own = {
        "image": [f"{n}.jpg" for n in range(N)],
        "age": [8.0, 30.0] * (N // 2),
        "split": SPLITS,
        "gender": ["f", "f", "m", "m"] * (N // 4),
    }
    return pl.DataFrame({**own, **columns}, strict=False)


def warned(frame: pl.DataFrame, **options: object) -> tuple[str, ...]:
    return table_warnings(frame, **{"min_rows": 30, **options})  # type: ignore[arg-type]  # by name


def pictures(**same: int) -> list[int]:
    return [same.get(f"n{n}", n) for n in range(N)]


def test_nothing_is_said_of_a_sound_table() -> None:
    assert warned(table()) == ()
    assert leak_warnings(table(), pictures()) == ()
    assert warned(table(identity=[f"{n}" for n in range(N)])) == ()


def test_small_and_empty_splits_are_told() -> None:
    few = table().filter(pl.col("split") != "test")
    few = pl.concat([few, table().tail(3)])
    assert warned(few)[0].startswith("Only 3 faces are in the split 'test': errors and biases")
    none = warned(table().filter(pl.col("split") != "valid"))
    assert none[0].startswith("No face is in the split 'valid': the choice of the epoch")
    assert any(
        line.startswith("No validation face is of gender f (30) and m (30)") for line in none
    )


def test_ages_that_are_all_equal_are_told() -> None:
    ages = [8.0, 30.0] * 50 + [40.0] * 60 + [8.0, 30.0] * 30
    assert "All 60 validation faces have the age 40: nothing about" in " ".join(
        warned(table(age=ages))
    )


def test_groups_that_a_split_lacks_are_told() -> None:
    gender = ["f"] * 100 + ["f", "m"] * 60
    (line,) = warned(table(gender=gender))
    assert line == (
        "No training face is of gender m (60), other splits have some: no model learns from them."
    )
    gender = ["f", "m"] * 50 + ["f"] * 60 + ["f", "m"] * 30
    (line,) = warned(table(gender=gender))
    assert line.startswith("No validation face is of gender m (30), the test faces have some: ")
    gender = ["f", "m", "unknown"] + ["f", "m"] * 78 + ["f"] + ["f", "m"] * 30
    assert warned(table(gender=gender)) == ()


def test_groups_too_small_for_a_verdict_are_told_with_their_sizes() -> None:
    gender = ["f", "f", "m", "m"] * 40 + ["f"] * 30 + ["m"] * 29 + ["x"]
    told = warned(table(gender=gender))
    assert told[0].startswith("No training face is of gender x (1)")
    assert told[-1] == (
        "No bias of gender can be measured, as fewer than two groups have 30 test faces: f (30), "
        "m (29) and x (1)."
    )
    assert warned(table(gender=gender), min_rows=20)[-1] == (
        "Too few faces for a verdict on gender x (1): a group needs 20 test faces to take part in "
        "biases."
    )


def test_persons_are_counted_where_they_are_known() -> None:
    persons = [f"{n // 2}" for n in range(N)]
    (line,) = warned(table(identity=persons))
    assert "fewer than two groups have 30 test persons: f (15) and m (15)" in line
    assert warned(table(identity=persons), min_rows=15) == ()
    assert warned(table(identity=["unknown"] * N)) == ()


def test_a_search_measures_on_validation_and_has_no_test_faces() -> None:
    frame = table().filter(pl.col("split") != "test")
    assert warned(frame, splits=("train", "valid")) == ()
    told = warned(frame, splits=("train", "valid"), min_rows=31)
    assert told[0].startswith("No bias of gender can be measured, as fewer than two groups have 31")
    assert "31 validation faces" in told[0]


def test_spellings_of_one_group_and_columns_that_are_no_attributes_are_told() -> None:
    spelled = ["f", "Female", "m", "m"] * (N // 4)
    assert warned(table(gender=spelled), min_rows=10) == (
        "Groups of gender look like spellings of one and are counted apart: 'Female' and 'f'.",
    )
    told = warned(table(photo=[f"p{n // 2}" for n in range(N)]), min_rows=2)
    assert told[0].startswith("The column 'photo' has 110 groups: leave it out of the faces table")
    assert any("more" in line and len(line) < 300 for line in told[1:])


def test_a_placeholder_of_persons_is_told() -> None:
    assert warned(table(identity=["0"] * N))[0].startswith("The identity '0' has 220 of 220 rows")


def test_a_picture_in_several_splits_is_told_with_the_first_of_them() -> None:
    (line,) = leak_warnings(table(), pictures(n1=2, n120=0, n219=0))
    assert line.startswith(
        "1 picture is in several splits (first: train '0.jpg', valid '120.jpg'): errors on such"
    )
    (line,) = leak_warnings(table(), pictures(n120=0, n219=160, n218=4))
    assert line.startswith("2 pictures are in several splits")


def test_pictures_of_extra_faces_that_are_measured_on_are_told() -> None:
    (line,) = leak_warnings(table(), pictures(), [[0, 1, 219], [500]])
    assert line.startswith("1 picture of the validation and test faces is among the extra faces")


@pytest.mark.parametrize(("missing", "persons"), [("unknown", 0), ("ann", 1)])
def test_a_person_in_several_splits_is_told(missing: str, persons: int) -> None:
    identity = [missing if n in (0, 219) else f"{n}" for n in range(N)]
    found = leak_warnings(table(identity=identity), pictures())
    assert len(found) == persons
    if persons:
        assert found[0].startswith("1 person has faces in several splits (first: 'ann' in train")
