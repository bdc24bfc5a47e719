"""The operations on pictures, through kornia: one amount a picture, 0 changes nothing.

Pixels are floats in 0..1, `(n, 3, height, width)`; amounts are float32 on the CPU, `(n,)`.
kornia takes long to import, so every function does it itself, after `load_kornia`.
"""

import math
import threading
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from fairage.exceptions import MissingDependencyError

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
