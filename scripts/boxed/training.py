"""Trains the network of the model in the box: from random weights, in steps that can be resumed."""

import json
import math
import queue
import threading
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from boxed.faces import ALIGNED, CROP, SIDE, BoxedFaces, Pixels, Rows, at_side
from boxed.network import (
    BoxedNetwork,
    Truth,
    normalised,
    training_loss,
)
from fairage._random import numpy_rng, torch_seed

ROOM = 8 / 7
"""Side of the pictures that crops are drawn from, by that of the network's."""


@dataclass(frozen=True)
class Settings:
    """How the network is trained.

    Args:
        phases: Side of the pictures and number of epochs, one phase after another.
        batch: Faces a step.
        rate: Learning rate after the warm-up; it falls by half a cosine.
        warm_up: Steps.
        decay: Weight decay of weights; that of norms and biases is 0.
        average: Share of the averaged weights that a step keeps.
        clip: Largest norm of the gradients.
        power: Weights of faces are (faces of the range) ** -power.
        seed: Settles all random numbers.
    """

    phases: tuple[tuple[int, int], ...] = ((48, 12), (64, 20), (80, 8))
    batch: int = 128
    rate: float = 0.12
    warm_up: int = 400
    decay: float = 5e-4
    average: float = 0.998
    clip: float = 5.0
    power: float = 0.25
    seed: int = 0

    @property
    def sides(self) -> list[int]:
        """Side of the pictures in each epoch."""
        return [side for side, epochs in self.phases for _ in range(epochs)]


def truth_of(faces: BoxedFaces, rows: Rows, power: float) -> Truth:
    """Return what is known of all faces; weights have mean 1 over `rows`."""
    low, high = faces.limits
    ranges = faces.ranges
    weights = np.bincount(ranges[rows]).astype(np.float64)[ranges] ** -power
    weights /= weights[rows].mean()
    names = {name: sorted(faces.frame[name].unique()) for name in ("gender", "ethnicity")}
    classes = {
        name: torch.tensor([own.index(value) for value in faces.frame[name]])
        for name, own in names.items()
    }
    numbers = (torch.tensor(values, dtype=torch.float32) for values in (low, high, weights))
    low_, high_, weights_ = numbers
    return Truth(low_, high_, classes["gender"], classes["ethnicity"], weights_)


def train(faces: BoxedFaces, settings: Settings, work: Path) -> BoxedNetwork:
    """Return the averaged weights of the trained network; killed, it goes on with the epoch.

    Args:
        faces: FairFace.
        settings: How.
        work: Keeps the state after each epoch, and `log.txt`.
    """
    rows = faces.rows("train")
    truth = truth_of(faces, rows, settings.power)
    torch_seed(settings.seed)
    network = BoxedNetwork()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch forgot it
    average = deepcopy(network)
    optimizer = _optimizer(network, settings)
    start = _resumed(work / "state.pt", settings, network, average, optimizer)
    steps = len(rows) // settings.batch
    for epoch in range(start, len(settings.sides)):
        side, began = settings.sides[epoch], time.monotonic()
        network.train()
        losses = []
        pixels_ = at_side(faces, _room(side), work.parent)
        batches = _batches(pixels_, rows, side, settings, epoch)
        for step, (chosen, pixels) in enumerate(batches, epoch * steps):
            for group in optimizer.param_groups:
                group["lr"] = _rate(settings, step, steps * len(settings.sides))
            outputs = network(normalised(pixels), bf16=has_fast_bf16())
            loss = training_loss(outputs, truth.rows(chosen))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
            nn.utils.clip_grad_norm_(network.parameters(), settings.clip)
            optimizer.step()
            _move(average, network, min(settings.average, (1 + step) / (10 + step)))
            losses.append(loss.detach())
        _save(work / "state.pt", settings, epoch + 1, network, average, optimizer)
        _note(work, epoch, side, torch.stack(losses).mean().item(), time.monotonic() - began)
    average.eval()
    return average


def has_fast_bf16() -> bool:
    """Return whether this processor multiplies in bf16 fast; results differ in digits alone."""
    return bool(torch.cpu._is_amx_tile_supported())


