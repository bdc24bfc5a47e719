"""What is to be embedded of an image: the image itself, or augmented copies of it."""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fairage._images import decode_image, read_image_bytes
from fairage._random import numpy_rng
from fairage.embeddings.batcher import Lane
from fairage.embeddings.detections import Detections, landmarks_of
from fairage.embeddings.store import content_key
from fairage.exceptions import DataError
from fairage.faces.augmentation import Augmentation

__all__ = [
    "Chance",
    "Changed",
    "Itself",
    "ReadImage",
    "Seen",
    "Version",
    "Wanted",
    "copy_key",
    "read_ahead",
]

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Version:
    """One embedding that is wanted.

    Args:
        key: What the store knows it by.
        change: What is done to the pixels that a network would see of the image.
    """

    key: bytes
    change: Callable[[Image], Image]


class Wanted(Protocol):
    """An image of which one embedding or several are wanted."""

    @property
    def row(self) -> int:
        """Row number in the faces table."""
        ...

    @property
    def image(self) -> str:
        """Path or URL."""
        ...

    def __len__(self) -> int: ...

    def versions(self, key: bytes) -> list[Version]:
        """Return the embeddings that are wanted of the image with this content key."""
        ...


@dataclass(frozen=True)
class Itself:
    """An image as it is."""

    row: int
    image: str

    def __len__(self) -> int:
        return 1

    def versions(self, key: bytes) -> list[Version]:
        """Return the one embedding that is wanted."""
        return [Version(key, _unchanged)]


@dataclass(frozen=True)
class Chance:
    """What decides how a copy looks, beside the image and the number of the copy."""

    augmentation: Augmentation
    seed: int

    def version(self, key: bytes, copy: int) -> Version:
        """Return a copy of the image with this content key."""
        return Version(
            copy_key(key, self.augmentation, seed=self.seed, copy=copy),
            partial(self._changed, key, copy),
        )

    def _changed(self, key: bytes, copy: int, pixels: Image) -> Image:
        """Change the pixels, whatever thread or backbone asks, and in whatever order."""
        return self.augmentation.augment_image(
            pixels, numpy_rng(self.seed, "augment", key.hex(), copy)
        )


@dataclass(frozen=True)
class Changed:
    """Some copies of an image, by their numbers."""

    row: int
    image: str
    copies: tuple[int, ...]
    chance: Chance

    def __len__(self) -> int:
        return len(self.copies)

    def versions(self, key: bytes) -> list[Version]:
        """Return the copies that are wanted."""
        return [self.chance.version(key, copy) for copy in self.copies]


def copy_key(image: bytes, augmentation: Augmentation, *, seed: int, copy: int) -> bytes:
    """Return the key of a copy: a hash of the image's key and of all that changes the copy.

    Examples:
        >>> from fairage.faces.augmentation import make_augmentation
        >>> image, kit = content_key(b"an image"), make_augmentation("kit")
        >>> one, two = (copy_key(image, kit, seed=0, copy=copy) for copy in (1, 2))
        >>> len({image, one, two})
        3
    """
    told = [image.hex(), augmentation.to_dict(), seed, copy]
    return content_key(json.dumps(told, sort_keys=True).encode())


def _unchanged(pixels: Image) -> Image:
    return pixels


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
