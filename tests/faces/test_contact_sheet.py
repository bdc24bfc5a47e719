from pathlib import Path

import cv2
import numpy as np
import pytest

from fairage.exceptions import ConfigError, DataError
from fairage.faces.contact_sheet import contact_sheet, write_contact_sheet


def plain(colour: tuple[int, int, int], height: int = 30, width: int = 30) -> np.ndarray:
    return np.full((height, width, 3), colour, dtype=np.uint8)


def test_every_image_is_there_at_its_place() -> None:
    red, blue = plain((255, 0, 0)), plain((0, 0, 255))
    sheet = contact_sheet([("first", [red, blue]), ("second", [blue])], side=40)
    assert sheet.dtype == np.uint8
    for colour, count in (((255, 0, 0), 1), ((0, 0, 255), 2)):
        assert (sheet == colour).all(axis=2).sum() == count * 40 * 40
    across = (sheet == (255, 0, 0)).all(axis=2).any(axis=0).argmax()
    assert across < (sheet[:50] == (0, 0, 255)).all(axis=2).any(axis=0).argmax()


@pytest.mark.parametrize("size", [(10, 20), (400, 100), (1, 50)])
def test_proportions_are_kept(size: tuple[int, int]) -> None:
    sheet = contact_sheet([("", [plain((255, 0, 0), *size)])], side=50)
    shown = (sheet == (255, 0, 0)).all(axis=2)
    scale = 50 / max(size)
    assert shown.any(axis=1).sum() == max(1, round(size[0] * scale))
    assert shown.any(axis=0).sum() == max(1, round(size[1] * scale))


def test_the_label_is_written_and_a_long_one_cut() -> None:
    def ink(label: str) -> int:
        return int((contact_sheet([(label, [plain((255, 255, 255))])])[:22] < 200).sum())

    assert ink("") == 0
    assert 0 < ink("row 1") < ink("row 1, age 30")
    assert contact_sheet([("x" * 500, [plain((0, 0, 0))])]).shape[1] < 200
    assert ink("Zoë") > 0


def test_the_file_holds_the_sheet(tmp_path: Path) -> None:
    rows = [("one", [plain((10, 200, 30))])]
    path = write_contact_sheet(tmp_path / "sub" / "sheet.png", rows, side=64)
    found = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(found, contact_sheet(rows, side=64))
    assert [each.name for each in path.parent.iterdir()] == ["sheet.png"]


def test_wrong_input_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected at least one image"):
        contact_sheet([("nobody", [])])
    with pytest.raises(ConfigError, match="expected a side of 1 pixel"):
        contact_sheet([("", [plain((0, 0, 0))])], side=0)
    with pytest.raises(ConfigError, match=r"expected a file ending in \.png or \.jpg"):
        write_contact_sheet(tmp_path / "sheet.gif", [("", [plain((0, 0, 0))])])
