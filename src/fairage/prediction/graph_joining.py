"""ONNX graphs put together: backbones from files, then all in one file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto as Tensors
from onnx import compose, helper, inliner, numpy_helper, version_converter
from onnx.external_data_helper import set_external_data

from fairage._files import hash_of
from fairage._graph_words import GRAPH
from fairage._text import reason_of
from fairage.embeddings.backbones.onnx_graph import read_graph
from fairage.exceptions import DataError
from fairage.prediction.graph import WEIGHTS_FILE
from fairage.prediction.graph_intervals import PREFIX
from fairage.prediction.graph_tables import LAYOUT, TABLES

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

OPSET, IR_VERSION = 18, 10
"""The least that is written; onnxruntime 1.20 and onnxruntime-web read both."""
LARGEST = 1_800_000_000
"""Bytes of weights in one file; protobuf ends at 2 GB. More go into `model.onnx.data`."""
BACKBONE = "backbone"
"""How the names of a backbone's nodes begin; a number follows."""
_STANDARD = ("", "ai.onnx", "ai.onnx.ml")
_SMALL = 1024


@dataclass(frozen=True)
class Guest:
    """A graph from a file that becomes a part of another.

    Args:
        model: The graph.
        path: Its file, for messages.
        entering: Its input.
        leaving: Its output that counts.
    """

    model: "ModelProto"
    path: Path
    entering: str
    leaving: str

    @property
    def opset(self) -> int:
        """Version of the standard operators."""
        return opset_of(self.model)


def opset_of(model: "ModelProto") -> int:
    """Return the version of the standard operators that a graph uses."""
    return next((each.version for each in model.opset_import if each.domain in _STANDARD[:2]), 1)


def read_guest(path: Path, entering: str, leaving: str) -> Guest:
    """Return the graph of a file, with its weights.

    Raises:
        DataError: It needs operators that are not of the ONNX standard.
    """
    read_graph(path)  # says in words what is wrong with a file
    model = inliner.inline_local_functions(onnx.load(path))
    custom = sorted(
        {
            f"{node.domain}.{node.op_type}"
            for node in _all_nodes(model.graph)
            if node.domain not in _STANDARD
        }
    )
    if custom:
        raise DataError(
            f"expected operators of the ONNX standard alone in {str(path)!r}, got {custom[:5]}, "
            "which runs in few programs, export the backbone again without"
        )
    return Guest(model, path, entering, leaving)


def joined(host: "ModelProto", guests: Sequence[Guest]) -> "ModelProto":
    """Return one graph: each guest turns an output of the host into one of its inputs.

    Args:
        host: Its inputs and outputs named `features0`, `pixels0` and so on are the guests'.
        guests: In the order of these numbers.

    Raises:
        DataError: A guest cannot be brought to the host's version of the operators.
    """
    graph = host.graph
    for number, guest in enumerate(guests):
        prefix = f"file{number}/"
        inner = compose.add_prefix(_converted(guest, opset_of(host)), prefix).graph
        for place, node in enumerate(inner.node):
            node.name = f"{BACKBONE}/{prefix}{node.op_type}_{place}"
        entering, leaving = prefix + guest.entering, prefix + guest.leaving
        ends = ((f"pixels{number}", entering), (leaving, f"features{number}"))
        graph.node.extend(inner.node)
        graph.node.extend(helper.make_node("Identity", [a], [b], name=b) for a, b in ends)
        graph.initializer.extend(inner.initializer)
        graph.sparse_initializer.extend(inner.sparse_initializer)
        _remove(graph.input, f"features{number}")
        _remove(graph.output, f"pixels{number}")
    del graph.value_info[:]
    _share_weights(graph)
    tidy(host)
    return host


def tidy(model: "ModelProto") -> None:
    """Leave nodes and weights that count, each node behind what it reads, and nothing of how made.

    Exporters note in graphs where their source code lies on the disk.
    """
    graph = model.graph
    nodes = _in_order(list(graph.node), [each.name for each in graph.output])
    for node in nodes:
        node.doc_string = ""
        del node.metadata_props[:]
    read = {name for node in nodes for name in _reads(node)}
    weights = [each for each in graph.initializer if each.name in read]
    for field, kept in ((graph.node, nodes), (graph.initializer, weights)):
        del field[:]
        field.extend(kept)
    for named in (*graph.input, *graph.output, *graph.initializer):
        named.doc_string = ""
        del named.metadata_props[:]
    for about in (model.metadata_props, graph.metadata_props):
        del about[:]
    model.doc_string = graph.doc_string = ""


