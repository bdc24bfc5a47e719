"""Trains the packaged backbone `embedded` on drawn faces only.

Run: python scripts/train_embedded.py            draws, trains, saves, checks: about 15 minutes
     python scripts/train_embedded.py --check    only checks the packaged weights

The net learns the age that a face shows; gender, ethnicity and expression are learnt beside it so
that the embedding holds them too. The same seed gives the same weights on the same machine.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from fairage._files import atomic_path
from fairage._random import numpy_rng, torch_seed
from fairage._registry import cache_folder
from fairage.embeddings.backbones import embedded
from fairage.embeddings.backbones.embedded import EMBEDDED_PREPROCESSING, EmbeddedNet, load_embedded
from fairage.faces_file import read_faces
from fairage.synthetic import BALANCED, CHALLENGE, Population, synthesize
from fairage.tables import AGE

SEED, CHECK_SEED = 20_000, 30_000
BATCH, DIM = 64, 192
SIDES = (72,) * 8 + (112,) * 6
"""Side of the pictures in each epoch: small ones are cheap and teach the coarse form."""
RATE, DECAY = 3e-3, 0.05
AGE_UNIT = 10.0
AUXILIARY = {"gender": 0.1, "ethnicity": 0.1, "expression": 0.15}
RIDGE = 1.0


@dataclass(frozen=True)
class Faces:
    """Drawn faces in memory.

    Args:
        pixels: `(n, 112, 112, 3)`, RGB.
        visible: Age that each face shows, `(n,)`.
        ages: Label of each face, `(n,)`.
        groups: Number of the group of each auxiliary attribute, `(n,)`.
    """

    pixels: Tensor
    visible: Tensor
    ages: NDArray[np.float64]
    groups: dict[str, Tensor]


class Heads(nn.Module):
    """Linear readings of the embedding: age and the auxiliary attributes."""

    def __init__(self, dim: int, groups: dict[str, int]) -> None:
        super().__init__()
        self.age = nn.Linear(dim, 1)
        self.groups = nn.ModuleDict({name: nn.Linear(dim, size) for name, size in groups.items()})

    def ages(self, embeddings: Tensor) -> Tensor:
        """Return ages in years `(batch,)`."""
        found: Tensor = self.age(embeddings)[:, 0]
        return 35 + AGE_UNIT * found


def main() -> None:
    """Train and save, or only check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=24_000)
    parser.add_argument("--folder", type=Path, default=cache_folder() / "train-embedded")
    parser.add_argument("--out", type=Path, default=Path(embedded.__file__).parent)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.check:
        net = load_embedded()
    else:
        net = train(draw(options.folder, options.faces, SEED, BALANCED, options.workers))
        save(net, options.out / embedded.WEIGHTS)
    check(net, draw(options.folder, 3000, CHECK_SEED, CHALLENGE, options.workers))


def draw(folder: Path, n: int, seed: int, population: Population, workers: int) -> Faces:
    """Return drawn faces; the folder keeps them for another time."""
    table = synthesize(
        folder / f"{n}-{seed}", n=n, seed=seed, population=population, workers=workers
    )
    faces, truth = read_faces(table), pl.read_parquet(table.parent / "truth.parquet")
    images = [np.asarray(cv2.imread(image, cv2.IMREAD_COLOR_RGB)) for image in faces.images]
    groups = {
        name: torch.from_numpy(np.unique(faces.frame[name].to_numpy(), return_inverse=True)[1])
        for name in AUXILIARY
    }
    visible = torch.from_numpy(truth["visible_age"].to_numpy().astype(np.float32))
    return Faces(torch.from_numpy(np.stack(images)), visible, faces.frame[AGE].to_numpy(), groups)


