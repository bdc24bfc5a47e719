"""How training pictures frame a face is measured on some of them, and kept in the bundle."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from fairage.experiments.embedded_faces import framing_of
from fairage.faces import FaceDetector
from fairage.faces.yunet import SHIPPED

WHOLE, ALIGNED = {"view": "whole", "kind": "onnx"}, {"view": "aligned", "kind": "onnx"}


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Pictures in which the face takes two fifths of the height, a little above the middle."""
    folder, image = tmp_path_factory.mktemp("crops"), np.asarray(data.astronaut())
    (face,) = FaceDetector(SHIPPED).faces(image)
    left, top, width, height = face.box
    side = height / 0.4
    x, y = left + width / 2 - side / 2, top + height / 2 - 0.45 * side
    matrix = np.array([[1.0, 0.0, -x], [0.0, 1.0, -y]])
    crop = cv2.warpAffine(image, matrix, (round(side),) * 2, borderMode=cv2.BORDER_REPLICATE)
    for number in range(12):
        cv2.imwrite(str(folder / f"{number}.png"), crop[..., ::-1])
    return [str(path) for path in sorted(folder.iterdir())]


def test_the_framing_is_where_faces_are(crops: list[str]) -> None:
    framing = framing_of(crops, [WHOLE], None)
    assert framing is not None
    assert framing.share == pytest.approx(0.4, abs=0.05)
    assert (framing.x, framing.y) == pytest.approx((0.5, 0.45), abs=0.05)
    assert framing.aspect == 1


def test_a_photograph_is_cut_as_the_pictures_are(crops: list[str]) -> None:
    framing, image = framing_of(crops, [WHOLE], None), np.asarray(data.astronaut())
    (face,) = FaceDetector(SHIPPED).faces(image)
    assert framing is not None
    cut = framing.cut(image, face.box)
    (again,) = FaceDetector(SHIPPED).faces(cut)
    assert again.box[3] / cut.shape[0] == pytest.approx(framing.share, abs=0.03)


def test_pictures_that_cannot_be_read_are_left_out(crops: list[str]) -> None:
    assert framing_of([*crops, "no/such.png"], [WHOLE], None) is not None


@pytest.mark.parametrize("backbone", [ALIGNED, {"view": "whole", "kind": "embedded"}])
def test_it_is_not_measured_where_nothing_needs_it(
    backbone: dict[str, str], crops: list[str]
) -> None:
    assert framing_of(crops, [backbone], None) is None


def test_pictures_without_faces_have_none(tmp_path: Path) -> None:
    for number in range(9):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((40, 40, 3), number, dtype=np.uint8))
    assert framing_of([str(path) for path in tmp_path.iterdir()], [WHOLE], None) is None
