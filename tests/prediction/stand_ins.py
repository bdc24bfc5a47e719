"""Networks and detectors that need no weights: what they say can be worked out by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairage.faces.face import Face
from fairage.faces.preprocessing import Preprocessing
from fairage.faces.views import view_from_name
from fairage.prediction.calibration_rows import CalibrationRows
from fairage.prediction.face_input import FaceInput
from fairage.prediction.intervals import ConformalAges
from fairage.prediction.model import Model

SIDE = 16


class BrightNetwork:
    """Says that faces are as old as a tenth of their mean red is."""

    def __init__(self, photograph: str = "aligned", crop: str = "whole") -> None:
        size = Preprocessing(SIDE, SIDE)
        views = view_from_name(photograph), view_from_name(crop)
        self.inputs = (FaceInput("face", *views, size),)
        self.batches: list[int] = []

    def estimate(
        self, pixels: Sequence[NDArray[np.uint8]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        self.batches.append(len(pixels[0]))
        ages = np.asarray(pixels[0][..., 0].mean(axis=(1, 2)) / 2.5)
        return ages, np.ones(len(ages))

    def embed(self, pixels: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return pixels[0].reshape(len(pixels[0]), -1)[:, :3].astype(np.float32)


@dataclass
class CornerDetector:
    """Finds a face of 40 pixels wherever a pixel of pure green is."""

    looks: int = 0

    def fingerprint(self) -> str:
        return "corner"

    def candidates(self, image: NDArray[np.uint8]) -> list[Face]:
        self.looks += 1
        faces = []
        for y, x in np.argwhere((image == (0, 255, 0)).all(axis=2)):
            eyes = np.array([(12, 15), (28, 15), (20, 22), (14, 30), (26, 30)], dtype=np.float32)
            faces.append(Face((x, y, 40.0, 40.0), eyes + np.float32([x, y]), 0.9, 100.0))
        return sorted(faces, key=lambda face: face.box[0])

    def landmarks(self, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        faces = self.candidates(image)
        return faces[0].landmarks if faces else None


def model(network: BrightNetwork | None = None, **options: Any) -> Model:
    """Return a model of the stand-ins; calibrated on residuals of -5 to 5 years if asked to be."""
    if options.pop("calibrated", False):
        ages = np.tile(np.arange(5.0, 85.0), 12)
        residuals = np.repeat(np.linspace(-5, 5, 12), 80)
        rows = CalibrationRows(ages, ages + residuals, ages + residuals)
        options["intervals"] = ConformalAges.fit(rows)
    config = {"target": "apparent", "backbones": []}
    return Model(network or BrightNetwork(), CornerDetector(), config, **options)  # type: ignore[arg-type]  # a stand-in


def picture(*faces: tuple[int, int], red: int = 100) -> NDArray[np.uint8]:
    """Return a picture `(80, 120, 3)` with faces at these places."""
    image = np.full((80, 120, 3), (red, 0, 0), dtype=np.uint8)
    for x, y in faces:
        image[y, x] = (0, 255, 0)
    return image
