"""Preprocessing follows the published configuration, and equals Pillow and transformers."""

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from torch.nn import functional as F

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


SIDES = st.integers(1, 300) | st.sampled_from([112, 157, 224])


def by_torch(image: np.ndarray, height: int, width: int, resample: str) -> np.ndarray:
    """Return what torch makes of an image, which stores of before version 2 hold."""
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None]
    smooth = resample != "nearest-exact"
    resized = F.interpolate(pixels, (height, width), mode=resample, antialias=smooth)
    return resized[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize(
    ("resample", "most"), [("nearest-exact", 0), ("bilinear", 1), ("bicubic", 2)]
)
@given(sides=st.tuples(SIDES, SIDES, SIDES, SIDES), seed=st.integers(0, 9))
@example((1, 1, 224, 112), 0)
@example((300, 2, 1, 224), 0)
@example((256, 8, 224, 112), 1)
@example((157, 157, 112, 112), 0)
def test_resizing_equals_torch_which_it_does_without(
    resample: str, most: int, sides: tuple[int, int, int, int], seed: int
) -> None:
    """Torch rounds weights to 16 bits, which is where the second grey level comes from."""
    height, width, new_height, new_width = sides
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    if seed % 2:
        image = image // 128 * 255
    resized = Preprocessing(new_height, new_width, resample=resample).resized(image)
    expected = by_torch(image, new_height, new_width, resample)
    assert resized.dtype == np.uint8
    assert resized.flags.c_contiguous
    assert resized.flags.writeable
    assert np.abs(resized.astype(int) - expected).max() <= most


@pytest.mark.parametrize("resample", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(64, 64), (112, 112), (224, 300), (512, 600), (1, 100)])
def test_a_photograph_is_resized_as_torch_does_within_one_grey_level(
    resample: str, size: tuple[int, int]
) -> None:
    photograph = skimage.data.astronaut()
    resized = Preprocessing(*size, resample=resample).resized(photograph)
    assert np.abs(resized.astype(int) - by_torch(photograph, *size, resample)).max() <= 1


@pytest.mark.parametrize("resample", ["nearest-exact", "bilinear", "bicubic"])
def test_resizing_goes_along_rows_first_whatever_is_less_work(resample: str) -> None:
    image = noise(256, 8)
    rows = Preprocessing(256, 112, resample=resample).resized(image)
    both = Preprocessing(224, 112, resample=resample).resized(rows)
    np.testing.assert_array_equal(Preprocessing(224, 112, resample=resample).resized(image), both)


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
