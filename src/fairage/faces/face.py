"""A face that was found in a picture, and why it is not used where it is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

import numpy as np

from fairage.faces.views import Landmarks

LEAST_SCORE, LEAST_DISTANCE = 0.7, 12.0
"""What a face needs to be used: the detector's score, and pixels between the eyes."""


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture.

    Args:
        box: Left, top, width and height in pixels; it may reach beyond the picture.
        landmarks: Its five points `(5, 2)`.
        score: How sure the detector is of it, 0..1.
        blur: How sharp it is: the variance of the Laplacian of the face, grey, aligned to 112 x 112
            pixels. The lower, the more blurred; faces that were enlarged for it are low, too.

    Examples:
        >>> points = np.array([[3, 4], [12, 4], [8, 8], [4, 11], [11, 11]], dtype=np.float32)
        >>> face = Face((0.0, 0.0, 15.0, 15.0), points, score=0.638, blur=20.0)
        >>> face.shortfall()
        'a face of score 0.63 is below 0.7, its eyes 9 px apart, less than 12'
        >>> face.shortfall(least_score=0.6, least_distance=8)
        ''
    """

    box: tuple[float, float, float, float]
    landmarks: Landmarks
    score: float
    blur: float

    @property
    def eye_distance(self) -> float:
        """Pixels between the eyes; few, too, where a large face is in profile."""
        return float(np.linalg.norm(self.landmarks[1] - self.landmarks[0]))

    def shortfall(
        self, *, least_score: float = LEAST_SCORE, least_distance: float = LEAST_DISTANCE
    ) -> str:
        """Return which limits the face does not reach, with its numbers; '' where it does."""
        is_sure, is_large = self.score >= least_score, self.eye_distance >= least_distance
        score, distance = _cut(self.score, 2), _cut(self.eye_distance, 1)
        too_small = f"eyes {distance} px apart, less than {least_distance:g}"
        if is_sure:
            return "" if is_large else f"a face with {too_small}"
        unsure = f"a face of score {score} is below {least_score:g}"
        return unsure if is_large else f"{unsure}, its {too_small}"


def _cut(number: float, digits: int) -> str:
    """Return a number without its further digits: rounded, it might seem to reach a limit."""
    cut = Decimal(str(number)).quantize(Decimal(1).scaleb(-digits), ROUND_DOWN)
    return f"{float(cut):g}"


def reason_without_faces(
    candidates: Sequence[Face],
    *,
    least_score: float = LEAST_SCORE,
    least_distance: float = LEAST_DISTANCE,
) -> str:
    """Return why none of these faces is used, by the surest of them.

    Args:
        candidates: What `FaceDetector.candidates` returned for a picture.
        least_score: See `FaceDetector.faces`.
        least_distance: See `FaceDetector.faces`.

    Examples:
        >>> reason_without_faces([])
        'no face was found'
    """
    if not candidates:
        return "no face was found"
    surest = max(candidates, key=lambda face: face.score)
    return surest.shortfall(least_score=least_score, least_distance=least_distance)