def train(faces: Faces) -> EmbeddedNet:
    """Return a net trained on these faces, by one core: so the sums never depend on how many."""
    torch.set_num_threads(1)
    with torch_seed(SEED, "weights"):
        net = EmbeddedNet(DIM)
        heads = Heads(DIM, {k: int(v.max()) + 1 for k, v in faces.groups.items()})
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch lacks it
    steps = len(SIDES) * (len(faces.pixels) // BATCH)
    parameters = [*net.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.2)
    rng, started = numpy_rng(SEED, "batches"), time.perf_counter()
    for epoch, side in enumerate(SIDES):
        errors = []
        for rows in batches(len(faces.pixels), rng):
            embeddings = net(inputs(faces.pixels[rows], side, rng))
            loss, error = losses(heads, embeddings, faces, rows)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
            optimizer.step()
            schedule.step()
            errors.append(error)
        text = f"epoch {epoch + 1}/{len(SIDES)}: MAE against the shown age {np.mean(errors):.2f}"
        print(f"{text}, {time.perf_counter() - started:.0f} s", flush=True)
    net.eval()
    return net


def batches(n: int, rng: np.random.Generator) -> list[Tensor]:
    """Return the rows of the full batches of one epoch."""
    order = torch.from_numpy(rng.permutation(n))
    return [order[k : k + BATCH] for k in range(0, n - BATCH + 1, BATCH)]


def inputs(pixels: Tensor, side: int, rng: np.random.Generator) -> Tensor:
    """Return a batch at this size, half of it mirrored, its light and contrast varied."""
    images = EMBEDDED_PREPROCESSING.normalised(pixels)
    mirrored = torch.from_numpy(rng.random(len(images)) < 0.5)
    images[mirrored] = images[mirrored].flip(3)
    gain = rng.uniform(0.8, 1.2, (len(images), 1, 1, 1)).astype(np.float32)
    shift = rng.uniform(-0.25, 0.25, (len(images), 3, 1, 1)).astype(np.float32)
    images = images * torch.from_numpy(gain) + torch.from_numpy(shift)
    if side != images.shape[-1]:
        images = F.interpolate(images, (side, side), mode="bilinear")
    return images.contiguous(memory_format=torch.channels_last)


def losses(heads: Heads, embeddings: Tensor, faces: Faces, rows: Tensor) -> tuple[Tensor, float]:
    """Return the loss of a batch, and its mean absolute error in years."""
    missed = heads.ages(embeddings) - faces.visible[rows]
    loss = F.smooth_l1_loss(missed / AGE_UNIT, torch.zeros_like(missed), beta=0.2)
    for name, weight in AUXILIARY.items():
        logits = heads.groups[name](embeddings)
        loss = loss + weight * F.cross_entropy(logits, faces.groups[name][rows])
    return loss, float(missed.detach().abs().mean())


def save(net: EmbeddedNet, path: Path) -> None:
    """Write the weights in half precision."""
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in net.state_dict().items()
    }
    with atomic_path(path) as temporary:
        save_file(state, temporary)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


@torch.inference_mode()
def check(net: nn.Module, faces: Faces) -> None:
    """Print how well a linear probe on 70 % of the faces tells the ages of the others."""
    chunks = [faces.pixels[k : k + 250] for k in range(0, len(faces.pixels), 250)]
    parts = [net(EMBEDDED_PREPROCESSING.normalised(chunk)) for chunk in chunks]
    embeddings = torch.cat(parts).double().numpy()
    fitted = int(0.7 * len(embeddings))
    predicted = probe(embeddings, faces.ages, fitted)
    ages, visible = faces.ages[fitted:], faces.visible.numpy()[fitted:]
    print(f"{len(ages)} drawn faces of the default population, linear probe on {fitted} others:")
    print(f"MAE against the label: {np.abs(predicted - ages).mean():.2f} years")
    print(f"MAE against the shown age: {np.abs(predicted - visible).mean():.2f} years")
    print(f"a perfect reader of the shown age: {np.abs(visible - ages).mean():.2f} years")
    print(f"the median age for everybody: {np.abs(ages - np.median(ages)).mean():.2f} years")


def probe(
    embeddings: NDArray[np.float64], ages: NDArray[np.float64], fitted: int
) -> NDArray[np.float64]:
    """Return the ages that a ridge regression fitted to the first rows gives the others."""
    mean, scale = embeddings[:fitted].mean(0), embeddings[:fitted].std(0) + 1e-6
    features = (embeddings - mean) / scale
    known, middle = features[:fitted], ages[:fitted].mean()
    gram = known.T @ known + RIDGE * np.eye(features.shape[1])
    weights = np.linalg.solve(gram, known.T @ (ages[:fitted] - middle))
    return np.asarray(features[fitted:] @ weights + middle, dtype=np.float64)


if __name__ == "__main__":
    main()
