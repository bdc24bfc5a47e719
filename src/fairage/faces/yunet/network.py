"""YuNet, the face detector, run by onnxruntime and decoded here, as JavaScript can do it too [1].

[1] Wu et al., YuNet: a tiny millisecond-level face detector, Machine Intelligence Research, 2023.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairage._onnxruntime import open_session, session_errors
from fairage.exceptions import DataError

SHIPPED = Path(__file__).with_name("face_detection_yunet.onnx")
"""The file that comes with fairage."""
STRIDES = (8, 16, 32)
_PARTS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
"""What the network gives for each cell, and how many numbers that is."""
_OUTPUTS = [f"{part}_{stride}" for part in _PARTS for stride in STRIDES]
_MULTIPLE = STRIDES[-1]
_EXPECTED = "a YuNet face detector for pictures of any size"
_DO = "leave --detector and FAIRAGE_DETECTOR out: one comes with fairage"

Rows = NDArray[np.float64]
"""Shape `(n, 15)`, a row a face: left, top, width and height of its box, x and y of its five
points, in pixels, and its score from 0 to 1."""


class YuNet:
    """The network in an ONNX file. Threads may share it.

    Args:
        path: The file.
        least_score: Lowest score of a face, 0..1.
        overlap: Of two faces that share more than this of their union, the surer one is kept.
        most: Candidates that are compared.

    Raises:
        DataError: The file does not hold a YuNet that takes pictures of any size.

    Examples:
        >>> YuNet(SHIPPED).detect(np.zeros((31, 33, 3), dtype=np.uint8)).shape
        (0, 15)
    """

    def __init__(
        self, path: Path, *, least_score: float = 0.5, overlap: float = 0.3, most: int = 500
    ) -> None:
        self.path = path
        self.least_score, self.overlap, self.most = least_score, overlap, most
        self._session = open_session(  # several threads call it at once
            path, threads=1, expected=_EXPECTED, do=_DO
        )
        inputs = [each.name for each in self._session.get_inputs()]
        outputs = {each.name for each in self._session.get_outputs()}
        if len(inputs) != 1 or not outputs.issuperset(_OUTPUTS):
            raise DataError(
                f"expected {_EXPECTED}, got {str(path)!r} ({len(inputs)} inputs, the outputs "
                f"{sorted(outputs)}), {_DO}"
            )
        (self._input,) = inputs

    def detect(self, pixels: NDArray[np.uint8]) -> Rows:
        """Return the faces in a picture `(height, width, 3)`, blue first; the surest comes first.

        The picture goes in as it is, 0..255, with black below and on the right up to a multiple of
        32 pixels.
        """
        height, width = pixels.shape[:2]
        padded = np.zeros((3, _whole(height), _whole(width)), np.float32)
        padded[:, :height, :width] = pixels.transpose(2, 0, 1)
        with session_errors(self.path, _EXPECTED, _DO):
            values = self._session.run(_OUTPUTS, {self._input: padded[None]})
        outputs = dict(zip(_OUTPUTS, values, strict=True))
        return best(decoded(outputs, padded.shape[2], self.least_score), self.overlap, self.most)


def _whole(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def decoded(outputs: Mapping[str, NDArray[np.float32]], width: int, least_score: float) -> Rows:
    """Return the faces of all cells whose score is above the least one, cell by cell.

    The network sees three grids of cells, 8, 16 and 32 pixels wide (the strides), row by row. In
    numbers of 64 bits, as JavaScript has them, for a cell in this `row` and `column`:

        score  = sqrt(cls * obj), both first limited to 0..1
        width  = exp(bbox[2]) * stride         left = (column + bbox[0]) * stride - width / 2
        height = exp(bbox[3]) * stride         top  = (row    + bbox[1]) * stride - height / 2
        x of point k = (column + kps[2 k]) * stride
        y of point k = (row    + kps[2 k + 1]) * stride

    Args:
        outputs: The network's, by name.
        width: Width of the picture that it saw, a multiple of 32.
        least_score: Cells up to this score show no face.
    """
    grids = []
    for stride in STRIDES:
        cls, obj, box, points = (
            outputs[f"{part}_{stride}"].reshape(-1, numbers).astype(np.float64)
            for part, numbers in _PARTS.items()
        )
        score = np.sqrt(cls.clip(0, 1) * obj.clip(0, 1))[:, 0]
        (cells,) = np.nonzero(score > least_score)
        rows, columns = np.divmod(cells, width // stride)
        corner = np.stack([columns, rows], axis=1)
        size = np.exp(box[cells, 2:]) * stride
        left_top = (corner + box[cells, :2]) * stride - size / 2
        marks = (corner[:, None] + points[cells].reshape(-1, 5, 2)) * stride
        grids.append(np.hstack([left_top, size, marks.reshape(-1, 10), score[cells, None]]))
    return np.concatenate(grids)


def best(faces: Rows, overlap: float, most: int) -> Rows:
    """Return the faces of which no surer one covers the same place; the surest comes first.

    As in OpenCV, boxes are compared in whole pixels: left, top, width and height without what is
    behind the point. One is left out where it shares more than `overlap` of the union with a surer
    one that is kept. Of equal scores, the earlier cell is the surer.
    """
    faces = faces[np.argsort(-faces[:, 14], kind="stable")[:most]]
    boxes = np.trunc(faces[:, :4]).astype(np.int64)
    left_top, right_bottom = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    areas = boxes[:, 2] * boxes[:, 3]
    kept: list[int] = []
    for i in range(len(faces)):
        sides = np.minimum(right_bottom[i], right_bottom[kept])
        sides = (sides - np.maximum(left_top[i], left_top[kept])).clip(0)
        shared = sides[:, 0] * sides[:, 1]
        if not (shared > overlap * (areas[i] + areas[kept] - shared)).any():
            kept.append(i)
    return faces[kept]
