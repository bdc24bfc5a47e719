"""The PNG writer against OpenCV's reader."""

import cv2
import numpy as np
import pytest

from fairage.datasets.appa_real.npy_kit import encode_png


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 5, 3), (224, 224, 3)])
def test_every_pixel_survives(shape: tuple[int, int, int], rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    data = np.frombuffer(encode_png(image), dtype=np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), image)


def test_a_view_of_an_array_is_written_too(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)[::-1, ::2]
    data = np.frombuffer(encode_png(image), dtype=np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), image)
