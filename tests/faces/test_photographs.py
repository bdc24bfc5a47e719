"""Every face of a photograph: found once, with reasons where it is left out; nothing elsewhere."""

import re
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import skimage.data
from sklearn.datasets import load_sample_image

from fairage.faces import Face, FaceDetector, reason_without_faces
from fairage.faces.yunet import SHIPPED


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(SHIPPED)


NOISES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "pixels": lambda rng, side: rng.integers(0, 256, (side, side, 3)),
    "normal": lambda rng, side: rng.normal(128, 40, (side, side, 3)).clip(0, 255),
    "blobs": lambda rng, side: cv2.resize(rng.uniform(0, 255, (9, 9, 3)), (side, side)),
    "squares": lambda rng, side: np.kron(
        rng.uniform(0, 255, (8, 8, 3)), np.ones((side // 8, side // 8, 1))
    ),
}


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("side", [8, 64, 224, 480])
def test_noise_has_no_face(detector: FaceDetector, kind: str, side: int) -> None:
    picture = NOISES[kind](np.random.default_rng(side), side).astype(np.uint8)
    assert detector.faces(picture) == []


@pytest.mark.parametrize("name", ["coffee", "rocket", "chelsea"])
def test_things_and_a_cat_are_no_faces(detector: FaceDetector, name: str) -> None:
    assert detector.faces(getattr(skimage.data, name)()) == []


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_landscapes_and_flowers_are_no_faces(detector: FaceDetector, name: str) -> None:
    assert detector.faces(load_sample_image(name)) == []


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return np.ascontiguousarray(skimage.data.astronaut()[20:250, 110:340])


def placed(portrait: np.ndarray, size: tuple[int, int], *faces: tuple[int, int, int]) -> np.ndarray:
    """Return a picture of this height and width with portraits at (left, top) of this side."""
    picture = np.full((*size, 3), 90, dtype=np.uint8)
    for left, top, side in faces:
        small = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
        picture[top : top + side, left : left + side] = small
    return picture


def test_every_face_is_found_once_the_largest_first(
    detector: FaceDetector, portrait: np.ndarray
) -> None:
    places = [(700, 60, 90), (40, 30, 380), (500, 300, 200), (880, 500, 110)]
    faces = detector.faces(placed(portrait, (660, 1100), *places))
    assert len(faces) == 4
    by_size = sorted(places, key=lambda place: -place[2])
    for face, (left, top, side) in zip(faces, by_size, strict=True):
        middle = np.add(face.box[:2], np.array(face.box[2:]) / 2)
        np.testing.assert_allclose(middle, (left + side / 2, top + side / 2), atol=side / 6)
        assert 0.3 < face.box[2] / side < 0.6
        assert face.landmarks.shape == (5, 2)
    sizes = [face.box[2] * face.box[3] for face in faces]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("side", [64, 128, 224, 400, 900, 1500])
@pytest.mark.parametrize("turn", [0, 1, 2])
def test_landmarks_are_those_of_the_one_face(
    detector: FaceDetector, portrait: np.ndarray, side: int, turn: int
) -> None:
    crop = np.ascontiguousarray(np.rot90(cv2.resize(portrait, (side, side)), turn))
    (face,) = detector.faces(crop)
    np.testing.assert_array_equal(face.landmarks, detector.landmarks(crop))
    upright = detector.landmarks(portrait) * side / portrait.shape[0]
    there = [upright, np.stack([upright[:, 1], side - upright[:, 0]], axis=1), side - upright][turn]
    distance = np.linalg.norm(face.landmarks - there, axis=1).mean()
    assert distance < 0.1 * face.eye_distance
    left, top, width, height = face.box
    assert (face.landmarks > (left, top)).all()
    assert (face.landmarks < (left + width, top + height)).all()
    assert (width < height) == (turn != 1)


def test_small_faces_in_a_large_photograph_are_found(
    detector: FaceDetector, portrait: np.ndarray
) -> None:
    places = [(x, y, 180) for x in (100, 1500, 2700) for y in (80, 1900)]
    faces = detector.faces(placed(portrait, (2200, 3000), *places))
    assert len(faces) == 6
    for face in faces:
        assert face.eye_distance == pytest.approx(180 * 43 / 230, rel=0.1)


def test_what_is_left_out_has_a_reason_with_its_number_and_the_limit(
    detector: FaceDetector, portrait: np.ndarray
) -> None:
    small = placed(portrait, (100, 100), (20, 20, 50))
    assert detector.faces(small) == []
    candidates = detector.candidates(small)
    assert len(candidates) == 1
    told = reason_without_faces(candidates)
    assert re.fullmatch(r"a face with eyes \d+(\.\d)? px apart, less than 12", told), told
    assert len(detector.faces(small, least_distance=5)) == 1
    assert detector.faces(small, least_distance=5, least_score=0.99) == []
    told = reason_without_faces(candidates, least_score=0.99, least_distance=5)
    assert re.fullmatch(r"a face of score 0\.\d+ is below 0\.99", told), told
    assert reason_without_faces([]) == "no face was found"


@pytest.mark.parametrize(
    ("score", "shown"), [(0.69999, "0.69"), (0.6, "0.6"), (0.29, "0.29"), (1e-9, "0")]
)
def test_a_score_is_never_rounded_up_to_the_limit(score: float, shown: str) -> None:
    points = np.array([[0, 0], [11.99, 0], [6, 6], [2, 9], [10, 9]], dtype=np.float32)
    face = Face((0.0, 0.0, 20.0, 20.0), points, score, blur=1.0)
    assert face.shortfall() == (
        f"a face of score {shown} is below 0.7, its eyes 11.9 px apart, less than 12"
    )


def test_a_blurred_face_has_a_lower_number_and_is_still_found(
    detector: FaceDetector, portrait: np.ndarray
) -> None:
    numbers = [
        detector.faces(portrait if not width else cv2.GaussianBlur(portrait, (0, 0), width))[0].blur
        for width in (0, 1, 3)
    ]
    assert numbers[0] > 2 * numbers[1] > 4 * numbers[2] > 0
