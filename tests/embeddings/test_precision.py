"""Bf16 is taken only where a trial shows that it agrees with fp32."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fairage.embeddings.backbones.registry import Backbone, Network, find_backbone
from fairage.embeddings.precision import agreed_runtime
from fairage.embeddings.runtime import Runtime
from fairage.tables import Faces

PLAIN, FAST = Runtime("cpu", "fp32", 4, 12), Runtime("cpu", "bf16", 4, 12)


def rough(backbone: Backbone, noise: float) -> Backbone:
    """The backbone, which in bf16 errs by this share of its values."""

    def load(runtime: Runtime) -> Network:
        network = backbone.load(replace(runtime, precision="fp32"))
        if runtime.precision == "fp32":
            return network

        def run(pixels: np.ndarray) -> np.ndarray:
            values = network(pixels)
            return values * np.random.default_rng(0).normal(1, noise, values.shape).astype("f4")

        return run

    return replace(backbone, load=load)


@pytest.mark.parametrize(("noise", "precision"), [(0.001, "bf16"), (0.2, "fp32")])
def test_the_trial_decides(
    pictures: Faces, resnet: Path, tmp_path: Path, noise: float, precision: str
) -> None:
    backbone = rough(find_backbone(str(resnet)), noise)
    found = agreed_runtime(backbone, FAST, PLAIN, pictures.images, tmp_path)
    assert found.precision == precision


def test_the_verdict_stands(pictures: Faces, resnet: Path, tmp_path: Path) -> None:
    exact, bad = (rough(find_backbone(str(resnet)), noise) for noise in (0.0, 0.2))
    agreed_runtime(bad, FAST, PLAIN, pictures.images, tmp_path)
    assert agreed_runtime(exact, FAST, PLAIN, pictures.images, tmp_path) is PLAIN
    (verdict,) = (tmp_path / "precision").iterdir()
    assert json.loads(verdict.read_text())["images"] == 12
    verdict.write_text("damaged")
    assert agreed_runtime(exact, FAST, PLAIN, pictures.images, tmp_path) is FAST


def test_images_that_occur_often_are_tried_once(
    pictures: Faces, resnet: Path, tmp_path: Path
) -> None:
    backbone = rough(find_backbone(str(resnet)), 0.0)
    agreed_runtime(backbone, FAST, PLAIN, pictures.images[:2] * 8, tmp_path)
    (verdict,) = (tmp_path / "precision").iterdir()
    assert json.loads(verdict.read_text())["images"] == 2


def test_without_a_readable_image_nothing_is_settled(resnet: Path, tmp_path: Path) -> None:
    found = agreed_runtime(find_backbone(str(resnet)), FAST, PLAIN, ["none.png"], tmp_path)
    assert found is PLAIN
    assert not (tmp_path / "precision").exists()


def test_unreadable_images_are_passed_over(pictures: Faces, resnet: Path, tmp_path: Path) -> None:
    images = ["none.png", *pictures.images]
    backbone = rough(find_backbone(str(resnet)), 0.0)
    assert agreed_runtime(backbone, FAST, PLAIN, images, tmp_path) is FAST


def test_onnx_files_and_machines_without_bf16_need_no_trial(
    pictures: Faces, resnet: Path, onnx_folder: Path, tmp_path: Path
) -> None:
    onnx = find_backbone(str(onnx_folder))
    assert agreed_runtime(onnx, FAST, PLAIN, pictures.images, tmp_path) is FAST
    torch = find_backbone(str(resnet))
    assert agreed_runtime(torch, PLAIN, PLAIN, pictures.images, tmp_path) is PLAIN
    assert not (tmp_path / "precision").exists()


@pytest.mark.real_data
def test_a_net_of_depthwise_convolutions_stays_in_fp32(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "data" / "appa-real" / "valid_data"
    images = sorted(str(path) for path in folder.glob("*.jpg"))[:16]
    backbone = find_backbone(str(real_data / "models" / "mobilenet-v1-vggface2"))
    assert agreed_runtime(backbone, FAST, PLAIN, images, tmp_path) is PLAIN
