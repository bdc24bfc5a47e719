"""What every adapter must hold; a new member of DATASETS needs a small folder here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fairage.datasets import DATASETS, Options, Shares, SplitOptions, prepare_faces
from fairage.datasets.appa_real.npy_kit import encode_png
from fairage.exceptions import DataError
from fairage.faces_file import read_faces
from fairage.tables import AGE, SPLITS

N = 12


def picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    path.write_bytes(encode_png(pixels))


def appa_real(folder: Path) -> None:
    for start, split in enumerate(SPLITS):
        lines = ["imageId,age,gender,ethnicity,emotion"]
        for number in range(N // 3):
            picture(folder / f"{split}_data" / f"{number:06d}.jpg", 10 * start + number)
            lines.append(f"{number:06d},{20.5 + number},male,asian,happy")
        (folder / f"labels_metadata_{split}.csv").write_text("\n".join(lines))


def utkface(folder: Path) -> None:
    for number in range(N):
        name = f"{20 + number}_{number % 2}_{number % 5}_{number}.jpg.chip.jpg"
        picture(folder / name, number)


def fairface(folder: Path) -> None:
    for split, start in (("train", 0), ("val", N // 2)):
        lines = ["file,age,gender,race,service_test"]
        for number in range(start, start + N // 2):
            picture(folder / split / f"{number}.jpg", number)
            lines.append(f"{split}/{number}.jpg,20-29,Male,Black,False")
        (folder / f"fairface_label_{split}.csv").write_text("\n".join(lines))


def own_folder(folder: Path) -> None:
    for number in range(N):
        picture(folder / f"{number}.png", number)
    table = {"image": [f"{number}.png" for number in range(N)], "age": [30.0] * N}
    pl.DataFrame(table).write_csv(folder / "faces.csv")


FOLDERS: dict[str, Callable[[Path], None]] = {
    "appa-real": appa_real,
    "utkface": utkface,
    "fairface": fairface,
    "folder": own_folder,
}
every_dataset = pytest.mark.parametrize("name", sorted(DATASETS))


@pytest.fixture
def folder(name: str, tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    FOLDERS[name](path)
    return path


@every_dataset
def test_every_face_is_in_the_table_and_every_image_is_there(name: str, folder: Path) -> None:
    out = folder.parent / "faces.parquet"
    outcome = prepare_faces(name, folder, out)
    faces = read_faces(out)
    assert len(faces) == N
    assert outcome.skipped == ()
    assert all(Path(image).is_file() for image in faces.images)
    assert np.all((faces.ages >= 0) & (faces.ages <= 120))
    assert set(DATASETS[name].attributes) <= set(faces.attributes)


@every_dataset
def test_the_same_folder_gives_the_same_table(name: str, folder: Path) -> None:
    one, two = (prepare_faces(name, folder, folder.parent / f"{n}.csv").faces for n in "ab")
    assert one.equals(two)


@every_dataset
def test_it_can_be_split_afresh(name: str, folder: Path) -> None:
    split = SplitOptions(Shares(0.5, 0.25, 0.25), seed=1)
    outcome = prepare_faces(name, folder, folder.parent / "a.csv", split=split)
    assert set(outcome.counts) == set(SPLITS)


@every_dataset
def test_each_kind_of_age_is_taken_or_its_absence_is_told(name: str, folder: Path) -> None:
    for kind in DATASETS[name].ages:
        try:
            outcome = prepare_faces(name, folder, folder.parent / "a.csv", Options(age=kind))
        except DataError as error:
            assert "real ages" in str(error)  # noqa: PT017  # either way is right, both are checked
        else:
            assert outcome.faces[AGE].is_not_null().all()


@every_dataset
@pytest.mark.parametrize("kind", ["empty", "missing", "file"])
def test_a_folder_that_is_none_is_an_error_that_says_so(
    name: str, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "nothing"
    if kind == "empty":
        path.mkdir()
    elif kind == "file":
        path.write_text("a file")
    with pytest.raises(DataError, match=r"^expected .*, got no"):
        prepare_faces(name, path, tmp_path / "faces.csv")


@every_dataset
def test_terms_and_a_way_to_get_it_are_told(name: str) -> None:
    assert DATASETS[name].name == name
    assert DATASETS[name].title
    assert DATASETS[name].terms
    assert DATASETS[name].obtain or DATASETS[name].archives
