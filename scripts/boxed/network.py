"""The network of the model in the box, what it is trained to say, and how an age is read off it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fairage.models.spread import LEAST_SPREAD
from fairage.objectives import make_objective
from fairage.objectives.objective import N_AGES, Targets

WIDTHS, COUNTS, DROPOUT = (32, 64, 128, 256), (1, 2, 2, 2), 0.2
MEAN, STD = 127.5, 64.0
GENDERS, ETHNICITIES = 2, 7
MIDDLE, SPREAD = 30.0, 20.0
"""Years that the location of an untrained network stands for, and its unit."""
_NARROWEST = 0.5


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        around: list[nn.Module] = [nn.AvgPool2d(stride)] if stride > 1 else []
        changes = inputs != outputs or stride > 1
        if changes:
            around += [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.around = nn.Sequential(*around)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps `(n, outputs, height / stride, width / stride)`."""
        inner = torch.relu(self.first_norm(self.first(x)))
        return torch.relu(self.second_norm(self.second(inner)) + self.around(x))


class Trunk(nn.Sequential):
    """From normalised pixels `(n, 3, side, side)` to embeddings `(n, width)`."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS, counts: tuple[int, ...] = COUNTS) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(3, widths[0], 3, 2, 1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        before = widths[0]
        for stage, (width, count) in enumerate(zip(widths, counts, strict=True)):
            for place in range(count):
                layers.append(Block(before, width, 2 if stage and not place else 1))
                before = width
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.width = before


PARTS = {"law": 2, "years": N_AGES, "gender": GENDERS, "ethnicity": ETHNICITIES}
"""How many numbers the last layer gives for each task; the last two help in training alone."""


class BoxedNetwork(nn.Module):
    """The trunk and one linear layer for all tasks."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS, counts: tuple[int, ...] = COUNTS) -> None:
        super().__init__()
        self.trunk = Trunk(widths, counts)
        self.dropout = nn.Dropout(DROPOUT)
        self.last = nn.Linear(self.trunk.width, sum(PARTS.values()))
        nn.init.normal_(self.last.weight, std=0.01)
        nn.init.zeros_(self.last.bias)

    def forward(self, pixels: Tensor, *, bf16: bool = False) -> Tensor:
        """Return the numbers of all tasks `(n, sum(PARTS))` for normalised pixels."""
        with torch.autocast(pixels.device.type, torch.bfloat16, enabled=bf16):
            embeddings = self.trunk(pixels)
        return torch.as_tensor(self.last(self.dropout(embeddings.float())))


def normalised(pixels: Tensor) -> Tensor:
    """Return `(n, 3, side, side)` of pixels `(n, side, side, 3)`, 0..255."""
    values = (pixels.permute(0, 3, 1, 2).float() - MEAN) / STD
    return values.contiguous(memory_format=torch.channels_last)


def part(outputs: Tensor, name: str) -> Tensor:
    """Return one task's numbers."""
    start = 0
    for task, size in PARTS.items():
        if task == name:
            return outputs[:, start : start + size]
        start += size
    raise KeyError(name)


def law_of(numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Return location and scale of the logistic law of the age, in years, of the task's numbers."""
    return MIDDLE + SPREAD * numbers[:, 0], 2 * F.softplus(numbers[:, 1] + 1.5) + _NARROWEST


def law_loss(numbers: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return minus the log of the probability of each range `[low, high)`, shape `(n,)`.

    A range from 0 on is open below, one without an end open above.
    """
    middle, scale = law_of(numbers)
    is_first, is_last = low <= 0, torch.isinf(high)
    start = torch.where(is_first, 0.0, (low - middle) / scale)
    end = torch.where(is_last, 0.0, (high.nan_to_num(posinf=0.0) - middle) / scale)
    width = torch.log(-torch.expm1((start - end).clamp(max=-1e-4)))
    inside = F.logsigmoid(end) + F.logsigmoid(-start) + width
    outer = torch.where(is_first, F.logsigmoid(end), F.logsigmoid(-start))
    return -torch.where(is_first | is_last, outer, inside)


@dataclass(frozen=True)
class Truth:
    """What is known of a batch, each `(n,)`: ranges, helpers' classes, and weights."""

    low: Tensor
    high: Tensor
    gender: Tensor
    ethnicity: Tensor
    weights: Tensor

    def rows(self, rows: Tensor) -> "Truth":
        """Return some of them."""
        return Truth(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


YEARS_SHARE, HELPER_SHARE = 0.5, 0.2
_INTERVAL = make_objective("interval")


def age_loss(outputs: Tensor, truth: Truth) -> Tensor:
    """Return the loss of the ages alone."""
    middle = torch.where(torch.isinf(truth.high), truth.low + 5, (truth.low + truth.high) / 2)
    targets = Targets(middle, low=truth.low, high=truth.high)
    law = (truth.weights * law_loss(part(outputs, "law"), truth.low, truth.high)).mean()
    years = _INTERVAL(part(outputs, "years"), targets, truth.weights)
    return law + YEARS_SHARE * years


def training_loss(outputs: Tensor, truth: Truth) -> Tensor:
    """Return the loss of ages and helpers."""
    helpers = sum(
        F.cross_entropy(part(outputs, name), getattr(truth, name))
        for name in ("gender", "ethnicity")
    )
    return age_loss(outputs, truth) + HELPER_SHARE * helpers


def ages_of(outputs: Tensor) -> Tensor:
    """Return the age `(n,)` in years that is read off the numbers of all tasks.

    It is the mean of the law's location and of the median of the distribution over years.
    """
    middle, _ = law_of(part(outputs, "law"))
    below = torch.softmax(part(outputs, "years"), dim=1).cumsum(dim=1)
    year = (below < 0.5).sum(dim=1).clamp(max=N_AGES - 1)
    before = torch.where(year > 0, below.gather(1, (year - 1).clamp(min=0)[:, None])[:, 0], 0.0)
    mass = below.gather(1, year[:, None])[:, 0] - before
    median = year + ((0.5 - before) / mass.clamp(min=1e-6)).clamp(0, 1)
    return ((middle + median) / 2).clamp(min=0)


def spreads_of(outputs: Tensor) -> Tensor:
    """Return the standard deviation `(n,)` in years of law and distribution taken as one.

    It is one year or more, as `fairage.models.spreads_of` has it.
    """
    middle, scale = law_of(part(outputs, "law"))
    years = torch.arange(N_AGES, dtype=outputs.dtype) + 0.5
    shares = torch.softmax(part(outputs, "years"), dim=1)
    means = shares @ years
    variances = (shares * (years - means[:, None]) ** 2).sum(dim=1)
    both = ((scale * torch.pi) ** 2 / 3 + variances) / 2 + ((middle - means) / 2) ** 2
    return both.clamp(min=LEAST_SPREAD**2).sqrt()
