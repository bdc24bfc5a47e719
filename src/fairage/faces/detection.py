"""Detection: where in a picture the face is, and its five landmarks, by YuNet through OpenCV.

The detector is a small ONNX file that the user brings along: `face_detection_yunet_*.onnx` of
OpenCV's model zoo [1].

[1] Wu et al., YuNet: a tiny millisecond-level face detector, Machine Intelligence Research, 2023.
"""

import os
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fairage._files import hash_of
from fairage.exceptions import ConfigError, DataError
from fairage.faces.views import Landmarks

DETECTION_VERSION = 1
"""Raised whenever other landmarks may come out, so that older ones are not taken for new."""
DETECTOR_VARIABLE = "FAIRAGE_DETECTOR"

_LOOKS = ((0.25, 320), (0.0, 640))
_MIN_SCORE = 0.5
_OVERLAP = 0.3
_CANDIDATES = 500
_MIN_SPREAD = 1.0
_ABOUT_THE_ZOO = (
    "download face_detection_yunet_2023mar.onnx from OpenCV's model zoo "
    "(https://github.com/opencv/opencv_zoo) and name it with --detector or "
    f"{DETECTOR_VARIABLE}"
)

Image = NDArray[np.uint8]


class FaceDetector:
    """A YuNet model in an ONNX file. Threads may share it.

    A picture is looked at with a border, as faces that touch the edge are found less well; where
    that shows no face, once more at twice the size. Of several faces the one that is large and
    near the middle is meant.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._of_thread = threading.local()
        self._making = threading.Lock()

    def fingerprint(self) -> str:
        """Return a hash of the file, whatever its name."""
        return hash_of(self.path.read_bytes())

    def check(self) -> None:
        """Raise a DataError if the file does not hold a face detector."""
        self.landmarks(np.zeros((64, 64, 3), dtype=np.uint8))

    def landmarks(self, image: Image) -> Landmarks | None:
        """Return the face's landmarks `(5, 2)` in an RGB image, or None where no face is found.

        Raises:
            DataError: The file does not hold a face detector.
        """
        try:
            for border, side in _LOOKS:
                landmarks = self._look(image, border, side)
                if landmarks is not None:
                    return landmarks
        except cv2.error as error:
            reason = str(error).strip().splitlines()[0]
            raise DataError(
                f"expected a YuNet face detector, got {str(self.path)!r} ({reason}), "
                f"{_ABOUT_THE_ZOO}"
            ) from error
        return None

    def _look(self, image: Image, border: float, side: int) -> Landmarks | None:
        pad = round(border * max(image.shape[:2]))
        framed = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
        scale = side / max(framed.shape[:2])
        height, width = (max(1, round(length * scale)) for length in framed.shape[:2])
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        resized = cv2.resize(framed, (width, height), interpolation=interpolation)
        network = self._network()
        network.setInputSize((width, height))
        _, rows = network.detect(cv2.cvtColor(resized, cv2.COLOR_RGB2BGR))
        if rows is None:
            return None
        points = rows[_main_face(rows, width, height), 4:14].reshape(5, 2)
        if points.std(axis=0).max() < _MIN_SPREAD:
            return None
        factors = (framed.shape[1] / width, framed.shape[0] / height)
        return np.asarray(points * factors - pad, dtype=np.float32)

    def _network(self) -> Any:  # noqa: ANN401  # OpenCV has no types
        """Return this thread's own network, as a network works on one picture at a time."""
        if not hasattr(self._of_thread, "network"):
            with self._making:  # the log level is the whole process's
                level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
                try:
                    self._of_thread.network = cv2.FaceDetectorYN.create(
                        str(self.path), "", (_LOOKS[0][1],) * 2, _MIN_SCORE, _OVERLAP, _CANDIDATES
                    )
                finally:
                    cv2.utils.logging.setLogLevel(level)
        return self._of_thread.network


def find_detector(path: str | Path | None = None) -> FaceDetector:
    """Return the detector in this file, or in the one that `FAIRAGE_DETECTOR` names.

    Raises:
        ConfigError: Neither names a file.
    """
    named = path or os.environ.get(DETECTOR_VARIABLE)
    if not named:
        raise ConfigError(f"expected a face detector for aligned views, got none, {_ABOUT_THE_ZOO}")
    file = Path(named).expanduser()
    if not file.is_file():
        raise ConfigError(
            f"expected the file of a face detector, got no file {str(named)!r}, {_ABOUT_THE_ZOO}"
        )
    return FaceDetector(file)


def _main_face(rows: NDArray[np.float32], width: int, height: int) -> int:
    """Return the number of the face with the largest area less its squared way to the middle."""
    x, y, w, h = rows[:, :4].T
    distance = (x + w / 2 - width / 2) ** 2 + (y + h / 2 - height / 2) ** 2
    return int(np.argmax(w * h - 2 * distance))
