"""What every augmentation is: a draw of steps, done to one image or to a batch."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairage.exceptions import ConfigError, DataError
from fairage.faces.augmentation.operations import COLOURS, MOVES, load_kornia, warp

AUGMENTATION_VERSION = 1
"""Raised whenever the same seed may give another picture, so that cached ones are not reused."""

_CHANNELS = 3

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Step:
    """One operation and how much of it; amount 0 changes nothing.

    Args:
        operation: A name of `COLOURS` or `MOVES`.
        amount: How much of it, in the operation's own unit.
    """

    operation: str
    amount: float


@dataclass(frozen=True)
class Augmentation(ABC):
    """Changes pictures of faces so that the age they show stays the same.

    A subclass says what is drawn for a picture; both ways in do it with the same code. Threads may
    share an augmentation, and torch's own random state is neither read nor changed.
    """

    name: ClassVar[str]

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> tuple[Step, ...]:
        """Return the steps for one picture."""

    def to_dict(self) -> dict[str, Any]:
        """Return name, version and settings, ready for JSON; equal ones make equal pictures."""
        return {"name": self.name, "version": AUGMENTATION_VERSION, **asdict(self)}

    def augment_image(self, image: Image, rng: np.random.Generator | int) -> Image:
        """Return a changed copy of an RGB image `(height, width, 3)`, uint8.

        Args:
            image: Any size.
            rng: Generator or seed; the same one gives the same picture.

        Raises:
            DataError: It is not an RGB image of bytes.
        """
        _check_image(image)
        steps = self.draw(np.random.default_rng(rng))
        values = image.astype(np.float32).transpose(2, 0, 1) / 255
        pixels = torch.from_numpy(np.ascontiguousarray(values))[None]
        changed = apply_steps(pixels, [steps])[0].permute(1, 2, 0)
        return np.ascontiguousarray(changed.mul(255).round().to(torch.uint8).numpy())

    def augment_batch(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Return changed copies of pixels `(n, 3, height, width)`, each with a draw of its own.

        Args:
            pixels: Floats in 0..1, before normalisation, on any device.
            generator: The same state gives the same pictures; it moves on by one number.

        Raises:
            DataError: These are not batches of RGB pixels as floats.
        """
        _check_batch(pixels)
        seed = torch.randint(2**62, (), generator=generator, device=generator.device)
        rng = np.random.default_rng(int(seed))
        return apply_steps(pixels, [self.draw(rng) for _ in range(len(pixels))])


def check_range(augmentation: str, option: str, value: float, most: float) -> None:
    """Raise a ConfigError unless the option's value lies in 0..most."""
    if not 0 <= value <= most:
        raise ConfigError(
            f"option {option!r} of augmentation {augmentation!r}: expected a number in "
            f"0..{most:g}, got {value!r}, correct it"
        )


def _check_image(image: Image) -> None:
    if image.dtype != np.uint8 or image.ndim != _CHANNELS or image.shape[2] != _CHANNELS:
        raise DataError(
            "expected an RGB image (height, width, 3) of uint8, got shape "
            f"{image.shape} of {image.dtype}, decode it with fairage.faces.decode_image"
        )
    if image.size == 0:
        raise DataError(f"expected an image with pixels, got shape {image.shape}, leave it out")


def _check_batch(pixels: Tensor) -> None:
    if pixels.ndim != 1 + _CHANNELS or pixels.shape[1] != _CHANNELS:
        raise DataError(
            f"expected pixels (n, 3, height, width), got shape {tuple(pixels.shape)}, permute them"
        )
    if not pixels.is_floating_point():
        raise DataError(f"expected floats in 0..1, got {pixels.dtype}, divide bytes by 255")


def apply_steps(pixels: Tensor, steps: Sequence[Sequence[Step]]) -> Tensor:
    """Return new pixels `(n, 3, height, width)`, each picture changed by its own steps.

    The steps are done in their order, those with the same place together where they are the same
    operation; moves come last, all of them in one warp, so that a picture is resampled once.

    Args:
        pixels: Floats in 0..1, on any device; they stay as they are.
        steps: The steps of each picture.

    Examples:
        >>> grey = torch.full((2, 3, 1, 1), 0.5)
        >>> changed = apply_steps(grey, [[Step("brightness", 0.5)], [Step("brightness", 0.0)]])
        >>> changed[:, 0, 0, 0].tolist()
        [0.75, 0.5]
    """
    load_kornia()
    pixels = pixels.clone()
    moves = torch.zeros(len(steps), len(MOVES))
    with torch.no_grad():
        for place in range(max(map(len, steps), default=0)):
            for operation, rows in _rows_of(place, steps).items():
                amounts = torch.tensor([steps[row][place].amount for row in rows])
                if operation in MOVES:
                    moves[rows, MOVES.index(operation)] += amounts
                else:
                    pixels = _change(pixels, rows, COLOURS[operation], amounts)
        moved = moves.any(dim=1).nonzero().flatten().tolist()
        return _change(pixels, moved, warp, moves[moved]) if moved else pixels


def _rows_of(place: int, steps: Sequence[Sequence[Step]]) -> dict[str, list[int]]:
    """Return which pictures have which operation at this place, those with amount 0 left out."""
    rows: dict[str, list[int]] = {}
    for row, own in enumerate(steps):
        if place < len(own) and own[place].amount:
            rows.setdefault(own[place].operation, []).append(row)
    return rows


def _change(
    pixels: Tensor, rows: list[int], change: Callable[[Tensor, Tensor], Tensor], amounts: Tensor
) -> Tensor:
    """Return the pixels with some rows changed, in place unless it is all of them."""
    if len(rows) == len(pixels):
        return change(pixels, amounts)
    where = torch.tensor(rows, device=pixels.device)
    pixels[where] = change(pixels[where], amounts)
    return pixels
