"""Small pictures and small backbones of every kind."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import polars as pl
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from transformers import ResNetConfig, ResNetModel

from fairage.tables import AGE, IMAGE, Faces

SIDE = 32
PROCESSOR = {
    "size": {"height": SIDE, "width": SIDE},
    "resample": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.25, 0.25, 0.25],
}


def _save_picture(path: Path, number: int, side: int = 40) -> None:
    """Write a picture that differs from number to number."""
    rng = np.random.default_rng(number)
    small = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), cv2.resize(small, (side, side)))


def _faces_of(folder: Path, names: list[str]) -> Faces:
    return Faces(pl.DataFrame({IMAGE: names, AGE: [30.0] * len(names)}), folder)


def _resnet_folder(folder: Path, seed: int = 0) -> Path:
    """Save a tiny ResNet in the layout of transformers."""
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        ResNetModel(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    return folder


@pytest.fixture(scope="session")
def save_picture() -> Callable[..., None]:
    return _save_picture


@pytest.fixture(scope="session")
def faces_of() -> Callable[[Path, list[str]], Faces]:
    return _faces_of


@pytest.fixture
def pictures(tmp_path: Path) -> Faces:
    """Twelve different pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    names = [f"{i:02d}.png" for i in range(12)]
    for number, name in enumerate(names):
        _save_picture(folder / name, number)
    return _faces_of(folder, names)


@pytest.fixture(scope="session")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _resnet_folder(tmp_path_factory.mktemp("resnet"))


@pytest.fixture(scope="session")
def onnx_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A convolution and the mean over all places, 5 numbers an image."""
    folder = tmp_path_factory.mktemp("onnx")
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(5, 3, 3, 3)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["pixels", "kernel"], ["map"]),
            helper.make_node("Relu", ["map"], ["positive"]),
            helper.make_node("GlobalAveragePool", ["positive"], ["pooled"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("pooled", TensorProto.FLOAT, ["n", 5, 1, 1])],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    return folder
