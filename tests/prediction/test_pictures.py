"""What may be given as pictures, and what they are called."""

from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
from PIL import Image

from fairage.exceptions import DataError
from fairage.prediction.pictures import Images, Picture, pictures_of
from fairage.tables import Faces

RED = np.full((20, 30, 3), (200, 10, 10), dtype=np.uint8)


def png(pixels: np.ndarray = RED) -> bytes:
    done, data = cv2.imencode(".png", pixels[..., ::-1])
    assert done
    return bytes(data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name in ("b.png", "a.PNG", "in/c.png", ".hidden.png", "x[1]*.png"):
        (tmp_path / name).write_bytes(png())
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def names(images: Images) -> list[str]:
    given = pictures_of(images)
    found = [picture.name for picture in given.stream]
    assert given.count in (None, len(found))
    return found


def test_a_folder_means_all_pictures_in_it_in_order(folder: Path) -> None:
    expected = ["a.PNG", "b.png", "in/c.png", "x[1]*.png"]
    assert names(folder) == [str(folder / name) for name in expected]
    assert names([folder, "other.png"]) == [*(str(folder / n) for n in expected), "other.png"]


def test_a_pattern_means_what_matches_and_a_name_with_brackets_the_file(folder: Path) -> None:
    assert names(f"{folder}/*.png") == [str(folder / "b.png"), str(folder / "x[1]*.png")]
    assert names(f"{folder}/x[1]*.png") == [str(folder / "x[1]*.png")]
    with pytest.raises(DataError, match="no file matches"):
        pictures_of(f"{folder}/*.jpg")


def test_a_list_may_hold_patterns_and_no_tables(folder: Path) -> None:
    expected = [str(folder / name) for name in ("b.png", "x[1]*.png")]
    assert names([f"{folder}/*.png", RED]) == [*expected, "image 2"]
    pl.DataFrame({"image": ["b.png"], "age": [3.0]}).write_csv(folder / "faces.csv")
    with pytest.raises(DataError, match=r"got the table .*faces.csv' among others, give it alone"):
        names([folder / "b.png", folder / "faces.csv"])


def test_tables_give_their_own_names_and_rows(folder: Path) -> None:
    frame = pl.DataFrame({"image": ["b.png", "in/c.png"], "age": [3.0, 40.0]})
    frame.write_csv(folder / "faces.csv")
    for images in (folder / "faces.csv", Faces(frame, folder)):
        given = pictures_of(images)
        pictures = list(given.stream)
        assert [(each.name, each.row) for each in pictures] == [("b.png", 0), ("in/c.png", 1)]
        assert pictures[1].source == str(folder / "in/c.png")
        assert given.table is not None


def test_a_table_needs_no_age(folder: Path) -> None:
    pl.DataFrame({"image": ["b.png"]}).write_parquet(folder / "faces.parquet")
    assert names(folder / "faces.parquet") == ["b.png"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pl.DataFrame({"file": ["a.png"]}), "a column 'image'"),
        (pl.DataFrame({"image": []}, schema={"image": pl.String}), "at least one row"),
        (pl.DataFrame({"image": ["a.png", None]}), "empty cell in row 2"),
    ],
)
def test_a_table_without_images_is_refused(frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        pictures_of(frame)


def test_everything_with_pixels_gives_the_same_ones() -> None:
    several: list[Images] = [RED, png(), Image.fromarray(RED), RED[None], [RED], iter([RED])]
    for images in several:
        (picture,) = pictures_of(images).stream
        assert picture.name == "image 1"
        with picture.pixels() as pixels:
            assert np.array_equal(pixels, RED)


def test_an_image_of_pillow_is_turned_and_put_on_white() -> None:
    image = Image.new("RGBA", (30, 20), (0, 0, 0, 0))
    image.paste((9, 9, 9, 255), (0, 0, 10, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.info["exif"] = exif.tobytes()
    (picture,) = pictures_of(image).stream
    with picture.pixels() as pixels:
        assert pixels[15, 5].tolist() == [255, 255, 255]
    assert image.mode == "RGBA"


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((20, 30)), r"got float64 of shape \(20, 30\)"),
        (np.zeros((20, 30, 4), dtype=np.uint8), r"got uint8 of shape \(20, 30, 4\)"),
        (np.zeros((2, 3, 3), dtype=np.uint8), "at least 8x8"),
    ],
)
def test_other_arrays_are_refused_when_they_are_read(pixels: np.ndarray, message: str) -> None:
    (picture,) = pictures_of([pixels]).stream
    with pytest.raises(DataError, match=message), picture.pixels():
        pass


@pytest.mark.parametrize("images", [[], [3], 3.5, None, [None]])
def test_what_is_no_picture_is_refused(images: Images) -> None:
    with pytest.raises(DataError, match="expected"):
        list(pictures_of(images).stream)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected at least one picture"):
        pictures_of(tmp_path)


def test_a_missing_file_is_a_picture_that_cannot_be_read() -> None:
    (picture,) = pictures_of("no/such.jpg").stream
    with pytest.raises(DataError, match="got none at"), picture.pixels():
        pass
    assert pictures_of(picture).stream.__next__() is picture


def test_a_stream_is_read_as_it_comes() -> None:
    asked: list[int] = []

    def stream() -> Images:
        for number in range(100):
            asked.append(number)
            yield RED

    given = pictures_of(stream())
    assert isinstance(next(given.stream), Picture)
    assert asked == [0]
