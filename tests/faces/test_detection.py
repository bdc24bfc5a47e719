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
