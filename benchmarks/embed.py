"""How fast ResNet-50 embeds at 224 pixels: fairage, a plain loop, and what the machine can do.

Run: python benchmarks/embed.py [--images 128] [--rounds 3] [--precision auto]

All three are measured in one process, in turn, several times, and the best of each counts, as
other work on the machine only ever slows them down. Beside the clock stands the time of all
processor cores together, which other work disturbs less. Weights are random, images are drawn.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode
from transformers import ResNetConfig, ResNetModel

from fairage._random import numpy_rng, torch_seed
from fairage._work import in_order, reader_threads
from fairage.embeddings.backbones.registry import Backbone, find_backbone
from fairage.embeddings.batcher import BackboneBatcher
from fairage.embeddings.embed_options import BackboneSpec
from fairage.embeddings.loader import Original, load_image
from fairage.embeddings.runtime import PRECISIONS, Runtime, choose_runtime

SIDE = 224
PLAIN_BATCH = 32
MATRIX, PRODUCTS = 2048, 40
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
WORTH_COMPILING = 10**9

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Rate:
    """Images a second by the clock, and a second of processor time, summed over the cores."""

    clock: float
    processor: float


def rate(work: Callable[[], object], images: float) -> Rate:
    """Return the rate of doing this work once, which is worth so many images."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return Rate(images / (time.perf_counter() - clock), images / (time.process_time() - processor))


def draw_images(folder: Path, n: int) -> list[str]:
    """Write n smooth JPEG files of 224 x 224 pixels."""
    rng = numpy_rng(0, "benchmark")
    paths = [folder / f"{number:05d}.jpg" for number in range(n)]
    for path in paths:
        small = rng.integers(0, 256, (14, 14, 3), dtype=np.uint8)
        cv2.imwrite(str(path), cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))
    return [str(path) for path in paths]


def save_model(folder: Path) -> Path:
    """Save a ResNet-50 with random weights in the layout of transformers."""
    with torch_seed(0, "benchmark"):
        ResNetModel(ResNetConfig()).save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    processor = {"size": size, "image_mean": list(MEAN), "image_std": list(STD)}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


def plain_loop(model: torch.nn.Module, images: list[str]) -> Values:
    """Do what one would write at first: decode, batch, call the model."""
    parts = []
    for start in range(0, len(images), PLAIN_BATCH):
        paths = images[start : start + PLAIN_BATCH]
        batch = [cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB) for path in paths]
        values = (np.stack(batch).astype(np.float32) / 255 - MEAN) / STD
        inputs = {"pixel_values": torch.from_numpy(values).permute(0, 3, 1, 2).float().contiguous()}
        with torch.no_grad():
            parts.append(model(**inputs).pooler_output.flatten(1).numpy())
    return np.concatenate(parts)


def our_loop(backbone: Backbone, images: list[str], runtime: Runtime) -> Values:
    """Embed into a fresh store, without flip-averaging, as the plain loop."""
    with tempfile.TemporaryDirectory() as store:
        spec = BackboneSpec(backbone.name, flip=False)
        batcher = BackboneBatcher(backbone, spec, Path(store), runtime)
        keys = []
        requests = [Original(row, image) for row, image in enumerate(images)]
        load = partial(load_image, batchers=[batcher], detections=None)
        ahead, workers = 2 * runtime.batch_size, reader_threads(images, None)
        for image in in_order(requests, load, ahead=ahead, workers=workers):
            assert image.key is not None, image.reason
            keys.append(image.key)
            for prepared in image.prepared:
                batcher.add(prepared.key, prepared.pixels)
        batcher.finish()
        return batcher.store.values(keys)


def matrix_products(precision: str) -> float:
    """Multiply square matrices for a while and return the number of operations it took."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = torch.rand(2, MATRIX, MATRIX).to(dtype)
    out = torch.empty_like(a)
    for _ in range(PRODUCTS):
        torch.mm(a, b, out=out)
    return 2.0 * MATRIX**3 * PRODUCTS


def flops_an_image(model: torch.nn.Module) -> float:
    """Return the operations of one image, two for each multiplication with its addition."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(pixel_values=torch.zeros(1, 3, SIDE, SIDE))
    return float(counter.get_total_flops())


def least_cosine(a: Values, b: Values) -> float:
    """Return the smallest cosine between rows of the same number."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / lengths).min())


def measure(images: list[str], folder: Path, *, precision: str, rounds: int) -> None:
    """Measure everything in turn and print it."""
    plain = ResNetModel.from_pretrained(folder).eval()
    backbone = find_backbone(str(folder)).shared()
    runtime = choose_runtime("cpu", precision, batch_size=None, images=WORTH_COMPILING)
    cosine = least_cosine(our_loop(backbone, images, runtime), plain_loop(plain, images))
    flops = flops_an_image(plain)
    rates: dict[str, list[Rate]] = {"plain": [], "ours": [], "peak": []}
    for _ in range(rounds):
        rates["plain"].append(rate(lambda: plain_loop(plain, images), len(images)))
        rates["ours"].append(rate(lambda: our_loop(backbone, images, runtime), len(images)))
        products = 2.0 * MATRIX**3 * PRODUCTS / flops
        rates["peak"].append(rate(lambda: matrix_products(runtime.precision), products))
    show(rates, precision=runtime.precision, batch=runtime.batch_size, cosine=cosine)


def show(rates: dict[str, list[Rate]], *, precision: str, batch: int, cosine: float) -> None:
    """Print the best of each and the two ratios."""
    clock = {name: max(each.clock for each in found) for name, found in rates.items()}
    cores = {name: max(each.processor for each in found) for name, found in rates.items()}
    print(f"ResNet-50 at {SIDE} pixels, {torch.get_num_threads()} threads, ours in {precision}")
    print(f"{'':26}{'images/s':>12}{'images a core second':>32}")
    lines = (
        ("plain", f"plain loop, fp32, {PLAIN_BATCH}"),
        ("ours", f"fairage, {precision}, {batch}"),
        ("peak", f"matrix products, {precision}"),
    )
    for name, label in lines:
        print(f"{label:26}{clock[name]:12.1f}{cores[name]:32.2f}")
    for other, label in (("plain", "x the plain loop"), ("peak", "of the peak")):
        ratios = clock["ours"] / clock[other], cores["ours"] / cores[other]
        print(f"ours is {ratios[0]:.2f} {label} by the clock, {ratios[1]:.2f} by core time")
    print(f"least cosine with the plain loop: {cosine:.5f}")


def main() -> None:
    """Read the options, draw the images, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        model, pictures = Path(scratch, "model"), Path(scratch, "pictures")
        pictures.mkdir()
        images = draw_images(pictures, options.images)
        save_model(model)
        measure(images, model, precision=options.precision, rounds=options.rounds)


if __name__ == "__main__":
    main()
