"""Checks: identical images, leaks, conflicts, and files that are no whole image."""

from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from fairage.datasets import check_images
from fairage.datasets.check_findings import CheckResult, in_words
from fairage.datasets.checks import read_content
from fairage.tables import Faces


def encoded(suffix: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    done, data = cv2.imencode(suffix, pixels)
    assert done
    return data.tobytes()


def with_thumbnail(jpeg: bytes) -> bytes:
    """A JPEG file that carries another one in its header."""
    payload = b"Exif\x00\x00" + jpeg
    return jpeg[:2] + b"\xff\xe1" + (len(payload) + 2).to_bytes(2) + payload + jpeg[2:]


@pytest.fixture
def table(tmp_path: Path, draw) -> Faces:
    """Six faces: 0 = 3 across splits with another age, 1 = 2 alike; two broken files; a URL."""
    for number, seed in enumerate([0, 1, 1, 0, 4]):
        draw(tmp_path / f"{number}.png", seed)
    (tmp_path / "5.png").write_bytes(b"")
    frame = pl.DataFrame(
        {
            "image": [*(f"{n}.png" for n in range(7)), "https://a/x.jpg"],
            "age": [30.0, 40.0, 40.0, 33.0, 50.0, 60.0, 61.0, 62.0],
            "split": ["train", "train", "train", "test", "test", "valid", "valid", "test"],
            "gender": ["male", "female", "female", "female", "male", "male", "male", "male"],
            "identity": ["ann", "bob", "bob", "ann", None, None, "", "zoe"],
        }
    )
    return Faces(frame, tmp_path)


def test_everything_is_found_and_counted(table: Faces) -> None:
    found = check_images(table)
    assert found.to_dict() == {
        "rows": 8,
        "remote": 1,
        "unreadable": 2,
        "identical_groups": 2,
        "identical_rows": 4,
        "split_leaks": 1,
        "age_conflicts": 1,
        "attribute_conflicts": 1,
        "identity_leaks": 1,
    }
    assert found.same[0].rows == (1, 4)
    assert found.same[0].attributes == ("gender",)
    assert [(each.row, each.reason) for each in found.unreadable] == [
        (6, "expected an image, got an empty file, copy it again"),
        (7, f"expected an image file, got none at {table.images[6]!r}, check the path"),
    ]
    assert found.identity_leaks[0].splits == {"train": 1, "test": 1}
    assert not found.clean


def test_words_name_numbers_and_the_first_findings(table: Faces) -> None:
    text = "\n".join(in_words(check_images(table), show=1))
    for words in (
        "8 faces checked (1 are URLs",
        "2 images cannot be read:",
        "and 1 more",
        "2 groups of identical images (4 rows):",
        "train 0.png (row 1, age 30) = test 3.png (row 4, age 33): different splits, ages, gender",
        "1 of them in several splits",
        "1 identity is in several splits:",
        "ann: train 1, test 1",
    ):
        assert words in text


def test_showing_none_leaves_the_numbers(table: Faces) -> None:
    lines = in_words(check_images(table), show=0)
    assert not [line for line in lines if "png" in line]


def test_the_table_of_findings_has_a_row_for_each(table: Faces) -> None:
    frame = check_images(table).to_frame()
    assert frame["finding"].value_counts(sort=True).rows() == [
        ("same image", 4),
        ("unreadable", 2),
        ("identity in several splits", 1),
    ]


def test_a_sound_table_is_clean(tmp_path: Path, draw) -> None:
    for number in range(3):
        draw(tmp_path / f"{number}.png", number)
    frame = pl.DataFrame({"image": [f"{n}.png" for n in range(3)], "age": [1.0, 2.0, 3.0]})
    found = check_images(Faces(frame, tmp_path))
    assert found.clean
    assert found.to_frame().is_empty()
    assert in_words(found)[0].startswith("3 faces checked: no broken image")


def test_a_path_that_occurs_twice_is_found(tmp_path: Path, draw) -> None:
    draw(tmp_path / "a.png")
    frame = pl.DataFrame({"image": ["a.png", "./a.png"], "age": [1.0, 1.0]})
    found = check_images(Faces(frame, tmp_path))
    assert len(found.same) == 1
    assert not found.leaks
    assert not found.age_conflicts


def test_empty_files_are_not_alike(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(b"")
    frame = pl.DataFrame({"image": ["a", "b"], "age": [1.0, 2.0]})
    found: CheckResult = check_images(Faces(frame, tmp_path))
    assert not found.same
    assert len(found.unreadable) == 2


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_whole_images_are_whole_and_cut_ones_are_not(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "misnamed.dat"
    data = encoded(suffix)
    path.write_bytes(data)
    assert read_content(str(path)).reason == ""
    path.write_bytes(data + b"trailing bytes")
    assert read_content(str(path)).reason == ""
    for cut in (len(data) // 4, len(data) // 2, len(data) - 40):
        path.write_bytes(data[:cut])
        assert "cut short" in read_content(str(path)).reason


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_image(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    data = with_thumbnail(encoded(".jpg"))
    path.write_bytes(data)
    assert read_content(str(path)).reason == ""
    path.write_bytes(data[:-200])
    assert "cut short" in read_content(str(path)).reason


def test_a_png_with_a_wrong_checksum_is_unreadable(tmp_path: Path, draw) -> None:
    data = bytearray(draw(tmp_path / "a.png").read_bytes())
    data[data.index(b"IDAT") + 10] ^= 1
    (tmp_path / "a.png").write_bytes(data)
    found = check_images(Faces(pl.DataFrame({"image": ["a.png"], "age": [1.0]}), tmp_path))
    assert [each.reason for each in found.unreadable] == [
        "expected a sound PNG file, got a wrong checksum in b'IDAT', copy it again"
    ]


@pytest.mark.parametrize("data", [b"<html>", b"\xff\xd8\xff", b"BM", b"RIFF", b"\x00" * 50])
def test_other_data_is_no_image(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    assert read_content(str(path)).reason


def test_a_folder_or_an_impossible_name_is_no_image(tmp_path: Path) -> None:
    assert "folder" in read_content(str(tmp_path)).reason
    assert read_content("a\x00b").reason
    assert read_content("x" * 5000).reason
