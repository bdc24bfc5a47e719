"""`fairage data augment-preview`, as a person and as a script use it."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest


def preview(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fairage", "data", "augment-preview", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def faces(tmp_path: Path, rng: np.random.Generator) -> Path:
    names = [f"{number}.png" for number in range(6)]
    for name in names:
        assert cv2.imwrite(str(tmp_path / name), rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    table = tmp_path / "faces.csv"
    pl.DataFrame({"image": names, "age": [20.0, 70.0] * 3}).write_csv(table)
    return table


def test_a_sheet_is_written_and_told(faces: Path) -> None:
    out = faces.parent / "sheet.png"
    options = ["--augmentation", "random", "--strength", "0.4", "--rows", "2", "--copies", "3"]
    done = preview(faces, "--out", out, *options, "--group", "age_group=old", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["faces"], told["copies"], told["augmentation"]["strength"]) == (2, 3, 0.4)
    assert cv2.imread(str(out)).shape == (2 * (128 + 22) + 6, 4 * (128 + 6) + 6, 3)


def test_people_are_told_in_a_line(faces: Path) -> None:
    done = preview(faces, "--out", faces.parent / "sheet.png", "--copies", "1")
    assert done.stdout.startswith("6 faces with 1 copies each in "), done.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--strength", "0.5"], "expected --strength with --augmentation random"),
        (["--augmentation", "randm"], "Did you mean 'random'?"),
        (["--augmentation", "random", "--strength", "2"], "expected a number in 0..1"),
        (["--group", "age_group=ancient"], "group of 'age_group' must be one of"),
        (["--out", "sheet.gif"], "expected a file ending in .png or .jpg"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    faces: Path, options: list[str], reason: str
) -> None:
    done = preview(faces, "--out", faces.parent / "sheet.png", *options)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert reason in done.stderr


def test_help_shows_an_example() -> None:
    assert "fairage data augment-preview faces.parquet" in preview("--help").stdout
