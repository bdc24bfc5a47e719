"""From a decoded image to a network's input; one description for training, predict and serve."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from fairage.exceptions import DataError
from fairage.faces.processor_config import Channels, geometry, normalisation, resample, scale

__all__ = ["Preprocessing"]

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Preprocessing:
    """How a network wants its images: resized, cut to its input size, scaled, normalised.

    Args:
        height: Height of the network's input in pixels.
        width: Width of the network's input in pixels.
        resize: Size to resize to before the middle is cut out: the shorter side with kept
            proportions, or height and width; None resizes straight to height x width.
        resample: `nearest`, `bilinear` or `bicubic`; the latter two anti-aliased.
        scale: Factor on the pixel values 0..255.
        mean: Subtracted from the scaled channels.
        std: Divides what is left.
        bgr: Hand the channels over as blue, green, red; mean and std are in that order too.

    Examples:
        >>> small = Preprocessing(height=2, width=2, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
        >>> pixels = small.resized(np.full((4, 6, 3), 255, dtype=np.uint8))
        >>> pixels.shape
        (2, 2, 3)
        >>> small.normalised(torch.from_numpy(pixels)[None])[0, 0].tolist()
        [[1.0, 1.0], [1.0, 1.0]]
    """

    height: int
    width: int
    resize: int | tuple[int, int] | None = None
    resample: str = "bilinear"
    scale: float = 1 / 255
    mean: Channels = (0.0, 0.0, 0.0)
    std: Channels = (1.0, 1.0, 1.0)
    bgr: bool = False

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Preprocessing":
        """Return the preprocessing that a parsed `preprocessor_config.json` asks for."""
        sizes, (mean, std) = geometry(config), normalisation(config)
        return cls(
            height=sizes.height,
            width=sizes.width,
            resize=sizes.resize,
            resample=resample(config),
            scale=scale(config),
            mean=mean,
            std=std,
            bgr=bool(config.get("do_flip_channel_order", False)),
        )

    @classmethod
    def from_file(cls, path: Path) -> "Preprocessing":
        """Return the preprocessing that a `preprocessor_config.json` asks for.

        Raises:
            DataError: There is no such file, or it does not hold what it should.
        """
        try:
            return cls.from_config(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise DataError(
                f"expected a file {path.name} beside the model, got none in {str(path.parent)!r}, "
                "add the one that the model was published with"
            ) from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"expected a preprocessor_config.json of transformers, got {str(path)!r} "
                f"({error}), correct the file"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)

    def resized(self, image: Image) -> Image:
        """Return the pixels `(height, width, 3)` that the network sees of an RGB image, uint8."""
        if self.resize is None:
            return _resized(image, self.height, self.width, self.resample)
        height, width = self._resized_sides(*image.shape[:2])
        return _middle(_resized(image, height, width, self.resample), self.height, self.width)

    @property
    def side(self) -> int:
        """Side of a square image that is handed over without being resized once more."""
        if self.resize is None:
            return max(self.height, self.width)
        return self.resize if isinstance(self.resize, int) else max(self.resize)

    def normalised(self, pixels: Tensor) -> Tensor:
        """Return the input `(n, 3, height, width)` of uint8 pixels `(n, height, width, 3)`.

        It is float32 with the channels last in memory.
        """
        values = pixels.permute(0, 3, 1, 2).float()
        if self.bgr:
            values = values.flip(1)
        mean = torch.tensor(self.mean, device=pixels.device).view(1, 3, 1, 1)
        std = torch.tensor(self.std, device=pixels.device).view(1, 3, 1, 1)
        return (values * self.scale - mean) / std

    def _resized_sides(self, height: int, width: int) -> tuple[int, int]:
        if isinstance(self.resize, tuple):
            return self.resize
        short, wanted = min(height, width), self.resize or 0
        return wanted * height // short, wanted * width // short


def _resized(image: Image, height: int, width: int, resample: str) -> Image:
    image = np.ascontiguousarray(image)
    if image.shape[:2] == (height, width):
        return image
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None]
    found = F.interpolate(pixels, (height, width), mode=resample, antialias=resample != "nearest")
    return np.ascontiguousarray(found[0].permute(1, 2, 0).numpy())


def _middle(image: Image, height: int, width: int) -> Image:
    """Cut out the middle; where the image is smaller, the rest is black."""
    gaps = [max(0, height - image.shape[0]), max(0, width - image.shape[1])]
    if any(gaps):
        image = np.pad(image, [*((gap // 2, gap - gap // 2) for gap in gaps), (0, 0)])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return np.ascontiguousarray(image[top : top + height, left : left + width])
