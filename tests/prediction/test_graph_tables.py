"""The numbers that a calibration rewrites in a graph's folder, with numpy alone."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from tests.prediction.tables_file import read_tables

from fairage.prediction.graph import FORMAT
from fairage.prediction.graph_tables import BANDS, TABLES, write_tables


@dataclass(frozen=True)
class Table:
    level: float = 0.8
    starts: np.ndarray = field(default_factory=lambda: np.array([0.0, 20.0, 40.0]))
    stops: np.ndarray = field(default_factory=lambda: np.array([20.0, 40.0, np.inf]))
    low: np.ndarray = field(default_factory=lambda: np.array([-np.inf, -3.1, -4.3]))
    high: np.ndarray = field(default_factory=lambda: np.array([2.1, 3.7, np.inf]))


@dataclass(frozen=True)
class Line:
    offset: float = 1.5
    slope: float = 0.9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "export.json").write_text(
        json.dumps({"format": FORMAT, "inputs": [], "level": None})
    )
    return tmp_path


def test_what_is_written_comes_back_with_the_level(folder: Path) -> None:
    write_tables(folder, Table(), Line())
    tables = read_tables(folder)
    assert tables.level == 0.8
    assert json.loads((folder / "export.json").read_text())["inputs"] == []
    np.testing.assert_allclose(tables.line, [1.5, 0.9])
    np.testing.assert_array_equal(tables.starts[:4], [0, 20, 40, np.inf])
    np.testing.assert_array_equal(tables.stops[:4], [20, 40, np.inf, -np.inf])
    np.testing.assert_allclose(tables.low[:3], [-np.inf, -3.1, -4.3])
    np.testing.assert_allclose(tables.high[:3], [2.1, 3.7, np.inf])


def test_intervals_are_never_narrower_than_in_float64(folder: Path) -> None:
    rng = np.random.default_rng(0)
    low, high = -rng.uniform(0, 9, 12), rng.uniform(0, 9, 12)
    starts = np.arange(0.0, 120, 10)
    write_tables(folder, Table(0.9, starts, starts + 10, low, high))
    tables = read_tables(folder)
    assert (tables.low[:12] <= low).all()
    assert (tables.high[:12] >= high).all()


def test_without_a_calibration_both_ends_are_open_and_ages_stay(folder: Path) -> None:
    write_tables(folder, Table(), Line())
    write_tables(folder, None)
    tables = read_tables(folder)
    assert tables.level is None
    np.testing.assert_array_equal(tables.line, [0, 1])
    assert np.isinf([*tables.low, *tables.high, *tables.starts, *tables.stops]).all()
    assert (tables.starts < tables.stops).tolist() == [True] + [False] * (BANDS - 1)


def test_the_file_has_the_same_size_whatever_stands_in_it(folder: Path) -> None:
    write_tables(folder, None)
    size = (folder / TABLES).stat().st_size
    write_tables(folder, Table())
    assert (folder / TABLES).stat().st_size == size == 4 * (2 + 4 * BANDS)
