"""Backbones in ONNX files, run by onnxruntime."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairage._files import file_hash, hash_of
from fairage._onnxruntime import open_session, session_errors
from fairage._random import numpy_rng
from fairage._text import joined, short
from fairage.embeddings.backbones.onnx_graph import OnnxGraph, read_graph
from fairage.embeddings.backbones.transformers import CLASS_TOKENS
from fairage.embeddings.runtime import Runtime
from fairage.exceptions import ConfigError, DataError
from fairage.faces.preprocessing import Preprocessing

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_AGREEMENT = 0.01
_MOST_EXTRA_TOKENS = 16
_POOLING = "pooled 2"
"""Changed whenever maps or tokens are pooled in another way."""

Floats = NDArray[np.float32]
Features = TypeVar("Features", Floats, Tensor)


@dataclass(frozen=True)
class Pooling:
    """How the features of images become vectors: a mean, the first token, or as they are.

    Args:
        axes: The mean is taken over these; none where the features are vectors already.
        first: Take the first token, the class token, in place of a mean.
    """

    axes: tuple[int, ...] = ()
    first: bool = False

    def __call__(self, features: Features) -> Features:
        """Return vectors `(n, dim)` of the features `(n, ...)`."""
        values: Any = features  # numpy and torch agree in these
        if self.first:
            return cast("Features", values[:, 0])
        return cast("Features", values.mean(axis=self.axes)) if self.axes else features


@dataclass(frozen=True)
class OnnxModel:
    """An ONNX file and which of its outputs is meant.

    Args:
        path: The file.
        output: Name of the output.
        has_class_token: Whether a weight is called as class tokens are.
        fingerprint: Hash of the file, of those with its weights, and of what is taken from it.
    """

    path: Path
    output: str
    has_class_token: bool
    fingerprint: str


def find_model(path: Path, output: str | None = None) -> OnnxModel:
    """Return the model in a file.

    Args:
        path: The file.
        output: Name of the output that is meant; may be left out where there is one only.

    Raises:
        ConfigError: There is no such output, or one of several has to be chosen.
        DataError: The file or one with its weights is not as it should be.
    """
    graph = read_graph(path)
    chosen = _chosen(path, graph, output)
    digest = file_hash(graph.files)
    shape = graph.outputs[chosen]
    if shape is None or len(shape) != 2:
        digest = hash_of(_POOLING, digest)
    if len(graph.outputs) > 1:
        digest = hash_of("output", chosen, digest)
    has_class_token = any(name.endswith(CLASS_TOKENS) for name in graph.tensors)
    return OnnxModel(path, chosen, has_class_token, digest)


def _chosen(path: Path, graph: OnnxGraph, output: str | None) -> str:
    if output in graph.outputs:
        return output
    if output is None and len(graph.outputs) == 1:
        return next(iter(graph.outputs))
    there = joined(f"{name!r} {_shape_text(shape)}" for name, shape in graph.outputs.items())
    got = "none" if output is None else short(output)
    raise ConfigError(
        f"expected the name of one output of {str(path)!r}, which has {there or 'none'}, got "
        f"{got}, write the name behind the file's, as in model.onnx#{next(iter(graph.outputs), '')}"
    )


def _shape_text(shape: tuple[int | str, ...] | None) -> str:
    return "of any shape" if shape is None else f"({', '.join(map(str, shape))})"


class OnnxNetwork:
    """An ONNX model with its preprocessing.

    It takes one image tensor `(n, 3, height, width)`, or with the channels last: normalised floats,
    or the pixels 0..255 as uint8. A map is averaged over its places; of tokens the class token
    counts, or their mean where there is none. Precision is what the file has.

    Two pictures are tried when it is made. Where they come out otherwise together than each
    alone, or not at all, all pictures are run one at a time.

    Args:
        model: The model.
        preprocessing: The model's.
        runtime: Device and size of the job.

    Attributes:
        model: The model.
        input_name: Name of its input.
        input_type: What the input takes.
        batch: How many pictures it takes at once; None where any number.
        channels_last: Whether its input has the channels last.

    Raises:
        DataError: The file cannot be run, or what it takes or gives is not of these kinds.
    """

    def __init__(self, model: OnnxModel, preprocessing: Preprocessing, runtime: Runtime) -> None:
        self.model, self._preprocessing = model, preprocessing
        self._session = open_session(
            model.path, threads=torch.get_num_threads(), device=runtime.device
        )
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in _TYPES:
            kinds = [(each.name, each.shape, each.type) for each in inputs]
            raise self._error(
                f"one image input (n, 3, height, width) of floats or uint8, got {kinds}",
                "export the model again",
            )
        self.input_name, self.input_type = inputs[0].name, _TYPES[inputs[0].type]
        self._check_normalisation()
        self.batch = _fixed(inputs[0].shape[0])
        self.channels_last = self._find_layout(inputs[0].shape[1:])
        self._try_together()

    def __call__(self, pixels: NDArray[np.uint8]) -> Floats:
        """Return embeddings `(n, dim)` of resized pixels `(n, height, width, 3)`."""
        size = self.batch or len(pixels)
        batch = self._input(pixels)
        parts = [self._pass(batch[i : i + size], size) for i in range(0, len(batch), size)]
        return np.concatenate(parts)

    def features(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """Return what the model itself gives `(n, ...)` for as many pixels as it takes at once."""
        return self._run(self._input(pixels))

    def pooling(self, shape: tuple[int, ...]) -> Pooling:
        """Return how features of this shape, of one image, become a vector.

        Raises:
            DataError: It cannot be told.
        """
        sides = (self._preprocessing.height, self._preprocessing.width)
        pooling = _pooling(shape, sides, has_class_token=self.model.has_class_token)
        if pooling is None:
            raise self._error(
                f"a vector an image, a map or the tokens of a grid, got {shape} for images of "
                f"{sides}, of which it cannot be told how to pool it",
                "choose another output, as in model.onnx#NAME, or export it with a pooled one",
            )
        return pooling

    def _input(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        values = self._preprocessing.normalised(torch.from_numpy(pixels))
        if self.channels_last:
            values = values.permute(0, 2, 3, 1)
        return np.ascontiguousarray(values.numpy(), dtype=self.input_type)

    def _pass(self, batch: NDArray[Any], size: int) -> Floats:
        gap = size - len(batch)
        padded = np.concatenate([batch, np.zeros((gap, *batch.shape[1:]), batch.dtype)])
        features = self._run(padded)
        pooling = self.pooling(features.shape[1:])
        pooled: Floats = pooling(features.astype(np.float32))
        return np.asarray(pooled, dtype=np.float32)[: len(batch)]

    def _run(self, batch: NDArray[Any]) -> NDArray[Any]:
        with session_errors(self.model.path, "an ONNX model that runs on images of its size"):
            (features,) = self._session.run([self.model.output], {self.input_name: batch})
        features, size = np.asarray(features), len(batch)
        if features.dtype.kind != "f" or features.ndim not in (2, 3, 4) or len(features) != size:
            raise self._error(
                f"floats (n, ...) for n images from the output {short(self.model.output)}, got "
                f"{features.dtype} of shape {features.shape} for {size}",
                "choose another output, as in model.onnx#NAME, or export the model again",
            )
        return features

    def _find_layout(self, shape: list[Any]) -> bool:
        """Return whether the channels come last, as the input's shape says, or else a trial."""
        height, width = self._preprocessing.height, self._preprocessing.width
        wanted = {False: (3, height, width), True: (height, width, 3)}
        layouts = [last for last, sides in wanted.items() if _fits(shape, sides)]
        if not layouts:
            raise self._error(
                f"a preprocessor_config.json for images {shape}, got {[height, width]} and 3 "
                "channels",
                "correct its size, or export a model for RGB images",
            )
        if len(layouts) > 1:
            layouts = [last for last in layouts if self._works(channels_last=last)] or [False]
        if len(layouts) > 1:
            raise self._error(
                f"an input of which it can be told where the channels are, got {shape}",
                "export the model with the number of channels in its input's shape",
            )
        return layouts[0]

    def _works(self, *, channels_last: bool) -> bool:
        self.channels_last = channels_last
        try:
            self(self._trial()[:1])
        except DataError:
            return False
        return True

    def _try_together(self) -> None:
        """Run images one at a time where a batch gives other embeddings than its images alone."""
        pictures = self._trial()
        alone = self._one_by_one(pictures)
        try:
            if _agree(self(pictures), alone):
                return
        except DataError:
            pass  # a batch of one works, as has been seen
        if self.batch is None:
            self.batch = 1
        if not _agree(self._one_by_one(pictures), alone) or self.batch > 1:
            raise self._error(
                "embeddings that depend on the image alone, got others for the same image",
                "export the model in evaluation mode",
            )

    def _one_by_one(self, pictures: NDArray[np.uint8]) -> Floats:
        return np.concatenate([self(pictures[i : i + 1]) for i in range(len(pictures))])

    def _trial(self) -> NDArray[np.uint8]:
        """Return two pictures."""
        shape = (2, self._preprocessing.height, self._preprocessing.width, 3)
        return numpy_rng(0, "onnx").integers(0, 256, shape, dtype=np.uint8)

    def _check_normalisation(self) -> None:
        settings = self._preprocessing
        plain = (settings.scale, settings.mean, settings.std) == (1.0, (0.0,) * 3, (1.0,) * 3)
        if self.input_type is np.uint8 and not plain:
            raise self._error(
                "a preprocessor_config.json that leaves pixels 0..255 as they are, as the input is "
                f"uint8, got scale {settings.scale:g}, mean {settings.mean} and std {settings.std}",
                "set do_rescale and do_normalize to false if the model normalises by itself",
            )

    def _error(self, expected: str, hint: str) -> DataError:
        return DataError(f"expected {expected} in {str(self.model.path)!r}, {hint}")


