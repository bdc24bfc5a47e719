"""What the detector has found, kept in the store: several backbones and runs detect once."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairage._images import DECODING_VERSION
from fairage.embeddings.batcher import FLUSH_SECONDS
from fairage.embeddings.store import EmbeddingStore
from fairage.faces.detection import DETECTION_VERSION, FaceDetector
from fairage.faces.views import Landmarks

Row = NDArray[np.float32]
"""Eleven numbers: 1 or 0 for a face found or not, then x and y of the five landmarks."""


class Detections:
    """The landmarks of images by content key; those that are new are written every few seconds.

    Args:
        root: Folder of the embedding store.
        detector: What finds faces.
    """

    def __init__(self, root: Path, detector: FaceDetector) -> None:
        self.detector = detector
        self._root = root
        self._store: EmbeddingStore | None = None
        self._new: dict[bytes, Row] = {}
        self._flushed = time.monotonic()

    def __contains__(self, key: bytes) -> bool:
        return key in self._new or (self._store is not None and key in self._store)

    @property
    def about(self) -> dict[str, Any]:
        """What landmarks depend on beside the image, ready for JSON."""
        return {
            "detector": self.detector.fingerprint(),
            "detection": DETECTION_VERSION,
            "decoding": DECODING_VERSION,
        }

    def load(self) -> None:
        """Check the detector and read what it found in earlier runs."""
        self.detector.check()
        self._store = EmbeddingStore(self._root, self.about)
        self._store.load()

    def row(self, key: bytes) -> Row:
        """Return what is known of an image that is in here."""
        row = self._new.get(key)  # threads ask while the main one flushes
        if row is None:
            assert self._store is not None
            (row,) = self._store.values([key])
        return row

    def detect(self, image: NDArray[np.uint8]) -> Row:
        """Return the row of a decoded image; threads may call it at once."""
        points = self.detector.landmarks(image)
        row = np.zeros(11, dtype=np.float32)
        if points is not None:
            row[0], row[1:] = 1.0, points.ravel()
        return row

    def add(self, key: bytes, row: Row) -> None:
        """Keep what was found in an image."""
        self._new[key] = row
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is new."""
        if self._new and self._store is not None:
            self._store.add(list(self._new), np.stack(list(self._new.values())))
            self._new.clear()
        self._flushed = time.monotonic()

    def finish(self) -> None:
        """Write what is new, and tidy the store."""
        self.flush()
        if self._store is not None:
            self._store.merge()


def landmarks_of(row: Row) -> Landmarks | None:
    """Return the landmarks `(5, 2)` of a row, or None where no face was found.

    Examples:
        >>> landmarks_of(np.zeros(11, dtype=np.float32)) is None
        True
        >>> landmarks_of(np.ones(11, dtype=np.float32)).shape
        (5, 2)
    """
    return row[1:].reshape(5, 2) if row[0] else None
