"""The way from images to embeddings: read, prepared, batched, stored and gathered."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairage._text import joined
from fairage._work import in_order, progress_bar, reader_threads
from fairage.embeddings.backbones import Backbone, find_backbone
from fairage.embeddings.batcher import BackboneBatcher
from fairage.embeddings.detections import Detections, landmarks_of
from fairage.embeddings.embed_options import BackboneSpec, EmbedOptions
from fairage.embeddings.loader import (
    ImageRequest,
    LoadedImage,
    load_image,
)
from fairage.embeddings.precision import agreed_runtime
from fairage.embeddings.runtime import Runtime, choose_runtime
from fairage.embeddings.store import Opened
from fairage.exceptions import ConfigError, DataError
from fairage.faces.detection import find_detector
from fairage.faces.views import view_from_name

_BATCHES_AHEAD = 2
_LEAST_AHEAD = 8
_NAMED = 3


@dataclass(frozen=True)
class Failure:
    """A face that has no embedding.

    Args:
        row: Row number in the faces table, from 0.
        image: Its path or URL.
        reason: Why the image could not be read, or what is wrong with its embedding.
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


def embed_requests(
    requests: Sequence[ImageRequest], options: EmbedOptions, title: str, opened: Opened
) -> Embeddings:
    """Return what is wanted, in that order, computing only what the store does not hold.

    Args:
        requests: Which embeddings of which images.
        options: See `embed`.
        title: What the progress bar says.
        opened: Parts of the store that earlier runs have read; this run's are added.
    """
    started = time.monotonic()
    detections = open_detections(options.backbones, options.store, options.detector)
    images = [request.image for request in requests for _ in range(len(request))]
    run = _Run(_open_batchers(images, options, detections, opened), detections)
    with progress_bar(title, len(images), unit="images", shown=options.progress) as advance:
        _fill_store(run, requests, options, advance)
    return _gathered(run, seconds=time.monotonic() - started)


def open_detections(
    backbones: Sequence[BackboneSpec], store: Path, detector: Path | None
) -> Detections | None:
    """Return what is known of the faces' landmarks, or None where no view is an aligned one.

    Raises:
        ConfigError: There is no such file.
        DataError: It holds no detector.
    """
    if not any(view_from_name(backbone.view).needs_landmarks for backbone in backbones):
        return None
    detections = Detections(store, find_detector(detector))
    detections.load()
    return detections


def _open_batchers(
    images: Sequence[str], options: EmbedOptions, detections: Detections | None, opened: Opened
) -> list[BackboneBatcher]:
    """Return a batcher for each backbone and view, with what the store holds of it."""
    specs = options.backbones
    if not specs or len(set(specs)) < len(specs):
        raise ConfigError(
            f"expected one or more different backbones, got {[spec.name for spec in specs]}, "
            "name each once"
        )
    backbones = {spec.name: find_backbone(spec.name) for spec in specs}
    runtimes = {name: _runtime(backbone, images, options) for name, backbone in backbones.items()}
    shared = {name: backbone.shared() for name, backbone in backbones.items()}
    detector = None if detections is None else detections.detector.fingerprint()
    batchers = [
        BackboneBatcher(
            shared[spec.name], spec, options.store, runtimes[spec.name], detector=detector
        )
        for spec in specs
    ]
    for batcher in batchers:
        batcher.store = opened.setdefault(batcher.store.folder, batcher.store)
        batcher.store.load()
    return batchers


def _runtime(backbone: Backbone, images: Sequence[str], options: EmbedOptions) -> Runtime:
    """Return how to run a backbone; `auto` takes bf16 only where the backbone bears it."""
    choose = partial(
        choose_runtime, options.device, batch_size=options.batch_size, images=len(images)
    )
    runtime = choose(options.precision)
    if options.precision != "auto":
        return runtime
    return agreed_runtime(backbone, runtime, choose("fp32"), images, options.store)


