"""The trained network as a graph bundle: half-precision weights, computed in single precision."""

import json
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from boxed.faces import VIEW, BoxedFaces
from boxed.network import BoxedNetwork, ages_of, normalised, spreads_of
from boxed.settings import Settings
from fairage._bundle_files import BOXED_NAME, CARD, write_bundle_config
from fairage._files import atomic_folder, write_text
from fairage._images import DECODING_VERSION
from fairage._model_card import model_card
from fairage.faces.detection import DETECTION_VERSION, find_detector
from fairage.faces.preprocessing import RESIZING_VERSION, Preprocessing
from fairage.faces.views import ALIGNMENT_VERSION, view_from_name
from fairage.prediction.calibration_rows import CalibrationRows
from fairage.prediction.cutting_words import how_to_cut
from fairage.prediction.face_input import FaceInput
from fairage.prediction.graph import ABOUT, EMBEDDING, FORMAT, NETWORK_AGE, SPREAD
from fairage.prediction.graph_intervals import add_tables
from fairage.prediction.graph_joining import OPSET, save_graph, tidy
from fairage.prediction.graph_tables import write_tables
from fairage.prediction.held_out import for_card, held_out_coverage
from fairage.prediction.intervals import ConformalAges
from fairage.prediction.loading import CALIBRATION

PARTS = ("train", "valid", "calibration", "test")
_HALVED = 1024
"""Weights with fewer numbers stay in single precision."""
LICENSE, DATASET = "cc-by-4.0", "HuggingFaceM4/FairFace"


class Estimator(nn.Module):
    """From pixels of faces to ages, spreads and embeddings, the mean of both mirror images."""

    def __init__(self, network: BoxedNetwork) -> None:
        super().__init__()
        self.trunk = fused(network.trunk)
        self.last = network.last

    def forward(self, face: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ages, spreads and embeddings `(n, width)` of uint8 `(n, side, side, 3)`."""
        values = normalised(face)
        both = self.trunk(torch.cat([values, values.flip(3)]))
        embeddings = both.reshape(2, -1, both.shape[1]).mean(dim=0)
        outputs = self.last(embeddings)
        return ages_of(outputs), spreads_of(outputs), embeddings


def fused(trunk: nn.Module) -> nn.Module:
    """Return the same layers with each norm as a part of the convolution before it."""
    for module in [trunk, *trunk.modules()]:
        names = list(module._modules)
        for name, after in pairwise(names):
            one, other = module._modules[name], module._modules[after]
            if isinstance(one, nn.Conv2d) and isinstance(other, nn.BatchNorm2d):
                module._modules[name] = fuse_conv_bn_eval(one, other)
                module._modules[after] = nn.Identity()
    return trunk


def face_input(side: int) -> FaceInput:
    """Return what the network sees of a face."""
    size = Preprocessing(side, side)
    return FaceInput("face", view_from_name(VIEW), view_from_name("whole"), size)


def write_bundle(
    network: BoxedNetwork,
    side: int,
    rows: CalibrationRows,
    folder: Path,
    about: dict[str, Any],
) -> None:
    """Write the bundle, which appears whole or not at all.

    Args:
        network: Trained, its last layer fitted anew.
        side: Side of its pictures.
        rows: The calibration faces with the network's estimates.
        folder: Where.
        about: What the bundle says of its training.
    """
    intervals = ConformalAges.fit(rows)
    with atomic_folder(folder) as partial:
        write_text(partial / ABOUT, json.dumps(_about(side), indent=2) + "\n")
        write_tables(partial, intervals.table(), target="apparent")
        save_graph(_graph(network, side), partial)
        rows.write(partial / CALIBRATION)
        config = _config(side, rows, about)
        (partial / CARD).write_text(model_card(config, BOXED_NAME), encoding="utf-8")
        write_bundle_config(config, partial)


def _about(side: int) -> dict[str, Any]:
    own = face_input(side)
    return {
        "format": FORMAT,
        "inputs": [{**own.to_dict(), "how_to_cut": how_to_cut(own, None)}],
        "outputs": ["age", "low", "high", SPREAD, EMBEDDING],
        "precision": "weights in fp16, computed in fp32",
        "opset": OPSET,
    }


def _config(side: int, rows: CalibrationRows, about: dict[str, Any]) -> dict[str, Any]:
    backbone = {
        "name": "boxed",
        "kind": "onnx",
        "view": VIEW,
        "flip": True,
        "precision": "file",
        "preprocessing": asdict(Preprocessing(side, side)),
        "detector": find_detector().fingerprint(),
        "detection": DETECTION_VERSION,
        "alignment": ALIGNMENT_VERSION,
        "decoding": DECODING_VERSION,
        "resizing": RESIZING_VERSION,
    }
    return {
        "backbones": [backbone],
        "target": "apparent",
        "framing": None,
        "license": LICENSE,
        "datasets": [DATASET],
        "intervals": {
            "n": len(rows),
            "source": "FairFace, faces of its training part that trained and chose nothing; ages "
            "are drawn evenly in each range, 20 times a face, 70 and over up to 90",
            "level": 0.9,
            "target": "apparent",
            "held": for_card(held_out_coverage(rows), ("covered", "width")),
        },
        "training": about,
    }


def _graph(network: BoxedNetwork, side: int) -> onnx.ModelProto:
    program = torch.onnx.export(
        Estimator(network).eval(),
        (torch.zeros(2, side, side, 3, dtype=torch.uint8),),
        dynamo=True,
        opset_version=OPSET,
        dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
        input_names=["face"],
        output_names=[NETWORK_AGE, SPREAD, EMBEDDING],
        verbose=False,
    )
    assert program is not None
    graph: onnx.ModelProto = program.model_proto
    add_tables(graph)
    _halve(graph)
    tidy(graph)
    return graph


def _halve(graph: onnx.ModelProto) -> None:
    """Keep large weights in half precision, behind a cast that sessions do once."""
    casts, weights = [], []
    for each in graph.graph.initializer:
        values = numpy_helper.to_array(each)
        if values.dtype != np.float32 or values.size < _HALVED:
            weights.append(each)
            continue
        small = f"{each.name}.half"
        weights.append(numpy_helper.from_array(values.astype(np.float16), small))
        casts.append(helper.make_node("Cast", [small], [each.name], small, to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    for field, content in ((graph.graph.initializer, weights), (graph.graph.node, nodes)):
        del field[:]
        field.extend(content)


def facts(faces: BoxedFaces, settings: Settings, weights: tuple[float, float]) -> dict[str, Any]:
    """Return what a bundle says of its training."""
    return {
        "description": "The model in the box: a small network, trained from random weights on "
        "faces of FairFace and nothing else. FairFace: Kimmo Kärkkäinen and Jungseock Joo, "
        '"FairFace: Face Attribute Dataset for Balanced Race, Gender, and Age", 2021, under the '
        "licence CC BY 4.0, under which these weights are passed on as well. Its ages are ranges "
        "that people judged from the pictures.",
        "seed": settings.seed,
        "rows": {part: len(faces.rows(part)) for part in PARTS},
        "settings": asdict(settings) | {"refit_weights": list(weights)},
    }
