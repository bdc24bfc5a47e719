"""Reading and writing tables: names of files, standard input, types, formulas, batches."""

import gzip
import io
import os
import sys
import threading
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage import _table
from fairage._tables_io import open_table, read_table, write_table
from fairage.exceptions import DataError
from fairage.faces_file import read_faces

NAMES = [
    "a[1].csv",
    "*.csv",
    "what?.csv",
    "~",
    "~root",
    "two words.csv",
    "-.csv",
    "a{b}.csv",
    "'.csv",
]
FRAME = pl.DataFrame({"image": ["a.jpg", "b.jpg"], "age": [20.5, 30.0], "sex": ["f", None]})


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".tsv"])
@pytest.mark.parametrize("name", NAMES)
def test_names_are_names_not_patterns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, suffix: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for decoy in ("a1.csv", "what!.csv", "b.csv"):
        write_table(FRAME.head(1), decoy.replace(".csv", f".csv{suffix}"))
    before = set(tmp_path.iterdir())
    for path in (Path(name + suffix), tmp_path / f"folder {name}" / (name + suffix)):
        write_table(FRAME, path)
        assert read_table(path).equals(FRAME)
        assert open_table(str(path)).name == name + suffix
        assert list(path.parent.glob("*.partial*")) == []
    assert {path.name for path in set(tmp_path.iterdir()) - before} == {
        name + suffix,
        f"folder {name}",
    }


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_names_that_are_no_unicode_are_read_and_shown(tmp_path: Path, suffix: str) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/f\xe9" + suffix.encode()))
    write_table(FRAME, path)
    table = open_table(path)
    assert (table.name, table.rows) == (f"f\ufffd{suffix}", 2)
    assert read_table(path).equals(FRAME)
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="f\ufffd") as error:
        open_table(path)
    str(error.value).encode()


def test_parquet_stays_on_disk_and_is_read_in_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_table, "BATCH_ROWS", 3)
    frame = pl.DataFrame({"a": range(8), "b": ["x", "y"] * 4})
    write_table(frame, tmp_path / "no_matter.parquet")
    (tmp_path / "no_matter.parquet").rename(tmp_path / "table")
    table = open_table(tmp_path / "table")
    assert "Parquet SCAN" in table.scan.explain()
    batches = list(table.batches(["b", "a"]))
    assert [batch.height for batch in batches] == [3, 3, 2]
    assert pl.concat(batches).equals(frame.select("b", "a"))
    assert sorted(table.unique("b")) == ["x", "y"]
    assert table.schema() == {"a": pl.Int64, "b": pl.String}
    assert (table.first_row, table.row_number(4)) == (1, 5)


def test_what_cannot_be_opened_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"no file '.*none\[1\].csv'"):
        open_table(tmp_path / "none[1].csv")
    with pytest.raises(DataError, match="got the folder"):
        open_table(tmp_path)
    with pytest.raises(DataError, match="no file"):
        open_table("a\0b.csv")
    with pytest.raises(DataError, match="expected a readable file, got"):
        open_table("x" * 5000)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    write_table(FRAME, tmp_path / "secret.csv")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"expected a readable file, got .*Permission denied"):
        open_table(tmp_path / "secret.csv")


def test_damage_that_comes_later_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "faces.parquet"
    write_table(FRAME, path)
    table = open_table(path)
    path.write_bytes(b"PAR1")
    for read in (lambda: list(table.batches(["age"])), lambda: table.unique("sex")):
        with pytest.raises(DataError, match=r"'faces.parquet'"):
            read()


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_may_hold_any_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, pack: type[bytes]
) -> None:
    write_table(FRAME, tmp_path / f"t{suffix}")
    content = pack((tmp_path / f"t{suffix}").read_bytes())
    for read in (lambda: open_table("-").scan.collect(), lambda: read_table("-")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert read()["image"].to_list() == ["a.jpg", "b.jpg"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n")))
    with pytest.raises(DataError, match="standard input"):
        open_table("-")


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"age,sex\n31,f\n",))
    writer.start()
    assert open_table(pipe).scan.collect().rows() == [("31", "f")]
    writer.join()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2", ""], [1, -2, None]),
        (["1", "2.5", " 3 "], [1.0, 2.5, 3.0]),
        (["1e3", "NaN", "-inf"], [1000.0, "nan", float("-inf")]),
        (["31,5", "30", ""], [31.5, 30.0, None]),
        (["31,5", "30.5"], ["31,5", "30.5"]),
        (["31,5", "old"], ["31,5", "old"]),
        (["1.234,5"], ["1.234,5"]),
        (["000012", "13"], ["000012", "13"]),
        (["0", "10"], [0, 10]),
        (["0.5", "00"], ["0.5", "00"]),
        (["12345678901234567890"], ["12345678901234567890"]),
        (["true", "False"], [True, False]),
        (["true", "1"], ["true", "1"]),
        (["nan", "nan"], ["nan", "nan"]),
        (["20-29", "70+"], ["20-29", "70+"]),
        (["", ""], [None, None]),
    ],
)
def test_types_are_inferred_by_column(
    tmp_path: Path, cells: list[str], expected: list[object]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id;x\n" + "".join(f"k{row};{cell}\n" for row, cell in enumerate(cells)))
    found = ["nan" if value != value else value for value in read_table(path)["x"]]
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]
    assert open_table(path).scan.collect()["x"].to_list() == [cell or None for cell in cells]