def _optimizer(network: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    weights = [each for each in network.parameters() if each.ndim > 1]
    others = [each for each in network.parameters() if each.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": settings.decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, settings.rate, momentum=0.9, nesterov=True)


def _rate(settings: Settings, step: int, steps: int) -> float:
    if step < settings.warm_up:
        return settings.rate * (step + 1) / settings.warm_up
    done = (step - settings.warm_up) / (steps - settings.warm_up)
    return settings.rate * 0.5 * (1 + math.cos(math.pi * done))


@torch.no_grad()
def _move(average: nn.Module, network: nn.Module, kept: float) -> None:
    for own, other in zip(
        average.state_dict().values(), network.state_dict().values(), strict=True
    ):
        if own.dtype.is_floating_point:
            own.lerp_(other, 1 - kept)
        else:
            own.copy_(other)


def _room(side: int) -> int:
    return min(SIDE, round(side * ROOM))


def _batches(
    pixels: Pixels, rows: Rows, side: int, settings: Settings, epoch: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield row numbers and changed pixels `(batch, side, side, 3)`, made by another thread."""
    rng = numpy_rng(settings.seed, "boxed", epoch)
    order = rng.permutation(rows)
    ready: queue.Queue[tuple[Tensor, Tensor] | None] = queue.Queue(4)

    def fill() -> None:
        for start in range(0, len(order) - settings.batch + 1, settings.batch):
            chosen = order[start : start + settings.batch]
            views = np.where(rng.random(len(chosen)) < 0.5, CROP, ALIGNED)
            pictures = [pixels[row, view] for row, view in zip(chosen, views, strict=True)]
            ready.put((torch.from_numpy(chosen), torch.from_numpy(changed(pictures, side, rng))))
        ready.put(None)

    threading.Thread(target=fill, daemon=True).start()
    while (batch := ready.get()) is not None:
        yield batch


def changed(pictures: list[Pixels], side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return faces as another photograph might show them, `(n, side, side, 3)`, 0..255.

    Crops of 78 % or more, turned by up to 11 degrees, stretched, mirrored, in other light and
    colours, some grey, some blurred, some with a part covered.
    """
    n = len(pictures)
    cut = np.stack([_cut(picture, side, rng) for picture in pictures]).astype(np.float32)
    column = (n, 1, 1, 1)
    relit = (rng.random(column) < 0.8).astype(np.float32)
    mean = cut.mean(axis=(1, 2, 3), keepdims=True)
    contrast = 1 + relit * rng.uniform(-0.3, 0.3, column)
    light = 1 + relit * rng.uniform(-0.25, 0.25, column)
    cut = (cut - mean) * contrast.astype(np.float32) + mean * light.astype(np.float32)
    colour = 1 + relit * rng.uniform(-0.5, 0.4, column)
    colour = np.where(rng.random(column) < 0.05, 0, colour).astype(np.float32)
    grey = cut @ np.array([[0.299], [0.587], [0.114]], dtype=np.float32)
    cut = grey + (cut - grey) * colour
    for row in np.flatnonzero(rng.random(n) < 0.25):
        _cover(cut[row], rng)
    return np.asarray(cut.clip(0, 255), dtype=np.float32)


def _cut(picture: Pixels, side: int, rng: np.random.Generator) -> Pixels:
    room = picture.shape[0]
    scale = rng.uniform(0.78, 1.0) * room / side
    stretch, turn = math.exp(rng.uniform(-0.08, 0.08)), math.radians(rng.uniform(-11, 11))
    x_scale = scale * stretch * (-1 if rng.random() < 0.5 else 1)
    y_scale = scale / stretch
    free = room - scale * side
    middle = room / 2 - 0.5 + rng.uniform(-0.5, 0.5, 2) * free
    cosine, sine = math.cos(turn), math.sin(turn)
    matrix = np.array([[x_scale * cosine, -y_scale * sine], [x_scale * sine, y_scale * cosine]])
    half = (side - 1) / 2
    shift = middle - matrix @ (half, half)
    if rng.random() < 0.15:
        picture = np.asarray(cv2.GaussianBlur(picture, (3, 3), 0), dtype=np.uint8)
    warped = cv2.warpAffine(
        picture,
        np.column_stack([matrix, shift]),
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped, dtype=np.uint8)


def _cover(picture: NDArray[np.float32], rng: np.random.Generator) -> None:
    side = picture.shape[0]
    area, shape = rng.uniform(0.02, 0.12) * side * side, math.exp(rng.uniform(-0.7, 0.7))
    height = min(side, int(math.sqrt(area * shape)) + 1)
    width = min(side, int(math.sqrt(area / shape)) + 1)
    top, left = rng.integers(0, side - height + 1), rng.integers(0, side - width + 1)
    picture[top : top + height, left : left + width] = rng.uniform(0, 255, 3)


def _save(
    path: Path,
    settings: Settings,
    epoch: int,
    network: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
) -> None:
    state = {
        "settings": json.dumps(asdict(settings)),
        "epoch": epoch,
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(state, path.with_suffix(".partial"))
    path.with_suffix(".partial").replace(path)


def _resumed(
    path: Path,
    settings: Settings,
    network: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
) -> int:
    """Return how many epochs are done, their state put in place."""
    if not path.is_file():
        return 0
    state: dict[str, Any] = torch.load(path, weights_only=True)
    if state["settings"] != json.dumps(asdict(settings)):
        raise SystemExit(f"error: {path} is of a training with other settings, remove it")
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["epoch"])


def _note(work: Path, epoch: int, side: int, loss: float, seconds: float) -> None:
    line = f"epoch {epoch + 1}, {side} px: loss {loss:.4f}, {seconds:.0f} s"
    print(line, flush=True)  # a script
    with (work / "log.txt").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


@torch.no_grad()
def outputs_of(
    network: BoxedNetwork, pixels: Pixels, rows: Rows, view: int, side: int, *, bf16: bool = False
) -> tuple[Tensor, Tensor]:
    """Return embeddings and numbers of all tasks, both the mean of a picture and its mirror image.

    Args:
        network: In evaluation mode.
        pixels: Shape `(n, 2, s, s, 3)`.
        rows: Which.
        view: `CROP` or `ALIGNED`.
        side: Side of the network's pictures.
        bf16: Compute in bf16 where that is fast.
    """
    quick = torch.autocast("cpu", torch.bfloat16, enabled=bf16 and has_fast_bf16())
    embeddings = []
    for start in range(0, len(rows), 250):
        chosen = rows[start : start + 250]
        pictures = [
            cv2.resize(pixels[row, view], (side, side), interpolation=cv2.INTER_AREA)
            for row in chosen
        ]
        values = normalised(torch.from_numpy(np.stack(pictures)))
        with quick:
            both = network.trunk(values), network.trunk(values.flip(3))
        embeddings.append((both[0].float() + both[1].float()) / 2)
    together = torch.cat(embeddings)
    return together, network.last(together)
