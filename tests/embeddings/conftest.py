"""Small pictures and small backbones of every kind."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
from tests.tiny_backbones import onnx_model
from tests.tiny_backbones import resnet as write_resnet

from fairage.tables import AGE, IMAGE, Faces


def _save_picture(path: Path, number: int, side: int = 40) -> None:
    """Write a picture that differs from number to number."""
    rng = np.random.default_rng(number)
    small = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), cv2.resize(small, (side, side)))


def _faces_of(folder: Path, names: list[str]) -> Faces:
    return Faces(pl.DataFrame({IMAGE: names, AGE: [30.0] * len(names)}), folder)


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
    folder = tmp_path_factory.mktemp("resnet")
    write_resnet(folder)
    return folder


@pytest.fixture(scope="session")
def onnx_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    onnx_model(folder)
    return folder
