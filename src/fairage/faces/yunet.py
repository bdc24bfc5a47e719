"""YuNet, the face detector, run by onnxruntime and decoded here, as JavaScript can do it too [1].

The network gives for each cell of three grids (strides 8, 16 and 32): how likely there is a face
(`cls`), how sure it is of that (`obj`), its box, and its five points. A face's score is the root
of the first two's product. Boxes are compared in whole pixels, as OpenCV does.

[1] Wu et al., YuNet: a tiny millisecond-level face detector, Machine Intelligence Research, 2023.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairage.exceptions import MissingDependencyError

Floats = NDArray[np.float32]
STRIDES = (8, 16, 32)
_OUTPUTS = tuple(f"{part}_{stride}" for part in ("cls", "obj", "bbox", "kps") for stride in STRIDES)
_MULTIPLE = 32
_ERRORS_ONLY = 3


class YuNet:
    """The network in an ONNX file. Threads may share it.

    Args:
        path: The file.
        least_score: Lowest score of a face, 0..1.
        overlap: Of two faces that share more than this of their union, the surer one is kept.
        most: Candidates that are compared.
    """

    def __init__(
        self, path: Path, *, least_score: float = 0.5, overlap: float = 0.3, most: int = 500
    ) -> None:
        self.least_score, self.overlap, self.most = least_score, overlap, most
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingDependencyError.for_extra("onnxruntime", "train") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # it is asked by several threads at once
        options.log_severity_level = _ERRORS_ONLY
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def detect(self, pixels: NDArray[np.uint8]) -> Floats:
        """Return the faces in a picture `(height, width, 3)`, blue first, the surest first.

        Returns:
            Shape `(n, 15)`: left, top, width and height of the box, x and y of the five points,
            in pixels, and the score.
        """
        height, width = pixels.shape[:2]
        padded = np.zeros((_whole(height), _whole(width), 3), np.float32)
        padded[:height, :width] = pixels
        values = self._session.run(
            list(_OUTPUTS), {self._input: np.ascontiguousarray(padded.transpose(2, 0, 1)[None])}
        )
        faces = decoded(dict(zip(_OUTPUTS, values, strict=True)), padded.shape[1])
        return kept(faces[faces[:, 14] > self.least_score], self.overlap, self.most)


def _whole(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def decoded(outputs: Mapping[str, Floats], width: int) -> Floats:
    """Return a candidate `(15,)` for every cell of the grids, `(cells, 15)`; see `YuNet.detect`.

    Args:
        outputs: The network's, by name.
        width: Width of the picture that it saw, a multiple of 32.
    """
    grids = []
    for stride in STRIDES:
        cls, obj, box, points = (
            outputs[f"{part}_{stride}"].reshape(-1, numbers)
            for part, numbers in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))
        )
        rows, columns = np.divmod(np.arange(len(cls)), width // stride)
        cells = np.stack([columns, rows], axis=1).astype(np.float32)
        centre, size = (cells + box[:, :2]) * stride, np.exp(box[:, 2:]) * stride
        marks = (points.reshape(-1, 5, 2) + cells[:, None]) * stride
        score = np.sqrt(cls.clip(0, 1) * obj.clip(0, 1))
        grids.append(np.hstack([centre - size / 2, size, marks.reshape(-1, 10), score]))
    return np.concatenate(grids).astype(np.float32)


def kept(faces: Floats, overlap: float, most: int) -> Floats:
    """Return the faces `(n, 15)` of which no surer one covers the same place, the surest first."""
    faces = faces[np.argsort(-faces[:, 14], kind="stable")[:most]]
    corners = np.trunc(faces[:, :4]).astype(np.int64)
    left, top = corners[:, 0], corners[:, 1]
    right, bottom = left + corners[:, 2], top + corners[:, 3]
    areas = corners[:, 2] * corners[:, 3]
    chosen: list[int] = []
    for i in range(len(faces)):
        wide = np.minimum(right[i], right[chosen]) - np.maximum(left[i], left[chosen])
        high = np.minimum(bottom[i], bottom[chosen]) - np.maximum(top[i], top[chosen])
        shared = wide.clip(0) * high.clip(0)
        if not (shared > overlap * (areas[i] + areas[chosen] - shared)).any():
            chosen.append(i)
    return faces[chosen]
