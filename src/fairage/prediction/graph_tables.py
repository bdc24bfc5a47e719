"""The numbers of a graph that a calibration changes: `intervals.bin`, which needs numpy alone.

The file holds little-endian float32 numbers: offset and slope of the line that corrects ages, then
64 edges of cells of the estimate, 64 lower and 64 upper residuals. `model.onnx` reads them from it,
so that other numbers are other intervals, and the graph stays as it is.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairage._files import atomic_path, write_text
from fairage.exceptions import DataError
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


@dataclass(frozen=True, eq=False)
class GraphTables:
    """What stands in the file.

    Args:
        level: Share of true ages that the intervals hold; None where the model is not calibrated.
        line: Offset and slope, `(2,)`.
        edges: See `Bands`, `(64,)`; `inf` behind the last one.
        low: See `Bands`, `(64,)`.
        high: See `Bands`, `(64,)`.
    """

    level: float | None
    line: NDArray[np.float32]
    edges: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]


def write_tables(folder: Path, table: Bands | None, line: Line | None = None) -> None:
    """Write `intervals.bin`, and the level into `export.json`, of a folder that holds a graph.

    Residuals are rounded outwards, so that no interval is narrower than in float64.

    Args:
        folder: Holds `export.json`.
        table: The intervals; None for open ones, where the model is not calibrated.
        line: Corrects the ages; None for none.
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
    about = read_about(folder) | {"level": None if table is None else table.level}
    write_text(folder / ABOUT, json.dumps(about, indent=2) + "\n")


def read_tables(folder: Path) -> GraphTables:
    """Return what stands in `intervals.bin` of a folder, and the level in `export.json`.

    Raises:
        DataError: There is no such file, or it has another length.
    """
    path, expected = folder / TABLES, sum(LAYOUT.values())
    numbers = np.fromfile(path, dtype="<f4") if path.is_file() else np.empty(0, dtype="<f4")
    if len(numbers) != expected:
        raise DataError(
            f"expected {expected} numbers in {str(path)!r}, got {len(numbers)}, export the model "
            "again"
        )
    ends = np.cumsum(list(LAYOUT.values()))[:-1]
    return GraphTables(read_about(folder).get("level"), *np.split(numbers.astype(np.float32), ends))


def _up(values: ArrayLike) -> NDArray[np.float32]:
    """Return the least float32 numbers that are not below values."""
    exact = np.asarray(values, dtype=np.float64)
    rounded = exact.astype(np.float32)
    return np.where(rounded < exact, np.nextafter(rounded, np.float32(np.inf)), rounded)
