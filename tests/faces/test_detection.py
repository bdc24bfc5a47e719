"""Finding the detector and, on real faces, the landmarks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairage.exceptions import ConfigError, DataError
from fairage.faces import FaceDetector, decode_image, find_detector
from fairage.faces.detection import DETECTOR_VARIABLE
from fairage.faces.views import TEMPLATE, similarity

Photos = Callable[[str, int], list[np.ndarray]]


def test_a_detector_is_named_by_argument_or_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / "one.onnx", tmp_path / "other.onnx"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    monkeypatch.setenv(DETECTOR_VARIABLE, str(one))
    assert find_detector().path == one
    assert find_detector(other).path == other
    assert find_detector(other).fingerprint() != find_detector().fingerprint()


def test_without_a_detector_the_error_says_where_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DETECTOR_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match=r"got none, download .*--detector or FAIRAGE_DETECTOR"):
        find_detector()
    with pytest.raises(ConfigError, match=r"got no file .*missing\.onnx"):
        find_detector(tmp_path / "missing.onnx")


@pytest.mark.parametrize("data", [b"", b"no model"])
def test_a_file_that_is_no_detector_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "detector.onnx"
    path.write_bytes(data)
    with pytest.raises(DataError, match="expected a YuNet face detector"):
        find_detector(path).check()


COLOURS = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)])


def dotted(side: int = 112) -> np.ndarray:
    """Return a picture with a dot for each landmark of an aligned face, beside its middle."""
    picture = np.zeros((side, side + 60, 3), dtype=np.uint8)
    for point, colour in zip(np.add(TEMPLATE * (side / 112), (40, 0)), COLOURS, strict=True):
        cv2.circle(picture, np.rint(point).astype(int).tolist(), side // 16, colour.tolist(), -1)
    return picture


class DotNetwork:
    """Stands in for YuNet: finds the dots, but in faces that lie it takes up for down."""

    def __init__(self) -> None:
        self.upright, self.upside_down = 0.94, 0.8
        self.turns: list[float] = []

    def setInputSize(self, size: tuple[int, int]) -> None:
        self.size = size

    def detect(self, pixels: np.ndarray) -> tuple[int, np.ndarray | None]:
        assert pixels.shape[1::-1] == self.size
        near = [(np.abs(pixels[..., ::-1].astype(int) - c).max(axis=2) < 99) for c in COLOURS]
        if not all(dots.any() for dots in near):
            return 1, None
        points = np.array([np.argwhere(dots).mean(axis=0)[::-1] for dots in near])
        turned = similarity(points, TEMPLATE)[:, 0] @ (1, 1j)
        angle = float(np.abs(np.degrees(np.angle(turned))))
        self.turns.append(angle)
        shown = points if angle < 60 else points[[4, 3, 2, 1, 0]]
        low, high = points.min(axis=0), points.max(axis=0)
        score = self.upright - (self.upright - self.upside_down) * angle / 180
        return 1, np.array([[*low, *(high - low), *shown.ravel(), score]], dtype=np.float32)


@pytest.fixture
def dots(monkeypatch: pytest.MonkeyPatch) -> DotNetwork:
    network = DotNetwork()
    monkeypatch.setattr(FaceDetector, "_network", lambda _: network)
    return network


ANY = FaceDetector(Path("any.onnx"))


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("side", [112, 700])
def test_landmarks_of_a_face_that_lies_are_those_of_the_upright_face_turned(
    dots: DotNetwork, turns: int, side: int
) -> None:
    picture = dotted(side)
    found = ANY.landmarks(np.ascontiguousarray(np.rot90(picture, turns)))
    height, width = picture.shape[:2]
    there = [
        lambda x, y: (x, y),
        lambda x, y: (y, width - 1 - x),
        lambda x, y: (width - 1 - x, height - 1 - y),
        lambda x, y: (height - 1 - y, x),
    ][turns]
    wanted = [there(*point) for point in np.add(TEMPLATE * (side / 112), (40, 0))]
    np.testing.assert_allclose(found, wanted, atol=max(2, side / 100))


@pytest.mark.parametrize("degrees", [45, -45, 70, 135, -160])
def test_landmarks_of_a_slanting_face_are_those_of_the_upright_face_turned(
    dots: DotNetwork, degrees: int
) -> None:
    picture = cv2.copyMakeBorder(dotted(), 60, 60, 30, 30, cv2.BORDER_CONSTANT)
    side = picture.shape[0]
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.0)
    found = ANY.landmarks(cv2.warpAffine(picture, matrix, (side, side)))
    wanted = np.add(TEMPLATE, (70, 60)) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(found, wanted, atol=2)
    assert dots.turns[-1] < 3, "the last look has the face upright"


def test_a_face_that_scores_well_is_looked_for_once(dots: DotNetwork) -> None:
    ANY.landmarks(dotted())
    assert len(dots.turns) == 1


@pytest.mark.parametrize(("upright", "is_turned"), [(0.86, False), (0.89, False), (0.91, True)])
def test_only_a_way_that_scores_well_and_clearly_better_is_preferred(
    dots: DotNetwork, upright: float, is_turned: bool
) -> None:
    dots.upside_down, dots.upright = (0.82, 0.88)[upright > 0.88], upright
    left_eye, right_eye, *_ = ANY.landmarks(np.ascontiguousarray(dotted()[::-1, ::-1]))
    assert (left_eye[0] > right_eye[0]) == is_turned


@pytest.fixture(scope="module")
def detector(real_data: Path) -> FaceDetector:
    return FaceDetector(real_data / "models" / "face_detection_yunet.onnx")


@pytest.fixture(scope="module")
def photos(real_data: Path) -> Photos:
    def first(folder: str, n: int) -> list[np.ndarray]:
        paths = sorted((real_data / "data" / folder).glob("*.jpg"))
        return [decode_image(path.read_bytes()) for path in paths[:: len(paths) // n][:n]]

    return first


@pytest.mark.real_data
@pytest.mark.parametrize("folder", ["appa-real/valid_data", "utkface"])
def test_nearly_every_face_is_found_with_its_parts_in_order(
    detector: FaceDetector, photos: Photos, folder: str
) -> None:
    found = [detector.landmarks(photo) for photo in photos(folder, 60)]
    there = np.array([points for points in found if points is not None])
    assert len(there) >= 59
    left_eye, right_eye, nose, left_mouth, right_mouth = np.moveaxis(there, 1, 0)
    assert (left_eye[:, 0] < right_eye[:, 0]).mean() > 0.9
    assert (left_mouth[:, 0] < right_mouth[:, 0]).mean() > 0.9
    assert (left_eye[:, 1] < nose[:, 1]).mean() > 0.9
    assert (nose[:, 1] < right_mouth[:, 1]).mean() > 0.9


@pytest.mark.real_data
def test_landmarks_follow_the_face(detector: FaceDetector, photos: Photos) -> None:
    for photo in photos("appa-real/valid_data", 5):
        here = detector.landmarks(photo)
        framed = cv2.copyMakeBorder(photo, 100, 0, 40, 0, cv2.BORDER_CONSTANT)
        there = detector.landmarks(framed)
        doubled = detector.landmarks(cv2.resize(photo, None, fx=2, fy=2))
        np.testing.assert_allclose(there, np.add(here, (40, 100)), atol=10)
        np.testing.assert_allclose(doubled, here * 2, atol=12)


@pytest.mark.real_data
@pytest.mark.parametrize("degrees", [45, -45, 90, -90, 135, 180])
def test_landmarks_of_turned_faces_are_those_of_the_upright_ones_turned(
    detector: FaceDetector, photos: Photos, degrees: int
) -> None:
    misses = []
    for photo in photos("appa-real/valid_data", 20):
        matrix = cv2.getRotationMatrix2D((111.5, 111.5), degrees, 1.0)
        found = detector.landmarks(cv2.warpAffine(photo, matrix, (224, 224)))
        wanted = detector.landmarks(photo) @ matrix[:, :2].T + matrix[:, 2]
        missed = np.inf if found is None else np.linalg.norm(found - wanted, axis=1).mean()
        misses.append(missed / np.linalg.norm(wanted[0] - wanted[1]))
    assert np.mean(np.array(misses) < 0.1) >= 0.85


@pytest.mark.real_data
def test_of_several_faces_the_large_one_is_meant(detector: FaceDetector, photos: Photos) -> None:
    large, other = photos("appa-real/valid_data", 2)
    small = cv2.resize(other, (80, 80))
    picture = np.zeros((224, 320, 3), dtype=np.uint8)
    picture[:, 48:272] = large
    picture[:80, :80] = small
    points = detector.landmarks(picture)
    np.testing.assert_allclose(points, np.add(detector.landmarks(large), (48, 0)), atol=10)


@pytest.mark.real_data
def test_threads_find_what_one_finds(detector: FaceDetector, photos: Photos) -> None:
    pictures = photos("utkface", 24)
    alone = [detector.landmarks(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector.landmarks, pictures))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.real_data
@pytest.mark.parametrize("shape", [(8, 160), (160, 8), (8, 8), (300, 200)])
def test_pictures_without_a_face_have_no_landmarks(
    detector: FaceDetector, shape: tuple[int, int]
) -> None:
    assert detector.landmarks(np.full((*shape, 3), 128, dtype=np.uint8)) is None
