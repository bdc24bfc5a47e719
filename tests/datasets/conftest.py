"""Small invented data sets in the layouts of the real ones; no picture shows a person."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fairage.datasets.appa_real.npy_kit import encode_png

SPLITS = ("train", "valid", "test")
Draw = Callable[..., Path]


@pytest.fixture
def draw() -> Draw:
    """Write a small picture; the same seed makes the same bytes."""

    def write(path: Path, seed: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        path.write_bytes(encode_png(pixels))
        return path

    return write


@pytest.fixture
def bundle(tmp_path: Path, draw: Draw) -> Path:
    """The challenge's layout: three faces a split, official names that skip one."""
    folder, merged = tmp_path / "bundle", []
    for start, split in enumerate(SPLITS):
        labels, ratings = [], []
        for number in range(1, 4):
            identifier, official = f"{number:06d}", f"{10 * start + 2 * number:06d}.jpg"
            draw(folder / f"{split}_data" / f"{identifier}.jpg", 10 * start + number)
            age = 20.5 + 10 * number
            groups = ["male", "asian", "happy"] if number == 1 else ["female", "caucasian", "other"]
            labels.append([identifier, str(age), *groups])
            votes = [official, "38", str(age), "4.25", str(int(age) + 2)]
            ratings.append(votes)
            merged.append([split, f"{split}_data/{identifier}.jpg", *votes, *groups])
        ratings.append(["999999.jpg", "20", "11.0", "1.0", "12"])
        write_csv(
            folder / f"labels_metadata_{split}.csv",
            ["imageId", "age", "gender", "ethnicity", "emotion"],
            labels,
        )
        write_csv(folder / f"gt_avg_{split}.csv", RATINGS, ratings)
    write_csv(
        folder / "appa_real_merged.csv",
        ["split", "image", "orig_file_name", *RATINGS[1:], "gender", "ethnicity", "expression"],
        merged,
    )
    return folder


@pytest.fixture
def release(tmp_path: Path, draw: Draw) -> Path:
    """The authors' layout, without attributes."""
    folder = tmp_path / "release" / "appa-real-release"
    for start, split in enumerate(SPLITS):
        names = [f"{10 * start + number:06d}.jpg" for number in range(3)]
        for number, name in enumerate(names):
            draw(folder / split / name, 100 + number)
            draw(folder / split / f"{name}_face.jpg", 10 * start + number)
        rows = [[name, "38", "30.25", "4.0", "33"] for name in names]
        write_csv(folder / f"gt_avg_{split}.csv", RATINGS, rows)
    return folder


@pytest.fixture
def categories(release: Path) -> Path:
    """The attributes of two of three faces a split, in the folder that their archive makes."""
    folder = release / "allcategories_trainvalidtest_split"
    for start, split in enumerate(SPLITS):
        rows = [
            [f"{10 * start:06d}.jpg", "male", "caucasian", "nomakeup", "modernphoto", "happy"],
            [f"{10 * start + 1:06d}.jpg", "Female", "asian", "makeup", "oldphoto", "neutral"],
        ]
        header = ["file", "gender", "race", "makeup", "time", "happiness"]
        write_csv(folder / f"allcategories_{split}.csv", header, rows)
    return folder


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """The starting kit's layout: arrays of four faces a split."""
    folder = tmp_path / "kit"
    folder.mkdir()
    meta = [["male", "asian", "happy"], ["female", "caucasian", "neutral"]] * 2
    for seed, split in enumerate(SPLITS):
        rng = np.random.default_rng(seed)
        pixels = rng.integers(0, 256, (4, 12, 10, 3), dtype=np.uint8)
        np.save(folder / f"data_{split}.npy", pixels)
        np.save(folder / f"labels_{split}.npy", np.array([[20.5], [30.0], [41.0], [65.0]]))
        np.save(folder / f"meta_data_{split}.npy", np.array(meta))
    return folder


@pytest.fixture
def utkface(tmp_path: Path, draw: Draw) -> Path:
    """Twelve faces, two of the same bytes, one name that misses a field, one odd file."""
    folder = tmp_path / "utkface"
    for number in range(12):
        name = f"{20 + number}_{number % 2}_{number % 5}_2017{number:04d}.jpg.chip.jpg"
        draw(folder / name, 0 if number == 5 else number)
    draw(folder / "61_1_20170109.jpg.chip.jpg", 99)
    (folder / "notes.txt").write_text("not an image")
    return folder


@pytest.fixture
def fairface(tmp_path: Path, draw: Draw) -> Path:
    """Both label files, three faces each."""
    folder = tmp_path / "fairface"
    ranges = {"train": ["0-2", "20-29", "more than 70"], "val": ["3-9", "10-19", "60-69"]}
    for split, ages in ranges.items():
        rows = [
            [f"{split}/{n}.jpg", age, "Male" if n % 2 else "Female", "East Asian", "True"]
            for n, age in enumerate(ages, start=1)
        ]
        for seed, row in enumerate(rows):
            draw(folder / row[0], seed + len(split))
        header = ["file", "age", "gender", "race", "service_test"]
        write_csv(folder / f"fairface_label_{split}.csv", header, rows)
    return folder


@pytest.fixture
def mine(tmp_path: Path, draw: Draw) -> Path:
    """A table of one's own with other names, eight faces of four people, one row without age."""
    folder = tmp_path / "mine"
    for number in range(8):
        draw(folder / "pictures" / f"{number}.png", number)
    pl.DataFrame(
        {
            "file": [*(f"{number}.png" for number in range(8)), "8.png", "9.png"],
            "AgeInYears": [20.0, 21.0, 30.0, 31.0, 40.0, 41.0, 70.0, 71.0, None, 33.0],
            "sex": ["F", "M", "F", "M", "F", "M", None, "M", "F", "F"],
            "person": [1, 1, 2, 2, 3, 3, 4, 4, 5, 6],
            "camera": ["a", "b"] * 5,
        }
    ).write_csv(folder / "labels.csv")
    return folder


RATINGS = ["file_name", "num_ratings", "apparent_age_avg", "apparent_age_std", "real_age"]


def write_csv(path: Path, header: list[str], rows: list[list[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [",".join(row) for row in (header, *rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
