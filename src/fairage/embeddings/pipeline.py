"""What embedding a faces table gives: values, the rows they belong to, and what failed."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairage._work import progress_bar
from fairage.embeddings.backbones.registry import Backbone, find_backbone
from fairage.embeddings.batcher import Lane
from fairage.embeddings.detections import Detections, landmarks_of
from fairage.embeddings.loader import ReadImage, Wanted, read_ahead
from fairage.embeddings.options import BackboneSpec
from fairage.embeddings.precision import agreed_runtime
from fairage.embeddings.runtime import Runtime, choose_runtime
from fairage.embeddings.store import Opened
from fairage.exceptions import ConfigError, DataError
from fairage.faces.detection import find_detector
from fairage.faces.views import view_from_name

__all__ = [
    "ON_ERROR",
    "Embeddings",
    "Failure",
    "Machine",
    "Way",
    "embed_wanted",
    "open_detections",
    "open_lanes",
]


@dataclass(frozen=True)
class Failure:
    """A face that has no embedding.

    Args:
        row: Row number in the faces table, from 0.
        image: Its path or URL.
        reason: Why the image could not be read.
    """

    row: int
    image: str
    reason: str


@dataclass(frozen=True)
class Embeddings:
    """The embeddings of a faces table.

    Args:
        values: Shape `(n, dim)`, float32, the backbones' embeddings side by side.
        rows: Shape `(n,)`, increasing: the row of the faces table that each value belongs to. A row
            with several copies stands there as often.
        failures: The other rows of the table.
        backbones: A JSON-ready description of each backbone, in the order of the values' columns.
        no_face: The rows where an aligned view fell back to the middle of the picture, as no face
            was found.
        new: Images that were embedded now; the others were in the store, or twice in the table.
        seconds: How long it took.
    """

    values: NDArray[np.float32]
    rows: NDArray[np.int64]
    failures: tuple[Failure, ...]
    backbones: tuple[dict[str, Any], ...]
    new: int
    no_face: tuple[int, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Machine:
    """What the user wants the networks to run on; see `embed`."""

    device: str = "auto"
    precision: str = "auto"
    batch_size: int | None = None

    def runtime(self, images: int, *, precision: str | None = None) -> Runtime:
        """Return the runtime for a table of so many images."""
        asked = precision or self.precision
        return choose_runtime(self.device, asked, batch_size=self.batch_size, images=images)


def open_lanes(
    images: Sequence[str],
    specs: Sequence[BackboneSpec],
    root: Path,
    machine: Machine,
    detections: Detections | None,
    *,
    opened: Opened,
) -> list[Lane]:
    """Return a lane for each backbone and view, with what the store holds of it.

    What has been opened is shared, and what is opened now is added to it.

    Raises:
        ConfigError: There is no backbone, or one stands twice, or is none.
    """
    if not specs or len(set(specs)) < len(specs):
        raise ConfigError(
            f"expected one or more different backbones, got {[spec.name for spec in specs]}, "
            "name each once"
        )
    named = {spec.name: find_backbone(spec.name) for spec in specs}
    runtimes = {name: _runtime(found, images, root, machine) for name, found in named.items()}
    shared = {name: found.shared() for name, found in named.items()}
    detector = None if detections is None else detections.detector.fingerprint()
    lanes = [
        Lane(shared[spec.name], spec, root, runtimes[spec.name], detector=detector)
        for spec in specs
    ]
    for lane in lanes:
        lane.store = opened.setdefault(lane.store.folder, lane.store)
        lane.store.load()
    return lanes


def open_detections(
    specs: Sequence[BackboneSpec], root: Path, detector: Path | None
) -> Detections | None:
    """Return what is known of the faces' landmarks, or None where no view is an aligned one.

    Raises:
        ConfigError: An aligned view has no detector.
        DataError: The detector's file holds none.
    """
    if not any(view_from_name(spec.view).needs_landmarks for spec in specs):
        return None
    detections = Detections(root, find_detector(detector))
    detections.load()
    return detections


def _runtime(backbone: Backbone, images: Sequence[str], root: Path, machine: Machine) -> Runtime:
    """Return how to run a backbone; `auto` takes bf16 only where the backbone bears it."""
    runtime = machine.runtime(len(images))
    if machine.precision != "auto":
        return runtime
    plain = machine.runtime(len(images), precision="fp32")
    return agreed_runtime(backbone, runtime, plain, images, root)


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