@dataclass
class _Run:
    """What a run works with, and what it has come to."""

    batchers: list[BackboneBatcher]
    detections: Detections | None
    images: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    failures: dict[int, Failure] = field(default_factory=dict)
    new: set[bytes] = field(default_factory=set)

    def take(self, image: LoadedImage) -> None:
        """Hand what is lacking of an image that could be read to the backbones that lack it."""
        assert image.key is not None
        self.images[image.request.row] = (image.request.image, image.key)
        self.rows += [image.request.row] * len(image.keys)
        self.keys += image.keys
        if self.detections is not None and image.detected is not None:
            self.detections.add(image.key, image.detected)
        for prepared in image.prepared:
            if self.batchers[prepared.batcher].add(prepared.key, prepared.pixels):
                self.new.add(prepared.key)

    def finish(self) -> None:
        """Run what is left, store it, tidy the store."""
        for part in (self.detections, *self.batchers):
            if part is not None:
                part.finish()

    def flush(self) -> None:
        """Store what has been computed."""
        for part in (self.detections, *self.batchers):
            if part is not None:
                part.flush()

    def without_face(self) -> tuple[int, ...]:
        """Return the rows of images in which the detector found no face."""
        known = self.detections
        if known is None:
            return ()
        images = self.images.items()
        return tuple(row for row, (_, key) in images if landmarks_of(known.row(key)) is None)

    def without_finite_embedding(self) -> list[Failure]:
        """Return the images of which a backbone has given an embedding that is not finite."""
        wrong = {key: each.spec.name for each in self.batchers for key in each.not_finite}
        rows = {
            row: wrong[key] for row, key in zip(self.rows, self.keys, strict=True) if key in wrong
        }
        return [
            Failure(row, self.images[row][0], f"{name!r} gives NaN or infinite numbers for it")
            for row, name in rows.items()
        ]

    def leave_out(self, failures: Sequence[Failure]) -> None:
        """Have images fail that were taken."""
        self.failures |= {failure.row: failure for failure in failures}
        self.failures = dict(sorted(self.failures.items()))
        kept = [
            (row, key)
            for row, key in zip(self.rows, self.keys, strict=True)
            if row not in self.failures
        ]
        self.rows, self.keys = [row for row, _ in kept], [key for _, key in kept]
        self.images = {row: it for row, it in self.images.items() if row not in self.failures}
        self.new &= set(self.keys)


def _fill_store(
    run: _Run,
    requests: Sequence[ImageRequest],
    options: EmbedOptions,
    advance: Callable[[int], None],
) -> None:
    """Bring everything that is wanted into the store."""
    batches = _BATCHES_AHEAD * max(batcher.runtime.batch_size for batcher in run.batchers)
    ahead = max(_LEAST_AHEAD, batches // max(map(len, requests), default=1))
    workers = reader_threads([request.image for request in requests], options.workers)
    load = partial(load_image, batchers=run.batchers, detections=run.detections)
    try:
        for image in in_order(requests, load, ahead=ahead, workers=workers):
            request = image.request
            if image.key is not None:
                run.take(image)
                if options.on_error == "fail":
                    _check_finite(run)
            else:
                failure = Failure(request.row, request.image, image.reason)
                run.failures[request.row] = failure
                if options.on_error == "fail":
                    raise _unreadable(failure)
            advance(len(request))
        run.finish()
        if options.on_error == "fail":
            _check_finite(run)
        run.leave_out(run.without_finite_embedding())
    finally:
        run.flush()


def _gathered(run: _Run, *, seconds: float) -> Embeddings:
    failures = tuple(run.failures.values())
    if not run.keys:
        raise DataError(
            f"expected at least one image that can be embedded, got {len(failures)} that cannot; "
            f"the first: {failures[0].reason}"
        )
    parts: list[NDArray[np.float32]] = [batcher.store.values(run.keys) for batcher in run.batchers]
    pairs = zip(run.batchers, parts, strict=True)
    return Embeddings(
        values=np.concatenate(parts, axis=1),
        rows=np.array(run.rows, dtype=np.int64),
        failures=failures,
        backbones=tuple(batcher.describe(part.shape[1]) for batcher, part in pairs),
        new=len(run.new),
        no_face=run.without_face(),
        seconds=seconds,
    )


def _check_finite(run: _Run) -> None:
    if not any(batcher.not_finite for batcher in run.batchers):
        return
    failures = run.without_finite_embedding()
    named = joined(f"row {each.row + 1} {each.image!r}" for each in failures[:_NAMED])
    more = f" and {len(failures) - _NAMED} more" if len(failures) > _NAMED else ""
    raise DataError(
        f"expected finite embeddings, got others for {named}{more}: {failures[0].reason}; the "
        "others are stored, look at these images and the backbone (a float16 file may overflow), "
        "or leave such images out with --on-error skip"
    )


def _unreadable(failure: Failure) -> DataError:
    return DataError(
        f"expected images that can be read, got row {failure.row + 1} {failure.image!r}: "
        f"{failure.reason}; what was embedded before it is stored, correct the image and run "
        "again, or leave such images out with --on-error skip"
    )
