"""Preprocessing: a face crop in, the pixels that a backbone expects out, as its config says."""

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

Channels = tuple[float, float, float]

# The numbers are Pillow's. Lanczos becomes bicubic, as in transformers' own fast processors.
_RESAMPLE = {0: "nearest", 1: "bicubic", 2: "bilinear", 3: "bicubic"}
# ConvNeXt and ResNet configurations crop the margins only off inputs smaller than this.
_CROP_PCT_LIMIT = 384


@dataclass(frozen=True)
class Geometry:
    """The network's input size, and the size of the resized image that it is cut out of.

    Args:
        height: Height of the input.
        width: Width of the input.
        resize: Length of the shorter side with kept proportions, or height and width, or None
            for a resize straight to the input size.
    """

    height: int
    width: int
    resize: int | tuple[int, int] | None = None


def geometry(config: Mapping[str, Any]) -> Geometry:
    """Return the sizes that a configuration asks for.

    Examples:
        >>> geometry({"size": {"height": 112, "width": 96}})
        Geometry(height=112, width=96, resize=None)
        >>> geometry({"size": {"shortest_edge": 256}, "crop_size": 224})
        Geometry(height=224, width=224, resize=256)
        >>> geometry({"size": {"shortest_edge": 224}, "crop_pct": 0.875})
        Geometry(height=224, width=224, resize=256)
    """
    size, crop = config.get("size"), config.get("crop_size")
    if crop is not None and config.get("do_center_crop", True):
        height, width = _sides(crop)
        resize = _resize(size) if config.get("do_resize", True) and size is not None else None
        return Geometry(height, width, None if resize == (height, width) else resize)
    height, width = _sides(size)
    share = config.get("crop_pct")
    if share and isinstance(size, dict) and "shortest_edge" in size and height < _CROP_PCT_LIMIT:
        return Geometry(height, width, int(height / share))
    return Geometry(height, width)


def resample(config: Mapping[str, Any]) -> str:
    """Return how pixels are interpolated: nearest, bilinear or bicubic."""
    number = config.get("resample", 2)
    if number not in _RESAMPLE:
        raise ValueError(f"resample {number!r} instead of one of {sorted(_RESAMPLE)}")
    return _RESAMPLE[number]


def scale(config: Mapping[str, Any]) -> float:
    """Return the factor on the pixel values 0..255."""
    if not config.get("do_rescale", True):
        return 1.0
    return float(config.get("rescale_factor", 1 / 255))


def normalisation(config: Mapping[str, Any]) -> tuple[Channels, Channels]:
    """Return mean and standard deviation of the scaled channels."""
    if not config.get("do_normalize", "image_mean" in config):
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    return _channels(config["image_mean"]), _channels(config["image_std"])


def _sides(size: Any) -> tuple[int, int]:  # noqa: ANN401  # as it stands in the JSON
    if isinstance(size, int):
        return size, size
    if isinstance(size, list):
        return int(size[0]), int(size[1])
    if isinstance(size, dict) and "shortest_edge" in size and "longest_edge" not in size:
        return int(size["shortest_edge"]), int(size["shortest_edge"])
    if isinstance(size, dict) and {"height", "width"} <= size.keys():
        return int(size["height"]), int(size["width"])
    raise ValueError(f"size {size!r} instead of a number, height and width, or shortest_edge")


def _resize(size: Any) -> int | tuple[int, int]:  # noqa: ANN401  # as it stands in the JSON
    if isinstance(size, int) or (isinstance(size, dict) and "shortest_edge" in size):
        return _sides(size)[0]
    return _sides(size)


def _channels(values: Any) -> Channels:  # noqa: ANN401  # as it stands in the JSON
    red, green, blue = values if isinstance(values, list) else [values] * 3
    return float(red), float(green), float(blue)


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
        short, side = min(height, width), self.resize or 0
        return side * height // short, side * width // short


def _resized(image: Image, height: int, width: int, resample: str) -> Image:
    image = np.ascontiguousarray(image)
    if image.shape[:2] == (height, width):
        return image
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None]
    resized = F.interpolate(pixels, (height, width), mode=resample, antialias=resample != "nearest")
    return np.ascontiguousarray(resized[0].permute(1, 2, 0).numpy())


def _middle(image: Image, height: int, width: int) -> Image:
    """Cut out the middle; where the image is smaller, the rest is black."""
    gaps = [max(0, height - image.shape[0]), max(0, width - image.shape[1])]
    if any(gaps):
        image = np.pad(image, [*((gap // 2, gap - gap // 2) for gap in gaps), (0, 0)])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return np.ascontiguousarray(image[top : top + height, left : left + width])
