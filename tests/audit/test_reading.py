"""Tables as people send them: separators, marks, batches, broken files."""

import io
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage.age_groups import AgeGroups
from fairage.audit import reading
from fairage.audit.columns import find_columns
from fairage.audit.reading import open_bytes, open_frame, open_table
from fairage.audit.rows import read_rows
from fairage.exceptions import FairageError

CSV = "image,age,prediction,gender\na.jpg,20,21.5,f\nb.jpg,30,28,m\n"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_and_byte_order_marks_are_understood(separator: str, encoding: str) -> None:
    table = open_bytes(CSV.replace(",", separator).encode(encoding), "table")
    assert table.columns == ("image", "age", "prediction", "gender")
    assert table.rows == 2


def test_semicolons_and_decimal_commas_go_together() -> None:
    content = "\ufeffage;prediction;sex\n20,5;21;f\n30;28,25;m\n".encode()
    table = open_bytes(content, "german.csv")
    rows = read_rows(table, find_columns(table), AgeGroups())
    assert rows.ages.tolist() == [20.5, 30]
    assert rows.models["prediction"].signed.tolist() == [0.5, -1.75]
    assert rows.report.decimal_commas


def test_excels_own_first_line_and_spaces_around_names_are_understood() -> None:
    table = open_bytes(b"sep=;\r\n age ; prediction;sex\r\n20;21;f\r\n", "excel.csv")
    assert table.columns == ("age", "prediction", "sex")
    assert table.rows == 1
    assert open_bytes(b"age, age\n1,2\n", "twice.csv").columns == ("age", " age")


def test_parquet_is_known_by_its_content(tmp_path: Path) -> None:
    pl.DataFrame({"age": [1.0]}).write_parquet(tmp_path / "no_suffix")
    assert open_table(tmp_path / "no_suffix").columns == ("age",)
    buffer = io.BytesIO()
    pl.DataFrame({"age": [1.0]}).write_parquet(buffer)
    assert open_bytes(buffer.getvalue(), "stdin").rows == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty file"),
        (b"  \n \n", "empty file"),
        (b"age,prediction\n", "at least one row"),
        (b"PAR1 but not really", "write the file again"),
        ("age,pr\u00e9diction\n1,2\n".encode("latin-1"), "save it as UTF-8"),
        (b"age,prediction\n1,2,3,4\n", "write the file again"),
        (b"PK\x03\x04 and so on", "save it as CSV"),
    ],
)
def test_broken_files_are_an_error_that_says_so(content: bytes, words: str) -> None:
    with pytest.raises(FairageError, match=words):
        open_bytes(content, "broken.csv")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FairageError, match="no file"):
        open_table(tmp_path / "none.csv")


def test_batches_give_the_rows_that_the_whole_gives(
    predictions_frame: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.parquet"
    predictions_frame.write_parquet(path)
    whole = open_frame(predictions_frame)
    expected = read_rows(whole, find_columns(whole), AgeGroups())
    monkeypatch.setattr(reading, "BATCH_ROWS", 37)
    table = open_table(path)
    found = read_rows(table, find_columns(table), AgeGroups())
    assert found.ages.tolist() == expected.ages.tolist()
    for name, groups in expected.attributes.items():
        assert found.attributes[name].names == groups.names
        assert found.attributes[name].codes.tolist() == groups.codes.tolist()


cells = st.one_of(
    st.floats(allow_nan=True).map(str),
    st.integers(-5, 2000).map(str),
    st.sampled_from(["20-29", "70+", "20,5", "", "NA", "inf", "old", '"', "\ufeff", "\x00", "a;b"]),
    st.text(max_size=6),
)


@settings(max_examples=150, deadline=None)
@given(
    header=st.sampled_from(
        ["age,prediction,sex", "age;prediction;sex", "\ufeffage\tprediction\tsex"]
    ),
    rows=st.lists(st.lists(cells, min_size=1, max_size=4), max_size=6),
    separator=st.sampled_from([",", ";", "\t"]),
)
def test_any_text_gives_rows_or_one_line_of_error(
    header: str, rows: list[list[str]], separator: str
) -> None:
    text = "\n".join([header, *(separator.join(row) for row in rows)])
    content = text.encode(errors="ignore")
    with suppress(FairageError):
        table = open_bytes(content, "fuzz.csv")
        found = read_rows(table, find_columns(table), AgeGroups())
        assert 1 <= len(found) <= table.rows


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_give_a_table_or_an_error(content: bytes) -> None:
    with suppress(FairageError):
        assert open_bytes(content, "fuzz").rows >= 1
