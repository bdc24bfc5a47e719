"""Embedding a faces table: read, run what the store lacks, gather the values."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fairage.embeddings.detections import Detections, landmarks_of
from fairage.embeddings.lane import Lane
from fairage.embeddings.opening import Machine, open_detections, open_lanes
from fairage.embeddings.reading import ReadImage, read_ahead
from fairage.embeddings.results import Embeddings, Failure
from fairage.embeddings.spec import BackboneSpec
from fairage.exceptions import ConfigError, DataError
from fairage.progress import progress_bar
from fairage.tables import Faces

__all__ = ["ON_ERROR", "embed"]

ON_ERROR = ("fail", "skip")
_BATCHES_AHEAD = 2


def embed(
    faces: Faces,
    backbones: Sequence[BackboneSpec],
    *,
    store: Path,
    batch_size: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    detector: Path | None = None,
    on_error: Literal["skip", "fail"] = "fail",
    progress: bool = True,
) -> Embeddings:
    """Return the embeddings of all faces, computing only what the store does not hold.

    Whenever the process ends, what was computed stays in the store up to the last few seconds;
    called again, the work goes on from there. Several processes may share a store.

    Args:
        faces: The faces table.
        backbones: Their embeddings are put side by side.
        store: Folder of the embedding store; made if it is not there.
        batch_size: Images that go through a network at once; None for what suits the device.
        device: A torch device, or `auto`: the GPU where there is one.
        precision: `fp32`, `bf16`, or `auto`: bf16 where the machine is fast in it and the
            backbone, tried on some of the images, agrees with fp32 in it.
        detector: File of the face detector for aligned views; None for what the environment
            variable `FAIRAGE_DETECTOR` names.
        on_error: Whether an image that cannot be read ends the run or is listed and left out.
        progress: Whether to show a bar on a terminal.

    Raises:
        ConfigError: A name, view, device or number makes no sense, or an aligned view has no
            detector.
        DataError: An image cannot be read and `on_error` is `fail`, or none can be read.
    """
    if on_error not in ON_ERROR:
        raise ConfigError.unknown_name("on_error", on_error, ON_ERROR)
    started = time.monotonic()
    root = Path(store)
    detections = open_detections(backbones, root, detector)
    machine = Machine(device, precision, batch_size)
    lanes = open_lanes(faces.images, backbones, root, machine, detections)
    work = _Work(lanes, detections)
    with _bar(len(faces), shown=progress) as advance:
        _fill(work, faces.images, on_error, advance)
    return _gathered(work, seconds=time.monotonic() - started)


@dataclass
class _Work:
    """What a run works with, and what it has come to."""

    lanes: list[Lane]
    detections: Detections | None
    keys: dict[int, bytes] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    new: set[bytes] = field(default_factory=set)

    def take(self, image: ReadImage) -> None:
        """Hand an image that could be read to the lanes that lack it."""
        assert image.key is not None
        self.keys[image.row] = image.key
        if self.detections is not None and image.detected is not None:
            self.detections.add(image.key, image.detected)
        for number, pixels in image.pixels.items():
            if self.lanes[number].add(image.key, pixels):
                self.new.add(image.key)

    def finish(self) -> None:
        """Run what is left, store it, tidy the store."""
        for part in (self.detections, *self.lanes):
            if part is not None:
                part.finish()

    def flush(self) -> None:
        """Store what has been computed."""
        for part in (self.detections, *self.lanes):
            if part is not None:
                part.flush()

    def without_face(self) -> tuple[int, ...]:
        """Return the rows of images in which the detector found no face."""
        known = self.detections
        if known is None:
            return ()
        return tuple(row for row, key in self.keys.items() if landmarks_of(known.row(key)) is None)


@contextmanager
def _bar(total: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    if shown:
        with progress_bar("embedding", total, unit="images") as advance:
            yield advance
    else:
        yield lambda _: None


def _fill(work: _Work, images: list[str], on_error: str, advance: Callable[[int], None]) -> None:
    """Bring every image into the store."""
    ahead = _BATCHES_AHEAD * max(lane.runtime.batch_size for lane in work.lanes)
    try:
        for image in read_ahead(images, work.lanes, ahead=ahead, detections=work.detections):
            if image.key is not None:
                work.take(image)
            else:
                work.failures.append(Failure(image.row, images[image.row], image.reason))
                if on_error == "fail":
                    raise _unreadable(work.failures[0])
            advance(1)
        work.finish()
    finally:
        work.flush()


def _gathered(work: _Work, *, seconds: float) -> Embeddings:
    if not work.keys:
        raise DataError(
            f"expected at least one image that can be read, got {len(work.failures)} that cannot; "
            f"the first: {work.failures[0].reason}"
        )
    keys = list(work.keys.values())
    parts: list[NDArray[np.float32]] = [lane.store.values(keys) for lane in work.lanes]
    told = [lane.describe(part.shape[1]) for lane, part in zip(work.lanes, parts, strict=True)]
    return Embeddings(
        values=np.concatenate(parts, axis=1),
        rows=np.fromiter(work.keys, dtype=np.int64),
        failures=tuple(work.failures),
        backbones=tuple(told),
        new=len(work.new),
        no_face=work.without_face(),
        seconds=seconds,
    )


def _unreadable(failure: Failure) -> DataError:
    return DataError(
        f"expected images that can be read, got row {failure.row + 1} {failure.image!r}: "
        f"{failure.reason}; what was embedded before it is stored, correct the image and run "
        "again, or leave such images out with --on-error skip"
    )
