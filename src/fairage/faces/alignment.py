"""Alignment: turning, scaling and shifting a face so that its landmarks lie where they should.

Networks for face recognition are trained on faces whose eyes, nose and mouth always stand at the
same places [1]; they see more in a face that is handed over like that.

[1] Deng et al., ArcFace: additive angular margin loss for deep face recognition, CVPR 2019.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["ALIGNMENT_VERSION", "TEMPLATE", "TEMPLATE_SIDE", "Landmarks", "align", "similarity"]

ALIGNMENT_VERSION = 1
"""Raised whenever aligned pixels change, so that embeddings of older ones are not taken for new."""
TEMPLATE_SIDE = 112
TEMPLATE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)
"""Where the landmarks of an aligned face lie in a picture of 112 x 112 pixels."""

Image = NDArray[np.uint8]
Landmarks = NDArray[np.float32]
"""Five points `(5, 2)`, x and y in pixels: left eye, right eye, nose, left and right corner of the
mouth, as they appear in the picture."""

_ALIASING = 0.5


def align(image: Image, landmarks: Landmarks, *, side: int, margin: float = 1.0) -> Image:
    """Return the aligned face `(side, side, 3)`; beyond the image's edge its last pixels go on.

    Args:
        image: Decoded image `(height, width, 3)`.
        landmarks: The face's five points in it.
        side: Side of the result in pixels.
        margin: How many times wider the part of the picture is than the template's.

    Examples:
        >>> picture = np.zeros((112, 112, 3), dtype=np.uint8)
        >>> align(picture, TEMPLATE.astype(np.float32), side=64, margin=1.2).shape
        (64, 64, 3)
    """
    middle = TEMPLATE_SIDE / 2
    target = ((TEMPLATE - middle) / margin + middle) * (side / TEMPLATE_SIDE)
    points = np.asarray(landmarks, dtype=np.float64)
    matrix = similarity(points, target)
    scale = float(np.hypot(*matrix[:, 0]))
    if scale < _ALIASING:  # skipping pixels would draw patterns that are not there
        height, width = (max(1, round(length * scale)) for length in image.shape[:2])
        shrunk = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        points = points * (width / image.shape[1], height / image.shape[0])
        image, matrix = np.asarray(shrunk, dtype=np.uint8), similarity(points, target)
    warped = cv2.warpAffine(
        np.ascontiguousarray(image), matrix, (side, side), borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, dtype=np.uint8)


def similarity(points: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix `(2, 3)` that turns, scales and shifts points `(n, 2)` nearest to a target.

    It has the least sum of squared distances, and never mirrors. With points as complex numbers
    about their mean, turn and scale are one factor, and least squares gives it directly.

    Examples:
        >>> similarity(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[5.0, 5.0], [5.0, 7.0]]))
        array([[ 0., -2.,  5.],
               [ 2.,  0.,  5.]])
    """
    from_mean, to_mean = points.mean(axis=0), target.mean(axis=0)
    a, b = (points - from_mean) @ (1, 1j), (target - to_mean) @ (1, 1j)
    factor = np.vdot(a, b) / np.vdot(a, a)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([turn, to_mean - turn @ from_mean])
