"""Table files as people send them: delimiters, encodings, packed and broken ones."""

import gzip
import io
import json
import random
import tracemalloc
import zipfile
from contextlib import suppress

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage._table_formats import contents, read_bytes
from fairage._tables_io import open_table
from fairage.exceptions import DataError, FairageError

CSV = "image,age,gender\na.jpg,20,f\nb.jpg,30,m\n"
ROWS = [("a.jpg", "20", "f"), ("b.jpg", "30", "m")]


def rows(content: bytes | str) -> list[tuple[object, ...]]:
    content = content.encode() if isinstance(content, str) else content
    return open_table(content).scan.collect().rows()


def rows_of_batches(content: bytes) -> int:
    """Read the whole table as programs do, and say how many rows it has."""
    table = open_table(content)
    for batch in table.batches(list(table.columns)):
        assert batch.width == len(table.columns)
    assert table.row_number(table.rows - 1) >= table.rows
    return table.rows


def zipped(**files: bytes | str) -> bytes:
    """A zip of files; `__` stands for the dot in their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_delimiters_and_encodings_are_understood(delimiter: str, encoding: str) -> None:
    table = open_table(CSV.replace(",", delimiter).encode(encoding))
    assert table.columns == ("image", "age", "gender")
    assert table.scan.collect().rows() == ROWS
    assert table.notes == ()


@pytest.mark.parametrize(
    ("text", "columns", "cells"),
    [
        ('"age, years";id\n31,5;1\n', ("age, years", "id"), ("31,5", "1")),
        ("age, years;score, raw\n31,5;2,5\n", ("age, years", "score, raw"), ("31,5", "2,5")),
        ("id;age\n000012;31,5\n", ("id", "age"), ("000012", "31,5")),
        ("age\n31\n", ("age",), ("31",)),
        ("age\n31,5\n", ("age",), ("31,5",)),
        ("age, in years\n31\n", ("age, in years",), ("31",)),
        ("sep=;\r\na,b;c\r\n1,5;2\r\n", ("a,b", "c"), ("1,5", "2")),
        ("sep=:\na:b\n1,5:2;3\n", ("a", "b"), ("1,5", "2;3")),
        (" age ; sex\n20;f\n", ("age", "sex"), ("20", "f")),
        ('a,b\n5" tall,2\n', ("a", "b"), ('5" tall', "2")),
        ('a,b\n"say ""no""",2\n', ("a", "b"), ('say "no"', "2")),
        ("#a,b\n#1,2\n", ("#a", "b"), ("#1", "2")),
        ("a,b\r1,2\r", ("a", "b"), ("1", "2")),
    ],
)
def test_the_delimiter_is_chosen_sensibly_and_cells_stay_text(
    text: str, columns: tuple[str, ...], cells: tuple[str, ...]
) -> None:
    table = open_table(text.encode())
    assert table.columns == columns
    assert table.scan.collect().rows() == [cells]


def test_text_in_the_encodings_of_old_windows_is_read_with_a_note() -> None:
    table = open_table("name;age\nAndré “x”;3\n".encode("cp1252"))
    assert table.scan.collect().row(0) == ("André “x”", "3")
    assert table.notes == ("Text was read as Windows-1252.",)
    latin = open_table(b"name;age\nAndr\xe9\x81;3\n")
    assert latin.scan.collect()["name"].to_list() == ["André\x81"]
    assert latin.notes == ("Text was read as Latin-1.",)


def test_rows_are_numbered_as_in_the_file() -> None:
    text = 'image,age\n"a\nb",1\n\nc,2\n  \n,\nd,3\n\n'
    table = open_table(text.encode())
    assert table.scan.collect()["image"].to_list() == ["a\nb", "c", "d"]
    assert [table.row_number(index) for index in range(3)] == [2, 4, 7]
    assert table.notes == ("1 empty row was left out.",)
    late = open_table(b"\n\nage,sex\n\n31,f\n")
    assert (late.first_row, late.row_number(0)) == (5, 5)
    assert open_table(b"sep=;\nage;sex\n31;f\n").first_row == 3


def test_ragged_rows_are_counted_and_named() -> None:
    text = "a,b,c\n1,2,3\n1,2\n\n1,2,3,4\n" + "1\n" * 12
    with pytest.raises(DataError, match="expected 3 cells") as error:
        rows(text)
    assert "others in 14: row 3 has 2, row 5 has 4, row 6 has 1," in str(error.value)
    assert str(error.value).count(" has ") == 10
    assert "and 4 more" in str(error.value)
    assert rows('a,b\n"1,2",3\n') == [("1,2", "3")]


