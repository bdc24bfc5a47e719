"""Graphs put together: in order, with weights once, and large ones outside."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.prediction.test_graph_tables import Line, Table

from fairage.exceptions import DataError
from fairage.prediction import graph_joining
from fairage.prediction.graph import FORMAT, WEIGHTS_FILE
from fairage.prediction.graph_intervals import add_tables
from fairage.prediction.graph_joining import (
    joined,
    load_graph,
    read_guest,
    save_graph,
    tidy,
)
from fairage.prediction.graph_tables import TABLES, write_tables
from fairage.prediction.interval_table import IntervalTable

SPREADS = np.array([2.0], dtype=np.float32)
WEIGHT = np.arange(1000, dtype=np.float32).reshape(2, 500) / 1000


def guest_file(path: Path, kind: str = "MatMul", domain: str = "", opset: int = 18) -> Path:
    """A file that turns two numbers a row into 500; one node in it does not count."""
    graph = helper.make_graph(
        [
            helper.make_node(kind, ["x", "weight"], ["y"], domain=domain, doc_string="/home/me"),
            helper.make_node("Relu", ["x"], ["unread"]),
        ],
        "guest",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 500])],
        [numpy_helper.from_array(WEIGHT, "weight")],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def host() -> onnx.ModelProto:
    """Sums of what two guests make of its input are its age; its spread is 2."""
    names = ["features0", "features1"]
    graph = helper.make_graph(
        [
            *(helper.make_node("Relu", ["pixels"], [f"pixels{k}"]) for k in (0, 1)),
            helper.make_node("Add", names, ["embedding"]),
            helper.make_node("ReduceSum", ["embedding", "axis"], ["network_age"], keepdims=0),
            helper.make_node("Shape", ["network_age"], ["n"]),
            helper.make_node(
                "ConstantOfShape", ["n"], ["spread"], value=numpy_helper.from_array(SPREADS)
            ),
        ],
        "host",
        [
            helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 2]),
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 500]) for name in names),
        ],
        [
            helper.make_tensor_value_info("network_age", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("spread", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 500]),
            *(
                helper.make_tensor_value_info(f"pixels{k}", TensorProto.FLOAT, ["n", 2])
                for k in (0, 1)
            ),
        ],
        [numpy_helper.from_array(np.array([1]), "axis")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


@pytest.fixture
def whole(tmp_path: Path) -> onnx.ModelProto:
    guests = [
        read_guest(guest_file(tmp_path / f"{k}.onnx", opset=opset), "x", "y")
        for k, opset in enumerate((18, 13))
    ]
    model = joined(host(), guests)
    add_tables(model)
    tidy(model)
    return model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "export.json").write_text(f'{{"format": {FORMAT}}}')
    write_tables(tmp_path, Table(), Line(offset=0.0, slope=1.0))
    return tmp_path


def run(folder: Path, rows: np.ndarray, *outputs: str) -> list[np.ndarray]:
    return onnxruntime.InferenceSession(str(folder / "model.onnx")).run(
        list(outputs), {"pixels": rows.astype(np.float32)}
    )


def table_interval(table: Table, ages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what `IntervalTable` makes of the same numbers."""
    own = IntervalTable(table.level, table.starts, table.stops, table.low, table.high)
    return own.interval(ages, SPREADS)


def rows_of(ages: list[float]) -> np.ndarray:
    """Return inputs that come out as these ages."""
    return np.array([[age / (2 * WEIGHT[0].sum()), 0.0] for age in ages])


def test_guests_stand_in_the_host_and_alike_weights_once(
    whole: onnx.ModelProto, folder: Path
) -> None:
    save_graph(whole, folder)
    rows = np.array([[1.0, 2.0], [-1.0, 0.5]])
    age, embedding = run(folder, rows, "network_age", "embedding")
    expected = 2 * np.maximum(rows, 0) @ WEIGHT
    np.testing.assert_allclose(embedding, expected, rtol=1e-5)
    np.testing.assert_allclose(age, expected.sum(axis=1), rtol=1e-5)
    assert sum(list(each.dims) == [2, 500] for each in whole.graph.initializer) == 1
    assert "unread" not in {name for node in whole.graph.node for name in node.output}


def test_nothing_of_how_it_was_made_stays(whole: onnx.ModelProto) -> None:
    assert b"/home/me" not in whole.SerializeToString()


