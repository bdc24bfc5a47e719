"""Detection: where in a picture the faces are, each with its five landmarks, by YuNet."""

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fairage._files import given_path, hash_of
from fairage.exceptions import ConfigError
from fairage.faces.face import LEAST_DISTANCE, LEAST_SCORE, Face
from fairage.faces.views import TEMPLATE, TEMPLATE_SIDE, Landmarks, align, similarity
from fairage.faces.yunet import SHIPPED, YuNet

DETECTION_VERSION = 3
"""Raised whenever other landmarks may come out, so that older ones are not taken for new."""
DETECTOR_VARIABLE = "FAIRAGE_DETECTOR"

_BORDER, _FIRST_SIDE = 0.25, 320
_SIDES = {640: 320, 1280: 640}
"""Further sides at which pictures are looked at that are longer than the other number."""
_TURNED_LOOKS = 2
_TURNS = tuple(range(45, 360, 45))
_SURE = 0.91
"""Of APPA-REAL's faces as they are more than 95 in 100 reach it (the median is 0.94), three in four
of FairFace's, more of which are in profile, and 2 in 100 that are turned by 45 degrees or more."""
_SURE_TURNED = 0.88
_SURER_BY = 0.02
"""With less of either, some faces in profile, none of whose ways scores well, lie upside down."""
_LEANING = 20.0
"""Degrees from which landmarks are seen to be off."""
_MIN_SPREAD = 1.0
_AROUND = 4.0
"""A leaning face is looked at again with so many times its side about it."""

Image = NDArray[np.uint8]
Points = NDArray[np.float64]


class _Detection(NamedTuple):
    """What one look at a picture shows, in the pixels of the picture that was looked at."""

    score: float
    size: Points
    middle: Points
    points: Points
    turn: float
    look: "_Look"

    @property
    def area(self) -> float:
        return float(self.size.prod())

    def is_at(self, other: "_Detection") -> bool:
        """Return whether both are the same face, found in two ways."""
        distance = np.linalg.norm(self.middle - other.middle)
        return bool(distance < np.sqrt(max(self.area, other.area)) / 2)

    def lean(self) -> float:
        """Return by how many degrees the face is turned."""
        matrix = similarity(self.points, TEMPLATE)
        return float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))

    def upright_size(self) -> Points:
        """Return width and height of an upright box of the same area; at 45 degrees, a square."""
        cos, sin = np.abs([np.cos(np.radians(self.turn)), np.sin(np.radians(self.turn))])
        around = np.array([[cos, sin], [sin, cos]]) @ self.size
        return np.asarray(around * np.sqrt(self.area / around.prod()))


class _Look:
    """A picture as the network sees it, with a border and at another size."""

    def __init__(self, network: YuNet, image: Image, border: float, side: int) -> None:
        self._network = network
        self._pad = pad = round(border * max(image.shape[:2]))
        framed = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
        self._pixels = cv2.cvtColor(_resized(framed, side), cv2.COLOR_RGB2BGR)
        height, width = self._pixels.shape[:2]
        self._factors = np.array([framed.shape[1] / width, framed.shape[0] / height])
        diagonal = np.hypot(*image.shape[:2]) * side / max(framed.shape[:2])
        self._side = max(side, int(np.ceil(diagonal)))

    def faces(self, turn: float = 0.0, about: _Detection | None = None) -> list[_Detection]:
        """Return what the network finds after so many degrees clockwise, about a face alone."""
        pixels, matrix = self._pixels, np.eye(2, 3)
        if turn:
            matrix, side = self._turning(turn, about)
            pixels = cv2.warpAffine(pixels, matrix, (side, side))
        faces = []
        for row in self._network.detect(np.asarray(pixels, dtype=np.uint8)):
            points = np.vstack([row[:2] + row[2:4] / 2, row[4:14].reshape(5, 2)])
            if points[1:].std(axis=0).max() < _MIN_SPREAD:
                continue
            upright = (points - matrix[:, 2]) @ matrix[:, :2]
            middle, *marks = upright * self._factors - self._pad
            size = row[2:4] * self._factors
            faces.append(_Detection(float(row[14]), size, middle, np.array(marks), turn, self))
        return faces

    def _turning(self, turn: float, about: _Detection | None) -> tuple[Points, int]:
        """Return the matrix `(2, 3)` that turns into a square, and the square's side.

        The square holds the whole picture, or less: the face and what is near it.
        """
        height, width = self._pixels.shape[:2]
        middle, side = np.array([(width - 1) / 2, (height - 1) / 2]), self._side
        if about is not None:
            near = int(np.ceil(_AROUND * np.sqrt(about.area / self._factors.prod())))
            if near < side:
                middle, side = (about.middle + self._pad) / self._factors, near
        matrix = np.asarray(cv2.getRotationMatrix2D(middle.tolist(), -turn, 1.0), np.float64)
        matrix[:, 2] += (side - 1) / 2 - middle
        return matrix, side


