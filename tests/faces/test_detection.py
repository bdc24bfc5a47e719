"""Finding the detector, the faces in pictures, and their landmarks."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import skimage.data
from PIL import Image
from tests.tiny_backbones import onnx_model

from fairage.exceptions import ConfigError, DataError
from fairage.faces import FaceDetector, decode_image, find_detector
from fairage.faces.detection import DETECTOR_VARIABLE
from fairage.faces.views import TEMPLATE, similarity
from fairage.faces.yunet import SHIPPED

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


def test_without_a_name_the_detector_is_the_one_that_comes_with_fairage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(DETECTOR_VARIABLE, raising=False)
    assert find_detector().path == SHIPPED
    find_detector().check()


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_detector_that_is_not_there_is_refused(
    by_variable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing.onnx"
    monkeypatch.setenv(DETECTOR_VARIABLE, str(missing if by_variable else SHIPPED))
    with pytest.raises(ConfigError, match=r"got no file .*missing\.onnx.*comes with fairage"):
        find_detector(None if by_variable else missing)


@pytest.mark.parametrize("data", [b"", b"no model"])
def test_a_file_that_is_no_detector_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "detector.onnx"
    path.write_bytes(data)
    with pytest.raises(DataError, match="expected a YuNet face detector"):
        find_detector(path).check()


def test_an_onnx_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    onnx_model(tmp_path)
    with pytest.raises(DataError, match=r"expected a YuNet face detector .*outputs \['pooled'\]"):
        find_detector(tmp_path / "model.onnx").check()


def test_a_detector_for_pictures_of_one_size_is_refused(tmp_path: Path) -> None:
    """As those of OpenCV's model zoo."""
    model = onnx.load(SHIPPED)
    for place, size in ((0, 1), (2, 640), (3, 640)):
        model.graph.input[0].type.tensor_type.shape.dim[place].dim_value = size
    onnx.save(model, tmp_path / "fixed.onnx")
    with pytest.raises(DataError, match="expected a YuNet face detector for pictures of any size"):
        find_detector(tmp_path / "fixed.onnx").check()


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

    def detect(self, pixels: np.ndarray) -> np.ndarray:
        near = [(np.abs(pixels[..., ::-1].astype(int) - c).max(axis=2) < 99) for c in COLOURS]
        if not all(dots.any() for dots in near):
            return np.empty((0, 15))
        points = np.array([np.argwhere(dots).mean(axis=0)[::-1] for dots in near])
        turned = similarity(points, TEMPLATE)[:, 0] @ (1, 1j)
        angle = float(np.abs(np.degrees(np.angle(turned))))
        self.turns.append(angle)
        shown = points if angle < 60 else points[[4, 3, 2, 1, 0]]
        low, high = points.min(axis=0), points.max(axis=0)
        score = self.upright - (self.upright - self.upside_down) * angle / 180
        return np.array([[*low, *(high - low), *shown.ravel(), score]])


@pytest.fixture
def dots(monkeypatch: pytest.MonkeyPatch) -> DotNetwork:
    network = DotNetwork()
    monkeypatch.setattr(FaceDetector, "_opened", lambda _: network)
    return network


ANY = FaceDetector(Path("any.onnx"))


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("side", [112, 300])
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
def detector() -> FaceDetector:
    return FaceDetector(SHIPPED)


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


@pytest.mark.parametrize("shape", [(8, 160), (160, 8), (8, 8), (1, 1), (31, 33), (300, 200)])
def test_pictures_without_a_face_have_no_landmarks(
    detector: FaceDetector, shape: tuple[int, int]
) -> None:
    flat = np.full((*shape, 3), 128, dtype=np.uint8)
    assert detector.landmarks(flat) is None
    assert detector.candidates(flat) == []


WITHOUT_TORCH = """
import sys
sys.modules.update(dict.fromkeys(("torch", "transformers", "kornia", "sklearn", "onnx"), None))
import cv2
import numpy as np
import fairage._images, fairage.tables
from fairage.faces import Preprocessing, align, decode_image, find_detector, view_from_name
portrait = decode_image(open(sys.argv[1], "rb").read())
(face,) = find_detector().faces(portrait)
view_from_name("aligned:1.3").apply(portrait, face.landmarks, side=224)
aligned = align(portrait, face.landmarks, side=112)
for resample in ("nearest-exact", "bilinear", "bicubic"):
    pixels = Preprocessing(64, 64, resize=80, resample=resample).resized(aligned)
print(pixels.shape, "torch" in [name for name in sys.modules if sys.modules[name]])
"""


def test_faces_are_found_aligned_and_resized_without_torch(tmp_path: Path) -> None:
    """What `fairage[predict]` brings is enough."""
    portrait = tmp_path / "portrait.png"
    Image.fromarray(skimage.data.astronaut()).save(portrait)
    command = [sys.executable, "-c", WITHOUT_TORCH, str(portrait)]
    env = {name: value for name, value in os.environ.items() if name != DETECTOR_VARIABLE}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.stdout.strip() == "(64, 64, 3) False", done.stderr
