"""Reading and decoding images in threads, ahead of the networks that wait for them."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fairage.embeddings.detections import Detections, landmarks_of
from fairage.embeddings.lane import Lane
from fairage.embeddings.shards import content_key
from fairage.exceptions import DataError
from fairage.faces.decoding import decode_image
from fairage.faces.sources import read_image_bytes

__all__ = ["ReadImage", "read_ahead"]

_MOST_DECODERS = 8
_DOWNLOADERS = 16


@dataclass(frozen=True)
class ReadImage:
    """One image, ready for the lanes that lack its embedding.

    Args:
        row: Row number in the faces table.
        key: Its content key; None where it could not be read.
        pixels: What each lane's network sees of it, by the lane's number.
        reason: Why it could not be read.
        detected: What the detector found in it, where that was not known yet.
    """

    row: int
    key: bytes | None
    pixels: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    reason: str = ""
    detected: NDArray[np.float32] | None = None


def read_ahead(
    images: Sequence[str],
    lanes: Sequence[Lane],
    *,
    ahead: int,
    detections: Detections | None = None,
) -> Iterator[ReadImage]:
    """Yield every image in order, while the next ones are read and decoded in threads.

    A file is read once: the key and the pixels come from the same bytes. What no lane lacks is not
    decoded.

    Args:
        images: Paths or URLs.
        lanes: Who wants pixels.
        ahead: How many images may wait.
        detections: Landmarks for aligned views, if there are any.
    """
    remote = any("://" in image for image in images)
    workers = _DOWNLOADERS if remote else max(1, min(_MOST_DECODERS, os.cpu_count() or 1))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="fairage-read")
    waiting: deque[Future[ReadImage]] = deque()
    try:
        for row, image in enumerate(images):
            waiting.append(pool.submit(_read, row, image, lanes, detections))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _read(row: int, image: str, lanes: Sequence[Lane], detections: Detections | None) -> ReadImage:
    try:
        data = read_image_bytes(image)
        key = content_key(data)
        lacking = [number for number, lane in enumerate(lanes) if key not in lane.store]
        undetected = detections is not None and key not in detections
        if not lacking and not undetected:
            return ReadImage(row, key)
        decoded = decode_image(data)
    except DataError as error:
        return ReadImage(row, None, reason=str(error))
    face = None
    if detections is not None:
        face = detections.detect(decoded) if undetected else detections.row(key)
    points = None if face is None else landmarks_of(face)
    pixels = {number: lanes[number].pixels(decoded, points) for number in lacking}
    return ReadImage(row, key, pixels, detected=face if undetected else None)
