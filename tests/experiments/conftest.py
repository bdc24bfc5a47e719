"""Embedded faces without images or backbones: embeddings that know the age."""

import numpy as np
import polars as pl
import pytest

from fairage.experiments.data import EmbeddedFaces
from fairage.tables import check_faces


@pytest.fixture
def embedded(faces_frame: pl.DataFrame, rng: np.random.Generator) -> EmbeddedFaces:
    frame = check_faces(faces_frame)
    values = rng.normal(size=(frame.height, 6)).astype(np.float32)
    values[:, 0] = frame["age"].to_numpy() / 25 + rng.normal(0, 0.2, frame.height)
    return EmbeddedFaces(frame, values, ({"name": "fake", "view": "whole", "flip": True},))
