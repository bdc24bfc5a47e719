"""Preprocessing: a face crop in, the pixels that a backbone expects out, as its config says."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairage.exceptions import DataError, MissingDependencyError
from fairage.faces.image_processors import completed, names_no_class
from fairage.faces.processor_config import Channels, geometry, normalisation, resample, scale

if TYPE_CHECKING:
    from torch import Tensor

RESIZING_VERSION = 2
"""Raised whenever resized pixels change, so that embeddings of older ones are not taken for new."""
NESTED = "processor_config.json"
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Preprocessing:
    """How a network wants its images: resized, cut to its input size, scaled, normalised.

    Args:
        height: Height of the network's input in pixels.
        width: Width of the network's input in pixels.
        resize: Size to resize to before the middle is cut out: the shorter side with kept
            proportions, or height and width; None resizes straight to height x width.
        resample: `nearest-exact`, `bilinear` or `bicubic`; the latter two anti-aliased.
        scale: Factor on the pixel values 0..255.
        mean: Subtracted from the scaled channels.
        std: Divides what is left.
        bgr: Hand the channels over as blue, green, red; mean and std are in that order too.

    Examples:
        >>> small = Preprocessing(height=2, width=2, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
        >>> pixels = small.resized(np.full((4, 6, 3), 255, dtype=np.uint8))
        >>> pixels.shape
        (2, 2, 3)
        >>> import torch
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
    def from_config(
        cls, config: Mapping[str, Any], model_type: str | None = None
    ) -> "Preprocessing":
        """Return the preprocessing that a parsed `preprocessor_config.json` asks for.

        Args:
            config: What is in the file.
            model_type: The model's, of `config.json`: files in their old form name no image
                processor, and each model's reads them in its own way.

        Raises:
            DataError: It asks for something that is not reproduced, or that cannot be meant.
        """
        settings = completed(config, model_type)
        sizes, (mean, std) = geometry(settings), normalisation(settings)
        return cls(
            height=sizes.height,
            width=sizes.width,
            resize=sizes.resize,
            resample=resample(settings),
            scale=scale(settings),
            mean=mean,
            std=std,
            bgr=bool(settings.get("do_flip_channel_order", False)),
        )

    @classmethod
    def from_file(cls, path: Path) -> "Preprocessing":
        """Return the preprocessing that a `preprocessor_config.json` asks for.

        As in transformers, the `image_processor` of a `processor_config.json` beside it comes
        first, and `config.json` says which model it is for.

        Raises:
            DataError: There is no such file, or it does not hold what it should.
        """
        nested = _read(path.with_name(NESTED)).get("image_processor")
        model = _read(path.with_name("config.json"))
        if nested is None and not path.is_file():
            raise DataError(
                f"expected a file {path.name} beside the model, got none in {str(path.parent)!r}, "
                "add the one that the model was published with"
            )
        config = _read(path) if nested is None else nested
        try:
            if names_no_class(config) and "image_processor_type" in model:
                config = {**config, "image_processor_type": model["image_processor_type"]}
            return cls.from_config(config, model.get("model_type"))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"expected a preprocessor_config.json that fairage can follow, got {str(path)!r}: "
                f"{error}"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Preprocessing":
        """Return what `to_dict` wrote down, also where it has been in a JSON file."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in fields.items()
        }
        return cls(**values)

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

    def normalised(self, pixels: "Tensor") -> "Tensor":
        """Return the input `(n, 3, height, width)` of uint8 pixels `(n, height, width, 3)`.

        It is float32 with the channels last in memory.
        """
        import torch  # pixels are resized without it

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


def _read(path: Path) -> dict[str, Any]:
    """Return what is in a file of transformers; nothing where there is none."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (RecursionError, ValueError) as error:
        raise _no_object(path, str(error)) from error
    if not isinstance(content, dict):
        raise _no_object(path, type(content).__name__)
    return content


def _no_object(path: Path, content: str) -> DataError:
    return DataError(
        f"expected a {path.name} of transformers with one JSON object, got {str(path)!r} "
        f"({content}), correct the file"
    )


def _resized(image: Image, height: int, width: int, resample: str) -> Image:
    """Return the image at another size: along each row first, then along each column.

    Left alone, Pillow 13 takes the order that is less work, and older ones this one: where one side
    grows and the other shrinks, the pixels would depend on Pillow's version.
    """
    if image.shape[:2] == (height, width):
        return np.ascontiguousarray(image)
    if resample == "nearest-exact":
        rows, columns = _nearest(image.shape[0], height), _nearest(image.shape[1], width)
        return np.ascontiguousarray(image[rows[:, None], columns])
    try:
        from PIL import Image as Pillow
    except ImportError as error:
        raise MissingDependencyError.for_extra("pillow", "predict") from error
    kernel = Pillow.Resampling[resample.upper()]
    wide = Pillow.fromarray(np.ascontiguousarray(image)).resize((width, image.shape[0]), kernel)
    return np.array(wide.resize((width, height), kernel))


def _nearest(length: int, size: int) -> NDArray[np.int64]:
    """Return where the nearest pixels are, with torch's rounding in 32 bits."""
    half = np.float32(0.5)
    places = np.float32(length) / np.float32(size) * (np.arange(size, dtype=np.float32) + half)
    rounded: NDArray[np.int64] = np.floor(np.maximum(places - half, 0) + half).astype(np.int64)
    return np.asarray(rounded.clip(max=length - 1))


def _middle(image: Image, height: int, width: int) -> Image:
    """Cut out the middle; where the image is smaller, the rest is black."""
    gaps = [max(0, height - image.shape[0]), max(0, width - image.shape[1])]
    if any(gaps):
        image = np.pad(image, [*((gap - gap // 2, gap // 2) for gap in gaps), (0, 0)])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return np.ascontiguousarray(image[top : top + height, left : left + width])
