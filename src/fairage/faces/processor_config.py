"""Reading the numbers of a completed configuration, and refusing those that cannot be meant."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairage.exceptions import DataError

Channels = tuple[float, float, float]

# The numbers are Pillow's. Lanczos (1) is not here: torch has it only from 2.13 on.
_RESAMPLE = {0: "nearest-exact", 2: "bilinear", 3: "bicubic"}
LARGEST_SIDE = 4096
_BRIGHTEST = 255


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

    Raises:
        DataError: The size of the input would depend on the image, or is absurd.

    Examples:
        >>> geometry({"size": {"height": 112, "width": 96}})
        Geometry(height=112, width=96, resize=None)
        >>> geometry({"size": {"shortest_edge": 256}, "crop_size": 224, "do_center_crop": True})
        Geometry(height=224, width=224, resize=256)
    """
    if not config.get("do_resize", True):
        raise DataError(
            "expected images that are resized to one size, got do_resize: false, set it to true "
            "beside the size that the network was trained with"
        )
    size = _resize(config.get("size"))
    if config.get("do_center_crop", False):
        height, width = _crop(config.get("crop_size"))
        return Geometry(height, width, None if size == (height, width) else size)
    if isinstance(size, int):
        raise DataError(
            f"expected one input size for all images, got shortest_edge {size} and no crop, which "
            "keeps each image's proportions, add do_center_crop and crop_size, or height and width"
        )
    return Geometry(*size)


def resample(config: Mapping[str, Any]) -> str:
    """Return how pixels are interpolated: nearest-exact, bilinear or bicubic."""
    number = config.get("resample", 2)
    if number not in _RESAMPLE:
        names = ", ".join(f"{number} ({name})" for number, name in _RESAMPLE.items())
        raise DataError(
            f"expected resample to be one of {names}, got {number!r}, choose another backbone"
        )
    return _RESAMPLE[number]


def scale(config: Mapping[str, Any]) -> float:
    """Return the factor on the pixel values 0..255."""
    if not config.get("do_rescale", True):
        return 1.0
    factor = _number("rescale_factor", config.get("rescale_factor", 1 / _BRIGHTEST))
    if factor <= 0 or factor > 1:
        raise DataError(f"expected a rescale_factor of 0 to 1, got {factor!r}, correct it")
    return factor


def normalisation(config: Mapping[str, Any]) -> tuple[Channels, Channels]:
    """Return mean and standard deviation of the scaled channels.

    EfficientNet's further steps, one less (`rescale_offset`) and divided once more (`include_top`),
    are in them.

    Raises:
        DataError: They do not fit the scaled channels.

    Examples:
        >>> normalisation({"do_normalize": True, "image_mean": 0.5, "image_std": 0.25})
        ((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    """
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    again = config.get("include_top", False)
    if config.get("do_normalize", False):
        mean = _mean(config)
        std = _std(config)
    offset = float(config.get("rescale_offset", False) and config.get("do_rescale", True))
    twice = _std(config) if again else (1.0, 1.0, 1.0)
    red, green, blue = mean
    return (red + offset, green + offset, blue + offset), (
        std[0] * twice[0],
        std[1] * twice[1],
        std[2] * twice[2],
    )


def _mean(config: Mapping[str, Any]) -> Channels:
    mean, top = _channels("image_mean", config.get("image_mean")), scale(config) * _BRIGHTEST
    if any(abs(value) > top * (1 + 1e-6) for value in mean):
        raise DataError(
            f"expected an image_mean within 0..{top:.3g}, the range of the scaled pixels, got "
            f"{list(mean)}, give it in that range or set do_rescale to false"
        )
    return mean


def _std(config: Mapping[str, Any]) -> Channels:
    std, top = _channels("image_std", config.get("image_std")), scale(config) * _BRIGHTEST
    if any(value <= 0 or value > top * (1 + 1e-6) for value in std):
        raise DataError(
            f"expected an image_std above 0 and up to {top:.3g}, the range of the scaled pixels, "
            f"got {list(std)}, give it in that range or set do_rescale to false"
        )
    return std


def _resize(size: Any) -> int | tuple[int, int]:  # noqa: ANN401  # as it stands in the JSON
    if isinstance(size, dict) and size.keys() == {"shortest_edge"}:
        return _side(size["shortest_edge"])
    if isinstance(size, dict) and size.keys() == {"height", "width"}:
        return _side(size["height"]), _side(size["width"])
    raise DataError(
        f"expected a size of height and width, or of shortest_edge alone, got {size!r}, correct it"
    )


def _crop(size: Any) -> tuple[int, int]:  # noqa: ANN401  # as it stands in the JSON
    if isinstance(size, int):
        return _side(size), _side(size)
    if isinstance(size, list) and len(size) == 2:
        return _side(size[0]), _side(size[1])
    if isinstance(size, dict) and size.keys() == {"height", "width"}:
        return _side(size["height"]), _side(size["width"])
    raise DataError(
        f"expected a number, or height and width, as crop_size, got {size!r}, correct it"
    )


def _side(side: Any) -> int:  # noqa: ANN401  # as it stands in the JSON
    if isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= LARGEST_SIDE:
        raise DataError(
            f"expected sizes in whole pixels from 1 to {LARGEST_SIDE}, got {side!r}, correct it"
        )
    return side


def _channels(key: str, values: Any) -> Channels:  # noqa: ANN401  # as it stands in the JSON
    numbers = list(values) if isinstance(values, list | tuple) else [values] * 3
    if len(numbers) != 3:
        raise DataError(
            f"expected one number or three for {key}, got {values!r}, correct it; networks of grey "
            "images cannot be used"
        )
    red, green, blue = (_number(key, value) for value in numbers)
    return red, green, blue


def _number(key: str, value: Any) -> float:  # noqa: ANN401  # as it stands in the JSON
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DataError(f"expected finite numbers for {key}, got {value!r}, correct it")
    return float(value)
