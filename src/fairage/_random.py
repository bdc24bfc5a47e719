"""Random numbers that depend on the seed and on what they are for, and on nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from fairage._files import hash_of


def derive_seed(seed: int, *purpose: object) -> int:
    """Return a seed of 63 bits for one purpose, so that parts do not share a stream.

    Examples:
        >>> derive_seed(0, "train") == derive_seed(0, "train")
        True
        >>> derive_seed(0, "train") == derive_seed(0, "split")
        False
    """
    text = "/".join(map(str, (seed, *purpose)))
    return int(hash_of(text, size=8), 16) >> 1


def numpy_rng(seed: int, *purpose: object) -> np.random.Generator:
    """Return a numpy generator for one purpose.

    Examples:
        >>> int(numpy_rng(0, "split").integers(100)) == int(numpy_rng(0, "split").integers(100))
        True
    """
    return np.random.default_rng(derive_seed(seed, *purpose))


@contextmanager
def torch_seed(seed: int, *purpose: object) -> Iterator[None]:
    """Seed torch's generators for one purpose; afterwards they are as they were before.

    Examples:
        >>> import torch
        >>> with torch_seed(0, "dropout"):
        ...     first = torch.rand(1)
        >>> with torch_seed(0, "dropout"):
        ...     bool(torch.rand(1) == first)
        True
    """
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(seed, *purpose))
        yield