@pytest.mark.parametrize(
    ("text", "row"), [('a,b\n1,2\n"x,2\n', 3), ('a,b\n"x\ny",1\n"x"y,2\n"z",3\n', 3)]
)
def test_a_quote_that_is_not_closed_names_its_row(text: str, row: int) -> None:
    with pytest.raises(DataError, match=f"row {row} of"):
        rows(text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("age,sex,age\n1,f,2\n", "expected each column once, got 'age' more than once"),
        ("age,sex, age\n1,f,2\n", "got 'age' more than once"),
        ("age,sex\n1,\0f\n", "a NUL byte in row 2"),
        ("age,sex\n", "at least one row"),
        ("", "an empty file"),
        ('""', "at least one row"),
        (" \n\n", "an empty file"),
        ("\ufeff", "an empty file"),
        ("a,b\n\t\n,\n", "at least one row"),
        ("<!DOCTYPE html><html></html>", "a web page"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        ("age,name\n1,héé\n2,h\udce9\n", "UTF-8 text is broken in row 3"),
        ("\ufeffage,name\n1,h\udce9\n", "text is broken"),
    ],
)
def test_what_is_no_table_is_an_error_that_says_why(content: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        rows(content.encode(errors="surrogateescape"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(range(1, 256))])
def test_pictures_and_other_bytes_are_no_table(content: bytes) -> None:
    with pytest.raises(DataError, match=r"no text|NUL byte"):
        rows(content)


def test_columns_without_a_name_are_called_by_their_place_or_left_out() -> None:
    table = open_table(b",age,\n0,31,\n1,30,\n")
    assert table.columns == ("column_1", "age")
    assert open_table(b"column_2,\n1,2\n").columns == ("column_2", "column_2_")


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


@settings(max_examples=100)
@given(cells=st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=5))
def test_any_text_that_is_written_as_csv_is_read_back(cells: list[tuple[str, str, str]]) -> None:
    frame = pl.DataFrame(cells, schema=["a", "b", "c"], orient="row")
    buffer = io.BytesIO()
    frame.write_csv(buffer, quote_style="always")
    expected = [row for row in cells if any(row)]
    if not expected:
        return
    found = [tuple(cell or "" for cell in row) for row in rows(buffer.getvalue())]
    assert found == [tuple(_unescaped(cell) for cell in row) for row in expected]


def _unescaped(cell: str) -> str:
    stripped = cell.lstrip("'")
    return cell[1:] if stripped != cell and stripped[:1] in tuple("=+-@\t\r") else cell


@pytest.mark.parametrize("content", [CSV.encode(), parquet(pl.DataFrame(ROWS, orient="row"))])
def test_packed_tables_are_unpacked_by_their_content(content: bytes) -> None:
    assert rows(gzip.compress(content)) == ROWS
    assert rows(zipped(faces=content)) == ROWS
    assert rows(zipped(table__csv=content, README__md="x", __MACOSX="x")) == ROWS
    assert rows(gzip.compress(zipped(faces=gzip.compress(content)))) == ROWS


def test_a_zip_must_hold_one_table() -> None:
    with pytest.raises(DataError, match=r"got 2: 'a.csv', 'b.csv'"):
        rows(zipped(a__csv=CSV, b__csv=CSV, c__txt__md=""))
    with pytest.raises(DataError, match="nothing in it"):
        rows(zipped())


def test_a_file_without_a_name_in_a_zip_is_no_table() -> None:
    archive = zipped(ab=CSV).replace(b"ab", b"\0b")
    with pytest.raises(DataError, match="nothing in it"):
        rows(archive)


def test_unpacking_takes_no_more_memory_than_the_table() -> None:
    packed = gzip.compress(CSV.encode())
    tracemalloc.start()
    try:
        assert rows(packed) == ROWS
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


