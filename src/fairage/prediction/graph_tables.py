"""The numbers of a graph that a calibration changes: `intervals.bin`, which needs numpy alone.

The file holds little-endian float32 numbers: offset and slope of the line that corrects ages, then
of 16 bands of true ages where they start, where they stop, and the least and the largest residual,
in spreads. `model.onnx` reads them from it, so that other numbers are other intervals, and the
graph stays as it is.
"""

import json
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairage._files import atomic_path, write_text
from fairage.prediction.graph import ABOUT, read_about

TABLES = "intervals.bin"
BANDS = 16
"""Bands that there is room for; in those beyond the table's no age is possible."""
LAYOUT = {"line": 2, "starts": BANDS, "stops": BANDS, "low": BANDS, "high": BANDS}
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
    """Which true ages go with an estimate and its spread, by band; see `IntervalTable`."""

    @property
    def level(self) -> float:
        """Share of true ages that the intervals hold."""
        ...

    @property
    def starts(self) -> Floats:
        """Where the bands start, in years, `(bands,)`."""
        ...

    @property
    def stops(self) -> Floats:
        """Where they stop; `inf` in the last."""
        ...

    @property
    def low(self) -> Floats:
        """Spreads to add to the estimate for the lower end, `(bands,)`; `-inf` where unknown."""
        ...

    @property
    def high(self) -> Floats:
        """Spreads to add for the upper end, `(bands,)`; `inf` where unknown."""
        ...


def write_tables(
    folder: Path, table: Bands | None, line: Line | None = None, *, target: str | None = None
) -> None:
    """Write `intervals.bin`, and level and target into `export.json`, of a folder with a graph.

    Residuals are rounded outwards, so that no interval is narrower than in float64.

    Args:
        folder: Holds `export.json`.
        table: The intervals; None where the model is not calibrated, so that all ages are in them.
        line: Corrects the ages; None for none.
        target: Which age the estimates are of, if somebody said so.
    """
    starts, stops = np.full(BANDS, np.inf), np.full(BANDS, -np.inf)
    low, high = np.full(BANDS, -np.inf), np.full(BANDS, np.inf)
    if table is None:
        starts[0], stops[0] = -np.inf, np.inf
    else:
        bands = len(table.low)
        assert bands <= BANDS, "a table has no more bands than the graph has room for"
        starts[:bands], stops[:bands] = table.starts, table.stops
        low[:bands], high[:bands] = table.low, table.high
    offset, slope = (0.0, 1.0) if line is None else (line.offset, line.slope)
    arrays = (np.array([offset, slope], dtype="<f4"), starts, stops, -_up(-low), _up(high))
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
