"""The transform is the nearest similarity, and landmarks end where the template has them."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.faces import align
from fairage.faces.views import TEMPLATE, similarity

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]


def turned(points: np.ndarray, angle: float, scale: float, x: float, y: float) -> np.ndarray:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return points @ np.array([[c, s], [-s, c]]) + (x, y)


def drawn(landmarks: np.ndarray, side: int = 400, radius: int = 5) -> np.ndarray:
    """A grey picture with one coloured disc at each landmark."""
    picture = np.full((side, side, 3), 90, dtype=np.uint8)
    for point, colour in zip(landmarks, COLOURS, strict=True):
        cv2.circle(picture, tuple(map(round, point)), radius, colour, cv2.FILLED)
    return picture


def places(picture: np.ndarray) -> np.ndarray:
    """The middle of each coloured disc."""
    found = []
    for colour in COLOURS:
        near = np.abs(picture.astype(int) - colour).sum(axis=2) < 120
        rows, columns = np.nonzero(near)
        found.append((columns.mean(), rows.mean()))
    return np.array(found)


@given(st.floats(-3, 3), st.floats(0.1, 10), st.floats(-500, 500), st.floats(-500, 500))
def test_a_similarity_is_found_again(angle: float, scale: float, x: float, y: float) -> None:
    target = turned(TEMPLATE, angle, scale, x, y)
    matrix = similarity(TEMPLATE, target)
    np.testing.assert_allclose(TEMPLATE @ matrix[:, :2].T + matrix[:, 2], target, atol=1e-6)


@given(st.integers(0, 10_000))
def test_no_similarity_is_nearer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, target = rng.normal(size=(2, 5, 2)) * 30
    matrix = similarity(points, target)
    distance = lambda m: np.sum((points @ m[:, :2].T + m[:, 2] - target) ** 2)  # noqa: E731  # reads as the formula
    assert matrix[0, 0] == matrix[1, 1]
    assert matrix[0, 1] == -matrix[1, 0]
    for _ in range(20):
        a, b, x, y = rng.normal(size=4) * 0.05
        assert distance(matrix) <= distance(np.add(matrix, [[a, -b, x], [b, a, y]])) + 1e-9


@pytest.mark.parametrize("angle", [0.0, 0.5, -0.9])
@pytest.mark.parametrize("margin", [1.0, 1.5])
@pytest.mark.parametrize("side", [112, 224])
def test_landmarks_come_to_the_template(angle: float, margin: float, side: int) -> None:
    landmarks = turned(TEMPLATE - 56, angle, 2.0, 200, 210)
    found = places(align(drawn(landmarks), landmarks.astype(np.float32), side=side, margin=margin))
    wanted = ((TEMPLATE - 56) / margin + 56) * side / 112
    np.testing.assert_allclose(found, wanted, atol=1.0 * side / 112)


def test_a_large_face_is_smoothed_before_it_is_shrunk() -> None:
    landmarks = turned(TEMPLATE - 56, 0.0, 16.0, 1000, 1000)
    stripes = np.zeros((2000, 2000, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    found = align(stripes, landmarks.astype(np.float32), side=112)
    assert np.abs(found.astype(int) - 127).max() < 12, "stripes of one pixel become grey"
    dots = align(drawn(landmarks, 2000, 60), landmarks.astype(np.float32), side=112)
    np.testing.assert_allclose(places(dots), TEMPLATE, atol=1.0)


def test_beyond_the_edge_the_last_pixels_go_on() -> None:
    picture = np.full((112, 112, 3), 200, dtype=np.uint8)
    assert (align(picture, TEMPLATE.astype(np.float32), side=112, margin=3) == 200).all()
