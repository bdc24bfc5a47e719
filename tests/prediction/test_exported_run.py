"""The script beside a graph brings pictures to the same pixels as fairage."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from fairage.faces.preprocessing import Preprocessing
from fairage.prediction.exported_run import end, pixels


@pytest.mark.parametrize(
    "settings",
    [
        Preprocessing(32, 32),
        Preprocessing(90, 100, resample="bicubic"),
        Preprocessing(24, 20, resize=40),
        Preprocessing(24, 20, resize=(30, 26)),
        Preprocessing(48, 48, resize=32, resample="nearest-exact"),
        Preprocessing(50, 60),
    ],
)
def test_pixels_are_those_of_the_preprocessing(tmp_path: Path, settings: Preprocessing) -> None:
    spots = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    picture = cv2.resize(spots, (60, 50), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(tmp_path / "face.png"), picture[:, :, ::-1])
    about = {key: getattr(settings, key) for key in ("height", "width", "resize", "resample")}
    got = pixels(str(tmp_path / "face.png"), about)
    expected = settings.resized(picture)
    assert got.shape == (1, settings.height, settings.width, 3)
    assert got.dtype == np.uint8
    assert np.abs(got[0].astype(int) - expected).max() <= 1


def test_open_ends_are_called_so() -> None:
    assert (end(np.inf), end(-np.inf), end(21.96)) == ("open", "open", "22.0")
