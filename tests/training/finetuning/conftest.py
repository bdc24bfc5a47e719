"""Small pictures whose brightness tells the age, and tiny backbones to fine-tune on them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from transformers import (
    ConvNextConfig,
    ConvNextModel,
    MobileNetV1Config,
    MobileNetV1Model,
    ResNetConfig,
    ResNetModel,
    ViTConfig,
    ViTModel,
)

from fairage._random import torch_seed
from fairage.embeddings import BackboneSpec, EmbedOptions
from fairage.models import AgeHead, make_head
from fairage.objectives import OBJECTIVES, Targets
from fairage.training.data import ImageRows
from fairage.training.finetuning import FineTuned, finetune
from fairage.training.training_settings import FineTuneSettings

SIDE = 32
WIDTHS = {"resnet": 16, "vit": 16, "vit-bare": 16, "mobilenet": 256, "convnext": 16}
QUIET = EmbedOptions(backbones="unused", device="cpu", progress=False)
FAST = FineTuneSettings(epochs=2, batch_size=8, learning_rate=1e-3)
PROCESSOR = {
    "size": {"height": SIDE, "width": SIDE},
    "resample": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.25, 0.25, 0.25],
}


def _resnet() -> torch.nn.Module:
    sizes = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 2]}
    return ResNetModel(ResNetConfig(**sizes, layer_type="basic"))


def _vit(*, pooler: bool) -> torch.nn.Module:
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=SIDE,
        patch_size=16,
        hidden_dropout_prob=0.1,
    )
    return ViTModel(config, add_pooling_layer=pooler)


def _convnext() -> torch.nn.Module:
    return ConvNextModel(ConvNextConfig(hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 2, 1]))


MODELS: dict[str, Callable[[], torch.nn.Module]] = {
    "resnet": _resnet,
    "vit": lambda: _vit(pooler=True),
    "vit-bare": lambda: _vit(pooler=False),
    "mobilenet": lambda: MobileNetV1Model(
        MobileNetV1Config(image_size=SIDE, depth_multiplier=0.25, min_depth=4)
    ),
    "convnext": _convnext,
}


@pytest.fixture(scope="session")
def backbone_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the folder of a tiny model by name, in the layout of transformers."""
    root = tmp_path_factory.mktemp("backbones")

    def folder(name: str) -> Path:
        path = root / name
        if not path.exists():
            with torch.random.fork_rng():
                torch.manual_seed(0)
                MODELS[name]().save_pretrained(path)
            (path / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
        return path

    return folder


@pytest.fixture(scope="session")
def picture_rows(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, int], ImageRows]:
    """Makes rows of pictures: the brighter, the older; every fourth is of the rare group."""
    root = tmp_path_factory.mktemp("pictures")

    def make(n: int, seed: int) -> ImageRows:
        rng = np.random.default_rng(seed)
        ages = rng.uniform(10, 80, n)
        images = []
        for row, age in enumerate(ages):
            noise = rng.normal(0, 20, (SIDE, SIDE, 3))
            path = root / f"{seed}-{row}.png"
            assert cv2.imwrite(str(path), (40 + 2 * age + noise).clip(0, 255).astype(np.uint8))
            images.append(str(path))
        groups = {"gender": np.where(np.arange(n) % 4 == 0, "m", "f")}
        targets = Targets(torch.from_numpy(ages.astype(np.float32)))
        return ImageRows(tuple(images), targets, torch.ones(n), groups)

    return make


@pytest.fixture
def head_of() -> Callable[..., AgeHead]:
    """Makes a small head of this width, always with the same first weights."""

    def make(dim: int, name: str = "label-distribution", **options: object) -> AgeHead:
        with torch_seed(0, "head"):
            return make_head(name, dim, {"hidden": [16], "dropout": 0.1, **options})

    return make


@pytest.fixture
def job(
    backbone_folder: Callable[[str], Path],
    picture_rows: Callable[[int, int], ImageRows],
    head_of: Callable[..., AgeHead],
    tmp_path: Path,
) -> Callable[..., FineTuned]:
    """Fine-tunes a tiny model on 24 pictures, 12 for validation."""

    def run(name: str = "resnet", folder: str = "run", **changes: Any) -> FineTuned:
        head = changes.pop("head", None) or head_of(WIDTHS[name])
        arguments: dict[str, Any] = {
            "objective": OBJECTIVES["dldl"](),
            "settings": FAST,
            "seed": 0,
            "folder": tmp_path / folder,
            "options": QUIET,
            **changes,
        }
        train = arguments.pop("train", None) or picture_rows(24, 1)
        valid = arguments.pop("valid", None) or picture_rows(12, 2)
        spec = arguments.pop("spec", BackboneSpec(str(backbone_folder(name))))
        return finetune(head, spec, train, valid, **arguments)

    return run
