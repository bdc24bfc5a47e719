"""Bundles of small random backbones, as `fairage run` would have saved them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from fairage._random import torch_seed
from fairage.embeddings.backbones import find_backbone
from fairage.embeddings.batcher import BackboneBatcher
from fairage.embeddings.embed_options import BackboneSpec
from fairage.embeddings.runtime import Runtime
from fairage.faces.detection import find_detector
from fairage.models import Bundle, Calibration, make_head, save_bundle

RUNTIME = Runtime("cpu", "fp32", batch_size=2, images=2)
EVERY_HEAD = [
    {"name": "regression", "hidden": [6], "layer_norm": True},
    {"name": "linear", "hidden": []},
    {"name": "label-distribution", "hidden": []},
    {"name": "coral", "hidden": [4]},
    {"name": "corn", "hidden": []},
]

Backbone = tuple[str | Path, str, bool]


def described(
    name: str | Path, view: str, flip: bool, scratch: Path
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """What a bundle says of a backbone, and some embeddings."""
    spec = BackboneSpec(str(name), view, flip)
    backbone = find_backbone(str(name))
    sides = backbone.preprocessing.height, backbone.preprocessing.width
    values = backbone.load(RUNTIME)(np.stack(random_pictures(40, *sides)))
    batcher = BackboneBatcher(
        backbone, spec, scratch / "store", RUNTIME, detector=find_detector(None).fingerprint()
    )
    return batcher.describe(values.shape[1]), values


def save(
    target: Path,
    backbones: Sequence[Backbone],
    *,
    head: str = "experts",
    options: dict[str, Any] | None = None,
    calibration: Calibration | None = None,
    **changes: Any,
) -> Path:
    """Save a bundle whose head is random, but spreads its ages; changes are of each backbone."""
    found = [described(*each, target.parent) for each in backbones]
    about = [{**each, **changes} for each, _ in found]
    dim = sum(each["dim"] for each in about)
    if options is None:
        options = {"members": EVERY_HEAD, "merge": "gate"}
    with torch_seed(0, "head"):
        made = make_head(head, dim, options)
        for weight in made.parameters():
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=1 / weight.shape[1] ** 0.5)
    made.standardise_by(torch.from_numpy(np.concatenate([each for _, each in found], axis=1)))
    made.calibration = calibration
    training = {"description": "A test.", "rows": {"train": 40}}
    save_bundle(Bundle(made, head, options, tuple(about), training, target="apparent"), target)
    return target


def random_pictures(n: int, height: int = 60, width: int = 50) -> list[NDArray[np.uint8]]:
    """Pictures of a few large spots."""
    spots = np.random.default_rng(0).integers(0, 256, (n, 4, 4, 3), dtype=np.uint8)
    return [np.asarray(cv2.resize(each, (width, height)), dtype=np.uint8) for each in spots]
