"""From pictures to what a network sees of each face in them, read and cut in threads."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fairage._work import in_order, reader_threads
from fairage.exceptions import ConfigError, DataError
from fairage.faces.detection import FaceDetector
from fairage.faces.face import LEAST_DISTANCE, LEAST_SCORE, Face, reason_without_faces
from fairage.faces.views import Framing
from fairage.prediction.face_input import FaceInput
from fairage.prediction.pictures import Picture

_AHEAD = 64
"""Pictures that may wait for the network; of each the small views alone are kept."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class FaceCut:
    """One face as the network sees it, or why there is none.

    Args:
        picture: Where it is.
        face: Its number in the picture, the largest first.
        found: What the detector found; None where it did not look.
        pixels: For each input `(height, width, 3)`; None where there is no face.
        reason: Why there is none.
    """

    picture: Picture
    face: int
    found: Face | None
    pixels: tuple[Pixels, ...] | None
    reason: str = ""


@dataclass(frozen=True)
class FaceCutter:
    """Cuts faces for a network.

    Args:
        inputs: What the network sees.
        detector: What finds faces.
        framing: How the pictures that it was trained on frame a face; None where that is unknown.
    """

    inputs: tuple[FaceInput, ...]
    detector: FaceDetector
    framing: Framing | None

    def check_photographs(self) -> None:
        """Raise a ConfigError if faces in photographs cannot be cut as the network wants them."""
        unaligned = [each for each in self.inputs if not each.photograph.needs_landmarks]
        if unaligned and self.framing is None:
            raise ConfigError(
                "expected a model that knows how its training pictures frame a face, got one "
                f"without, whose view {unaligned[0].photograph.name!r} cannot be cut from a "
                "photograph, give pictures that show one face framed like those, and crops=True "
                "(--crops)"
            )

    def cuts(
        self,
        pictures: Iterator[Picture],
        *,
        crops: bool,
        least_score: float = LEAST_SCORE,
        least_distance: float = LEAST_DISTANCE,
        workers: int | None = None,
    ) -> Iterator[FaceCut]:
        """Return the faces of pictures in their order; see `Model.predict`."""
        if crops:
            return self.crops(pictures, workers=workers)
        self.check_photographs()
        return self.photographs(
            pictures, least_score=least_score, least_distance=least_distance, workers=workers
        )

    def photographs(
        self,
        pictures: Iterator[Picture],
        *,
        least_score: float,
        least_distance: float,
        workers: int | None,
    ) -> Iterator[FaceCut]:
        """Yield all faces of each picture, the largest first; see `Model.predict`."""
        cut = partial(self._in_photograph, least_score=least_score, least_distance=least_distance)
        for faces in _in_threads(pictures, cut, workers):
            yield from faces

    def crops(self, pictures: Iterator[Picture], *, workers: int | None) -> Iterator[FaceCut]:
        """Yield the one face that each picture shows, cut as in the training."""
        yield from _in_threads(pictures, self._of_crop, workers)

    def _in_photograph(
        self, picture: Picture, least_score: float, least_distance: float
    ) -> list[FaceCut]:
        limits = {"least_score": least_score, "least_distance": least_distance}
        try:
            with picture.pixels() as image:
                candidates = self.detector.candidates(image)
                faces = [face for face in candidates if not face.shortfall(**limits)]
                cuts = [
                    FaceCut(picture, number, face, self._views(image, face))
                    for number, face in enumerate(faces)
                ]
        except DataError as error:
            return [FaceCut(picture, 0, None, None, str(error))]
        return cuts or [FaceCut(picture, 0, None, None, reason_without_faces(candidates, **limits))]

    def _views(self, image: Pixels, face: Face) -> tuple[Pixels, ...]:
        """Return what each input sees of a face in a photograph."""
        framed = None if self.framing is None else self.framing.cut(image, face.box)
        views = []
        for each in self.inputs:
            view, side = each.photograph, each.preprocessing.side
            shown = image if view.needs_landmarks or framed is None else framed
            views.append(each.preprocessing.resized(view.apply(shown, face.landmarks, side=side)))
        return tuple(views)

    def _of_crop(self, picture: Picture) -> FaceCut:
        looks = any(each.crop.needs_landmarks for each in self.inputs)
        try:
            with picture.pixels() as image:
                points = self.detector.landmarks(image) if looks else None
                pixels = tuple(
                    each.preprocessing.resized(
                        each.crop.apply(image, points, side=each.preprocessing.side)
                    )
                    for each in self.inputs
                )
        except DataError as error:
            return FaceCut(picture, 0, None, None, str(error))
        return FaceCut(picture, 0, None, pixels)


Cut = TypeVar("Cut")


def _in_threads(
    pictures: Iterator[Picture], cut: Callable[[Picture], Cut], workers: int | None
) -> Iterator[Cut]:
    first = next(pictures, None)
    if first is None:
        raise DataError("expected at least one picture, got none, give a picture")
    sources = [first.source] if isinstance(first.source, str) else []
    threads = reader_threads(sources, workers)
    return in_order(chain([first], pictures), cut, ahead=_AHEAD, workers=threads)
