"""The numbers of a graph that a calibration changes: `intervals.bin`, which needs numpy alone.

The file holds little-endian float32 numbers: offset and slope of the line that corrects ages, then
64 edges of cells of the estimate, 64 lower and 64 upper residuals. `model.onnx` reads them from it,
so that other numbers are other intervals, and the graph stays as it is.
"""

import json
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairage._files import atomic_path, write_text
from fairage.prediction.graph import ABOUT, read_about

TABLES = "intervals.bin"
CELLS = 64
"""Cells that there is room for; those beyond the table's are never reached."""
LAYOUT = {"line": 2, "edges": CELLS, "low": CELLS, "high": CELLS}
"""The arrays in the file in their order, and how many numbers each has."""

Floats = NDArray[np.float64]


class Line(Protocol):
    """Corrected age = `offset` + `slope` times the estimate, not below 0, in years."""

    @property
    def offset(self) -> float:
        """Years."""
        ...

    @property
    def slope(self) -> float:
        """Above 0."""
        ...


class Bands(Protocol):
    """What is added to an estimate for its interval, by cells of the estimate; see `BandTable`."""

    @property
    def level(self) -> float:
        """Share of true ages that the intervals hold."""
        ...

    @property
    def edges(self) -> Floats:
        """Where the cells meet, in years, `(cells - 1,)`; an estimate on one belongs above it."""
        ...

    @property
    def low(self) -> Floats:
        """Years to add for the lower end, `(cells,)`; `-inf` where it is open."""
        ...

    @property
    def high(self) -> Floats:
        """Years to add for the upper end, `(cells,)`; `inf` where it is open."""
        ...


def write_tables(
    folder: Path, table: Bands | None, line: Line | None = None, *, target: str | None = None
) -> None:
    """Write `intervals.bin`, and level and target into `export.json`, of a folder with a graph.

    Residuals are rounded outwards, so that no interval is narrower than in float64.

    Args:
        folder: Holds `export.json`.
        table: The intervals; None for open ones, where the model is not calibrated.
        line: Corrects the ages; None for none.
        target: Which age the estimates are of, if somebody said so.
    """
    edges = np.full(CELLS, np.inf)
    low, high = np.full(CELLS, -np.inf), np.full(CELLS, np.inf)
    if table is not None:
        cells = len(table.low)
        assert cells <= CELLS, "a table has no more cells than the graph has room for"
        edges[: cells - 1], low[:cells], high[:cells] = table.edges, table.low, table.high
    offset, slope = (0.0, 1.0) if line is None else (line.offset, line.slope)
    arrays = (np.array([offset, slope], dtype="<f4"), _up(edges), -_up(-low), _up(high))
    with atomic_path(folder / TABLES) as partial:
        partial.write_bytes(b"".join(array.astype("<f4").tobytes() for array in arrays))
    level = None if table is None else table.level
    about = read_about(folder) | {"level": level, "target": target}
    write_text(folder / ABOUT, json.dumps(about, indent=2) + "\n")


def _up(values: ArrayLike) -> NDArray[np.float32]:
    """Return the least float32 numbers that are not below values."""
    exact = np.asarray(values, dtype=np.float64)
    rounded = exact.astype(np.float32)
    return np.where(rounded < exact, np.nextafter(rounded, np.float32(np.inf)), rounded)
