"""Tables that a program holds: frames of pandas, polars and arrow, arrays and lists."""

import subprocess
import sys
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from fairage._tables_io import open_table
from fairage.exceptions import DataError

NUMBERS = [1, 2, pd.NA]


def column(source: object) -> pl.Series:
    """The one column of a table."""
    return open_table(source).scan.collect().to_series()


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        *[
            (dtype, NUMBERS, [1, 2, None])
            for dtype in (
                *("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"),
                *("Float32", "Float64", "int64[pyarrow]", "double[pyarrow]"),
            )
        ],
        ("Int64", [2**62 + 1, pd.NA], [2**62 + 1, None]),
        ("float64", [1.5, np.nan], [1.5, None]),
        ("bool", [True, False], [True, False]),
        ("boolean", [True, pd.NA], [True, None]),
        ("bool[pyarrow]", [True, pd.NA], [True, None]),
        ("string", ["a", pd.NA], ["a", None]),
        ("string[python]", ["a", pd.NA], ["a", None]),
        ("string[pyarrow]", ["a", pd.NA], ["a", None]),
        ("str", ["a", None, np.nan], ["a", None, None]),
        ("object", ["a", None, np.nan, pd.NA, pd.NaT], ["a", None, None, None, None]),
        ("object", [1, 2.5, None], [1, 2.5, None]),
        ("object", [1, "x", True], ["1", "x", "true"]),
        ("object", [Decimal("1.5"), None], [1.5, None]),
        ("category", ["a", None, "b"], ["a", None, "b"]),
        ("category", [3, 4], [3, 4]),
        ("datetime64[ns]", ["2020-01-02", None], ["2020-01-02 00:00:00", None]),
        ("datetime64[ns, UTC]", ["2020-01-02", None], ["2020-01-02 00:00:00+00:00", None]),
    ],
)
def test_columns_of_pandas_keep_their_values(
    dtype: str, values: list[object], expected: list[object]
) -> None:
    frame = pd.DataFrame({"x": pd.Series(values, dtype=dtype)})
    for source in (frame, {"x": frame["x"]}):
        assert column(source).to_list() == expected


def test_intervals_and_arrow_types_of_pandas_are_text_or_numbers() -> None:
    assert column({"x": pd.Series(pd.cut([1, 5], [0, 2, 6]))}).to_list() == ["(0, 2]", "(2, 6]"]
    decimals = pd.Series([1, None], dtype=pd.ArrowDtype(pa.decimal128(5, 2)))
    assert column({"x": decimals}).to_list() == [1.0, None]
    words = pd.Series(["a", None], dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())))
    assert column({"x": words}).to_list() == ["a", None]
    sparse = pd.Series(pd.arrays.SparseArray([0.0, 1.5, np.nan]))
    assert column({"x": sparse}).to_list() == [0.0, 1.5, None]


def test_labels_of_pandas_become_names() -> None:
    frame = pd.DataFrame([[1, 2]], columns=[0, ("a", "b")], index=pd.Index(["i.jpg"], name="image"))
    table = open_table(frame)
    assert table.columns == ("image", "0", "a.b")
    assert table.scan.collect().row(0) == ("i.jpg", 1, 2)
    assert open_table(pd.DataFrame({"a": [1, 2]})[1:]).columns == ("a",)


@pytest.mark.parametrize(
    "source",
    [
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame([[1, 2]], columns=["1", 1]),
        pa.table([[1], [2]], names=["a", "a"]),
        {"1": [1], 1: [2]},
        {"a": [{"x": 1}], "a.x": [2]},
        pd.DataFrame({"a": [{"x": 1}], "a.x": [2]}),
    ],
)
def test_repeated_columns_are_an_error_that_names_them(source: object) -> None:
    with pytest.raises(DataError, match=r"expected each column once, got '[a1.x]+' more than once"):
        open_table(source)


def test_series_of_pandas_are_aligned_by_their_indexes() -> None:
    first = pd.Series([1, 2, 3], index=["p", "q", "r"])
    second = pd.Series([30, 10, 20], index=["r", "p", "q"])
    frame = open_table({"a": first, "b": second, "c": [7, 8, 9]}).scan.collect()
    assert frame.rows() == [(1, 10, 7), (2, 20, 8), (3, 30, 9)]
    nullable = second.astype("Int64")
    assert open_table({"a": first, "b": nullable}).scan.collect()["b"].dtype == pl.Int64
    twice = pd.Series([1, 2], index=[0, 0])
    assert open_table({"a": twice, "b": twice}).rows == 2


@pytest.mark.parametrize(
    "index", [["p", "q", "x"], [0, 1, 2], ["p", "p", "q"], [("p", 1), ("q", 1), ("r", 1)]]
)
def test_series_of_other_rows_are_refused(index: list[object]) -> None:
    first = pd.Series([1, 2, 3], index=["p", "q", "r"])
    with pytest.raises(DataError, match=r"other labels in 'b' than in 'a'"):
        open_table({"a": first, "b": pd.Series([1, 2, 3], index=index)})


def test_frames_of_polars_and_arrow_are_taken() -> None:
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"]})
    arrow = pa.table({"a": [1, None], "b": ["x", "y"]})
    for source in (frame, frame.lazy(), arrow, arrow.to_batches()[0]):
        assert open_table(source).scan.collect().equals(frame)
    columns = {
        "a": pa.chunked_array([[1], [None]]),
        "b": pa.array(["x", "y"]).dictionary_encode(),
        "c": pl.Series([1, 2]),
    }
    table = open_table(columns)
    assert table.scan.select(pl.col("b").cast(pl.String)).collect()["b"].to_list() == ["x", "y"]
    assert table.scan.collect()["a"].to_list() == [1, None]
    nested = pa.table({"s": [{"Low": 1}, {"Low": 2}], "t": [b"x", "é".encode()]})
    assert open_table(nested).scan.collect().rows() == [(1, "x"), (2, "é")]


