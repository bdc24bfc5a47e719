"""UTKFace: labels in file names."""

from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from fairage.datasets import SplitOptions, prepare_faces
from fairage.datasets.utkface import parse_name
from fairage.exceptions import DataError


def test_every_good_name_is_a_face_and_the_others_are_told(utkface: Path, tmp_path: Path) -> None:
    outcome = prepare_faces("utkface", utkface, tmp_path / "out.parquet")
    assert outcome.faces.height == 12
    assert [each.name for each in outcome.skipped] == ["61_1_20170109.jpg.chip.jpg"]
    assert "3 fields instead of 4" in outcome.skipped[0].reason
    assert set(outcome.faces["gender"]) == {"male", "female"}
    assert set(outcome.faces["ethnicity"]) == {"white", "black", "asian", "indian", "others"}


def test_identical_images_land_in_one_split(utkface: Path, tmp_path: Path) -> None:
    for seed in range(5):
        options = SplitOptions(seed=seed)
        frame = prepare_faces("utkface", utkface, tmp_path / "out.csv", split=options).faces
        twins = [row for row in frame.to_dicts() if row["age"] in (20.0, 25.0)]
        assert len(twins) == 2
        assert twins[0]["split"] == twins[1]["split"]


def test_faces_in_folders_below_are_found(utkface: Path, tmp_path: Path) -> None:
    utkface.rename(tmp_path / "part1")
    (tmp_path / "all").mkdir()
    (tmp_path / "part1").rename(tmp_path / "all" / "part1")
    assert prepare_faces("utkface", tmp_path / "all", tmp_path / "out.csv").faces.height == 12


@pytest.mark.parametrize("suffix", ["gif", "tif", "tiff", "avif", "heic", "HEIF"])
def test_every_kind_of_image_file_is_a_face(utkface: Path, tmp_path: Path, suffix: str) -> None:
    size = (40, 40)
    if suffix in ("heic", "HEIF"):
        pillow_heif.encode("RGB", size, bytes(4800), utkface / f"50_0_0_2017.{suffix}")
    else:
        Image.new("RGB", size).save(utkface / f"50_0_0_2017.{suffix}")
    outcome = prepare_faces("utkface", utkface, tmp_path / "out.parquet")
    assert 50.0 in outcome.faces["age"].to_list()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("26_1_2017.jpg", "3 fields"),
        ("26_1_2_3_2017.jpg", "5 fields"),
        ("x_1_2_2017.jpg", "age"),
        ("²_1_2_2017.jpg", "age"),
        ("999_1_2_2017.jpg", "0..120"),
        ("-5_1_2_2017.jpg", "age"),
        ("26_2_2_2017.jpg", "gender"),
        ("26_1_7_2017.jpg", "race"),
        ("26__2_2017.jpg", "gender"),
    ],
)
def test_odd_names_say_what_is_wrong(name: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        parse_name(name)


def test_a_space_or_a_lost_dot_in_the_time_does_not_matter() -> None:
    assert parse_name("24_0_1_2017 .jpg.chip.jpg") == (24.0, "male", "black")
    assert parse_name("55_0_0_2017jpg.chip.jpg") == (55.0, "male", "white")


def test_a_folder_without_faces_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="AGE_GENDER_RACE_TIME"):
        prepare_faces("utkface", tmp_path / "empty", tmp_path / "out.csv")
