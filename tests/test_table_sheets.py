"""Sheets of Excel and OpenDocument: their numbers, text, rows and what is wrong with them."""

import io
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from fairage._table_formats import contents
from fairage._tables_io import open_table, read_table
from fairage.exceptions import DataError, MissingDependencyError

FACES = [["age", "sex"], [31, "f"]]
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # what old and encrypted sheets begin with


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def workbook(sheets: dict[str, list[list[object]]]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, cells in sheets.items():
            sheet = book.add_worksheet(name)
            for row, values in enumerate(cells):
                sheet.write_row(row, 0, values)
    return buffer.getvalue()


def test_numbers_of_a_sheet_stay_numbers_and_ids_stay_text() -> None:
    header = ["image", "age", "id", "prediction", "smiles", "mixed", "", "empty"]
    first = ["a.jpg", 31, "000012", 30.5, True, 1, None, None]
    second = ["b.jpg", 20, "13", None, False, "x", None, None]
    content = workbook({"faces": [[], header, first, [], second, ["", None, " "]]})
    table = open_table(content)
    assert table.columns == (*header[:6], "empty")
    assert table.scan.collect().rows() == [
        ("a.jpg", 31, "000012", 30.5, True, "1", None),
        ("b.jpg", 20, "13", None, False, "x", None),
    ]
    assert table.schema()["age"] == pl.Int64
    assert [table.row_number(0), table.row_number(1)] == [3, 5]


def test_the_first_sheet_with_rows_is_read_and_named() -> None:
    table = open_table(workbook({"title": [["Faces"]], "faces": FACES, "more": FACES}))
    assert table.scan.collect().rows() == [(31, "f")]
    assert table.notes == ("Only the sheet 'faces' was read, not 'title', 'more'.",)
    assert open_table(workbook({"faces": FACES})).notes == ()
    with pytest.raises(DataError, match="a sheet with a header and rows"):
        open_table(workbook({"faces": [["age", "sex"]]}))
    with pytest.raises(DataError, match="got 'age' more than once"):
        open_table(workbook({"faces": [["age", "age"], [1, 2]]}))


def test_a_sheet_of_open_document_is_read() -> None:
    office = "urn:oasis:names:tc:opendocument:xmlns"
    cell = '<table:table-cell office:value-type="{}" {}><text:p>{}</text:p></table:table-cell>'
    cells = [
        cell.format("string", "", "id") + cell.format("string", "", "age"),
        cell.format("string", "", "007") + cell.format("float", 'office:value="31.5"', "31,5"),
    ]
    content = (
        f'<office:document-content xmlns:office="{office}:office:1.0" '
        f'xmlns:table="{office}:table:1.0" xmlns:text="{office}:text:1.0"><office:body>'
        '<office:spreadsheet><table:table table:name="faces">'
        + "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)
        + "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    files = {"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": "<manifest/>"}
    assert open_table(zipped(files)).scan.collect().rows() == [("007", 31.5)]


def test_sheets_need_an_extra_that_the_error_names(monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook({"faces": FACES})
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(MissingDependencyError, match=r"fairage\[excel\]"):
        open_table(content)


def test_an_encrypted_or_broken_sheet_is_one_line_of_error() -> None:
    with pytest.raises(DataError, match="encrypted"):
        open_table(OLE + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(DataError, match="expected a readable table"):
        open_table(OLE + bytes(600))
    with pytest.raises(DataError, match="expected a readable table"):
        open_table(zipped({"xl/workbook.xml": "<broken"}))


def test_a_sheet_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook({"faces": FACES})
    monkeypatch.setattr(contents, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="unpacks to more than"):
        open_table(content)


def test_read_table_takes_the_types_of_the_sheet(tmp_path: Path) -> None:
    (tmp_path / "faces.xls").write_bytes(workbook({"faces": [["id", "age"], ["12", 31.5]]}))
    assert read_table(tmp_path / "faces.xls").rows() == [("12", 31.5)]
