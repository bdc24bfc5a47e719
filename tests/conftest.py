"""Fixtures that several test files share."""

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the test processes share the cores already

import numpy as np
import polars as pl
import pytest
from hypothesis import settings

settings.register_profile("fairage", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("fairage")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip real-data tests only where FAIRAGE_REAL_DATA is unset, and say so."""
    if "FAIRAGE_REAL_DATA" in os.environ:
        return
    reason = "FAIRAGE_REAL_DATA is not set: it names the folder that holds data/ and models/"
    for item in items:
        if "real_data" in item.keywords:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder that holds data/ and models/ of the real-data tests."""
    folder = Path(os.environ["FAIRAGE_REAL_DATA"])
    assert (folder / "data").is_dir(), f"FAIRAGE_REAL_DATA names {folder}, which has no data/"
    return folder


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Give torch one thread: the problems are too small to share, and sums come out the same."""
    import torch  # most tests do without

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def faces_frame(rng: np.random.Generator) -> pl.DataFrame:
    """A small faces table: 300 rows, three attributes, all splits; its images do not exist."""
    n = 300
    return pl.DataFrame(
        {
            "image": [f"{i:04d}.jpg" for i in range(n)],
            "age": rng.uniform(1, 90, n).round(1),
            "split": rng.choice(["train", "valid", "test"], n, p=[0.6, 0.2, 0.2]),
            "gender": rng.choice(["female", "male"], n),
            "ethnicity": rng.choice(["caucasian", "asian", "afroamerican"], n, p=[0.8, 0.15, 0.05]),
            "expression": rng.choice(["neutral", "happy", "slightlyhappy", "other"], n),
        }
    )
