"""Reading and decoding images in threads, ahead of the networks that wait for them."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage._images import decode_image, read_image_bytes
from fairage.embeddings.detections import Detections, landmarks_of
from fairage.embeddings.lane import Lane
from fairage.embeddings.shards import content_key
from fairage.embeddings.wanted import Version, Wanted
from fairage.exceptions import DataError

__all__ = ["ReadImage", "Seen", "read_ahead"]

_MOST_DECODERS = 8
_DOWNLOADERS = 16


@dataclass(frozen=True)
class Seen:
    """What one lane's network sees, and the key of the embedding that it will give."""

    lane: int
    key: bytes
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class ReadImage:
    """One image, ready for the lanes that lack embeddings of it.

    Args:
        wanted: What was asked for.
        key: The image's content key; None where it could not be read.
        keys: Keys of the embeddings that are wanted of it.
        seen: Those of them that are lacking.
        reason: Why it could not be read.
        detected: What the detector found in it, where that was not known yet.
    """

    wanted: Wanted
    key: bytes | None
    keys: tuple[bytes, ...] = ()
    seen: tuple[Seen, ...] = ()
    reason: str = ""
    detected: NDArray[np.float32] | None = None


def read_ahead(
    wanted: Sequence[Wanted],
    lanes: Sequence[Lane],
    *,
    ahead: int,
    detections: Detections | None = None,
) -> Iterator[ReadImage]:
    """Yield every image in order, while the next ones are read, decoded and changed in threads.

    A file is read once: the key and the pixels come from the same bytes. What no lane lacks is not
    decoded.

    Args:
        wanted: What is wanted of which images.
        lanes: Who wants pixels.
        ahead: How many images may wait.
        detections: Landmarks for aligned views, if there are any.
    """
    remote = any("://" in each.image for each in wanted)
    workers = _DOWNLOADERS if remote else max(1, min(_MOST_DECODERS, os.cpu_count() or 1))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="fairage-read")
    waiting: deque[Future[ReadImage]] = deque()
    try:
        for each in wanted:
            waiting.append(pool.submit(_read, each, lanes, detections))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _read(wanted: Wanted, lanes: Sequence[Lane], detections: Detections | None) -> ReadImage:
    try:
        data = read_image_bytes(wanted.image)
        key = content_key(data)
        versions = wanted.versions(key)
        keys = tuple(version.key for version in versions)
        lacking = _lacking(versions, lanes)
        undetected = detections is not None and key not in detections
        if not lacking and not undetected:
            return ReadImage(wanted, key, keys)
        decoded = decode_image(data)
    except DataError as error:
        return ReadImage(wanted, None, reason=str(error))
    face = None
    if detections is not None:
        face = detections.detect(decoded) if undetected else detections.row(key)
    points = None if face is None else landmarks_of(face)
    views = {number: lanes[number].pixels(decoded, points) for number in lacking}
    seen = tuple(
        Seen(number, version.key, version.change(views[number]))
        for number, lacked in lacking.items()
        for version in lacked
    )
    return ReadImage(wanted, key, keys, seen, detected=face if undetected else None)


def _lacking(versions: Sequence[Version], lanes: Sequence[Lane]) -> dict[int, list[Version]]:
    """Return what each lane lacks, by its number; lanes that lack nothing are left out."""
    lacked = {
        number: [version for version in versions if version.key not in lane.store]
        for number, lane in enumerate(lanes)
    }
    return {number: found for number, found in lacked.items() if found}
