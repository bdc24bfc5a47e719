"""The sheet of faces."""

from pathlib import Path

import pytest

from fairage.exceptions import ConfigError
from fairage.synthetic import contact_sheet


def test_a_sheet_has_a_column_an_age_and_a_row_an_ethnicity(tmp_path: Path) -> None:
    import cv2

    path = contact_sheet(tmp_path / "sub" / "sheet.png", ages=(4, 70), side=40)
    assert cv2.imread(str(path)).shape == (3 * 40, 2 * 40, 3)


def test_the_same_seed_gives_the_same_sheet(tmp_path: Path) -> None:
    sheets = [contact_sheet(tmp_path / f"{k}.png", ages=(40,), seed=k // 2) for k in range(3)]
    first, same, other = [sheet.read_bytes() for sheet in sheets]
    assert first == same
    assert first != other


@pytest.mark.parametrize("ages", [(), (-1,), (200,)])
def test_ages_nobody_is_drawn_at_are_refused(tmp_path: Path, ages: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="expected ages in"):
        contact_sheet(tmp_path / "sheet.png", ages=ages)


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ending in \.png"):
        contact_sheet(tmp_path / "sheet.gif")
