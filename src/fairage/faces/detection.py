"""Detection: where in a picture the face is, and its five landmarks, by YuNet through OpenCV.

The detector is a small ONNX file that the user brings along: `face_detection_yunet_*.onnx` of
OpenCV's model zoo [1].

[1] Wu et al., YuNet: a tiny millisecond-level face detector, Machine Intelligence Research, 2023.
"""

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fairage._files import given_path, hash_of
from fairage.exceptions import ConfigError, DataError
from fairage.faces.views import TEMPLATE, Landmarks, similarity

DETECTION_VERSION = 2
"""Raised whenever other landmarks may come out, so that older ones are not taken for new."""
DETECTOR_VARIABLE = "FAIRAGE_DETECTOR"

_LOOKS = ((0.25, 320), (0.0, 640))
_MIN_SCORE = 0.5
_OVERLAP = 0.3
_CANDIDATES = 500
_MIN_SPREAD = 1.0
_TURNS = tuple(range(45, 360, 45))
_SURE = 0.91
"""Of APPA-REAL's faces as they are more than 95 in 100 reach it (the median is 0.94), three in four
of FairFace's, more of which are in profile, and 2 in 100 that are turned by 45 degrees or more."""
_SURE_TURNED = 0.88
_SURER_BY = 0.02
"""With less of either, some faces in profile, none of whose ways scores well, lie upside down."""
_LEANING = 20.0
"""Degrees from which landmarks are seen to be off."""
_ABOUT_THE_ZOO = (
    "download face_detection_yunet_2023mar.onnx from OpenCV's model zoo "
    "(https://github.com/opencv/opencv_zoo) and name it with --detector or "
    f"{DETECTOR_VARIABLE}"
)

Image = NDArray[np.uint8]


class _Face(NamedTuple):
    """A face that was found, in the picture's own pixels."""

    score: float
    area: float
    middle: NDArray[np.float64]
    points: NDArray[np.float64]
    turn: float

    def is_at(self, other: "_Face") -> bool:
        """Return whether both are the same face, found in two ways."""
        distance = np.linalg.norm(self.middle - other.middle)
        return bool(distance < np.sqrt(max(self.area, other.area)) / 2)


class _Picture:
    """A picture as the network sees it, with a border and at another size."""

    def __init__(self, image: Image, border: float, side: int) -> None:
        self.middle = np.array(image.shape[1::-1]) / 2
        self._pad = pad = round(border * max(image.shape[:2]))
        framed = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
        scale = side / max(framed.shape[:2])
        height, width = (max(1, round(length * scale)) for length in framed.shape[:2])
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        resized = cv2.resize(framed, (width, height), interpolation=interpolation)
        self._pixels = cv2.cvtColor(resized, cv2.COLOR_RGB2BGR)
        self._factors = (framed.shape[1] / width, framed.shape[0] / height)
        diagonal = np.hypot(*image.shape[:2]) * scale
        self._side = max(side, int(np.ceil(diagonal)))

    def faces(self, network: Any, turn: float = 0.0) -> list[_Face]:  # noqa: ANN401  # OpenCV has no types
        """Return the faces that the network finds after so many degrees clockwise."""
        pixels, matrix = self._pixels, np.eye(2, 3)
        if turn:
            matrix = self._turning(turn)
            pixels = cv2.warpAffine(pixels, matrix, (self._side, self._side))
        network.setInputSize(pixels.shape[1::-1])
        _, rows = network.detect(pixels)
        faces = []
        for row in () if rows is None else rows:
            points = np.vstack([row[:2] + row[2:4] / 2, row[4:14].reshape(5, 2)])
            if points[1:].std(axis=0).max() < _MIN_SPREAD:
                continue
            upright = (points - matrix[:, 2]) @ matrix[:, :2]
            middle, *parts = upright * self._factors - self._pad
            area = float(row[2] * row[3]) * self._factors[0] * self._factors[1]
            faces.append(_Face(float(row[14]), area, middle, np.array(parts), turn))
        return faces

    def _turning(self, turn: float) -> NDArray[np.float64]:
        """Return the matrix `(2, 3)` that turns about the middle, into that of a square."""
        height, width = self._pixels.shape[:2]
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -turn, 1.0)
        matrix[:, 2] += ((self._side - width) / 2, (self._side - height) / 2)
        return np.asarray(matrix, dtype=np.float64)

    def main_face(self, faces: Iterable[_Face]) -> _Face | None:
        """Return the face with the largest area less its squared way to the middle."""

        def prominence(face: _Face) -> float:
            return face.area - 2 * float(((face.middle - self.middle) ** 2).sum())

        return max(faces, key=prominence, default=None)


class FaceDetector:
    """A YuNet model in an ONNX file. Threads may share it.

    A picture is looked at with a border, as faces that touch the edge are found less well; where
    that shows no face, once more at twice the size. Of several faces the one that is large and
    near the middle is meant.

    YuNet knows upright faces: those that are turned it finds with wrong landmarks, upside down for
    instance, and a lower score. Where no face scores well, the picture is looked at in eight ways,
    turned by 45 degrees each, and of each face the best find counts. A face that was found so, or
    that leans by 20 degrees, is looked at once more in a picture turned to have it upright.

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
            face = self._face(image)
        except cv2.error as error:
            reason = str(error).strip().splitlines()[0]
            raise DataError(
                f"expected a YuNet face detector, got {str(self.path)!r} ({reason}), "
                f"{_ABOUT_THE_ZOO}"
            ) from error
        return None if face is None else face.points.astype(np.float32)

    def _face(self, image: Image) -> _Face | None:
        """Return the face that is meant."""
        for border, side in _LOOKS:
            picture = _Picture(image, border, side)
            upright = picture.faces(self._network())
            face = picture.main_face(upright)
            if face is not None and face.score >= _SURE:
                return self._seen_upright(picture, face)
            if face is not None:
                return self._face_in_turned(picture, upright)
        return self._face_in_turned(_Picture(image, *_LOOKS[0]), [])

    def _face_in_turned(self, picture: _Picture, upright: list[_Face]) -> _Face | None:
        """Return the face that is meant of these and those that turned pictures show."""
        faces = [face for turn in _TURNS for face in picture.faces(self._network(), turn)]
        turned = [face for face in faces if face.score >= _SURE_TURNED]
        face = picture.main_face(_best_of_each(upright + turned))
        return None if face is None else self._seen_upright(picture, face)

    def _seen_upright(self, picture: _Picture, face: _Face) -> _Face:
        """Return the same face, looked for again where it is upright if it leans or lies."""
        matrix = similarity(face.points, TEMPLATE)
        turn = float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
        if not face.turn and abs(turn) < _LEANING:
            return face
        again = [other for other in picture.faces(self._network(), turn) if other.is_at(face)]
        return max([face, *again], key=lambda each: each.score)

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
    file = given_path(named)
    if not file.is_file():
        raise ConfigError(
            f"expected the file of a face detector, got no file {str(named)!r}, {_ABOUT_THE_ZOO}"
        )
    return FaceDetector(file)


def _best_of_each(faces: Iterable[_Face]) -> list[_Face]:
    """Return the surest find of each face; one in a turned picture has to be clearly surer."""
    best: list[_Face] = []
    for face in sorted(faces, key=lambda one: one.score - _SURER_BY * bool(one.turn))[::-1]:
        if not any(face.is_at(other) for other in best):
            best.append(face)
    return best
