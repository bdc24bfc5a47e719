"""A model that estimates the ages of the faces in pictures."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from fairage._bundle_files import target_of_estimates
from fairage._work import progress_bar
from fairage.exceptions import ConfigError, DataError, MissingDependencyError
from fairage.faces.detection import FaceDetector
from fairage.faces.face import LEAST_DISTANCE, LEAST_SCORE
from fairage.faces.views import Framing
from fairage.prediction.age_map import AgeMap
from fairage.prediction.decisions import AgeRule, fit_rule
from fairage.prediction.face_cuts import FaceCut, FaceCutter
from fairage.prediction.face_estimates import Estimate, Estimates
from fairage.prediction.face_input import FaceInput
from fairage.prediction.intervals import ConformalAges
from fairage.prediction.pictures import Images, Picture, pictures_of
from fairage.tables import Faces

LEVEL = 0.9
BATCH_SIZE = 32

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


class Network(Protocol):
    """What turns pictures of faces into ages; one for graphs, one for torch."""

    @property
    def inputs(self) -> tuple[FaceInput, ...]:
        """What it sees of a face."""
        ...

    def estimate(self, pixels: Sequence[Pixels]) -> tuple[Floats, Floats]:
        """Return ages and spreads `(n,)` of pixels `(n, height, width, 3)` for each input."""
        ...

    def embed(self, pixels: Sequence[Pixels]) -> NDArray[np.float32]:
        """Return embeddings `(n, dim)` of the same."""
        ...


@dataclass(frozen=True)
class Model:
    """A trained model, from photographs to ages with intervals.

    Threads may share it. `fairage.load` returns one.

    Args:
        network: What estimates.
        detector: What finds faces.
        config: What the bundle says of itself, as in its `config.json`.
        intervals: What the model was calibrated on; None where it was not.
        framing: How the pictures that it was trained on frame a face; see `Framing`.
        age_map: Corrects what the network says; see `fairage calibrate --map`.
        folder: The bundle.
    """

    network: Network
    detector: FaceDetector
    config: dict[str, Any]
    intervals: ConformalAges | None = None
    framing: Framing | None = None
    age_map: AgeMap = field(default_factory=AgeMap)
    folder: Path | None = None

    @property
    def target(self) -> str | None:
        """Which age it estimates: `apparent`, `real` or `mixed`; None where nobody said."""
        return target_of_estimates(self.config)

    def predict(
        self,
        images: Images,
        *,
        crops: bool = False,
        batch_size: int | None = None,
        on_error: Literal["reason", "raise"] = "reason",
        least_score: float = LEAST_SCORE,
        least_distance: float = LEAST_DISTANCE,
        level: float = LEVEL,
        workers: int | None = None,
        progress: bool = False,
    ) -> Estimates:
        """Return the estimates of all faces in pictures, largest face first.

        A picture without a face, or one that cannot be read, has one estimate too: without an age
        and with the reason.

        Args:
            images: See `pictures_of`: a path, folder or pattern, bytes, an RGB array, an image of
                Pillow, a table of faces, or many of them.
            crops: Each picture shows one face, framed as those that the model was trained on.
            batch_size: Faces that the network sees at once.
            on_error: `raise` a DataError for the first picture without an estimate instead.
            least_score: Least score of a face, 0..1.
            least_distance: Least distance between the eyes in pixels.
            level: Share of faces whose true age the intervals are to hold.
            workers: Threads that read pictures and find faces; one a processor if unset.
            progress: Show a progress bar on standard error where that is a terminal.

        Raises:
            ConfigError: An option makes no sense, or the model cannot see faces in photographs.
            DataError: Nothing is given, or nothing of these kinds.

        Examples:
            >>> import fairage
            >>> model = fairage.load()
            >>> model.predict(np.zeros((64, 64, 3), dtype=np.uint8))[0].reason
            'no face was found'
        """
        if not 0 < level < 1:
            raise ConfigError(f"expected a level between 0 and 1, got {level}, try {LEVEL}")
        pictures = pictures_of(images)
        cuts = self._cutter.cuts(
            pictures.stream,
            crops=crops,
            least_score=least_score,
            least_distance=least_distance,
            workers=workers,
        )
        done: list[tuple[Picture, Estimate]] = []
        total = pictures.count or 0
        with progress_bar("estimating", total, unit="pictures", shown=progress) as advance:
            for batch in _batches(cuts, batch_size or BATCH_SIZE):
                estimates = self._estimates(batch, level)
                done += zip((cut.picture for cut in batch), estimates, strict=True)
                advance(sum(not cut.face for cut in batch))
                if on_error == "raise":
                    _raise_first(estimates)
        return Estimates(
            tuple(estimate for _, estimate in done),
            tuple(picture for picture, _ in done),
            pictures.table,
        )

    def embed(self, images: Images, *, crops: bool = False) -> NDArray[np.float32]:
        """Return the embeddings `(n, dim)` of the largest face in each picture.

        Args:
            images: See `predict`.
            crops: See `predict`.

        Raises:
            DataError: A picture shows no face.
        """
        largest = (
            cut
            for cut in self._cutter.cuts(pictures_of(images).stream, crops=crops)
            if not cut.face
        )
        parts = []
        for batch in _batches(largest, BATCH_SIZE):
            _raise_first([_without(cut) for cut in batch if cut.pixels is None])
            parts.append(self.network.embed(_stacked(batch)))
        return np.concatenate(parts)

    def over(
        self,
        age: float,
        images: Images,
        *,
        wrong_yes: float | None = 0.01,
        wrong_no: float | None = None,
        crops: bool = False,
    ) -> list[str]:
        """Return for each face whether its person is of an age or older: yes, no or refer.

        Where there is no estimate the answer is refer. See `fit_rule` for what is promised.

        Args:
            age: Years.
            images: See `predict`.
            wrong_yes: Share of faces under the age that may be answered yes.
            wrong_no: Share of faces of the age or older that may be answered no; where None, no
                one is answered no.
            crops: See `predict`.

        Raises:
            ConfigError: The model is not calibrated, or a share makes no sense.
        """
        rule = self.rule(age, wrong_yes=wrong_yes, wrong_no=wrong_no)
        answers: list[str] = rule.answers(self.predict(images, crops=crops).ages).tolist()
        return answers

    def rule(
        self, age: float, *, wrong_yes: float | None = 0.01, wrong_no: float | None = None
    ) -> AgeRule:
        """Return the rule by which `over` answers, with what it rests on and what it costs."""
        if self.intervals is None:
            raise ConfigError(
                "expected a model that is calibrated, got one without intervals, run: fairage "
                "calibrate BUNDLE FACES"
            )
        rows = self.intervals.rows
        return fit_rule(rows, self.intervals, age, wrong_yes=wrong_yes, wrong_no=wrong_no)

    def calibrate(self, faces: Faces, **options: Any) -> "Model":  # noqa: ANN401  # see calibrate
        """Return the model with intervals and decisions for faces such as these.

        Args:
            faces: Faces with known ages that neither trained the model nor chose it.
            options: See `fairage.prediction.calibrating.calibrate`.
        """
        from fairage.prediction.calibrating import calibrate

        return calibrate(self, faces, **options).model

    def save(self, folder: str | Path) -> None:
        """Write the model as a bundle into a folder, which appears whole or not at all."""
        from fairage.prediction.bundle_saving import save_model

        save_model(self, Path(folder))

    def push(
        self,
        name: str,
        *,
        private: bool = False,
        message: str | None = None,
        revision: str | None = None,
        audits: Sequence[str | Path] = (),
    ) -> str:
        """Push the model's bundle to the hub as `hub:ORG/NAME`, and return the commit's address.

        See `fairage.prediction.hub.push` for the arguments and the errors.
        """
        from fairage.prediction.hub import push

        if self.folder is None:
            raise ConfigError("expected a model with a folder, got one without, save it first")
        return push(
            self.folder, name, private=private, message=message, revision=revision, audits=audits
        )

    def export(
        self,
        folder: str | Path,
        *,
        int8: bool = False,
        calibration: "Images | None" = None,
        crops: bool = False,
        progress: bool = False,
    ) -> dict[str, Any]:
        """Write the model as one ONNX graph, from pixels to ages, that needs no torch.

        Args:
            folder: Where to; an earlier export there is replaced.
            int8: Have the backbones compute in int8, and measure what that costs.
            calibration: At least 100 faces for int8; see `predict` for what they may be.
            crops: Each of their pictures shows one face.
            progress: Show a progress bar.

        Returns:
            What `export.json` says.

        Raises:
            ConfigError: The folder holds something else, or int8 without faces.
            DataError: The model cannot be exported, or there are too few faces.
            MissingDependencyError: A package that exporting takes is not installed.
        """
        if int8 != (calibration is not None):
            raise ConfigError(
                "expected faces for int8, at least 100, and no others, got one of both alone, give "
                "both (--int8 --calibration FACES) or neither"
            )
        from fairage.prediction.export import export_model

        try:
            return export_model(
                self, folder, calibration=calibration, crops=crops, progress=progress
            )
        except ModuleNotFoundError as error:
            if (missing := MissingDependencyError.of(error)) is error:
                raise
            raise missing from error

    @cached_property
    def _cutter(self) -> FaceCutter:
        return FaceCutter(self.network.inputs, self.detector, self.framing)

    def _estimates(self, cuts: Sequence[FaceCut], level: float) -> list[Estimate]:
        """Return the estimates of a batch; the network sees those that have pixels."""
        estimates = [_without(cut) for cut in cuts]
        places = [place for place, cut in enumerate(cuts) if cut.pixels is not None]
        if not places:
            return estimates
        ages, spreads = self.network.estimate(_stacked(cuts))
        ages = self.age_map(ages)
        for place, age, spread in zip(places, ages.tolist(), spreads.tolist(), strict=True):
            estimates[place] = replace(estimates[place], age=age, spread=spread)
        if self.intervals is None:
            return estimates
        low, high = self.intervals.interval(ages, spreads, level=level)
        for place, *ends in zip(places, map(_end, low), map(_end, high), strict=True):
            estimates[place] = replace(
                estimates[place], low=ends[0], high=ends[1], level=level, intervals=self.intervals
            )
        return estimates


def _without(cut: FaceCut) -> Estimate:
    """Return the estimate of a face before there is an age."""
    face = cut.found
    if face is None:
        return Estimate(cut.picture.name, cut.face, reason=cut.reason)
    return Estimate(
        cut.picture.name,
        cut.face,
        box=face.box,
        landmarks=face.landmarks,
        score=face.score,
        blur=face.blur,
        reason=cut.reason,
    )


def _end(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _stacked(cuts: Sequence[FaceCut]) -> list[Pixels]:
    """Return the pixels `(n, height, width, 3)` for each input."""
    pixels = [cut.pixels for cut in cuts if cut.pixels is not None]
    return [np.stack(each) for each in zip(*pixels, strict=True)]


def _batches(cuts: Iterable[FaceCut], size: int) -> Iterator[list[FaceCut]]:
    cuts = iter(cuts)
    while batch := list(islice(cuts, size)):
        yield batch


def _raise_first(estimates: Sequence[Estimate]) -> None:
    for each in estimates:
        if each.age is None:
            raise DataError(f"expected a face in {each.image!r}, got none: {each.reason}")
