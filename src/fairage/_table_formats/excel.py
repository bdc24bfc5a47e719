"""Excel and OpenDocument sheets, through the optional package fastexcel."""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._table_formats.contents import (
    Contents,
    empty_rows_note,
    guarded,
    numbered,
    settle,
    settle_names,
    unreadable,
    without_empty,
)
from fairage.exceptions import DataError, MissingDependencyError

if TYPE_CHECKING:
    from fastexcel import ExcelReader

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What .xls files and encrypted .xlsx files begin with."""

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def is_workbook(names: list[str]) -> bool:
    """Whether the files of a zip are those of an Excel or OpenDocument workbook.

    Examples:
        >>> is_workbook(["[Content_Types].xml", "xl/workbook.xml"]), is_workbook(["faces.csv"])
        (True, False)
    """
    return any(name.startswith("xl/") or name == "content.xml" for name in names)


def read_excel(content: bytes, name: str) -> Contents:
    """Return the first sheet that has rows; its numbers stay numbers, its text stays text.

    Rows are numbered as the sheet numbers them.

    Raises:
        MissingDependencyError: fastexcel is not installed.
        DataError: It is broken, encrypted, or has no sheet with rows.
    """
    try:
        import fastexcel
    except ImportError as error:
        raise MissingDependencyError.for_extra("fastexcel", "excel") from error
    if content.startswith(OLE) and _ENCRYPTED in content:
        raise unreadable(name, "it is encrypted", "save it without a password")
    with guarded(name, fastexcel.FastExcelError, ValueError):
        reader = fastexcel.read_excel(content)
        for sheet in reader.sheet_names:
            texts = pl.DataFrame(
                reader.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
            )
            filled = np.flatnonzero(_is_filled(texts))
            if len(filled) > 1:
                return _read_sheet(reader, sheet, texts, int(filled[0]), name)
    raise DataError(f"expected a sheet with a header and rows in {name!r}, got none, fill one")


def _is_filled(frame: pl.DataFrame) -> NDArray[np.bool_]:
    """Return which rows hold anything, shape `(rows,)`."""
    filled = np.zeros(frame.height, dtype=np.bool_)
    for column in frame:
        filled |= (column.str.strip_chars().fill_null("") != "").to_numpy()
    return filled


def _read_sheet(
    reader: "ExcelReader", sheet: str, texts: pl.DataFrame, header: int, name: str
) -> Contents:
    """Return a sheet whose header stands in this row of its texts."""
    data = texts[header + 1 :]
    empty = [place for place, column in enumerate(data) if column.null_count() == data.height]
    frame = pl.DataFrame(
        reader.load_sheet(
            sheet,
            header_row=None,
            skip_rows=header + 1,
            schema_sample_rows=None,
            dtypes=dict.fromkeys(empty, "string"),
        )
    )
    names = list(texts.row(header))
    frame.columns = settle_names(names, name)
    frame = (
        settle(frame.lazy(), name)
        .collect()
        .with_columns(pl.when(pl.col(pl.String).str.strip_chars() != "").then(pl.col(pl.String)))
    )
    unnamed = [own for own, text in zip(frame.columns, names, strict=True) if not text]
    numbers = np.arange(header + 2, header + 2 + frame.height)
    kept, numbers = without_empty(frame, numbers, unnamed)
    notes = empty_rows_note(frame.height - kept.height)
    others = [repr(each) for each in reader.sheet_names if each != sheet]
    if others:
        notes = (f"Only the sheet {sheet!r} was read, not {', '.join(others)}.", *notes)
    return numbered(_whole(kept), numbers, header + 1, notes=notes)


def _whole(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with integers where every number of a column is whole."""
    whole = [
        column.name
        for column in frame.select(pl.col(pl.Float64))
        if ((column == column.round()) & (column.abs() < 2**53)).fill_null(value=True).all()
    ]
    return frame.with_columns(pl.col(whole).cast(pl.Int64))
