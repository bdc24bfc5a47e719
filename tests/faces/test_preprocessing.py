"""Preprocessing follows the published configuration, and equals Pillow and transformers."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fairage.exceptions import DataError
from fairage.faces import Preprocessing

NORMAL = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4]}


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("number", "size"), [(2, 112), (3, 112), (2, 300), (3, 300)])
def test_resizing_equals_pillow(number: int, size: int) -> None:
    image = noise(157, 190)
    config = {"size": {"height": size, "width": size}, "resample": number}
    found = Preprocessing.from_config(config).resized(image)
    wanted = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling(number)))
    assert np.abs(found.astype(int) - wanted).max() <= 1


@pytest.mark.parametrize(
    ("config", "resize", "side"),
    [
        ({"size": 64}, None, 64),
        ({"size": [64, 64]}, None, 64),
        ({"size": {"height": 64, "width": 64}}, None, 64),
        ({"size": {"shortest_edge": 64}, "crop_size": 56}, 64, 56),
        ({"size": {"height": 64, "width": 64}, "crop_size": 56}, (64, 64), 56),
        ({"size": 64, "crop_size": 56, "do_center_crop": False}, None, 64),
        ({"size": 56, "image_processor_type": "LevitImageProcessor", "crop_size": 56}, 64, 56),
        ({"size": 56, "feature_extractor_type": "ConvNextFeatureExtractor"}, 64, 56),
    ],
)
def test_sizes_in_all_their_forms(config: dict, resize: object, side: int) -> None:
    found = Preprocessing.from_config(config)
    assert (found.resize, found.height, found.width) == (resize, side, side)
    assert found.resized(noise(90, 120)).shape == (side, side, 3)


def test_kept_proportions_cut_the_middle_out() -> None:
    image = np.zeros((40, 120, 3), dtype=np.uint8)
    image[:, 40:80] = 200
    found = Preprocessing(20, 20, resize=20).resized(image)
    assert (found[:, 1:-1] == 200).all()
    assert (found > 150).all()


def test_a_crop_larger_than_the_image_is_padded_with_black() -> None:
    found = Preprocessing(12, 12, resize=8).resized(np.full((8, 8, 3), 9, dtype=np.uint8))
    assert found.sum() == 8 * 8 * 3 * 9
    assert found[2:10, 2:10].min() == 9


@pytest.mark.parametrize("rescale", [True, False])
def test_normalising_equals_the_formula(rescale: bool) -> None:
    image = noise(8, 8)
    config = {"size": 8, "do_rescale": rescale, "rescale_factor": 1 / 255, **NORMAL}
    found = Preprocessing.from_config(config).normalised(torch.from_numpy(image)[None])
    assert found.shape == (1, 3, 8, 8)
    assert found.is_contiguous(memory_format=torch.channels_last)
    scaled = image / 255 if rescale else image.astype(float)
    wanted = (scaled - NORMAL["image_mean"]) / NORMAL["image_std"]
    np.testing.assert_allclose(found[0].permute(1, 2, 0), wanted, rtol=1e-4, atol=1e-5)


def test_channel_order_can_be_reversed() -> None:
    pixels = torch.tensor([[[[255, 0, 51]]]], dtype=torch.uint8)
    found = Preprocessing.from_config({"size": 1, "do_flip_channel_order": True}).normalised(pixels)
    torch.testing.assert_close(found.flatten(), torch.tensor([0.2, 0.0, 1.0]))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "one JSON object"),
        ("[]", "one JSON object"),
        ("{}", "whole pixels"),
        ('{"size": "big"}', "whole pixels"),
        ('{"size": {}}', "shortest_edge alone"),
        ('{"size": 0}', "whole pixels from 1 to 4096, got 0"),
        ('{"size": -8}', "got -8"),
        ('{"size": 224.5}', "got 224.5"),
        ('{"size": true}', "got True"),
        ('{"size": 100000}', "got 100000"),
        ('{"size": [8, 8, 3]}', "height and width"),
        ('{"size": {"shortest_edge": 8, "longest_edge": 9}}', "longest_edge"),
        ('{"size": {"shortest_edge": 8}}', "keeps each image's proportions"),
        ('{"size": {"shortest_edge": 8}, "crop_size": 0}', "got 0"),
        ('{"size": 8, "crop_size": 8}', "image_processor_type"),
        ('{"size": 8, "crop_pct": 0.9}', "image_processor_type"),
        ('{"size": 8, "do_resize": false}', "do_resize"),
        ('{"size": 8, "resample": 9}', "resample"),
        ('{"size": 8, "resample": 1}', "resample"),
        ('{"size": 8, "do_pad": true}', "do_pad"),
        ('{"size": 8, "do_convert_grayscale": true}', "do_convert_grayscale"),
        ('{"size": 8, "image_mean": [0, 0, 0], "image_std": [0, 1, 1]}', "image_std"),
        ('{"size": 8, "image_mean": 0.5, "image_std": -1}', "image_std"),
        ('{"size": 8, "image_mean": 0.5, "image_std": NaN}', "image_std"),
        ('{"size": 8, "image_mean": 0.5, "image_std": 58}', "image_std"),
        ('{"size": 8, "image_mean": [123.7, 116.3, 103.5], "image_std": 1}', "image_mean"),
        ('{"size": 8, "image_mean": [0.5], "image_std": 1}', "one number or three"),
        ('{"size": 8, "image_mean": "0.5", "image_std": 1}', "image_mean"),
        ('{"size": 8, "image_mean": 0.5}', "image_std"),
        ('{"size": 8, "do_normalize": true}', "image_mean"),
        ('{"size": 8, "rescale_factor": 0}', "rescale_factor"),
        ('{"size": 8, "auto_map": {"AutoImageProcessor": "mine.Mine"}}', "auto_map"),
        ('{"size": 8, "image_processor_type": "DetrImageProcessor"}', "DetrImageProcessor"),
        ('{"size": 8, "image_processor_type": "MyProcessor"}', "MyProcessor"),
        ('{"crop_pct": 0, "image_processor_type": "ConvNextImageProcessor"}', "crop_pct"),
        ('{"crop_pct": 87.5, "image_processor_type": "PoolFormerImageProcessor"}', "crop_pct"),
        ('{"size": "a", "image_processor_type": "LevitImageProcessor"}', "whole numbers"),
    ],
)
def test_a_bad_configuration_is_named(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "preprocessor_config.json"
    path.write_text(text)
    with pytest.raises(DataError, match=reason) as caught:
        Preprocessing.from_file(path)
    assert "preprocessor_config.json" in str(caught.value)


def write(folder: Path, **files: dict) -> Path:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder / "preprocessor_config.json"


def test_the_model_type_beside_the_file_says_how_it_is_read(tmp_path: Path) -> None:
    old = {"crop_pct": 0.875, "size": 224}
    path = write(tmp_path, preprocessor_config=old, config={"model_type": "resnet"})
    assert Preprocessing.from_file(path) == Preprocessing.from_config(old, "resnet")
    assert Preprocessing.from_file(path).resize == 256
    named = {"model_type": "resnet", "image_processor_type": "ViTImageProcessor"}
    path = write(tmp_path, preprocessor_config={"size": 224}, config=named)
    assert Preprocessing.from_file(path) == Preprocessing.from_config({"size": 224}, "vit")
    path = write(tmp_path, config={"model_type": "detr"})
    with pytest.raises(DataError, match="got 'detr'"):
        Preprocessing.from_file(path)


def test_a_processor_that_is_saved_with_others_comes_first(tmp_path: Path) -> None:
    nested = {"image_processor": {"image_processor_type": "ViTImageProcessor", "size": 96}}
    path = write(tmp_path, processor_config=nested)
    assert Preprocessing.from_file(path).height == 96
    path = write(tmp_path, preprocessor_config={"size": 64})
    assert Preprocessing.from_file(path).height == 96
    path = write(tmp_path, processor_config={"processor_class": "CLIPProcessor"})
    assert Preprocessing.from_file(path).height == 64


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got none in"):
        Preprocessing.from_file(tmp_path / "preprocessor_config.json")
