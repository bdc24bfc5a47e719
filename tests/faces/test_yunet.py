"""YuNet as it comes with fairage: the file, and what is decoded, beside OpenCV's own decoding."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data
from sklearn.datasets import load_sample_image

from fairage.faces import decode_image
from fairage.faces.yunet import SHIPPED, YuNet
from fairage.faces.yunet.network import STRIDES, best, decoded
from fairage.synthetic.drawing import Person, draw_face

Detect = Callable[[np.ndarray], np.ndarray]
OURS = YuNet(SHIPPED, least_score=0.3)


@pytest.fixture(scope="module")
def opencv() -> Iterator[Detect]:
    """OpenCV's detector of the same file, least score, overlap and number of candidates."""
    if int(cv2.__version__.split(".")[0]) < 5:
        pytest.skip(f"OpenCV {cv2.__version__} cannot read a YuNet for pictures of any size")
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    network = cv2.FaceDetectorYN.create(str(SHIPPED), "", (320, 320), 0.3, 0.3, 500)

    def detect(pixels: np.ndarray) -> np.ndarray:
        network.setInputSize(pixels.shape[1::-1])
        faces = network.detect(pixels)[1]
        return np.empty((0, 15)) if faces is None else faces

    yield detect
    cv2.utils.logging.setLogLevel(level)


def check_same(pixels: np.ndarray, opencv: Detect) -> int:
    ours, theirs = OURS.detect(pixels), opencv(pixels)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours[:, :14], theirs[:, :14], rtol=0, atol=0.01)
    np.testing.assert_allclose(ours[:, 14], theirs[:, 14], rtol=0, atol=1e-4)
    return len(ours)


def test_the_file_is_the_one_that_the_note_beside_it_names() -> None:
    digest = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    note = SHIPPED.with_name("README.md").read_text(encoding="utf-8")
    assert f"`{digest}`" in note
    assert "Apache-2.0" in note
    assert "WIDER FACE" in note


@pytest.mark.parametrize("side", [200, 320, 512, 700])
def test_a_face_is_decoded_as_opencv_does(side: int, opencv: Detect) -> None:
    assert check_same(cv2.resize(data.astronaut()[..., ::-1], (side, side)), opencv) >= 1


def test_many_faces_are_decoded_as_opencv_does(opencv: Detect) -> None:
    face = data.astronaut()[40:190, 150:300, ::-1]
    sizes = [40, 60, 80, 110, 150]
    sheet = np.zeros((330, 750, 3), dtype=np.uint8)
    for row in (0, 160):
        for number, size in enumerate(sizes):
            small = cv2.resize(face, (size, size))
            sheet[row : row + size, 150 * number : 150 * number + size] = small
    assert check_same(sheet, opencv) >= 8


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_pictures_without_faces_are_decoded_as_opencv_does(name: str, opencv: Detect) -> None:
    check_same(np.ascontiguousarray(load_sample_image(name)[..., ::-1]), opencv)


def test_drawn_faces_are_decoded_as_opencv_does(opencv: Detect) -> None:
    for seed, age in enumerate((5.0, 30.0, 80.0)):
        person = Person(age=age, gender="female", ethnicity="asian", expression="neutral")
        drawn = draw_face(person, np.random.default_rng(seed))
        check_same(np.ascontiguousarray(drawn[..., ::-1]), opencv)


@pytest.mark.parametrize("shape", [(1, 1), (31, 33), (37, 1000), (1000, 37), (32, 64)])
@pytest.mark.parametrize("fill", ["black", "noise", "face"])
def test_odd_sizes_are_decoded_as_opencv_does(
    shape: tuple[int, int], fill: str, opencv: Detect
) -> None:
    pixels = {
        "black": np.zeros((*shape, 3), dtype=np.uint8),
        "noise": np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8),
        "face": cv2.resize(data.astronaut()[40:190, 150:300, ::-1], shape[::-1]),
    }[fill]
    check_same(pixels, opencv)


@pytest.mark.real_data
def test_photographs_are_decoded_as_opencv_does(real_data: Path, opencv: Detect) -> None:
    paths = sorted((real_data / "data" / "appa-real" / "valid_data").glob("*.jpg"))[::14][:100]
    faces = [
        check_same(decode_image(path.read_bytes())[..., ::-1].copy(), opencv) for path in paths
    ]
    assert len(faces) == 100
    assert np.mean(np.array(faces) > 0) > 0.9


def test_a_cell_is_decoded_by_the_formulas() -> None:
    """The formulas of the docstring, number by number, as JavaScript computes them."""
    rng = np.random.default_rng(0)
    width, height = 64, 32
    outputs = {
        f"{part}_{stride}": rng.uniform(-0.2, 1.3, (1, width * height // stride**2, numbers))
        for part, numbers in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))
        for stride in STRIDES
    }
    rows = []
    for stride in STRIDES:
        for cell in range(width * height // stride**2):
            row, column = divmod(cell, width // stride)
            cls, obj, box, marks = (
                outputs[f"{part}_{stride}"][0, cell].tolist()
                for part in ("cls", "obj", "bbox", "kps")
            )
            score = (min(max(cls[0], 0), 1) * min(max(obj[0], 0), 1)) ** 0.5
            if score <= 0.4:
                continue
            wide, high = np.exp(box[2]) * stride, np.exp(box[3]) * stride
            left, top = (column + box[0]) * stride - wide / 2, (row + box[1]) * stride - high / 2
            points = [((column, row)[k % 2] + mark) * stride for k, mark in enumerate(marks)]
            rows.append([left, top, wide, high, *points, score])
    assert 0 < len(rows) < 42
    np.testing.assert_allclose(decoded(outputs, width, 0.4), rows, rtol=1e-12)


def row(left: float, top: float, wide: float, high: float, score: float) -> list[float]:
    return [left, top, wide, high, *[0.0] * 10, score]


def test_boxes_are_compared_in_whole_pixels() -> None:
    """8 of 12 pixels are shared; with the fractions it would be 7.1 of 13.8."""
    faces = np.array([row(0, 0, 10, 1, 0.9), row(2.9, 0, 10.9, 1, 0.8)])
    assert len(best(faces, 0.6, 500)) == 1
    assert len(best(faces, 0.7, 500)) == 2
    assert best(faces[::-1], 0.6, 500)[0, 14] == 0.9


def test_a_face_beside_one_that_was_left_out_is_kept() -> None:
    faces = np.array([row(0, 0, 10, 10, 0.9), row(4, 0, 10, 10, 0.8), row(8, 0, 10, 10, 0.7)])
    assert best(faces, 0.3, 500)[:, 0].tolist() == [0, 8]
    assert best(faces, 0.3, 2)[:, 0].tolist() == [0]
