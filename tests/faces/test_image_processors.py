"""Every image model type of transformers: our pixels equal its own processor's, or it is refused.

The reference is the processor itself, in its variant for Pillow. Differences are the mean absolute
difference as a share of the standard deviation of what the reference gives.
"""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from torch.nn import functional as F
from transformers import CONFIG_MAPPING, AutoModel
from transformers.models.auto import image_processing_auto as auto

from fairage.embeddings.backbones.transformers import PooledModel, image_part
from fairage.exceptions import DataError
from fairage.faces import Preprocessing
from fairage.faces.image_processors import MODEL_TYPES, NOT_DONE, PROCESSORS

MAPPING: dict[str, dict[str, str]] = auto.IMAGE_PROCESSOR_MAPPING_NAMES
WITHOUT_PILLOW = {"DINOv3ViTImageProcessor"}  # compared with its formula below
TOLERANCE = 0.01
PICTURES = ("noise", "smooth", "portrait", "tiny")
# Keys of the reference that change nothing in one RGB image.
WITHOUT_EFFECT = {
    "data_format",
    "device",
    "disable_grouping",
    "do_convert_rgb",
    "do_reduce_labels",
    "image_seq_length",
    "input_data_format",
    "return_tensors",
}
OF_FLAVA = ("codebook_", "mask_group_", "input_size_patches", "total_mask_patches")

# Files as they are published, old and new; each is given to each processor.
FILES: list[dict] = [
    {},
    {"size": 224},
    {"size": 64},
    {"size": 400},
    {"size": 224, "crop_pct": 0.875},
    {"size": 224, "crop_pct": 0.95, "resample": 2},
    {"size": 256, "crop_size": 224},
    {"size": 256, "crop_size": 224, "do_center_crop": True, "resample": 3},
    {"size": 96, "crop_size": 131, "do_center_crop": True},
    {"size": [96, 80]},
    {"size": {"height": 96, "width": 80}},
    {"size": {"height": 96, "width": 80}, "do_center_crop": False},
    {"size": {"height": 96, "width": 80}, "crop_size": 64, "do_center_crop": True},
    {"size": {"shortest_edge": 120}},
    {"size": {"shortest_edge": 120}, "crop_size": {"height": 99, "width": 101}},
    {"size": {"shortest_edge": 120}, "do_center_crop": False},
    {"size": {"shortest_edge": 120}, "crop_pct": 1.0},
    {"size": 64, "default_to_square": True},
    {"size": 64, "default_to_square": False, "do_center_crop": True, "crop_size": 60},
    {"size": 64, "resample": 0},
    {"do_normalize": False},
    {"do_normalize": True, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]},
    {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6], "resample": 2},
    {"do_rescale": False, "image_mean": [123.0, 117.0, 104.0], "image_std": [58.0, 57.0, 57.5]},
    {"rescale_factor": 1 / 127.5, "rescale_offset": True, "include_top": False},
    {"rescale_factor": 1 / 127.5, "rescale_offset": True, "do_normalize": False},
    {"do_flip_channel_order": False},
    {"do_flip_channel_order": True, "do_normalize": False},
    {"do_resize": None, "resample": None, "image_std": None, "do_center_crop": None},
    {"do_convert_rgb": True, "do_reduce_labels": True, "num_channels": 3},
]


