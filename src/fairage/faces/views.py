"""Views: the part of an image that a backbone sees, cut out or aligned by landmarks."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fairage.exceptions import ConfigError

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
mouth, as they appear where the picture is turned to have the face upright."""

_ALIASING = 0.5


def align(
    image: Image, landmarks: Landmarks, *, side: int, margin: float = 1.0, down: float = 0.0
) -> Image:
    """Return the aligned face `(side, side, 3)`; beyond the image's edge its last pixels go on.

    Args:
        image: Decoded image `(height, width, 3)`.
        landmarks: The face's five points in it.
        side: Side of the result in pixels.
        margin: How many times wider the part of the picture is than the template's.
        down: By how much of its height that part lies lower.

    Examples:
        >>> picture = np.zeros((112, 112, 3), dtype=np.uint8)
        >>> align(picture, TEMPLATE.astype(np.float32), side=64, margin=1.2).shape
        (64, 64, 3)
    """
    middle = TEMPLATE_SIDE / 2
    target = ((TEMPLATE - middle) / margin + middle) * (side / TEMPLATE_SIDE) - (0, down * side)
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


_LEAST_MARGIN, _MOST_MARGIN, _MOST_DOWN = 0.5, 4.0, 0.5


class View(Protocol):
    """Turns a decoded image `(height, width, 3)` into the part that a backbone sees."""

    needs_landmarks: ClassVar[bool]

    @property
    def name(self) -> str:
        """The name that `view_from_name` reads."""
        ...

    def apply(self, image: Image, landmarks: Landmarks | None = None, *, side: int = 112) -> Image:
        """Return the part of the image.

        Args:
            image: Decoded image.
            landmarks: The face's landmarks in it; None where no face was found.
            side: Pixels that the network wants of the shorter side; only a view that resamples
                anyway takes notice of it.
        """
        ...


