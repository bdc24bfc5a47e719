"""What an augmentation is: steps of operations on pictures, through kornia.

An operation takes one amount a picture; 0 changes nothing. Pixels are floats in 0..1, `(n, 3,
height, width)`; amounts are float32 on the CPU, `(n,)`. kornia takes long to import, so every
operation does it itself, after `load_kornia`.
"""

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from fairage.exceptions import ConfigError, DataError, MissingDependencyError

MOVES = ("rotation", "shear_x", "shear_y", "shift_x", "shift_y")
"""What one warp does: degrees clockwise, two angles in radians, two shares of the sides."""

_RADIUS = 3.0
_SMALLEST_SHARPENED = 3
_QUICKLY_BLURRED = 256
"""kornia blurs pictures of this side on the CPU without a convolution, several times as fast."""
_LOADING = threading.Lock()


def load_kornia() -> None:
    """Import kornia; its circular imports fail where two threads are the first to do so."""
    try:
        with _LOADING:
            import kornia  # noqa: F401  # only loaded here
    except ModuleNotFoundError as error:
        raise MissingDependencyError.for_extra("kornia", "train") from error


def _flip(pixels: Tensor, amounts: Tensor) -> Tensor:
    """Mirror left and right, whatever the amount."""
    from kornia.geometry.transform import hflip

    return hflip(pixels)


def _brightness(pixels: Tensor, amounts: Tensor) -> Tensor:
    """Multiply by 1 + amount."""
    from kornia.enhance import adjust_brightness_accumulative

    return adjust_brightness_accumulative(pixels, 1 + amounts)


def _saturation(pixels: Tensor, amounts: Tensor) -> Tensor:
    """Move away from the grey picture, or towards it; -1 is grey."""
    from kornia.enhance.adjust import adjust_saturation_with_gray_subtraction

    return adjust_saturation_with_gray_subtraction(pixels, 1 + amounts)


def _contrast(pixels: Tensor, amounts: Tensor) -> Tensor:
    """Move away from the picture's mean brightness, or towards it; -1 is a flat grey.

    On the CPU the mean is summed in double precision: in single precision its last digits, and
    now and then a byte of the picture, would depend on how many threads torch uses.
    """
    from kornia.color import rgb_to_grayscale

    exact = torch.float64 if pixels.device.type == "cpu" else None
    mean = rgb_to_grayscale(pixels).mean((-2, -1), keepdim=True, dtype=exact).to(pixels.dtype)
    factors = (1 + amounts).to(pixels.device, pixels.dtype)[:, None, None, None]
    return (mean + (pixels - mean) * factors).clamp(0, 1)


def _sharpness(pixels: Tensor, amounts: Tensor) -> Tensor:
    """Move away from a smoothed picture, or towards it; tiny pictures stay as they are."""
    from kornia.enhance import sharpness

    if min(pixels.shape[-2:]) < _SMALLEST_SHARPENED:
        return pixels
    return sharpness(pixels, 1 + amounts)


def _blur(pixels: Tensor, amounts: Tensor) -> Tensor:
    """Blur with a Gaussian whose standard deviation is this share of the longer side."""
    from kornia.filters import gaussian_blur2d

    height, width = pixels.shape[-2:]
    deviations = amounts * max(height, width)
    side = 2 * math.ceil(_RADIUS * float(deviations.max())) + 1
    edge = [max(0, _QUICKLY_BLURRED - width), max(0, _QUICKLY_BLURRED - height)]
    if pixels.is_cuda or max(edge) > _QUICKLY_BLURRED // 2:
        edge = [0, 0]
    padded = functional.pad(pixels, (0, edge[0], 0, edge[1]), mode="replicate")
    sigmas = deviations[:, None].expand(-1, 2)
    blurred = gaussian_blur2d(padded, (side, side), sigmas, border_type="replicate")
    return blurred[..., :height, :width]


COLOURS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "flip": _flip,
    "brightness": _brightness,
    "saturation": _saturation,
    "contrast": _contrast,
    "sharpness": _sharpness,
    "blur": _blur,
}
"""The operations that leave every pixel at its place (or mirror it), by name."""


def warp(pixels: Tensor, moves: Tensor) -> Tensor:
    """Return the pictures rotated, sheared and shifted in one go, `moves` being `(n, 5)`.

    The columns of `moves` are those of `MOVES`. What comes in at the edge is mirrored.

    Examples:
        >>> row = torch.tensor([[[[0.0, 0.5, 1.0, 1.0]]]]).expand(1, 3, 1, 4)
        >>> warped = warp(row, torch.tensor([[0.0, 0.0, 0.0, 0.25, 0.0]]))[0, 0]
        >>> [abs(round(value, 3)) for value in warped[0].tolist()]
        [0.5, 0.0, 0.5, 1.0]
    """
    from kornia.geometry.transform import get_affine_matrix2d, warp_affine

    n, _, height, width = pixels.shape
    matrices = get_affine_matrix2d(
        translations=moves[:, 3:] * torch.tensor([width, height]),
        center=torch.tensor([[(width - 1) / 2, (height - 1) / 2]]).expand(n, -1),
        scale=torch.ones(n, 2),
        angle=moves[:, 0],
        sx=moves[:, 1],
        sy=moves[:, 2],
    )
    where = matrices[:, :2].to(pixels.device, pixels.dtype)
    return warp_affine(pixels, where, (height, width), padding_mode="reflection")


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
