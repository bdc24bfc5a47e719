"""One backbone at work: collects pixels into batches, runs them, keeps the embeddings."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairage._images import DECODING_VERSION
from fairage.embeddings.backbones.registry import Backbone, Network
from fairage.embeddings.embed_options import BackboneSpec
from fairage.embeddings.runtime import Runtime
from fairage.embeddings.store import EmbeddingStore
from fairage.faces.detection import DETECTION_VERSION
from fairage.faces.preprocessing import RESIZING_VERSION
from fairage.faces.views import ALIGNMENT_VERSION, Landmarks, view_from_name

FLUSH_SECONDS = 5.0
"""A run that is killed loses at most what it computed in so many seconds."""

Image = NDArray[np.uint8]


class BackboneBatcher:
    """A backbone with its view, its part of the store and the batch that is filling up.

    Every batch has the same number of images: the last one is padded. Batches are stored whole and
    in order, so a run that was interrupted goes on with the very batches of an undisturbed one,
    and with the same values to the last bit. Of an image whose embedding is not finite nothing is
    stored; its key is in `not_finite`.

    Args:
        backbone: The backbone; others with other views of it may share it.
        spec: Its name for the user, the view and the flip.
        root: Folder of the store.
        runtime: How to run the network.
        detector: Fingerprint of the detector whose landmarks an aligned view gets.
    """

    def __init__(
        self,
        backbone: Backbone,
        spec: BackboneSpec,
        root: Path,
        runtime: Runtime,
        *,
        detector: str | None = None,
    ) -> None:
        self.backbone = backbone
        self.spec = spec
        self.runtime = runtime
        self.view = view_from_name(spec.view)
        self._detector = detector
        self.store = EmbeddingStore(root, self._configuration())
        self.not_finite: set[bytes] = set()
        self._network: Network | None = None
        self._taken: set[bytes] = set()
        self._batch: list[tuple[bytes, Image]] = []
        self._done: list[tuple[list[bytes], NDArray[np.float32]]] = []
        self._flushed = time.monotonic()

    def pixels(self, image: Image, landmarks: Landmarks | None = None) -> Image:
        """Return what the network sees of a decoded image, uint8 `(height, width, 3)`."""
        preprocessing = self.backbone.preprocessing
        return preprocessing.resized(self.view.apply(image, landmarks, side=preprocessing.side))

    def add(self, key: bytes, pixels: Image) -> bool:
        """Take an image on, unless it has been; return whether it was new."""
        if key in self._taken or key in self.store:
            return False
        self._taken.add(key)
        self._batch.append((key, pixels))
        if len(self._batch) == self.runtime.batch_size:
            self._run_batch()
        return True

    def finish(self) -> None:
        """Run what is left, store it, and tidy the store."""
        if self._batch:
            self._run_batch()
        self.flush()
        self.store.merge()

    def flush(self) -> None:
        """Store the embeddings of all batches that have been run."""
        if self._done:
            keys = [key for part, _ in self._done for key in part]
            self.store.add(keys, np.concatenate([values for _, values in self._done]))
            self._done.clear()
        self._flushed = time.monotonic()

    def describe(self, dim: int) -> dict[str, Any]:
        """Return what a model bundle has to know of the backbone, ready for JSON."""
        return {
            "name": self.spec.name,
            "kind": self.backbone.kind,
            "view": self.view.name,
            "flip": self.spec.flip,
            "precision": self.backbone.precision(self.runtime),
            "preprocessing": self.backbone.preprocessing.to_dict(),
            "dim": dim,
            "fingerprint": self.backbone.fingerprint,
            "decoding": DECODING_VERSION,
            "resizing": RESIZING_VERSION,
            **self._of_view(),
        }

    def _configuration(self) -> dict[str, Any]:
        """Return everything that an embedding depends on beside the image."""
        return {
            "weights": self.backbone.fingerprint,
            "preprocessing": self.backbone.preprocessing.to_dict(),
            "view": self.view.name,
            "flip": self.spec.flip,
            "precision": self.backbone.precision(self.runtime),
            "decoding": DECODING_VERSION,
            "resizing": RESIZING_VERSION,
            **self._of_view(),
        }

    def _of_view(self) -> dict[str, Any]:
        """Return what decides where an aligned view looks; nothing for the other views."""
        if not self.view.needs_landmarks:
            return {}
        return {
            "detector": self._detector,
            "detection": DETECTION_VERSION,
            "alignment": ALIGNMENT_VERSION,
        }

    def _run_batch(self) -> None:
        if self._network is None:
            self._network = self.backbone.load(self.runtime)
        keys = [key for key, _ in self._batch]
        pixels = np.stack([image for _, image in self._batch])
        gap = self.runtime.batch_size - len(pixels)
        pixels = np.concatenate([pixels, np.zeros((gap, *pixels.shape[1:]), dtype=np.uint8)])
        values = self._network(pixels)
        if self.spec.flip:
            mirrored = self._network(np.ascontiguousarray(pixels[:, :, ::-1]))
            values = (values + mirrored) * np.float32(0.5)
        values = values[: len(keys)]
        finite = np.isfinite(values).all(axis=1)
        self.not_finite.update(keys[row] for row in np.flatnonzero(~finite))
        if finite.any():
            self._done.append(([keys[row] for row in np.flatnonzero(finite)], values[finite]))
        self._batch.clear()
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()