@pytest.mark.parametrize("name", ["*", "^.*$", "^age$"])
def test_names_that_stand_for_several_columns_are_refused(name: str) -> None:
    frame = pl.DataFrame({name: ["x"], "age": ["31"]})
    sheet = io.BytesIO()
    frame.write_excel(sheet)
    contents = [frame.write_csv().encode(), frame.write_ndjson().encode(), sheet.getvalue()]
    for source in (*contents, frame, {name: ["x"], "age": ["31"]}):
        with pytest.raises(DataError, match="which stand for several, rename them"):
            open_table(source)


def test_a_decimal_comma_is_none_where_the_comma_delimits(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('id,x\n1,"31,5"\n2,"30,0"\n')
    assert read_table(path)["x"].to_list() == ["31,5", "30,0"]


def test_a_table_without_rows_can_be_read_whole_but_not_audited(tmp_path: Path) -> None:
    for suffix in (".csv", ".parquet"):
        write_table(FRAME.clear(), tmp_path / f"t{suffix}")
        assert read_table(tmp_path / f"t{suffix}").columns == FRAME.columns
        with pytest.raises(DataError, match="at least one row"):
            open_table(tmp_path / f"t{suffix}")


FORMULAS = ["=1+1", "+cmd", "-x", "@SUM(A1)", "\tx", "\rx", "'=1", "-"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_formulas_are_written_as_text_and_read_as_they_were(tmp_path: Path, suffix: str) -> None:
    numbers = ["-5", "+3.5", "-1,5", "-1e3"]
    cells = [*FORMULAS, *numbers, "x", "'x", "a=b"]
    frame = pl.DataFrame(
        {"=name": cells, "n": [-1.5] * len(cells), "kind": pl.Series(cells, dtype=pl.Categorical)}
    )
    write_table(frame, tmp_path / f"t{suffix}")
    raw = pl.read_csv(
        tmp_path / f"t{suffix}",
        separator="\t" if suffix == ".tsv" else ",",
        infer_schema=False,
    )
    assert raw.columns == ["'=name", "n", "kind"]
    expected = [*(f"'{cell}" for cell in FORMULAS), *numbers, "x", "'x", "a=b"]
    assert raw["'=name"].to_list() == raw["kind"].to_list() == expected
    assert raw["n"].to_list() == ["-1.5"] * len(cells)
    found = read_table(tmp_path / f"t{suffix}")
    assert found.columns == ["=name", "n", "kind"]
    assert found["=name"].to_list() == found["kind"].to_list() == cells


@given(cells=st.lists(st.text("='-+@\t\r,\n\"ax5", max_size=4), min_size=1, max_size=4))
def test_any_text_survives_being_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    path = tmp_path_factory.mktemp("t") / "t.csv"
    frame = pl.DataFrame({"id": [f"k{row}" for row in range(len(cells))], "x": cells})
    write_table(frame, path)
    read = open_table(path).scan.collect()["x"].to_list()
    assert [cell or "" for cell in read] == cells


def test_what_text_cannot_hold_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_table(FRAME, path)
    with pytest.raises(DataError, match="write Parquet"):
        write_table(FRAME.with_columns(votes=pl.lit([1, 2])), path)
    assert read_table(path).equals(FRAME)
    assert [each.name for each in tmp_path.iterdir()] == ["t.csv"]


def test_faces_are_read_from_any_format_and_lie_beside_their_table(tmp_path: Path) -> None:
    (tmp_path / "faces.csv.gz").write_bytes(gzip.compress(b"image;age\nx/a.jpg;31,5\n"))
    faces = read_faces(tmp_path / "faces.csv.gz")
    assert faces.images == [str(tmp_path / "x" / "a.jpg")]
    assert faces.ages.tolist() == [31.5]
