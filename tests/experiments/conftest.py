"""Embedded faces without images, and small pictures with a tiny backbone that can be trained."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
import torch
from transformers import ResNetConfig, ResNetModel

from fairage.experiments import runner
from fairage.experiments.fitting import Fitted
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.plan import Plan, Version
from fairage.experiments.recipe import Recipe
from fairage.faces_file import check_faces
from fairage.tables import Faces

SIDE = 32


@pytest.fixture
def embedded(faces_frame: pl.DataFrame, rng: np.random.Generator) -> EmbeddedFaces:
    frame = check_faces(faces_frame)
    values = rng.normal(size=(frame.height, 6)).astype(np.float32)
    values[:, 0] = frame["age"].to_numpy() / 25 + rng.normal(0, 0.2, frame.height)
    return EmbeddedFaces(frame, values, ({"name": "fake", "view": "whole", "flip": True},))


@pytest.fixture
def plan_of(embedded: EmbeddedFaces) -> Callable[..., Plan]:
    """Makes the plan of some recipes on the embedded faces, with two seeds."""

    def made(*recipes: Recipe, workers: int = 1) -> Plan:
        return Plan(
            "test", [Version(told, embedded) for told in recipes], 2, workers, {}, [], min_rows=5
        )

    return made


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Version and seed of every training of a run in this process."""
    found, real = [], runner.fit

    def fit(told: Recipe, *args: object, seed: int, **more: object) -> Fitted:
        found.append((told.version, seed))
        return real(told, *args, seed=seed, **more)

    monkeypatch.setattr(runner, "fit", fit)
    return found


@pytest.fixture(scope="session")
def tiny_resnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a ResNet of three layers, 16 numbers an image, in the layout of transformers."""
    folder = tmp_path_factory.mktemp("backbones") / "tiny-resnet"
    sizes = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 2]}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ResNetModel(ResNetConfig(**sizes, layer_type="basic")).save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    normal = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25]}
    processor = {"size": size, "resample": 2, **normal}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


@pytest.fixture(scope="session")
def bright_faces(tmp_path_factory: pytest.TempPathFactory) -> Faces:
    """Pictures that are the brighter the older their person is: 32 train, 16 valid, 16 test."""
    folder = tmp_path_factory.mktemp("bright-faces")
    rng, n = np.random.default_rng(0), 64
    ages = rng.uniform(5, 90, n).round(1)
    names = [f"{number:03d}.png" for number in range(n)]
    for name, age in zip(names, ages, strict=True):
        picture = rng.normal(40 + 2 * age, 20, (SIDE, SIDE, 3)).clip(0, 255).astype(np.uint8)
        assert cv2.imwrite(str(folder / name), picture)
    frame = pl.DataFrame(
        {
            "image": names,
            "age": ages,
            "split": ["train", "train", "valid", "test"] * (n // 4),
            "gender": ["f", "f", "f", "f", "m", "m", "m", "m"] * (n // 8),
        }
    )
    return Faces(check_faces(frame), folder)