def test_packed_files_that_cannot_be_unpacked_are_one_line_of_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive = bytearray(zipped(a__csv=CSV * 50))
    for content in (archive[:-30], gzip.compress(CSV.encode() * 50)[:-12], b"\x1f\x8b\x08"):
        with pytest.raises(DataError, match="expected a readable table"):
            rows(bytes(content))
    directory = archive.rindex(b"PK\x01\x02")
    for flags in (6, directory + 8):
        archive[flags] |= 1
    with pytest.raises(DataError, match="encrypted"):
        rows(bytes(archive))
    monkeypatch.setattr(contents, "MOST_BYTES", len(CSV))
    for small, large in (
        (gzip.compress(CSV.encode()), gzip.compress(CSV.encode() * 2)),
        (zipped(a=CSV), zipped(a=CSV * 2)),
    ):
        assert rows(small) == ROWS
        with pytest.raises(DataError, match="unpacks to more than"):
            rows(large)


def test_a_file_that_is_packed_too_often_is_refused() -> None:
    content = CSV.encode()
    for _ in range(5):
        content = gzip.compress(content)
    with pytest.raises(DataError, match="packed too often"):
        rows(content)


def test_parquet_that_is_broken_is_one_line_of_error() -> None:
    frame = pl.DataFrame({"age": range(1000)})
    content = parquet(frame)
    for broken in (b"PAR1", content[:-5], content[:200], b"PAR1" + b"\0" * 100):
        with pytest.raises(DataError, match="expected a readable table, got 'table'") as error:
            rows(broken)
        assert "\n" not in str(error.value)
    with pytest.raises(DataError, match="at least one row"):
        rows(parquet(frame.clear()))
    with pytest.raises(DataError, match="is no Parquet file, as its name says"):
        read_bytes(CSV.encode(), "faces.parquet")


def test_damage_within_parquet_is_an_error_where_it_is_read() -> None:
    content = bytearray(parquet(pl.DataFrame({"age": [str(x) for x in range(5000)]})))
    content[20:200] = bytes(180)
    with pytest.raises(DataError, match="expected a readable table"):
        rows_of_batches(bytes(content))


def test_bytes_are_text_and_nested_columns_stand_side_by_side() -> None:
    frame = pl.DataFrame({"image": [b"a.jpg"], "age": [{"range": {"Low": 3, "High": 8}}]})
    table = open_table(parquet(frame))
    assert table.columns == ("image", "age.range.Low", "age.range.High")
    assert table.scan.collect().row(0) == ("a.jpg", 3, 8)
    twice = pl.DataFrame({"a": [{"b": 1}], "a.b": [2]})
    with pytest.raises(DataError, match=r"\['a.b'\]"):
        open_table(parquet(twice))


def _formats() -> dict[str, bytes]:
    frame = pl.DataFrame(
        {
            "image": [f'é "{row}", x.jpg' for row in range(40)],
            "age": [row / 2 for row in range(40)],
            "sex": ["f", "m"] * 20,
        }
    )
    csv = frame.write_csv().encode()
    sheet = io.BytesIO()
    frame.write_excel(sheet)
    nested = {"results": [{"face": {"age": [row["age"]]}, **row} for row in frame.to_dicts()]}
    return {
        "csv": csv,
        "utf16": frame.write_csv(separator="\t").encode("utf-16"),
        "cp1252": frame.write_csv(separator=";").encode("cp1252"),
        "parquet": parquet(frame),
        "gzip": gzip.compress(csv),
        "zip": zipped(a__csv=csv),
        "zipped_parquet": zipped(a__parquet=parquet(frame)),
        "excel": sheet.getvalue(),
        "json": json.dumps(nested).encode(),
        "json_lines": frame.write_ndjson().encode(),
    }


FORMATS = _formats()


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_give_a_table_or_one_line_of_error(name: str) -> None:
    generator = random.Random(name)
    whole = FORMATS[name]
    assert rows_of_batches(whole) == 40
    messages = []
    for attempt in range(20):
        content = bytearray(whole)
        if attempt % 3 == 0:
            content = content[: generator.randrange(len(content))]
        for _ in range(attempt % 4 if attempt % 3 == 0 else 1 + attempt % 4):
            if content:
                content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        try:
            assert rows_of_batches(bytes(content)) > 0
        except FairageError as error:
            messages.append(str(error))
    assert messages  # files cut short are no tables, or none that is whole
    assert not any("\n" in message for message in messages)


@settings(max_examples=200)
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.text("ab,;\t|\"\n\r '=1.5{}[]:^*$x-", max_size=60).map(str.encode),
    )
)
def test_any_bytes_give_a_table_or_an_error(content: bytes) -> None:
    with suppress(FairageError):
        assert rows_of_batches(content) > 0
