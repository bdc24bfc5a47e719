"""Reads `intervals.bin` back."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairage.prediction.graph import read_about
from fairage.prediction.graph_tables import LAYOUT, TABLES


@dataclass(frozen=True, eq=False)
class GraphTables:
    """What stands in the file; see `fairage.prediction.graph_tables`."""

    level: float | None
    line: NDArray[np.float32]
    starts: NDArray[np.float32]
    stops: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]


def read_tables(folder: Path) -> GraphTables:
    """Return what stands in `intervals.bin` of a folder, and the level in `export.json`."""
    numbers = np.fromfile(folder / TABLES, dtype="<f4")
    assert len(numbers) == sum(LAYOUT.values())
    ends = np.cumsum(list(LAYOUT.values()))[:-1]
    return GraphTables(read_about(folder).get("level"), *np.split(numbers, ends))
