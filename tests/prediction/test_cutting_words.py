"""What export.json says of cutting faces is enough to cut them as fairage does."""

import cv2
import numpy as np
import pytest

from fairage.faces.preprocessing import Preprocessing
from fairage.faces.views import Framing, similarity, view_from_name
from fairage.prediction.cutting_words import how_to_cut
from fairage.prediction.face_input import FaceInput

SIZE = Preprocessing(112, 112)
POINTS = np.array([(60, 70), (110, 64), (88, 95), (70, 130), (112, 124)], dtype=np.float32)


def face_input(view: str, size: Preprocessing = SIZE) -> FaceInput:
    return FaceInput("face0", view_from_name(view), view_from_name(view), size)


@pytest.fixture
def picture(rng: np.random.Generator) -> np.ndarray:
    small = rng.integers(0, 256, (9, 10, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (200, 180), interpolation=cv2.INTER_CUBIC))


@pytest.mark.parametrize("view", ["aligned", "aligned:1.3", "aligned:0.93:0.16"])
def test_the_target_points_and_a_warp_give_the_view(view: str, picture: np.ndarray) -> None:
    each = face_input(view)
    words = how_to_cut(each, None)["from_photograph"]
    matrix = similarity(POINTS.astype(np.float64), np.array(words["target_points"]))
    assert np.hypot(*matrix[:, 0]) > 0.5, "the picture is not to be shrunk first"
    side = words["side"]
    warped = cv2.warpAffine(picture, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    got = np.asarray(warped).astype(int)
    assert np.abs(got - each.photograph.apply(picture, POINTS, side=side)).max() <= 1


def test_margin_and_down_give_the_target_points() -> None:
    words = how_to_cut(face_input("aligned:1.3:0.1"), None)["from_crop"]
    template, side = np.array(words["template"]), words["side"]
    scaled = ((template - 56) / words["margin"] + 56) * side / words["template_side"]
    scaled[:, 1] -= words["down"] * side
    np.testing.assert_allclose(scaled, words["target_points"], atol=1e-3)


def test_the_framing_gives_the_cut_of_a_photograph(picture: np.ndarray) -> None:
    framing = Framing(share=0.5, x=0.45, y=0.55, aspect=0.9)
    words = how_to_cut(face_input("crop:0.7"), framing)["from_photograph"]
    about, (left, top, width, height) = words["framing"], (60.0, 70.0, 41.0, 50.0)
    rows = round(height / about["share"])
    columns = round(rows * about["aspect"])
    first = round(left + width / 2 - about["x"] * columns)
    upper = round(top + height / 2 - about["y"] * rows)
    expected = picture[upper : upper + rows, first : first + columns]
    np.testing.assert_array_equal(framing.cut(picture, (left, top, width, height)), expected)
    assert words["share"] == 0.7


def test_where_the_framing_is_not_known_photographs_are_said_not_to_work() -> None:
    steps = how_to_cut(face_input("whole"), None)["from_photograph"]["steps"]
    assert "not known" in steps[0]


def test_resizing_to_the_shorter_side_is_followed_by_a_cut() -> None:
    resized = how_to_cut(face_input("whole", Preprocessing(224, 224, resize=256)), None)["then"]
    assert "shorter side has 256" in resized[0]
    assert "height 224" in resized[1]
    both = how_to_cut(face_input("whole", Preprocessing(224, 224, resize=(240, 250))), None)["then"]
    assert "height 240 and width 250" in both[0]