class FaceDetector:
    """A YuNet model in an ONNX file. Threads may share it.

    A picture is looked at with a border, as faces that touch the edge are found less well, at a
    side of 320 pixels, and where it is large enough, at 640 and 1280 too. Of what is the same face
    in several looks, the first find that is sure counts, else the surest.

    YuNet knows upright faces: those that are turned it finds with wrong landmarks, upside down for
    instance, and a lower score. Where there is no main face, one that is large and near the middle,
    or it does not score well, the picture is looked at in eight ways, turned by 45 degrees each,
    and of each face the best find counts. A face that was found so, or that leans by 20 degrees, is
    looked at once more turned upright.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._network: YuNet | None = None
        self._making = threading.Lock()

    def fingerprint(self) -> str:
        """Return a hash of the file, whatever its name."""
        return hash_of(self.path.read_bytes())

    def check(self) -> None:
        """Raise a DataError if the file does not hold a face detector."""
        self.landmarks(np.zeros((64, 64, 3), dtype=np.uint8))

    def landmarks(self, image: Image) -> Landmarks | None:
        """Return the main face's landmarks `(5, 2)` in an RGB image, or None where there is none.

        Raises:
            DataError: The file does not hold a face detector.
        """
        image, scale = _shrunk(image)
        face = _main(self._detections(image, main_alone=True), image)
        return None if face is None else (_upright(face).points * scale).astype(np.float32)

    def faces(
        self,
        image: Image,
        *,
        least_score: float = LEAST_SCORE,
        least_distance: float = LEAST_DISTANCE,
    ) -> list[Face]:
        """Return the faces in an RGB image `(height, width, 3)`, the largest first.

        Args:
            image: Decoded image.
            least_score: Faces of which the detector is less sure are left out.
            least_distance: Faces with fewer pixels between the eyes are left out.

        Raises:
            DataError: The file does not hold a face detector.

        Examples:
            >>> FaceDetector(SHIPPED).faces(np.zeros((48, 64, 3), dtype=np.uint8))
            []
        """
        limits = {"least_score": least_score, "least_distance": least_distance}
        return [face for face in self.candidates(image) if not face.shortfall(**limits)]

    def candidates(self, image: Image) -> list[Face]:
        """Return all that may be faces, of a score above 0.5, the largest first.

        Raises:
            DataError: The file does not hold a face detector.
        """
        small, scale = _shrunk(image)
        faces = [_face(image, _upright(each), scale) for each in self._detections(small)]
        return sorted(faces, key=lambda face: -face.box[2] * face.box[3])

    def _detections(self, image: Image, *, main_alone: bool = False) -> list[_Detection]:
        """Return every face once, or the main one alone where the first look is sure of it.

        A find that is sure is not replaced by a finer look's, so that both give the same landmarks.
        """
        network, longest = self._opened(), max(image.shape[:2])
        looks = [_Look(network, image, _BORDER, _FIRST_SIDE)]
        upright = looks[0].faces()
        sure = _sure_main(upright, image)
        if sure and main_alone:
            return sure
        for side, least in _SIDES.items():
            if longest > least:
                looks.append(_Look(network, image, 0.0, min(side, longest)))
                upright += looks[-1].faces()
        faces = _each_once(upright, key=lambda face: min(face.score, _SURE))
        if sure or _sure_main(faces, image):
            return faces
        turned = [
            face
            for look in looks[:_TURNED_LOOKS]
            for turn in _TURNS
            for face in look.faces(turn)
            if face.score >= _SURE_TURNED
        ]
        return _each_once(faces + turned, key=lambda face: face.score - _SURER_BY * bool(face.turn))

    def _opened(self) -> YuNet:
        with self._making:
            if self._network is None:
                self._network = YuNet(self.path)
            return self._network


def find_detector(path: str | Path | None = None) -> FaceDetector:
    """Return the detector in this file, else in the one that `FAIRAGE_DETECTOR` names, else ours.

    Raises:
        ConfigError: There is no such file.

    Examples:
        >>> find_detector("no/such.onnx")
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: expected the file of a face detector, got no file ...
    """
    named = path or os.environ.get(DETECTOR_VARIABLE) or SHIPPED
    file = given_path(named)
    if not file.is_file():
        raise ConfigError(
            f"expected the file of a face detector, got no file {str(named)!r}, correct --detector "
            f"or {DETECTOR_VARIABLE}, or leave both out: one comes with fairage"
        )
    return FaceDetector(file)


def _shrunk(image: Image) -> tuple[Image, Points]:
    """Return the image, no longer than what is looked at, and what brings pixels back."""
    longest = max(_SIDES)
    if max(image.shape[:2]) <= longest:
        return image, np.ones(2)
    small = _resized(image, longest)
    return small, np.divide(image.shape[1::-1], small.shape[1::-1])


def _resized(image: Image, side: int) -> Image:
    """Return the image with this longer side."""
    scale = side / max(image.shape[:2])
    height, width = (max(1, round(length * scale)) for length in image.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=interpolation), np.uint8)


def _main(faces: Iterable[_Detection], image: Image) -> _Detection | None:
    """Return the face with the largest area less its squared way to the middle."""
    middle = np.array(image.shape[1::-1]) / 2

    def prominence(face: _Detection) -> float:
        return face.area - 2 * float(((face.middle - middle) ** 2).sum())

    return max(faces, key=prominence, default=None)


def _sure_main(faces: Iterable[_Detection], image: Image) -> list[_Detection]:
    """Return the main face, or nothing where it does not score well."""
    main = _main(faces, image)
    return [] if main is None or main.score < _SURE else [main]


def _each_once(faces: Iterable[_Detection], key: Callable[[_Detection], float]) -> list[_Detection]:
    """Return of each face the find with the highest key; of equal ones, the earlier."""
    kept: list[_Detection] = []
    for face in sorted(faces, key=key, reverse=True):
        if not any(face.is_at(other) for other in kept):
            kept.append(face)
    return kept


def _upright(face: _Detection) -> _Detection:
    """Return the same face, looked for again where it is upright if it leans or lies."""
    turn = face.lean()
    if not face.turn and abs(turn) < _LEANING:
        return face
    again = [other for other in face.look.faces(turn, face) if other.is_at(face)]
    return max([face, *again], key=lambda each: each.score)


def _face(image: Image, detection: _Detection, scale: Points) -> Face:
    size = detection.upright_size()
    box = np.concatenate([(detection.middle - size / 2) * scale, size * scale]).tolist()
    landmarks = (detection.points * scale).astype(np.float32)
    grey = cv2.cvtColor(align(image, landmarks, side=TEMPLATE_SIDE), cv2.COLOR_RGB2GRAY)
    blur = float(cv2.Laplacian(grey, cv2.CV_64F).var())
    return Face((box[0], box[1], box[2], box[3]), landmarks, detection.score, blur)
