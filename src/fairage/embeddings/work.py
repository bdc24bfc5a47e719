"""One run over images: read, run what the store lacks, gather the values."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairage._work import progress_bar
from fairage.embeddings.detections import Detections, landmarks_of
from fairage.embeddings.lane import Lane
from fairage.embeddings.opening import Machine, open_detections, open_lanes
from fairage.embeddings.reading import ReadImage, read_ahead
from fairage.embeddings.results import Embeddings, Failure
from fairage.embeddings.spec import BackboneSpec
from fairage.embeddings.store import Opened
from fairage.embeddings.wanted import Wanted
from fairage.exceptions import ConfigError, DataError

__all__ = ["ON_ERROR", "Way", "embed_wanted"]

ON_ERROR = ("fail", "skip")
_BATCHES_AHEAD = 2
_LEAST_AHEAD = 8


@dataclass(frozen=True)
class Way:
    """How the user wants it done; see `embed`.

    Args:
        machine: What the networks run on.
        detector: File of the face detector, or None for what the environment names.
        on_error: What an image that cannot be read does.
        bar: What the progress bar says; None for no bar.
        opened: Parts of the store that earlier runs have read.
    """

    machine: Machine
    detector: Path | None
    on_error: str
    bar: str | None
    opened: Opened = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.on_error not in ON_ERROR:
            raise ConfigError.unknown_name("on_error", self.on_error, ON_ERROR)


def embed_wanted(
    wanted: Sequence[Wanted], backbones: Sequence[BackboneSpec], root: Path, way: Way
) -> Embeddings:
    """Return what is wanted, in that order, computing only what the store does not hold."""
    started = time.monotonic()
    detections = open_detections(backbones, root, way.detector)
    images = [each.image for each in wanted for _ in range(len(each))]
    lanes = open_lanes(images, backbones, root, way.machine, detections, opened=way.opened)
    work = _Work(lanes, detections)
    with _bar(way.bar, len(images)) as advance:
        _fill(work, wanted, way.on_error, advance)
    return _gathered(work, seconds=time.monotonic() - started)


@dataclass
class _Work:
    """What a run works with, and what it has come to."""

    lanes: list[Lane]
    detections: Detections | None
    images: dict[int, bytes] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    failures: dict[int, Failure] = field(default_factory=dict)
    new: set[bytes] = field(default_factory=set)

    def take(self, image: ReadImage) -> None:
        """Hand what is lacking of an image that could be read to the lanes that lack it."""
        assert image.key is not None
        self.images[image.wanted.row] = image.key
        self.rows += [image.wanted.row] * len(image.keys)
        self.keys += image.keys
        if self.detections is not None and image.detected is not None:
            self.detections.add(image.key, image.detected)
        for seen in image.seen:
            if self.lanes[seen.lane].add(seen.key, seen.pixels):
                self.new.add(seen.key)

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
        found = self.images.items()
        return tuple(row for row, key in found if landmarks_of(known.row(key)) is None)


@contextmanager
def _bar(told: str | None, total: int) -> Iterator[Callable[[int], None]]:
    if told is None:
        yield lambda _: None
        return
    with progress_bar(told, total, unit="images") as advance:
        yield advance


def _fill(
    work: _Work, wanted: Sequence[Wanted], on_error: str, advance: Callable[[int], None]
) -> None:
    """Bring everything that is wanted into the store."""
    batches = _BATCHES_AHEAD * max(lane.runtime.batch_size for lane in work.lanes)
    ahead = max(_LEAST_AHEAD, batches // max(map(len, wanted), default=1))
    try:
        for image in read_ahead(wanted, work.lanes, ahead=ahead, detections=work.detections):
            each = image.wanted
            if image.key is not None:
                work.take(image)
            else:
                work.failures[each.row] = Failure(each.row, each.image, image.reason)
                if on_error == "fail":
                    raise _unreadable(work.failures[each.row])
            advance(len(each))
        work.finish()
    finally:
        work.flush()


def _gathered(work: _Work, *, seconds: float) -> Embeddings:
    failures = tuple(work.failures.values())
    if not work.keys:
        raise DataError(
            f"expected at least one image that can be read, got {len(failures)} that cannot; "
            f"the first: {failures[0].reason}"
        )
    parts: list[NDArray[np.float32]] = [lane.store.values(work.keys) for lane in work.lanes]
    told = [lane.describe(part.shape[1]) for lane, part in zip(work.lanes, parts, strict=True)]
    return Embeddings(
        values=np.concatenate(parts, axis=1),
        rows=np.array(work.rows, dtype=np.int64),
        failures=failures,
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
