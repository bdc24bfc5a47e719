"""Attributes of a second table, joined by image."""

from pathlib import Path

import polars as pl
import pytest

from fairage import _table, audit
from fairage._table import Table
from fairage._tables_io import join_table, open_table
from fairage.exceptions import DataError


def table(**columns: object) -> Table:
    return open_table(columns)


def test_attributes_are_joined_by_image_in_the_order_of_the_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_table, "BATCH_ROWS", 2)
    rows = open_table(b"image,age\nc,3\n\na,1\nz,9\nc,4\n,5\n")
    attributes = table(image=["a", "b", "c", None], sex=["f", "m", "f", "x"], n=[1, 2, 3, 4])
    joined = join_table(rows, attributes, on=None)
    assert joined.columns == ("image", "age", "sex", "n")
    assert pl.concat(joined.batches(["image", "sex", "n"])).rows() == [
        ("c", "f", 3),
        ("a", "f", 1),
        ("z", None, None),
        ("c", "f", 3),
        (None, None, None),
    ]
    assert joined.notes == ("2 of 5 rows matched no row of 'table'.",)
    assert [joined.row_number(index) for index in range(3)] == [2, 4, 5]
    assert (joined.name, joined.rows) == (rows.name, 5)


def test_notes_of_both_tables_are_kept_and_a_whole_match_has_none() -> None:
    rows = open_table("image;name\na;André\n".encode("cp1252"))
    joined = join_table(rows, open_table(b"image,sex\na,f\n,\n"), on=None)
    assert joined.notes == ("Text was read as Windows-1252.", "1 empty row was left out.")


def test_ids_are_compared_as_text() -> None:
    rows = table(id=[12, 13], age=[1, 2])
    text = open_table(b"id,sex\n12,f\n 13 ,m\n")
    assert join_table(rows, text, on="id").scan.collect()["sex"].to_list() == ["f", "m"]
    floats = table(id=[12.0, 13.0], sex=["f", "m"])
    assert join_table(rows, floats, on="id").scan.collect()["sex"].to_list() == ["f", "m"]
    zeros = open_table(b"id,sex\n000012,f\n13,m\n")
    assert join_table(rows, zeros, on="id").scan.collect()["sex"].to_list() == [None, "m"]


@pytest.mark.parametrize(
    ("own", "other", "on"),
    [
        ("image", "image", None),
        ("Filename", "filename", None),
        ("path", "file", None),
        ("face", "face", "face"),
    ],
)
def test_the_column_of_images_is_recognised(own: str, other: str, on: str | None) -> None:
    joined = join_table(table(**{own: ["a"], "x": [1]}), table(**{other: ["a"], "y": [2]}), on=on)
    assert joined.columns == (own, "x", "y")
    assert joined.scan.collect().row(0) == ("a", 1, 2)


def test_a_column_that_is_not_there_or_not_clear_is_an_error() -> None:
    rows, attributes = table(image=["a"], age=[1]), table(person=["a"], sex=["f"])
    with pytest.raises(DataError, match="expected a column of images in both"):
        join_table(rows, attributes, on=None)
    with pytest.raises(DataError, match=r"the column 'person' in 'table', got \['image', 'age'\]"):
        join_table(rows, attributes, on="person")
    two = table(file=["a"], name=["b"], sex=["f"])
    with pytest.raises(DataError, match="expected a column of images in both"):
        join_table(table(img=["a"]), two, on=None)


def test_names_of_files_match_where_whole_paths_match_nowhere() -> None:
    rows = table(image=["x/1.jpg", "y\\2.jpg", "3.jpg"], age=[1, 2, 3])
    attributes = table(image=["/data/2.jpg", "/data/1.jpg"], sex=["m", "f"])
    joined = join_table(rows, attributes, on=None)
    assert joined.scan.collect()["sex"].to_list() == ["f", "m", None]
    assert joined.notes[0] == "Images were matched with 'table' by the file's name alone."
    whole = table(image=["x/1.jpg", "/data/2.jpg"], sex=["m", "f"])
    assert join_table(rows, whole, on=None).scan.collect()["sex"].to_list() == ["m", None, None]


def test_names_of_files_that_fit_several_images_are_an_error() -> None:
    rows = table(image=["x/1.jpg", "y/1.jpg", "x/1.jpg"], age=[1, 2, 3])
    with pytest.raises(DataError, match=r"'x/1.jpg', 'y/1.jpg', whose files are named alike"):
        join_table(rows, table(image=["1.jpg"], sex=["f"]), on=None)
    with pytest.raises(DataError, match=r"got 1 more than once, such as '1.jpg'"):
        join_table(
            table(image=["1.jpg"], age=[1]), table(image=["a/1.jpg", "b/1.jpg"], sex=["f", "m"])
        )


def test_an_image_twice_is_an_error_with_the_rows_of_the_file() -> None:
    attributes = open_table(b"image,sex\na,f\nb,m\n\na,m\n")
    with pytest.raises(DataError, match=r"got 1 more than once, such as 'a' \(rows 2, 5\)"):
        join_table(table(image=["a"], age=[1]), attributes, on=None)


def test_columns_in_both_tables_and_images_that_match_nothing_are_errors() -> None:
    rows = table(image=["a"], age=[1], sex=["f"])
    with pytest.raises(DataError, match=r"got \['age', 'sex'\] in 'table' and in 'table'"):
        join_table(rows, table(image=["a"], age=[1], sex=["f"]), on=None)
    with pytest.raises(DataError, match="got none: 'a' there, 'q', 'r' here"):
        join_table(rows, table(image=["q", "r"], x=[1, 2]), on=None)


def test_an_error_on_joined_tables_names_both_files(tmp_path: Path) -> None:
    (tmp_path / "ages.csv").write_text("image,prediction\na.jpg,31\n")
    (tmp_path / "faces.csv").write_text("image,age\na.jpg,-1\n")
    with pytest.raises(DataError, match=r"^ages\.csv and faces\.csv: column 'age'"):
        audit(tmp_path / "ages.csv", join=tmp_path / "faces.csv")
