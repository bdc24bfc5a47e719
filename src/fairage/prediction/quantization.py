"""A graph whose backbones compute in int8, and what that costs."""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from fairage._graph_words import GRAPH
from fairage._onnxruntime import session_errors
from fairage._random import numpy_rng
from fairage._work import progress_bar
from fairage.exceptions import ConfigError, DataError
from fairage.prediction.face_cuts import FaceCut, FaceCutter
from fairage.prediction.face_input import FaceInput
from fairage.prediction.graph import WEIGHTS_FILE, GraphNetwork
from fairage.prediction.graph_joining import BACKBONE, load_graph, save_graph, tidy
from fairage.prediction.model import Model
from fairage.prediction.pictures import Images, pictures_of
from fairage.tables import attribute_names, group_labels

LEAST_FACES, MOST_FACES = 100, 1000
"""Faces that int8 takes: half of them set its ranges, half of them measure what it costs."""
_PRODUCTS = ("Conv", "MatMul", "Gemm")
_ACTIVATIONS = ("Relu", "Clip")
_BATCH = 16

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Int8Faces:
    """Faces on which a graph is brought to int8.

    Args:
        pixels: For each input `(n, height, width, 3)`.
        groups: For each attribute the group of each face, `(n,)`.
    """

    pixels: Sequence[Pixels]
    groups: dict[str, NDArray[np.str_]]

    def __len__(self) -> int:
        return len(self.pixels[0])

    def rows(self, keep: slice) -> "Int8Faces":
        """Return some of the faces."""
        groups = {name: labels[keep] for name, labels in self.groups.items()}
        return Int8Faces([each[keep] for each in self.pixels], groups)


def faces_for_int8(
    model: Model,
    inputs: tuple[FaceInput, ...],
    images: Images,
    *,
    crops: bool,
    progress: bool = False,
) -> Int8Faces:
    """Return the largest face of each picture; of more than 1,000 pictures as many at random.

    Args:
        model: What finds the faces, and how they are framed.
        inputs: What the graph sees of them.
        images: See `Model.predict`; a table's attributes are the groups.
        crops: See `Model.predict`.
        progress: Show a progress bar.

    Raises:
        DataError: They show too few faces.
    """
    pictures = pictures_of(images)
    chosen = list(pictures.stream)
    if len(chosen) > MOST_FACES:
        picked = numpy_rng(0, "int8").choice(len(chosen), MOST_FACES, replace=False)
        chosen = [chosen[place] for place in np.sort(picked)]
    cutter = FaceCutter(inputs, model.detector, model.framing)
    cuts = cutter.cuts(iter(chosen), crops=crops)
    with progress_bar("cutting", len(chosen), unit="pictures", shown=progress) as advance:
        faces, reason = _largest(cuts, advance)
    if len(faces) < LEAST_FACES:
        raise DataError(
            f"expected at least {LEAST_FACES} faces for int8, got {len(faces)} in {len(chosen)} "
            f"pictures{f' ({reason})' if reason else ''}, give more with --calibration, and "
            "--crops where each picture shows one face"
        )
    table, rows = pictures.table, np.array([face.picture.row or 0 for face in faces])
    names = [] if table is None else attribute_names(table)
    groups = {name: group_labels(table, name)[rows] for name in names if table is not None}
    pixels = zip(*(face.pixels for face in faces if face.pixels is not None), strict=True)
    return Int8Faces([np.stack(each) for each in pixels], groups)


def _largest(cuts: Iterator[FaceCut], advance: Any) -> tuple[list[FaceCut], str]:  # noqa: ANN401  # of a bar
    """Return the largest face in each picture, and why the last without one has none."""
    faces, reason = [], ""
    for cut in cuts:
        if cut.pixels is None:
            reason = cut.reason
        elif not cut.face:
            faces.append(cut)
        advance(int(not cut.face))
    return faces, reason


