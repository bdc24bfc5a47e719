"""A bundle of `fairage run` as a network: its backbones and its head, run by torch."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairage._bundle_files import own_name
from fairage.embeddings.backbones import Backbone, find_backbone
from fairage.embeddings.backbones.registry import Network
from fairage.embeddings.runtime import Runtime, choose_runtime
from fairage.exceptions import ConfigError, DataError
from fairage.models import Bundle, load_bundle
from fairage.prediction.face_input import FaceInput

_BATCH = 32
_FILES_PRECISION = "file"

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


class TorchNetwork:
    """The backbones and the head of a bundle; threads may share it.

    Args:
        folder: The bundle.
        device: Name of a torch device; None for what is there.
        precision: In place of the one that the backbones were trained in.

    Raises:
        DataError: The bundle is damaged, or a backbone is not the one that it was trained with.
        ConfigError: A backbone is not found.
    """

    def __init__(
        self, folder: Path, *, device: str | None = None, precision: str | None = None
    ) -> None:
        self.bundle: Bundle = load_bundle(folder)
        self._folder = folder
        self._device = device or "auto"
        self._precision = precision
        self.inputs = tuple(
            _input(f"face{number}", about) for number, about in enumerate(self.bundle.backbones)
        )

    def estimate(self, pixels: Sequence[Pixels]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return ages and spreads `(n,)` in years; see `GraphNetwork.estimate`."""
        return self.bundle.estimate(self.embed(pixels), self.bundle.backbones)

    def embed(self, pixels: Sequence[Pixels]) -> Floats:
        """Return the embeddings `(n, dim)` that the head sees, of all backbones side by side."""
        parts = [
            _in_batches(network, values, flip=about["flip"])
            for network, values, about in zip(
                self.networks, pixels, self.bundle.backbones, strict=True
            )
        ]
        return np.concatenate(parts, axis=1)

    @cached_property
    def networks(self) -> list[Network]:
        """The backbones, loaded when they are first used; one that is seen twice is loaded once."""
        backbones = {about["name"]: self._backbone(about) for about in self.bundle.backbones}
        return [
            backbones[about["name"]].load(self._runtime(about)) for about in self.bundle.backbones
        ]

    def _backbone(self, about: dict[str, Any]) -> Backbone:
        """Return the backbone of a description, if it is the one of the training."""
        name = about["name"]
        places = [str(self._folder / about["folder"])] if "folder" in about else []
        places += [name, str(self._folder / own_name(name))]
        local = next((each for each in places if Path(each.partition("#")[0]).exists()), name)
        try:
            backbone = find_backbone(local)
        except ConfigError as error:
            raise ConfigError(
                f"expected the backbone {name!r} that {str(self._folder)!r} was trained with, got "
                f"none, put a copy of it (or a link to it) into that folder as "
                f"{own_name(name)!r}"
            ) from error
        if backbone.fingerprint != about["fingerprint"]:
            raise DataError(
                f"expected the backbone {name!r} that {str(self._folder)!r} was trained with, got "
                f"another in {local!r} (its weights differ), give back the one of the training"
            )
        return backbone.shared()

    def _runtime(self, about: dict[str, Any]) -> Runtime:
        precision = self._precision or about["precision"]
        precision = "fp32" if precision == _FILES_PRECISION else precision
        return choose_runtime(self._device, precision, batch_size=_BATCH, images=_BATCH)


def _input(name: str, about: dict[str, Any]) -> FaceInput:
    views = {"photograph": about["view"], "crop": about["view"]}
    return FaceInput.from_dict({"name": name, **views, "preprocessing": about["preprocessing"]})


def _in_batches(network: Network, pixels: Pixels, *, flip: bool) -> Floats:
    """Return embeddings `(n, dim)`; every batch has the same number of pictures."""
    parts = []
    for start in range(0, len(pixels), _BATCH):
        batch = pixels[start : start + _BATCH]
        gap = np.zeros((_BATCH - len(batch), *batch.shape[1:]), dtype=np.uint8)
        padded = np.concatenate([batch, gap])
        values = network(padded)
        if flip:
            values = (values + network(np.ascontiguousarray(padded[:, :, ::-1]))) * np.float32(0.5)
        parts.append(values[: len(batch)])
    return np.concatenate(parts)
