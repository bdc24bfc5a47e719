"""Tables in JSON, as face libraries and other programs write them."""

import json

import pytest

from fairage._table import Table
from fairage._tables_io import open_table
from fairage.exceptions import DataError


def table_of(value: object) -> Table:
    text = value if isinstance(value, str) else json.dumps(value)
    return open_table(text.encode())


def dicts(value: object) -> list[dict[str, object]]:
    return table_of(value).scan.collect().to_dicts()


TWO = [{"age": 31, "sex": "f"}, {"age": 30, "sex": "m"}]


@pytest.mark.parametrize(
    "value",
    [
        TWO,
        {"results": TWO},
        {"data": {"faces": TWO}},
        {"age": [31, 30], "sex": ["f", "m"]},
        {"age": {"0": 31, "1": 30}, "sex": {"0": "f", "1": "m"}},
        [[TWO[0]], [TWO[1]]],
        '{"age": 31, "sex": "f"}\n{"age": 30, "sex": "m"}\n',
        '\ufeff{"age": 31, "sex": "f"}\r\n\r\n{"age": 30, "sex": "m"}',
    ],
)
def test_each_form_of_a_table_is_understood(value: object) -> None:
    assert dicts(value) == TWO


def test_what_face_libraries_write_is_flattened() -> None:
    deepface = [
        {
            "age": 31,
            "gender": {"Man": 99.1, "Woman": 0.9},
            "dominant_gender": "Man",
            "region": {"x": 1, "left_eye": [3, 4]},
        }
    ]
    assert dicts(deepface) == [
        {
            "age": 31,
            "gender.Man": 99.1,
            "gender.Woman": 0.9,
            "dominant_gender": "Man",
            "region.x": 1,
            "region.left_eye": "[3, 4]",
        }
    ]
    rekognition = [
        {"image": "a", "FaceDetails": [{"AgeRange": {"Low": 20, "High": 28}}]},
        {"image": "b", "FaceDetails": []},
    ]
    assert dicts(rekognition) == [
        {"image": "a", "FaceDetails.AgeRange.Low": 20, "FaceDetails.AgeRange.High": 28},
        {"image": "b", "FaceDetails.AgeRange.Low": None, "FaceDetails.AgeRange.High": None},
    ]


def test_rows_with_several_faces_are_counted() -> None:
    faces = [{"image": "a", "faces": [{"age": 1}, {"age": 2}]}, {"image": "b", "faces": None}]
    table = table_of(faces)
    assert table.notes == ("'faces' holds several objects in 1 of 2 rows; there it is text.",)
    assert table.scan.collect()["faces"].to_list() == ['[{"age": 1}, {"age": 2}]', None]


def test_what_was_left_out_is_noted() -> None:
    assert table_of({"model": "m", "results": TWO}).notes == (
        "Only 'results' was read, not 'model'.",
    )
    by_image = table_of({"a.jpg": TWO[0], "b.jpg": TWO[1]})
    assert by_image.columns == ("image", "age", "sex")
    assert "names of the objects" in by_image.notes[0]


def test_a_line_of_json_is_a_row_even_alone() -> None:
    assert dicts('{"age": 31, "box": [1, 2]}') == [{"age": 31, "box": "[1, 2]"}]


def test_types_are_those_of_json() -> None:
    text = '[{"a": 1, "b": NaN, "c": true, "d": "007", "e": 1, "f": 36893488147419103232},'
    text += ' {"a": 2, "b": Infinity, "c": null, "d": "1", "e": "x", "f": 1}]'
    frame = table_of(text).scan.collect()
    assert frame.rows() == [
        (1, None, True, "007", "1", "36893488147419103232"),
        (2, float("inf"), None, "1", "x", "1"),
    ]


def test_lines_are_numbered_as_in_the_file() -> None:
    table = table_of('{"a": 1}\n\n{"a": 2}\n{"a": 3}\n')
    assert [table.row_number(index) for index in range(3)] == [1, 3, 4]
    assert table_of(TWO).row_number(1) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1},\n {"a": ,}]', "line 2, column 8"),
        ('{"a": 1}\n{"a": 2', "line 2, column 8"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "nested too deeply"),
        ('[{"a":' + '{"a":' * 30 + "1" + "}" * 31 + "]", "nested at most 20 deep"),
        ('[{"a": 1, "a": 2}]', r"got \['a'\] more than once"),
        ('{"a": 1, "a": 2}\n{"a": 2}', r"got \['a'\] more than once"),
        ('[{"a.b": 1, "a": {"b": 2}}]', "'a.b' more than once"),
        ("[1, 2]", "got 1 in row 1"),
        ('[[{"a": 1}, {"a": 2}]]', "got a list of 2 in row 1"),
        ('{"a": [1, 2], "b": [1]}', "columns of one length"),
        ('{"a": [{"x": 1}], "b": [{"x": 1}]}', r"got \['a', 'b'\]"),
        ("[]", "at least one row"),
        ("{}", "an array of objects"),
        ('[{"a": ' + "9" * 5000 + "}]", "thousands of digits"),
        ("[" + ",".join(f'{{"{n}": 1}}' for n in range(10_001)) + "]", "at most 10,000 columns"),
    ],
)
def test_what_is_no_table_is_an_error_that_says_where(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        table_of(text)
    assert "\n" not in str(error.value)


def test_half_of_a_character_is_no_crash() -> None:
    assert dicts('[{"a": "\\ud800", "b": 1}]') == [{"a": "?", "b": 1}]
    assert dicts('[{"\\ud800": 1}]') == [{"?": 1}]
    with pytest.raises(DataError, match=r"more than one occurrence|more than once"):
        table_of('[{"\\ud800": 1, "\\ud801": 2}]')


def test_brackets_begin_json_only_where_json_follows() -> None:
    assert open_table(b"[image],[age]\na.jpg,31\n").columns == ("[image]", "[age]")