def map_is_channels_last(shape: tuple[int, ...], sides: tuple[int, int]) -> bool | None:
    """Return whether a map of this shape has its channels last, or None where it cannot be told.

    The map has the proportions of the image.

    Args:
        shape: Of one image's map: channels, height and width, or the channels last.
        sides: The image's height and width.

    Examples:
        >>> map_is_channels_last((7, 7, 512), (224, 224)), map_is_channels_last((8, 7, 7), (32, 32))
        (True, False)
        >>> map_is_channels_last((7, 7, 7), (224, 224)) is None
        True
    """
    first, last = _is_grid(shape[1:], sides), _is_grid(shape[:2], sides)
    return None if first == last else last


def _is_grid(places: tuple[int, ...], sides: tuple[int, int]) -> bool:
    """Return whether images of these sides can become so many places at one stride."""
    height, width = places
    if sides[0] == sides[1]:
        return height == width <= sides[0]
    low = max(sides[0] / (height + 1), sides[1] / (width + 1))
    high = min(sides[0] / max(height - 1, 0.5), sides[1] / max(width - 1, 0.5))
    return low < high and height <= sides[0] and width <= sides[1]


def _pooling(
    shape: tuple[int, ...], sides: tuple[int, int], *, has_class_token: bool
) -> Pooling | None:
    """Return how features of one image become a vector, None where that cannot be told."""
    if len(shape) == 1:
        return Pooling()
    if len(shape) == 3:
        last = map_is_channels_last(shape, sides)
        return None if last is None else Pooling((1, 2) if last else (2, 3))
    return _token_pooling(shape[0], sides, has_class_token=has_class_token)


def _token_pooling(tokens: int, sides: tuple[int, int], *, has_class_token: bool) -> Pooling | None:
    """Return the class token's, or the mean where the tokens are the places of a grid alone."""
    grids = {
        (sides[0] // patch) * (sides[1] // patch)
        for patch in range(1, min(sides) + 1)
        if sides[0] % patch == sides[1] % patch == 0
    }
    if tokens in grids:
        return Pooling((1,))
    most = _MOST_EXTRA_TOKENS if has_class_token else 1
    has_extra = any(tokens - extra in grids for extra in range(1, most + 1))
    return Pooling(first=True) if has_extra else None


def _fixed(dimension: object) -> int | None:
    return dimension if isinstance(dimension, int) and dimension > 0 else None


def _fits(shape: list[Any], wanted: tuple[int, ...]) -> bool:
    return all(_fixed(a) in (None, b) for a, b in zip(shape, wanted, strict=True))


def _agree(one: Floats, other: Floats) -> bool:
    tolerance = _AGREEMENT * float(np.abs(other[np.isfinite(other)]).max(initial=0.0))
    return np.allclose(one, other, rtol=0.0, atol=tolerance, equal_nan=True)
