"""A graph bundle so small that its ages can be worked out by hand: old faces are red ones."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fairage._bundle_files import write_bundle_config
from fairage.prediction.graph import ABOUT, EMBEDDING, FORMAT, NETWORK_AGE, SPREAD
from fairage.prediction.graph_intervals import add_tables
from fairage.prediction.graph_joining import save_graph
from fairage.prediction.graph_tables import write_tables

SIDE = 16


def write_graph_bundle(folder: Path, scale: float = 0.4, **config: object) -> Path:
    """Write a bundle that is not calibrated: the age is the mean of red times `scale`."""
    folder.mkdir()
    settings = {"height": SIDE, "width": SIDE, "resize": None, "resample": "bilinear"}
    views = {"photograph": "aligned", "crop": "whole"}
    about = {"name": "face", **views, "preprocessing": settings}
    (folder / ABOUT).write_text(json.dumps({"format": FORMAT, "inputs": [about]}))
    write_tables(folder, None)
    graph = _graph(scale)
    add_tables(graph)
    save_graph(graph, folder)
    (folder / "README.md").write_text("# A card")
    facts = {"target": "apparent", "backbones": [], "training": {"description": "Red."}}
    write_bundle_config(facts | config, folder)
    return folder


def _graph(scale: float) -> onnx.ModelProto:
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["face"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["floats", "axes"], [EMBEDDING], keepdims=0),
            helper.make_node("MatMul", [EMBEDDING, "red"], [NETWORK_AGE]),
            helper.make_node("MatMul", [EMBEDDING, "zeros"], ["no_ages"]),
            helper.make_node("Add", ["no_ages", "one"], [SPREAD]),
        ],
        "red",
        [helper.make_tensor_value_info("face", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [
            helper.make_tensor_value_info(NETWORK_AGE, TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info(SPREAD, TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, ["n", 3]),
        ],
        [
            numpy_helper.from_array(np.array([1, 2]), "axes"),
            numpy_helper.from_array(np.array([scale, 0, 0], dtype=np.float32), "red"),
            numpy_helper.from_array(np.zeros(3, dtype=np.float32), "zeros"),
            numpy_helper.from_array(np.ones(1, dtype=np.float32), "one"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
