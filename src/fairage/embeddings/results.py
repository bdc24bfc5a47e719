"""What embedding a faces table gives: values, the rows they belong to, and what failed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Embeddings", "Failure"]


@dataclass(frozen=True)
class Failure:
    """A face that has no embedding.

    Args:
        row: Row number in the faces table, from 0.
        image: Its path or URL.
        reason: Why the image could not be read.
    """

    row: int
    image: str
    reason: str


@dataclass(frozen=True)
class Embeddings:
    """The embeddings of a faces table.

    Args:
        values: Shape `(n, dim)`, float32, the backbones' embeddings side by side.
        rows: Shape `(n,)`, increasing: the row of the faces table that each value belongs to. A row
            with several copies stands there as often.
        failures: The other rows of the table.
        backbones: A JSON-ready description of each backbone, in the order of the values' columns.
        no_face: The rows where an aligned view fell back to the middle of the picture, as no face
            was found.
        new: Images that were embedded now; the others were in the store, or twice in the table.
        seconds: How long it took.
    """

    values: NDArray[np.float32]
    rows: NDArray[np.int64]
    failures: tuple[Failure, ...]
    backbones: tuple[dict[str, Any], ...]
    new: int
    no_face: tuple[int, ...] = ()
    seconds: float = 0.0
