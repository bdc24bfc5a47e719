"""The folder that synthesize writes: the same for any workers, resumed, never mixed."""

import json
import os
import shutil
import sys
from pathlib import Path

import polars as pl
import pytest

from fairage.exceptions import ConfigError, DataError, MissingDependencyError
from fairage.faces_file import read_faces
from fairage.synthetic import BALANCED, GroupBias, Population, synthesize

N, SEED = 210, 3
BIASES = (GroupBias("ethnicity", "asian", cue=0.4),)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def copied(drawn: Path, tmp_path: Path) -> Path:
    """A copy of the drawn folder that a test may change."""
    return Path(shutil.copytree(drawn.parent, tmp_path / "faces"))


def again(folder: Path, **changes: object) -> Path:
    asked = {"n": N, "seed": SEED, "biases": BIASES} | changes
    return synthesize(folder, **asked)  # type: ignore[arg-type]  # options by name


def test_the_table_is_a_faces_table_with_every_split_and_attribute(drawn: Path) -> None:
    faces = read_faces(drawn)
    assert len(faces) == N
    assert faces.attributes == ["gender", "ethnicity", "expression"]
    assert set(faces.frame["split"]) == {"train", "valid", "test"}
    assert all(Path(image).is_file() for image in faces.images)


def test_the_truth_table_has_a_row_for_every_face(drawn: Path) -> None:
    truth = pl.read_parquet(drawn.parent / "truth.parquet")
    assert truth["image"].equals(pl.read_parquet(drawn)["image"])
    assert truth.null_count().sum_horizontal().item() == 0


def test_pictures_are_jpeg_files_of_112_pixels(drawn: Path) -> None:
    import cv2

    image = cv2.imread(read_faces(drawn).images[0])
    assert image.shape == (112, 112, 3)


def test_two_processes_write_the_same_bytes_as_one(drawn: Path, tmp_path: Path) -> None:
    other = again(tmp_path / "faces", workers=2)
    assert contents(other.parent) == contents(drawn.parent)


def test_another_seed_gives_other_pictures(drawn: Path, tmp_path: Path) -> None:
    other = synthesize(tmp_path, n=2, seed=SEED + 1)
    name = "images/000001.jpg"
    assert (other.parent / name).read_bytes() != (drawn.parent / name).read_bytes()


def test_a_finished_folder_is_returned_without_drawing(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr("fairage.synthetic.synthesis.draw_pictures", fail)
    assert again(copied) == copied / "faces.parquet"


def test_a_note_that_was_not_removed_in_the_end_is(drawn: Path, copied: Path) -> None:
    settings = json.loads((copied / "truth.json").read_text())["settings"]
    (copied / "started.json").write_text(json.dumps({"settings": settings}))
    again(copied)
    assert contents(copied) == contents(drawn.parent)


def test_a_folder_whose_first_note_was_not_finished_is_taken_for_empty(
    drawn: Path, tmp_path: Path
) -> None:
    half = tmp_path / ".started.0123abcd.partial.json"
    half.write_text("{")
    os.utime(half, (0, 0))  # of another machine, a leftover once it is an hour old
    again(tmp_path)
    assert contents(tmp_path) == contents(drawn.parent)


@pytest.mark.parametrize("old", ['"summary": "', '"expected_error": {'])
def test_a_truth_that_says_something_else_is_written_again(
    old: str, drawn: Path, copied: Path
) -> None:
    text = (copied / "truth.json").read_text()
    (copied / "truth.json").write_text(text.replace(old, old + " ", 1).replace("0", "1", 1))
    again(copied)
    assert contents(copied) == contents(drawn.parent)


def test_an_interrupted_folder_is_finished(drawn: Path, copied: Path) -> None:
    settings = json.loads((copied / "truth.json").read_text())["settings"]
    for name in ("truth.json", "faces.parquet", "truth.parquet", "images/000007.jpg"):
        (copied / name).unlink()
    (copied / "started.json").write_text(json.dumps({"settings": settings}))
    (copied / "images" / ".000007.jpg.123").write_bytes(b"half a picture")
    kept = (copied / "images" / "000008.jpg").stat().st_mtime_ns
    again(copied)
    assert contents(copied) == contents(drawn.parent)
    assert (copied / "images" / "000008.jpg").stat().st_mtime_ns == kept


@pytest.mark.parametrize("left", [b"", b"\0" * 5000, b"\xff\xd8\xff\xe0" + b"\0" * 5000])
def test_half_a_picture_that_a_power_cut_left_is_drawn_again(
    left: bytes, drawn: Path, copied: Path
) -> None:
    settings = json.loads((copied / "truth.json").read_text())["settings"]
    (copied / "truth.json").unlink()
    (copied / "started.json").write_text(json.dumps({"settings": settings}))
    (copied / "images" / "000007.jpg").write_bytes(left)
    again(copied)
    assert contents(copied) == contents(drawn.parent)


def test_pictures_are_on_the_disk_before_the_truth_says_that_they_are_done(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def synced(paths) -> None:
        assert not (copied / "truth.json").exists()
        found.extend(path.name for path in paths)

    found: list[str] = []
    monkeypatch.setattr("fairage.synthetic.synthesis.sync_files", synced)
    (copied / "images" / "000100.jpg").unlink()
    again(copied)
    assert len(found) == len(set(found)) == N


def test_a_picture_that_was_deleted_is_drawn_again(drawn: Path, copied: Path) -> None:
    (copied / "images" / "000100.jpg").unlink()
    again(copied)
    assert contents(copied) == contents(drawn.parent)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"n": 211}, "n 211, got some with n 210"),
        ({"seed": 4}, "seed 4"),
        ({"biases": ()}, "biases"),
        ({"population": BALANCED}, "population"),
    ],
)
def test_a_folder_of_other_settings_is_refused(
    copied: Path, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(DataError, match=told) as caught:
        again(copied, **changes)
    assert "another --out" in str(caught.value)


def test_a_folder_with_foreign_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(DataError, match="holds something else"):
        synthesize(tmp_path, n=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"settings": 3}'])
def test_a_truth_file_of_somebody_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "truth.json").write_text(text)
    with pytest.raises(DataError, match="settings of synthetic faces"):
        synthesize(tmp_path, n=1)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="expected an empty or new folder"):
        synthesize(tmp_path / "file", n=1)


@pytest.mark.parametrize(
    ("asked", "told"),
    [({"n": 0}, "faces, got 0"), ({"seed": -1}, "seed"), ({"workers": 0}, "workers, got 0")],
)
def test_settings_out_of_their_limits_are_refused(
    tmp_path: Path, asked: dict[str, int], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        synthesize(tmp_path / "faces", **({"n": 1} | asked))  # type: ignore[arg-type]  # options by name
    assert not (tmp_path / "faces").exists()


def test_without_opencv_the_extra_to_install_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingDependencyError, match=r"fairage\[train\]"):
        synthesize(tmp_path / "faces", n=1)
    assert not (tmp_path / "faces").exists()


def test_a_group_with_share_zero_is_not_drawn(tmp_path: Path) -> None:
    nobody_old = Population().with_share("age_group", "old", 0.0)
    table = synthesize(tmp_path, n=30, population=nobody_old)
    assert pl.read_parquet(table)["real_age"].max() < 60  # type: ignore[operator]  # polars and figures type it loosely