def test_the_tables_in_the_file_make_the_intervals(whole: onnx.ModelProto, folder: Path) -> None:
    save_graph(whole, folder)
    ages = [1.0, 19.5, 21.5, 39.0, 60.0]
    low, high = np.array([-6.0, -3.1, -4.3]), np.array([2.1, 3.7, 9.0])
    table = replace(Table(), low=low, high=high, stops=np.array([20.0, 40.0, 70.0]))
    write_tables(folder, table)
    age, low, high = run(folder, rows_of(ages), "age", "low", "high")
    np.testing.assert_allclose(age, ages, rtol=1e-5)
    # Ages under 20 are at most 12 years below an estimate, those under 40 at most 6.2 years.
    np.testing.assert_allclose(low, [0, 7.5, 9.5, 32.8, 51.4], rtol=1e-5)
    np.testing.assert_allclose(high, [5.2, 26.9, 28.9, 57, 70], rtol=1e-5)
    for ours, end in zip(table_interval(table, age), (low, high), strict=True):
        np.testing.assert_allclose(ours, end, rtol=1e-5)


def test_other_tables_are_other_intervals_of_the_same_graph(
    whole: onnx.ModelProto, folder: Path
) -> None:
    save_graph(whole, folder)
    before = (folder / "model.onnx").read_bytes()
    starts, stops = np.array([0.0, 10]), np.array([10.0, np.inf])
    write_tables(folder, Table(0.9, starts, stops, np.array([-4.5, -2.5]), np.zeros(2)), Line())
    assert (folder / "model.onnx").read_bytes() == before
    age, low, high, unmapped = run(
        folder, rows_of([2.0, 50.0]), "age", "low", "high", "network_age"
    )
    np.testing.assert_allclose(unmapped, [2, 50], rtol=1e-5)
    np.testing.assert_allclose(age, [3.3, 46.5], rtol=1e-5)
    np.testing.assert_allclose(low, [0, 41.5], rtol=1e-5)
    np.testing.assert_allclose(high, age)


def test_no_age_has_no_interval(whole: onnx.ModelProto, folder: Path) -> None:
    save_graph(whole, folder)
    for values in run(folder, np.full((2, 2), np.nan), "age", "low", "high"):
        assert np.isnan(values).all()


def test_many_weights_have_a_file_of_their_own(
    whole: onnx.ModelProto, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_joining, "LARGEST", 3000)
    save_graph(whole, folder)
    assert (folder / WEIGHTS_FILE).stat().st_size == WEIGHT.nbytes
    assert (folder / "model.onnx").stat().st_size < WEIGHT.nbytes
    (embedding,) = run(folder, np.array([[1.0, 0.0]]), "embedding")
    np.testing.assert_allclose(embedding[0], 2 * WEIGHT[0], rtol=1e-5)
    again = load_graph(folder)
    assert any(each.raw_data == WEIGHT.tobytes() for each in again.graph.initializer)


def test_operators_beyond_the_standard_are_refused(tmp_path: Path) -> None:
    path = guest_file(tmp_path / "own.onnx", "FusedMatMul", "com.microsoft")
    with pytest.raises(DataError, match=r"standard alone in .*own\.onnx.*com\.microsoft\.FusedMat"):
        read_guest(path, "x", "y")


def test_a_file_that_cannot_be_brought_to_the_version_is_named(tmp_path: Path) -> None:
    path = guest_file(tmp_path / "late.onnx", opset=18)
    guest = read_guest(path, "x", "y")
    guest.model.graph.node[0].op_type = "NoSuchOperator"
    guest.model.opset_import[0].version = 12
    with pytest.raises(DataError, match=r"version 18 of the ONNX operators, got .*late\.onnx"):
        joined(host(), [guest, guest])


def test_a_graph_that_is_not_valid_is_refused(whole: onnx.ModelProto, folder: Path) -> None:
    whole.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(DataError, match="expected a valid ONNX graph"):
        save_graph(whole, folder)


def test_tables_are_where_the_graph_looks_for_them(whole: onnx.ModelProto, folder: Path) -> None:
    save_graph(whole, folder)
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    outside = {each.name: each.external_data for each in model.graph.initializer}
    places = {
        name: [int(each.value) for each in data if each.key in ("offset", "length")]
        for name, data in outside.items()
        if data
    }
    assert places == {
        "tables/line": [0, 8],
        "tables/starts": [8, 64],
        "tables/stops": [72, 64],
        "tables/low": [136, 64],
        "tables/high": [200, 64],
    }
    assert {each[0].value for each in outside.values() if each} == {TABLES}