@dataclass(frozen=True)
class Whole:
    """The picture as it is."""

    needs_landmarks: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The name that `view_from_name` reads."""
        return "whole"

    def apply(self, image: Image, landmarks: Landmarks | None = None, *, side: int = 112) -> Image:
        """Return the image itself."""
        return image


@dataclass(frozen=True)
class CentreCrop:
    """The middle of the picture.

    Args:
        share: Part of the height and of the width that is kept, 0 < share < 1.

    Examples:
        >>> CentreCrop(0.5).apply(np.zeros((8, 4, 3), dtype=np.uint8)).shape
        (4, 2, 3)
    """

    needs_landmarks: ClassVar[bool] = False

    share: float

    @property
    def name(self) -> str:
        """The name that `view_from_name` reads."""
        return f"crop:{self.share:g}"

    def apply(self, image: Image, landmarks: Landmarks | None = None, *, side: int = 112) -> Image:
        """Return the middle of the image, at least one pixel."""
        height, width = image.shape[:2]
        new_height = max(1, round(height * self.share))
        new_width = max(1, round(width * self.share))
        top, left = (height - new_height) // 2, (width - new_width) // 2
        return image[top : top + new_height, left : left + new_width]


@dataclass(frozen=True)
class Aligned:
    """The face, turned upright and scaled by its landmarks; without landmarks, the middle.

    Args:
        margin: How many times more of the picture is seen than faces for recognition show,
            in height and in width; 0.5 <= margin <= 4.
        down: By how much of its height what is seen lies lower, so that more of the chin is; at
            most 0.5 up (negative) or down.

    Examples:
        >>> Aligned().apply(np.zeros((90, 80, 3), dtype=np.uint8)).shape
        (63, 56, 3)
    """

    needs_landmarks: ClassVar[bool] = True
    fallback: ClassVar[CentreCrop] = CentreCrop(0.7)

    margin: float = 1.0
    down: float = 0.0

    @property
    def name(self) -> str:
        """The name that `view_from_name` reads."""
        if self.down:
            return f"aligned:{self.margin:g}:{self.down:g}"
        return "aligned" if self.margin == 1 else f"aligned:{self.margin:g}"

    def apply(self, image: Image, landmarks: Landmarks | None = None, *, side: int = 112) -> Image:
        """Return the aligned face `(side, side, 3)`, or the middle of the image."""
        if landmarks is None:
            return self.fallback.apply(image)
        return align(image, landmarks, side=side, margin=self.margin, down=self.down)


@dataclass(frozen=True)
class Framing:
    """How pictures of a data set frame the face in them, so that a photograph can be cut alike.

    Args:
        share: Part of the picture's height that the box of the face takes.
        x: Middle of the box, as a part of the picture's width.
        y: The same of the height.
        aspect: Width of the picture by its height.
    """

    share: float
    x: float
    y: float
    aspect: float = 1.0

    @classmethod
    def of(cls, boxes: NDArray[np.float64], sizes: NDArray[np.float64]) -> "Framing":
        """Return the median framing of faces.

        Args:
            boxes: Shape `(n, 4)`: left, top, width and height in pixels.
            sizes: Shape `(n, 2)`: width and height of each picture.

        Examples:
            >>> Framing.of(np.array([[20.0, 10.0, 40.0, 50.0]]), np.array([[100.0, 100.0]]))
            Framing(share=0.5, x=0.4, y=0.35, aspect=1.0)
        """
        left, top, width, height = boxes.T
        return cls(
            share=float(np.median(height / sizes[:, 1])),
            x=float(np.median((left + width / 2) / sizes[:, 0])),
            y=float(np.median((top + height / 2) / sizes[:, 1])),
            aspect=float(np.median(sizes[:, 0] / sizes[:, 1])),
        )

    def cut(self, image: Image, box: tuple[float, float, float, float]) -> Image:
        """Return the part of a photograph about a face; beyond the edge its last pixels go on.

        Args:
            image: The photograph `(height, width, 3)`.
            box: Left, top, width and height of the face in it, in pixels.

        Examples:
            >>> framing = Framing(share=0.5, x=0.5, y=0.5)
            >>> framing.cut(np.zeros((60, 80, 3), dtype=np.uint8), (30.0, 20.0, 18.0, 20.0)).shape
            (40, 40, 3)
        """
        left, top, width, height = box
        rows = max(1, round(height / self.share))
        columns = max(1, round(rows * self.aspect))
        first_column = round(left + width / 2 - self.x * columns)
        first_row = round(top + height / 2 - self.y * rows)
        # the indices of rows and columns, those beyond the edge being the last within
        row = np.clip(np.arange(first_row, first_row + rows), 0, image.shape[0] - 1)
        column = np.clip(np.arange(first_column, first_column + columns), 0, image.shape[1] - 1)
        return np.ascontiguousarray(image[row[:, None], column])


VIEWS: dict[str, Callable[[str], View | None]] = {
    "whole": lambda number: Whole() if not number else None,
    "crop": lambda number: CentreCrop(value) if 0 < (value := _number(number)) < 1 else None,
    "aligned": lambda numbers: _aligned(*map(_number, (numbers or "1").split(":"))),
}
"""What stands before the colon, and the view for what is behind it, if that will do."""


def view_from_name(name: str) -> View:
    """Return the view of a name: `whole`, `crop:SHARE`, `aligned`, `aligned:MARGIN[:DOWN]`.

    Examples:
        >>> view_from_name("crop:0.70").name
        'crop:0.7'
        >>> view_from_name("aligned:1.30").name, view_from_name("aligned:0.93:0.160").name
        ('aligned:1.3', 'aligned:0.93:0.16')
        >>> view_from_name("crop:7")
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: expected a view 'whole', 'crop:SHARE' with 0 < ...
    """
    kind, colon, number = name.partition(":")
    is_known = kind in VIEWS and bool(colon) == bool(number)
    view = VIEWS[kind](number) if is_known else None
    if view is None:
        raise ConfigError(
            "expected a view 'whole', 'crop:SHARE' with 0 < SHARE < 1, 'aligned', "
            f"'aligned:MARGIN' with {_LEAST_MARGIN:g} <= MARGIN <= {_MOST_MARGIN:g}, or "
            f"'aligned:MARGIN:DOWN' with {-_MOST_DOWN:g} <= DOWN <= {_MOST_DOWN:g}, got {name!r}, "
            "write for example crop:0.7"
        )
    return view


def _aligned(margin: float = 0.0, down: float = 0.0, *more: float) -> Aligned | None:
    """Return the view of these numbers, if they will do."""
    fits = _LEAST_MARGIN <= margin <= _MOST_MARGIN and abs(down) <= _MOST_DOWN and not more
    return Aligned(margin, down) if fits else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