def quantize(folder: Path, faces: Int8Faces) -> dict[str, Any]:
    """Have the convolutions and matrix products of the backbones compute in int8.

    Normalisation, head, decoding and intervals stay in fp32. Weights have a scale for each channel
    and seven bits, as processors without VNNI add up eight bits wrongly.

    Args:
        folder: Holds the graph in fp32, which is replaced.
        faces: Every second one sets the ranges, the others measure.

    Returns:
        What it costs: differences of ages in years, cosines of embeddings, sizes.

    Raises:
        ConfigError: There is nothing to quantize, or it is done already.
    """
    sizes = {"fp32": _megabytes(folder)}
    setting, measuring = faces.rows(slice(0, None, 2)), faces.rows(slice(1, None, 2))
    network = GraphNetwork(folder)
    before, inputs = _run(network, measuring), [each.name for each in network.inputs]
    model = _quantized(load_graph(folder), dict(zip(inputs, setting.pixels, strict=True)), folder)
    tidy(model)
    (folder / WEIGHTS_FILE).unlink(missing_ok=True)
    save_graph(model, folder)
    after = _run(GraphNetwork(folder), measuring)
    sizes["int8"] = _megabytes(folder)
    return {
        "faces_that_set_ranges": len(setting),
        "megabytes": sizes,
        "overall": _cost(before, after, np.ones(len(measuring), dtype=bool)),
        "groups": {
            name: {str(group): _cost(before, after, labels == group) for group in np.unique(labels)}
            for name, labels in measuring.groups.items()
        },
    }


def _quantized(model: onnx.ModelProto, pixels: dict[str, Pixels], folder: Path) -> onnx.ModelProto:
    nodes = _nodes(model)
    with tempfile.TemporaryDirectory() as scratch, _in_silence():
        path = Path(scratch) / GRAPH
        with session_errors(folder / GRAPH, "a graph that can be quantized"):
            quantize_static(
                model,
                path,
                _Reader(pixels),
                quant_format=QuantFormat.QDQ,
                nodes_to_quantize=nodes,
                op_types_to_quantize=[*_PRODUCTS, *_ACTIVATIONS],
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
            )
        return onnx.load(path)


def _nodes(model: onnx.ModelProto) -> list[str]:
    """Return the names of the backbones' products with weights, and of what cuts off behind."""
    weights = {each.name for each in model.graph.initializer}
    constants = {each.output[0] for each in model.graph.node if each.op_type == "Constant"}
    inside = [each for each in model.graph.node if each.name.startswith(BACKBONE)]
    if any(each.op_type == "QuantizeLinear" for each in model.graph.node):
        raise ConfigError(
            "expected a model in fp32, got one that computes in int8 already, export the bundle "
            "of the training"
        )
    products = [
        each
        for each in inside
        if each.op_type in _PRODUCTS and not {*weights, *constants}.isdisjoint(each.input)
    ]
    if not products:
        raise ConfigError(
            "expected backbones with convolutions or matrix products, got none, export without "
            "--int8"
        )
    behind = {each.output[0] for each in products}
    activations = [
        each for each in inside if each.op_type in _ACTIVATIONS and each.input[0] in behind
    ]
    return [each.name for each in (*products, *activations)]


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Hands batches of faces to onnxruntime, one after another."""

    def __init__(self, pixels: dict[str, Pixels]) -> None:
        n = len(next(iter(pixels.values())))
        self._batches = (
            {name: values[start : start + _BATCH] for name, values in pixels.items()}
            for start in range(0, n, _BATCH)
        )

    def get_next(self) -> dict[str, Pixels] | None:
        """Return the next batch, None behind the last."""
        return next(self._batches, None)


def _run(network: GraphNetwork, faces: Int8Faces) -> tuple[NDArray[np.float64], ...]:
    """Return ages `(n,)` and embeddings `(n, dim)`."""
    parts = [
        [each[start : start + _BATCH] for each in faces.pixels]
        for start in range(0, len(faces), _BATCH)
    ]
    ages = np.concatenate([network.estimate(part)[0] for part in parts])
    embeddings = np.concatenate([network.embed(part) for part in parts])
    return ages, embeddings.astype(np.float64)


def _cost(
    before: Sequence[NDArray[np.float64]],
    after: Sequence[NDArray[np.float64]],
    keep: NDArray[np.bool_],
) -> dict[str, float]:
    """Return how far ages (years) and embeddings of some faces have moved."""
    (ages, a), (others, b) = ([each[keep] for each in side] for side in (before, after))
    moved = others - ages
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines = (a * b).sum(axis=1) / np.maximum(lengths, np.finfo(np.float64).tiny)
    return {
        "n": len(moved),
        "mae": float(np.abs(moved).mean()),
        "mean": float(moved.mean()),
        "largest": float(np.abs(moved).max()),
        "cosine": float(cosines.mean()),
        "least_cosine": float(cosines.min()),
    }


def _megabytes(folder: Path) -> float:
    files = [path for path in (folder / GRAPH, folder / WEIGHTS_FILE) if path.is_file()]
    return sum(path.stat().st_size for path in files) / 1e6


@contextmanager
def _in_silence() -> Iterator[None]:
    """Keep to itself what onnxruntime logs while it quantizes; what fails is raised."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
