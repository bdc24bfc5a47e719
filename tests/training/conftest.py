"""Training tests run on one thread: toy problems are too small to share, and cores may be busy."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from fairage._random import torch_seed
from fairage.models import AgeHead, make_head
from fairage.objectives import Targets
from fairage.tables import AGE_GROUP
from fairage.training import Rows

DIM = 6


@pytest.fixture(autouse=True)
def _always_one_thread(one_thread: None) -> None:
    """See above."""


@pytest.fixture
def grouped() -> Callable[[int, int], Rows]:
    """Makes rows of two genders; the rare one, `m`, has ages that go the other way."""

    def make(rows: int, seed: int) -> Rows:
        generator = torch.Generator().manual_seed(seed)
        embeddings = torch.randn(rows, DIM, generator=generator)
        rare = torch.rand(rows, generator=generator) < 0.2
        embeddings[:, 1] = rare.float()
        noise = torch.randn(rows, generator=generator)
        slope = torch.where(rare, -12.0, 12.0)
        ages = (40 + slope * embeddings[:, 0] + (1 + rare) * noise).clamp(1, 99)
        groups = {
            "gender": np.where(rare.numpy(), "m", "f"),
            AGE_GROUP: np.where(ages.numpy() < 40, "adult", "senior"),
        }
        return Rows(embeddings, Targets(ages), torch.ones(rows), groups)

    return make


@pytest.fixture
def small_head() -> Callable[..., AgeHead]:
    """Makes small heads without dropout, always with the same first weights."""

    def make(name: str = "regression", **options: object) -> AgeHead:
        with torch_seed(0, "head"):
            return make_head(name, DIM, {"hidden": [16], "dropout": 0.0, **options})

    return make
