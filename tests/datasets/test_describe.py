"""Supports and ages of a faces table."""

import json

import polars as pl
import pytest

from fairage.age_groups import AgeGroups
from fairage.datasets import describe_faces
from fairage.faces_file import check_faces
from fairage.tables import Faces


def test_a_column_that_seems_to_be_an_attribute_and_is_none_is_told() -> None:
    frame = pl.DataFrame({"image": ["a", "b"], "age": [8.0, 9.0], "skin_tone": [0.2, 0.7]})
    (told,) = describe_faces(Faces(frame)).warnings
    assert told.startswith("The column 'skin_tone' is not used: it holds numbers that are no codes")


def test_supports_add_up_in_every_attribute(faces_frame: pl.DataFrame) -> None:
    told = describe_faces(Faces(faces_frame))
    assert [summary.split for summary in told.ages] == ["train", "valid", "test", "all"]
    for attribute in ("gender", "ethnicity", "expression", "age_group"):
        groups = [each for each in told.groups if each.attribute == attribute]
        for summary in told.ages:
            assert sum(each.rows[summary.split] for each in groups) == summary.rows
    female = next(each for each in told.groups if each.group == "female")
    rows = faces_frame.filter(pl.col("gender") == "female")
    assert female.rows["all"] == rows.height
    assert female.mean_age == pytest.approx(rows["age"].mean())


def test_missing_values_are_a_group_and_empty_age_groups_are_shown() -> None:
    frame = pl.DataFrame({"image": ["a", "b"], "age": [5.0, 7.0], "gender": [None, "male"]})
    told = describe_faces(Faces(check_faces(frame), age_groups=AgeGroups.from_edges([0, 18])))
    assert [(each.group, each.rows["all"], each.mean_age) for each in told.groups] == [
        ("male", 1, 7.0),
        ("unknown", 1, 5.0),
        ("0-18", 2, 6.0),
        ("18+", 0, None),
    ]
    json.dumps(told.to_dict(), allow_nan=False)


def test_one_row_has_ages() -> None:
    summary = describe_faces(Faces(pl.DataFrame({"image": ["a"], "age": [5.0]}))).ages[0]
    assert (summary.rows, summary.mean, summary.sd, summary.median) == (1, 5.0, 0.0, 5.0)