@cache
def picture(name: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    if name == "noise":
        return rng.integers(0, 256, (157, 301, 3), dtype=np.uint8)
    if name == "tiny":
        return rng.integers(0, 256, (41, 30, 3), dtype=np.uint8)
    height, width = (480, 360) if name == "portrait" else (203, 260)
    down, across = np.mgrid[0:height, 0:width]
    waves = [
        np.sin(down / 17) * 60 + across / 3,
        np.cos(across / 23) * 90 + down / 4,
        down + across,
    ]
    grain = rng.normal(0, 6, (height, width, 3))
    return np.clip(np.stack(waves, axis=2) + 60 + grain, 0, 255).astype(np.uint8)


def reference(name: str, config: dict, image: np.ndarray) -> np.ndarray | None:
    """What the processor gives, or None where it refuses or keeps the image's proportions."""
    made = auto.get_image_processor_class_from_name(f"{name}Pil")
    try:
        processor = made.from_dict(config)
        given = [
            np.asarray(processor(each, return_tensors="np")["pixel_values"][0])
            for each in (image, image[: len(image) // 2])
        ]
    except (AttributeError, TypeError, ValueError):
        return None
    return given[0] if given[0].shape == given[1].shape else None


def difference(found: np.ndarray, wanted: np.ndarray) -> float:
    assert found.shape == wanted.shape
    return float(np.abs(found - wanted).mean() / wanted.std())


def pixels(preprocessing: Preprocessing, image: np.ndarray) -> np.ndarray:
    resized = torch.from_numpy(preprocessing.resized(image))
    return preprocessing.normalised(resized[None])[0].numpy()


@pytest.mark.parametrize("name", sorted(set(PROCESSORS) - WITHOUT_PILLOW))
def test_a_file_gives_the_pixels_of_transformers_or_is_refused(name: str) -> None:
    only_theirs, only_ours = [], []
    for config in FILES:
        told = {"image_processor_type": name, **config}
        wanted = {kind: reference(name, told, picture(kind)) for kind in PICTURES}
        try:
            preprocessing = Preprocessing.from_config(told)
        except DataError:
            if wanted["noise"] is not None:
                only_theirs.append(config)
            continue
        if wanted["noise"] is None:
            only_ours.append(config)
            continue
        for kind, values in wanted.items():
            assert difference(pixels(preprocessing, picture(kind)), values) < TOLERANCE, config
    convnext = name == "ConvNextImageProcessor"
    assert all(convnext and config["do_center_crop"] for config in only_theirs)
    assert all(convnext and config.get("default_to_square", True) for config in only_ours)
    assert len(only_ours) + len(only_theirs) == (7 if convnext else 0)


def test_dinov3_gives_the_pixels_of_its_formula() -> None:
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    for kind in PICTURES:
        scaled = torch.from_numpy(picture(kind)).permute(2, 0, 1)[None] / 255
        resized = F.interpolate(scaled, (224, 224), mode="bilinear", antialias=True)[0]
        wanted = (resized - mean.view(3, 1, 1)) / std.view(3, 1, 1)
        found = Preprocessing.from_config({"image_processor_type": "DINOv3ViTImageProcessorFast"})
        assert difference(pixels(found, picture(kind)), wanted.numpy()) < TOLERANCE


@pytest.mark.parametrize("model_type", sorted(MAPPING))
def test_every_model_type_is_read_by_its_own_processor_or_refused(model_type: str) -> None:
    name = next(iter(MAPPING[model_type].values())).removesuffix("Pil")
    if name in PROCESSORS:
        assert MODEL_TYPES[model_type] == name
        assert Preprocessing.from_config({}, model_type).height > 0
        return
    with pytest.raises(DataError, match=re.escape(repr(model_type))):
        Preprocessing.from_config({"size": 224}, model_type)
    with pytest.raises(DataError, match=name):
        Preprocessing.from_config({"size": 224, "image_processor_type": name}, "vit")


def not_alone() -> set[str]:
    page = (Path(__file__).parents[2] / "docs" / "image-processors.md").read_text(encoding="utf-8")
    listed = re.search(r"refused when it is loaded:\n\n(.*?)\n\n", page, flags=re.DOTALL)
    assert listed
    return set(re.findall(r"`(.*?)`", listed[1]))


@pytest.mark.parametrize("model_type", sorted(MODEL_TYPES))
@pytest.mark.filterwarnings("ignore")
def test_a_model_type_embeds_images_alone_or_the_page_says_it_does_not(model_type: str) -> None:
    config = CONFIG_MAPPING[model_type]()
    side = config.image_size if isinstance(getattr(config, "image_size", None), int) else 224
    with torch.device("meta"):  # shapes, without weights and numbers
        try:
            model = image_part(AutoModel.from_config(config))[0].eval()
            shape = PooledModel(model)(torch.zeros(2, 3, side, side)).shape
        except (ImportError, RuntimeError, ValueError):
            assert model_type in not_alone()
            return
    assert len(shape) == 2
    assert shape[0] == 2
    assert model_type not in not_alone()


@pytest.mark.parametrize("name", sorted(set(PROCESSORS) - WITHOUT_PILLOW))
def test_every_key_that_a_processor_knows_is_followed_refused_or_without_effect(name: str) -> None:
    made = auto.get_image_processor_class_from_name(f"{name}Pil")
    known = set(made.valid_kwargs.__annotations__)
    followed = set(PROCESSORS[name].defaults())
    left = known - followed - WITHOUT_EFFECT - set(NOT_DONE)
    assert not {key for key in left if not key.startswith(OF_FLAVA)}


def test_the_class_of_the_file_comes_before_the_model_type() -> None:
    told = {"size": 224, "feature_extractor_type": "ViTFeatureExtractor"}
    assert Preprocessing.from_config(told, "resnet") == Preprocessing.from_config(told)
    assert Preprocessing.from_config({"size": 224}, "resnet").resize == 256


def test_the_page_of_image_models_is_as_the_code_says() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs" / "image-processors.md").read_text(encoding="utf-8")
    if f"those of transformers {transformers.__version__}." not in page:
        pytest.skip("the page lists the model types of another version of transformers")
    done = subprocess.run(
        [sys.executable, str(root / "scripts" / "image_processors_page.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
