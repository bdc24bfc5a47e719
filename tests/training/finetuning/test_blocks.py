"""Blocks: which they are in each kind of model, and what 'the last of them' trains."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from fairage.embeddings.backbones.transformers import load_pooled
from fairage.exceptions import ConfigError
from fairage.training.trainable_backbone import Freezing, find_blocks, freeze
from fairage.training.training_settings import FineTuneSettings

COUNTS = {"resnet": 3, "vit": 3, "vit-bare": 3, "mobilenet": 26, "convnext": 5}


def frozen(folder: Path, **options: object) -> tuple[nn.Module, Freezing]:
    model = load_pooled(folder).model
    settings = FineTuneSettings(**options)
    return model, freeze(model, find_blocks(model), settings)


def trained(model: nn.Module) -> set[str]:
    return {name for name, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_every_block_of_the_known_models_is_found(
    name: str, backbone_folder: Callable[[str], Path]
) -> None:
    model = load_pooled(backbone_folder(name)).model
    blocks = find_blocks(model)
    assert len(blocks) == COUNTS[name]
    assert set(blocks.depths) == {key for key, _ in model.named_parameters()}
    depths = list(blocks.depths.values())
    assert depths == sorted(depths)
    assert depths[0] == 0


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_head_trains_nothing_and_all_trains_everything(
    name: str, backbone_folder: Callable[[str], Path]
) -> None:
    model, freezing = frozen(backbone_folder(name), train="head")
    assert not trained(model)
    assert not list(freezing.moving())
    freezing.apply()
    assert not any(part.training for part in model.modules())
    model, _ = frozen(backbone_folder(name), train="all")
    assert len(trained(model)) == len(list(model.parameters()))


def test_the_last_blocks_train_with_what_comes_behind_them(
    backbone_folder: Callable[[str], Path],
) -> None:
    model, freezing = frozen(backbone_folder("vit"), train="last:1")
    assert {name.split(".")[0] for name in trained(model)} == {"layers", "layernorm", "pooler"}
    assert not any(name.startswith(("layers.0", "layers.1")) for name in trained(model))
    freezing.apply()
    assert model.layers[2].training
    assert not model.layers[1].training


def test_a_stage_is_made_of_its_layers_and_downsampling_goes_with_the_next(
    backbone_folder: Callable[[str], Path],
) -> None:
    model, _ = frozen(backbone_folder("convnext"), train="last:1")
    assert any("stages.3.downsampling_layer" in name for name in trained(model))
    assert not any("stages.2" in name for name in trained(model))
    model, _ = frozen(backbone_folder("resnet"), train="last:1")
    assert all("stages.1.layers.1" in name for name in trained(model))


@pytest.mark.parametrize("batch_norm", ["keep", "adapt"])
def test_batch_norm_of_frozen_parts_rests_and_a_forgetful_one_is_slowed_down(
    batch_norm: str, backbone_folder: Callable[[str], Path]
) -> None:
    model, freezing = frozen(backbone_folder("mobilenet"), train="last:2", batch_norm=batch_norm)
    freezing.apply()
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    adapting = [norm for norm in norms if norm.training]
    assert adapting == (norms[-2:] if batch_norm == "adapt" else [])
    assert all(norm.momentum == 0.1 for norm in adapting)
    assert any("running_mean" in name for name, _ in freezing.moving()) == bool(adapting)


def test_more_blocks_than_there_are_and_a_model_without_blocks_are_errors(
    backbone_folder: Callable[[str], Path],
) -> None:
    with pytest.raises(ConfigError, match=r"K up to 3, .* got 4"):
        frozen(backbone_folder("resnet"), train="last:4")
    plain = nn.Linear(2, 2)
    with pytest.raises(ConfigError, match="list of blocks"):
        freeze(plain, find_blocks(plain), FineTuneSettings(train="last:1"))
    freeze(plain, find_blocks(plain), FineTuneSettings(train="head"))
    assert not plain.weight.requires_grad


def test_gradient_checkpointing_gives_the_same_gradients_or_says_that_it_cannot(
    backbone_folder: Callable[[str], Path],
) -> None:
    gradients = []
    for checkpointing in (False, True):
        folder = backbone_folder("vit")
        pooled = load_pooled(folder)
        settings = FineTuneSettings(gradient_checkpointing=checkpointing)
        freeze(pooled.model, find_blocks(pooled.model), settings).apply()
        torch.manual_seed(0)
        pooled(torch.ones(2, 3, 32, 32)).square().sum().backward()
        gradients.append(pooled.model.layers[0].mlp.fc1.weight.grad)
    torch.testing.assert_close(*gradients)
    with pytest.raises(ConfigError, match="ResNetModel, which cannot"):
        frozen(backbone_folder("resnet"), gradient_checkpointing=True)


@pytest.mark.parametrize("train", ["last", "last:0", "last:-1", "tail", ""])
def test_what_trains_is_one_of_three_things(train: str) -> None:
    with pytest.raises(ConfigError, match="train: expected 'head'"):
        FineTuneSettings(train=train)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"accumulate": 33},
        {"learning_rate": 0.0},
        {"backbone_rate": float("nan")},
        {"layer_decay": 0.0},
        {"ema": 1.0},
        {"warmup": 51},
        {"precision": "fp16"},
        {"batch_norm": "train"},
        {"schedule": "linear"},
    ],
)
def test_settings_that_make_no_sense_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        FineTuneSettings(**wrong)