def save_graph(model: "ModelProto", folder: Path) -> None:
    """Write `model.onnx`, whose tables stand in `intervals.bin`; many weights have a file too.

    Args:
        model: The graph.
        folder: Holds `intervals.bin`.

    Raises:
        DataError: It is no valid graph.
    """
    weights = {each.name: each for each in model.graph.initializer}
    tables = [weights[f"{PREFIX}{name}"] for name in LAYOUT]
    _place_outside(tables, TABLES)
    inside = [each for each in model.graph.initializer if len(_bytes_of(each)) > _SMALL]
    if sum(len(_bytes_of(each)) for each in inside) > LARGEST:
        with (folder / WEIGHTS_FILE).open("wb") as file:
            for each in inside:
                file.write(_bytes_of(each))
        _place_outside(inside, WEIGHTS_FILE)
    model.producer_name, model.producer_version = "fairage", ""
    path = folder / GRAPH
    path.write_bytes(model.SerializeToString(deterministic=True))
    try:
        onnx.checker.check_model(str(path))
    except onnx.checker.ValidationError as error:
        raise DataError(
            f"expected a valid ONNX graph of the backbones, got another ({reason_of(error)}), "
            "export those that are ONNX files again"
        ) from error


def load_graph(folder: Path) -> "ModelProto":
    """Return the graph of a folder with all its weights."""
    return onnx.load(folder / GRAPH)


def _place_outside(tensors: Iterable["TensorProto"], location: str) -> None:
    """Have tensors stand one behind the other in another file."""
    offset = 0
    for each in tensors:
        data = _bytes_of(each)
        each.CopyFrom(_raw(each, data))
        set_external_data(each, location, offset=offset, length=len(data))
        each.ClearField("raw_data")
        offset += len(data)


def _raw(tensor: "TensorProto", data: bytes) -> "TensorProto":
    return helper.make_tensor(tensor.name, tensor.data_type, tensor.dims, data, raw=True)


def _bytes_of(tensor: "TensorProto") -> bytes:
    """Return the numbers of a tensor as a file holds them; none where they stand elsewhere."""
    if tensor.data_location == Tensors.EXTERNAL:
        return b""
    if tensor.HasField("raw_data"):
        return bytes(tensor.raw_data)
    array = numpy_helper.to_array(tensor)
    return b"" if array.dtype == np.object_ else bytes(numpy_helper.from_array(array).raw_data)


def _converted(guest: Guest, opset: int) -> "ModelProto":
    """Return a guest's graph in the version of the operators that the host has."""
    if guest.opset == opset:
        return guest.model
    try:
        return version_converter.convert_version(guest.model, opset)
    except (RuntimeError, ValueError) as error:
        raise DataError(
            f"expected a backbone that can be brought to version {opset} of the ONNX operators, "
            f"got {str(guest.path)!r} of version {guest.opset} ({reason_of(error)}), export it "
            f"again with opset {opset}"
        ) from error


def _remove(field: "Sequence[ValueInfoProto]", name: str) -> None:
    kept = [each for each in field if each.name != name]
    del field[:]  # type: ignore[attr-defined]  # a field of protobuf
    field.extend(kept)  # type: ignore[attr-defined]  # the same


def _share_weights(graph: "GraphProto") -> None:
    """Keep one of weights that are alike, as a backbone with two views brings them twice."""
    first: dict[str, str] = {}
    same: dict[str, str] = {}
    for each in graph.initializer:
        if len(data := _bytes_of(each)) > _SMALL:
            key = hash_of(str((each.data_type, list(each.dims))), data)
            same[each.name] = first.setdefault(key, each.name)
    for node in _all_nodes(graph):
        for place, name in enumerate(node.input):
            node.input[place] = same.get(name, name)


def _in_order(nodes: list["NodeProto"], outputs: Sequence[str]) -> list["NodeProto"]:
    """Return the nodes that outputs depend on, each behind those that it reads from."""
    producers = {name: place for place, node in enumerate(nodes) for name in node.output if name}
    order: list[NodeProto] = []
    seen: set[int] = set()
    stack = [(producers[name], False) for name in reversed(outputs)]
    while stack:
        place, is_ready = stack.pop()
        if is_ready:
            order.append(nodes[place])
        elif place not in seen:
            seen.add(place)
            stack.append((place, True))
            reads = [name for name in _reads(nodes[place]) if name in producers]
            stack += [(producers[name], False) for name in reversed(reads)]
    return order


def _reads(node: "NodeProto") -> list[str]:
    """Return the names that a node reads, those that graphs within it read from outside too."""
    inner = [name for graph in _graphs_in(node) for each in graph.node for name in _reads(each)]
    ends = [output.name for graph in _graphs_in(node) for output in graph.output]
    return [*node.input, *inner, *ends]


def _all_nodes(graph: "GraphProto") -> Iterator["NodeProto"]:
    for node in graph.node:
        yield node
        for inner in _graphs_in(node):
            yield from _all_nodes(inner)


def _graphs_in(node: "NodeProto") -> list["GraphProto"]:
    attributes: Iterable[AttributeProto] = node.attribute
    return [
        graph
        for each in attributes
        for graph in (*([each.g] if each.HasField("g") else []), *each.graphs)
    ]
