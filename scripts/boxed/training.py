"""Trains the network of the model in the box: from random weights, in steps that can be resumed."""

import json
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from boxed.augmentation import changed
from boxed.faces import ALIGNED, CROP, SIDE, BoxedFaces, Pixels, Rows, at_side
from boxed.network import (
    BoxedNetwork,
    Truth,
    normalised,
    training_loss,
)
from boxed.settings import Cycle, Settings
from fairage._random import numpy_rng, torch_seed

NORM_STEPS = 100
"""Batches that the norms of the merged network are measured on."""
_NORMS = 10_000
"""Number of their random numbers, beyond all epochs."""
ROOM = 8 / 7
"""Side of the pictures that crops are drawn from, by that of the network's."""


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
    """Return the trained network, the mean of all cycles; killed, it goes on with the epoch.

    Args:
        faces: FairFace.
        settings: How.
        work: Keeps the state after each epoch, and `log.txt`.
    """
    rows = faces.rows("train")
    steps = len(rows) // settings.batch
    torch_seed(settings.seed)
    state = _fresh_state(BoxedNetwork(), settings)
    done, epoch = _resumed(work / "state.pt", settings, state), 0
    for number, cycle in enumerate(settings.cycles):
        truth = truth_of(faces, rows, cycle.power)
        for place, side in enumerate(cycle.sides):
            if epoch < done:
                epoch += 1
                continue
            if number and not place:
                state = _fresh_state(state.average, settings)
            began = time.monotonic()
            pixels = at_side(faces, _room(side), work.parent)
            loss = _train_epoch(
                state,
                _batches(pixels, rows, side, settings, epoch),
                _loss_of(state.network, truth, cycle.mixed, settings, epoch),
                settings,
                cycle,
                range(place * steps, (place + 1) * steps),
            )
            epoch += 1
            if place + 1 == len(cycle.sides):
                torch.save(state.average.state_dict(), work / f"cycle-{number}.pt")
            _save(work / "state.pt", settings, epoch, state)
            _note(work, epoch, side, loss, time.monotonic() - began)
    ends = [work / f"cycle-{number}.pt" for number in range(len(settings.cycles))]
    return merged([torch.load(path, weights_only=True) for path in ends], faces, settings, work)


@torch.no_grad()
def merged(
    ends: list[dict[str, Tensor]], faces: BoxedFaces, settings: Settings, work: Path
) -> BoxedNetwork:
    """Return the network whose weights are the mean of those at the ends of the cycles.

    What its norms subtract and divide by is measured anew, on changed training faces.
    """
    network = BoxedNetwork()
    network.load_state_dict(
        {
            name: torch.stack([each[name] for each in ends]).mean(dim=0)
            if own.is_floating_point()
            else own
            for name, own in ends[-1].items()
        }
    )
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch forgot it
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    network.train()
    pixels = at_side(faces, _room(settings.side), work.parent)
    batches = _batches(pixels, faces.rows("train"), settings.side, settings, _NORMS)
    for _, changed_pixels in islice(batches, NORM_STEPS):
        network(normalised(changed_pixels), bf16=has_fast_bf16())
    return network.eval()


@dataclass(frozen=True)
class _State:
    network: BoxedNetwork
    average: BoxedNetwork
    optimizer: torch.optim.Optimizer


def _fresh_state(network: BoxedNetwork, settings: Settings) -> _State:
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch forgot it
    return _State(network, deepcopy(network), _optimizer(network, settings))


def _train_epoch(
    state: _State,
    batches: Iterator[tuple[Tensor, Tensor]],
    loss_of: Callable[[Tensor, Tensor], Tensor],
    settings: Settings,
    cycle: Cycle,
    steps: range,
) -> float:
    """Take the steps of an epoch, numbered within their cycle; return their mean loss."""
    total = len(steps) * len(cycle.sides)
    state.network.train()
    losses = []
    for step, (chosen, pixels) in zip(steps, batches, strict=True):
        for group in state.optimizer.param_groups:
            group["lr"] = _rate(settings, cycle, step, total)
        loss = loss_of(chosen, pixels)
        state.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
        nn.utils.clip_grad_norm_(state.network.parameters(), settings.clip)
        state.optimizer.step()
        _move(state.average, state.network, min(settings.average, (1 + step) / (10 + step)))
        losses.append(loss.detach())
    return torch.stack(losses).mean().item()


def _loss_of(
    network: BoxedNetwork, truth: Truth, share: float, settings: Settings, epoch: int
) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss of a batch; a share of the batches are blends of two faces each."""
    rng = numpy_rng(settings.seed, "blends", epoch)

    def loss_of(chosen: Tensor, pixels: Tensor) -> Tensor:
        own = truth.rows(chosen)
        if rng.random() >= share:
            return training_loss(network(normalised(pixels), bf16=has_fast_bf16()), own)
        kept = float(rng.beta(settings.blend, settings.blend))
        order = torch.from_numpy(rng.permutation(len(chosen)))
        blended = torch.lerp(pixels[order], pixels, kept)
        outputs = network(normalised(blended), bf16=has_fast_bf16())
        other = truth.rows(chosen[order])
        return kept * training_loss(outputs, own) + (1 - kept) * training_loss(outputs, other)

    return loss_of


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
    return torch.optim.SGD(groups, momentum=0.9, nesterov=True)


def _rate(settings: Settings, cycle: Cycle, step: int, steps: int) -> float:
    if step < settings.warm_up:
        return cycle.rate * (step + 1) / settings.warm_up
    done = (step - settings.warm_up) / (steps - settings.warm_up)
    return cycle.rate * 0.5 * (1 + math.cos(math.pi * done))


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


def _save(path: Path, settings: Settings, epoch: int, state: _State) -> None:
    content = {
        "settings": json.dumps(asdict(settings)),
        "epoch": epoch,
        "network": state.network.state_dict(),
        "average": state.average.state_dict(),
        "optimizer": state.optimizer.state_dict(),
    }
    torch.save(content, path.with_suffix(".partial"))
    path.with_suffix(".partial").replace(path)


def _resumed(path: Path, settings: Settings, state: _State) -> int:
    """Return how many epochs are done, their state put in place."""
    if not path.is_file():
        return 0
    content: dict[str, Any] = torch.load(path, weights_only=True)
    if content["settings"] != json.dumps(asdict(settings)):
        raise SystemExit(f"error: {path} is of a training with other settings, remove it")
    state.network.load_state_dict(content["network"])
    state.average.load_state_dict(content["average"])
    state.optimizer.load_state_dict(content["optimizer"])
    return int(content["epoch"])


def _note(work: Path, epoch: int, side: int, loss: float, seconds: float) -> None:
    line = f"epoch {epoch}, {side} px: loss {loss:.4f}, {seconds:.0f} s"
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
