"""Whether a backbone may be run in bf16: tried once on a few of the user's own images.

Some networks lose too much in bf16, above all those of depthwise convolutions, whose rounding
errors no long sum averages out. So a machine that is fast in bf16 is not reason enough.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairage._files import read_json, write_text
from fairage._images import decode_image, read_image_bytes
from fairage.embeddings.backbones.registry import Backbone
from fairage.embeddings.runtime import Runtime
from fairage.exceptions import DataError

AGREEMENT = 0.9995
"""Cosine with the fp32 embedding that each trial image must reach; the promise is 0.999."""
_TRIALS = 16
_TRIED = 64
_FOLDER = "precision"


def agreed_runtime(
    backbone: Backbone, fast: Runtime, plain: Runtime, images: Sequence[str], root: Path
) -> Runtime:
    """Return the fast runtime where its embeddings agree with the plain one's, else the plain one.

    The verdict stands in the store from then on, so that all runs that share it go the same way.

    Args:
        backbone: The backbone; an ONNX file has its own precision and is not tried.
        fast: Runtime in bf16.
        plain: Runtime in fp32.
        images: Paths or URLs, of which the first that can be read are tried.
        root: Folder of the store.
    """
    if fast.precision == plain.precision or backbone.kind == "onnx":
        return fast
    device = fast.device.partition(":")[0]
    path = root / _FOLDER / f"{backbone.fingerprint}-{device}.json"
    cosine = _read_verdict(path)
    if cosine is None:
        pixels = _trial_pixels(backbone, images)
        if not len(pixels):
            return plain
        cosine = _least_cosine(backbone, fast, plain, pixels)
        write_text(path, json.dumps({"least_cosine": cosine, "images": len(pixels)}) + "\n")
    return fast if cosine >= AGREEMENT else plain


def _read_verdict(path: Path) -> float | None:
    try:
        return float(read_json(path)["least_cosine"])
    except (KeyError, OSError, TypeError, ValueError):
        return None


def _trial_pixels(backbone: Backbone, images: Sequence[str]) -> NDArray[np.uint8]:
    pixels: list[NDArray[np.uint8]] = []
    for image in list(dict.fromkeys(images))[:_TRIED]:
        try:
            pixels.append(backbone.preprocessing.resized(decode_image(read_image_bytes(image))))
        except DataError:
            continue  # its error is raised when its turn comes
        if len(pixels) == _TRIALS:
            break
    return np.stack(pixels) if pixels else np.empty((0,), dtype=np.uint8)


def _least_cosine(
    backbone: Backbone, fast: Runtime, plain: Runtime, pixels: NDArray[np.uint8]
) -> float:
    """Compare both runtimes, uncompiled, as the trial is small."""
    size = len(pixels)
    a, b = (
        backbone.load(replace(runtime, batch_size=size, images=size))(pixels).astype(np.float64)
        for runtime in (fast, plain)
    )
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines = (a * b).sum(axis=1) / np.maximum(lengths, np.finfo(np.float64).tiny)
    same = (a == b).all(axis=1)
    return float(np.where(same, 1.0, cosines).min())
