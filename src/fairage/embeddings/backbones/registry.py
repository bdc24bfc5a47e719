"""Finding a backbone by its name: the hub, a local folder, an ONNX file, or the embedded one."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fairage._bundle_files import BOXED, BOXED_NAME
from fairage._files import given_path, hash_of, read_json
from fairage.embeddings.backbones import onnx, transformers
from fairage.embeddings.backbones.embedded import EMBEDDED_PREPROCESSING, load_embedded
from fairage.embeddings.backbones.onnx import OnnxNetwork
from fairage.embeddings.backbones.transformers import TorchNetwork
from fairage.embeddings.runtime import Runtime
from fairage.exceptions import ConfigError
from fairage.faces.preprocessing import Preprocessing

EMBEDDED = "embedded"
_ONNX = "model.onnx"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_KINDS = (
    "'boxed', 'embedded', a folder with config.json and model.safetensors, one with model.onnx, "
    "an .onnx file, either with #OUTPUT behind it to choose an output, or a hub name such as "
    "microsoft/resnet-50"
)


class Network(Protocol):
    """Something that turns pixels into embeddings."""

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return embeddings `(n, dim)` of resized pixels `(n, height, width, 3)`."""
        ...


@dataclass(frozen=True)
class Backbone:
    """A backbone that has been found and is not loaded yet.

    Args:
        name: What the user called it.
        kind: `transformers`, `onnx` or `embedded`.
        preprocessing: How it wants its images.
        fingerprint: Hash of its weights and configuration; its name plays no part.
        load: Makes the network for a runtime.
    """

    name: str
    kind: str
    preprocessing: Preprocessing
    fingerprint: str
    load: Callable[[Runtime], Network]

    def precision(self, runtime: Runtime) -> str:
        """Return what its embeddings are computed in; an ONNX file brings its own precision."""
        return "file" if self.kind == "onnx" else runtime.precision

    def shared(self) -> "Backbone":
        """Return the same backbone, but it makes its network once, whoever asks for it."""
        return replace(self, load=cache(self.load))


def find_backbone(name: str) -> Backbone:
    """Return the backbone of this name; what lies on the disk comes before the hub.

    Raises:
        ConfigError: It is no name of a backbone.
        DataError: Its files are not there or not as they should be.
    """
    if name == EMBEDDED:
        return _embedded()
    if name == BOXED_NAME:
        return _boxed()
    path = given_path(name)
    if (file := _onnx_file(path)) is not None:
        return _onnx(name, file)
    if path.is_dir():
        return _folder(name, path)
    before, mark, output = name.partition("#")
    if mark and (file := _onnx_file(given_path(before))) is not None:
        return _onnx(name, file, output)
    if path.exists() or not _HUB_NAME.fullmatch(name) or path.suffix.lower() == ".onnx":
        raise ConfigError(f"expected a backbone ({_KINDS}), got {name!r}, check the path or name")
    return _folder(name, transformers.download(name))


def _folder(name: str, folder: Path) -> Backbone:
    fingerprint = transformers.fingerprint(folder)
    preprocessing = Preprocessing.from_file(folder / transformers.PROCESSOR)

    def load(runtime: Runtime) -> Network:
        model = transformers.load_pooled(folder)
        transformers.check_alone(model, preprocessing.height, preprocessing.width)
        return TorchNetwork(model, preprocessing, runtime)

    return Backbone(name, "transformers", preprocessing, fingerprint, load)


def _onnx_file(path: Path) -> Path | None:
    """Return the ONNX file that a path means, itself or in the folder, if there is one."""
    inside = path / _ONNX
    if inside.is_file():
        return inside
    return path if path.is_file() and path.suffix.lower() == ".onnx" else None


def _onnx(name: str, path: Path, output: str | None = None) -> Backbone:
    preprocessing = Preprocessing.from_file(path.parent / transformers.PROCESSOR)
    model = onnx.find_model(path, output)

    def load(runtime: Runtime) -> Network:
        return OnnxNetwork(model, preprocessing, runtime)

    return Backbone(name, "onnx", preprocessing, model.fingerprint, load)


def _boxed() -> Backbone:
    """Return the model in the box up to its last layer; it averages mirror images by itself."""
    model = onnx.find_model(BOXED / _ONNX, "embedding")
    (size,) = (each["preprocessing"] for each in read_json(BOXED / "export.json")["inputs"])
    preprocessing = Preprocessing(**size, scale=1.0)

    def load(runtime: Runtime) -> Network:
        return OnnxNetwork(model, preprocessing, runtime)

    return Backbone(BOXED_NAME, "onnx", preprocessing, model.fingerprint, load)


def _embedded() -> Backbone:
    module = load_embedded()
    weights = sorted(module.state_dict().items())
    fingerprint = hash_of(*(key.encode() + value.numpy().tobytes() for key, value in weights))

    def load(runtime: Runtime) -> Network:
        return TorchNetwork(load_embedded(), EMBEDDED_PREPROCESSING, runtime)

    return Backbone(EMBEDDED, EMBEDDED, EMBEDDED_PREPROCESSING, fingerprint, load)
