import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.exceptions import ConfigError
from fairage.faces import view_from_name


def test_whole_changes_nothing() -> None:
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    np.testing.assert_array_equal(view_from_name("whole").apply(image), image)


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0.01, 0.99))
def test_a_crop_lies_in_the_middle_and_has_its_share(h: int, w: int, share: float) -> None:
    rows, columns = np.mgrid[0:h, 0:w]
    image = np.stack([rows, columns, rows], axis=-1).astype(np.uint8)
    found = view_from_name(f"crop:{share}").apply(image)
    assert found.shape[0] == max(1, round(h * share))
    above, below = int(found[0, 0, 0]), h - 1 - int(found[-1, 0, 0])
    left, right = int(found[0, 0, 1]), w - 1 - int(found[0, -1, 1])
    assert abs(above - below) <= 1
    assert abs(left - right) <= 1


@pytest.mark.parametrize("name", ["", "crop", "crop:", "crop:0", "crop:1", "crop:x", "crop:nan"])
def test_an_unknown_view_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="expected a view"):
        view_from_name(name)