def test_a_lazy_frame_is_collected_once() -> None:
    runs = []

    def count(frame: pl.DataFrame) -> pl.DataFrame:
        runs.append(1)
        return frame

    lazy = pl.LazyFrame({"a": [1, 2]}).map_batches(count)
    table = open_table(lazy)
    list(table.batches(["a"]))
    table.unique("a")
    assert len(runs) == 1
    with pytest.raises(DataError, match="convert it to a polars frame"):
        open_table(pl.LazyFrame({"a": [1]}).select("b"))


def test_masked_arrays_and_missing_values_are_null() -> None:
    mask = [True, False]
    assert column({"a": np.ma.MaskedArray([1, 2], mask)}).to_list() == [None, 2]
    assert column({"a": np.ma.MaskedArray([1.5, np.nan], mask)}).to_list() == [None, None]
    assert column({"a": np.ma.MaskedArray(["x", "y"], mask)}).to_list() == [None, "y"]
    assert column({"a": np.ma.MaskedArray([True, False], mask)}).to_list() == [None, False]
    assert column({"a": np.array(["2020-01-02", "NaT"], "M8[D]")}).to_list() == ["2020-01-02", None]
    assert column({"a": [np.float64("nan"), np.int64(3)]}).to_list() == [None, 3]
    assert column({"a": [None, None]}).to_list() == [None, None]


def test_bytes_are_text_in_utf_8() -> None:
    texts = ["x", "é"]
    cells = [text.encode() for text in texts]
    assert column({"a": cells}).to_list() == texts
    assert column({"a": np.array(cells, dtype=object)}).to_list() == texts
    assert column({"a": np.array(cells)}).to_list() == texts
    assert column(pd.DataFrame({"a": cells})).to_list() == texts
    with pytest.raises(DataError, match=r"row 2, column 'a': expected text in UTF-8, got bytes"):
        open_table({"a": [b"x", b"\xff"]})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], [1, 2]),
        ((1, 2.5), [1, 2.5]),
        (range(3, 0, -2), [3, 1]),
        ([1, "x"], ["1", "x"]),
        ([date(2020, 1, 2), None], ["2020-01-02", None]),
        ([True, None], [True, None]),
        (np.array([1, 2], dtype=">f8"), [1.0, 2.0]),
        (np.array([1, 2], dtype=np.float16), [1.0, 2.0]),
        (np.arange(6)[::3], [0, 3]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([True, False]), [True, False]),
        (pd.Index(["a", "b"]), ["a", "b"]),
        (pd.Categorical(["a", None]), ["a", None]),
        ([2**70, 1], [str(2**70), "1"]),
    ],
)
def test_arrays_and_lists_are_columns(values: object, expected: list[object]) -> None:
    assert column({"a": values}).to_list() == expected


def test_mappings_stand_side_by_side() -> None:
    cells = [{"Low": 20, "High": 29}, None]
    for source in ({"age": cells}, pd.DataFrame({"age": cells})):
        frame = open_table(source).scan.collect()
        assert frame.to_dicts() == [
            {"age.Low": 20, "age.High": 29},
            {"age.Low": None, "age.High": None},
        ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.float64(3), r"got the shape \(\)"),
        (np.zeros((3, 1)), r"got the shape \(3, 1\)"),
        ([[1, 2], [3, 4]], r"got the shape \(2, 2\)"),
        ([np.zeros(3)], r"got the shape \(1, 3\)"),
        (np.zeros(2, dtype=[("x", "f8")]), r"got fields \('x',\)"),
        (5, "got int"),
        ("text", "got str"),
        ({1, 2}, "got set"),
        ({"x": 1}, "got dict"),
        ((each for each in range(2)), "got generator"),
    ],
)
def test_what_is_no_column_is_refused_with_its_shape(values: object, message: str) -> None:
    with pytest.raises(DataError, match=f"column 'a': expected one value a row, {message}"):
        open_table({"a": values})


@pytest.mark.parametrize(
    "source",
    [None, 5, [1], np.zeros((2, 2)), pl.Series([1]), pd.Series([1]), pa.array([1])],
    ids=lambda source: type(source).__name__,
)
def test_what_is_no_table_is_refused_by_its_type(source: object) -> None:
    with pytest.raises(DataError, match=f"mapping of columns, got {type(source).__name__}"):
        open_table(source)


def test_columns_of_other_lengths_and_without_rows_are_refused() -> None:
    with pytest.raises(DataError, match=r"columns of one length, got \{'a': 1, 'b': 2\}"):
        open_table({"a": [1], "b": [1, 2]})
    with pytest.raises(DataError, match="columns of one length"):
        open_table({"a": pd.Series([1, 2]), "b": pd.Series([1])})
    for source in ({}, {"a": []}, pd.DataFrame({"a": []}), pl.DataFrame({"a": []})):
        with pytest.raises(DataError, match="at least one row"):
            open_table(source)


def test_tensors_are_taken_or_refused_with_a_reason() -> None:
    torch = pytest.importorskip("torch")
    assert column({"a": torch.tensor([1.0, 2.0])}).to_list() == [1.0, 2.0]
    with pytest.raises(DataError, match="requires grad"):
        open_table({"a": torch.tensor([1.0], requires_grad=True)})


def test_neither_pandas_nor_pyarrow_is_imported() -> None:
    code = (
        "import sys; from fairage._tables_io import open_table; open_table({'a': [1, None, 'x']});"
        "print([name for name in ('pandas', 'pyarrow', 'fastexcel') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
