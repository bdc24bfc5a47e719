"""Reading the `preprocessor_config.json` that transformers models are published with.

Its fields have changed their form over the years; here each gets one meaning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Channels", "Geometry", "geometry", "normalisation", "resample", "scale"]

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
