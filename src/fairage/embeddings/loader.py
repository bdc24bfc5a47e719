"""Reading images for networks: in threads, in order, each file once, landmarks with it."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fairage._images import decoded, read_image_bytes
from fairage._random import numpy_rng
from fairage.embeddings.batcher import BackboneBatcher
from fairage.embeddings.detections import Detections, landmarks_of
from fairage.embeddings.store import content_key
from fairage.exceptions import DataError
from fairage.faces.augmentation import Augmentation
from fairage.faces.views import Landmarks

Image = NDArray[np.uint8]


class DecodedImage(NamedTuple):
    """The pixels of an image, with the landmarks of the face in it.

    Args:
        pixels: Shape `(height, width, 3)`, red, green, blue.
        landmarks: Shape `(5, 2)`; None where no face was found or none was looked for.
        detected: What the detector found, where that was not known yet.
    """

    pixels: Image
    landmarks: Landmarks | None
    detected: NDArray[np.float32] | None


@contextmanager
def decoded_face(data: bytes, key: bytes, detections: Detections | None) -> Iterator[DecodedImage]:
    """Yield the pixels of a file with this content key, and its landmarks where wanted.

    Leave the block once what is needed of the pixels is made, as others wait for their room.
    """
    with decoded(data) as pixels:
        if detections is None:
            yield DecodedImage(pixels, None, None)
            return
        is_new = key not in detections
        row = detections.detect(pixels) if is_new else detections.row(key)
        yield DecodedImage(pixels, landmarks_of(row), row if is_new else None)


@dataclass(frozen=True)
class ImageVariant:
    """One embedding that is wanted.

    Args:
        key: What the store knows it by.
        change: What is done to the pixels that a network would see of the image.
    """

    key: bytes
    change: Callable[[Image], Image]


class ImageRequest(Protocol):
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

    def variants(self, key: bytes) -> list[ImageVariant]:
        """Return the embeddings that are wanted of the image with this content key."""
        ...


@dataclass(frozen=True)
class Original:
    """An image as it is."""

    row: int
    image: str

    def __len__(self) -> int:
        return 1

    def variants(self, key: bytes) -> list[ImageVariant]:
        """Return the one embedding that is wanted."""
        return [ImageVariant(key, _unchanged)]


@dataclass(frozen=True)
class CopyLook:
    """What decides how a copy looks, beside the image and the number of the copy."""

    augmentation: Augmentation
    seed: int

    def variant(self, key: bytes, copy: int) -> ImageVariant:
        """Return a copy of the image with this content key."""
        return ImageVariant(
            copy_key(key, self.augmentation, seed=self.seed, copy=copy),
            partial(self._changed, key, copy),
        )

    def _changed(self, key: bytes, copy: int, pixels: Image) -> Image:
        """Change the pixels, whatever thread or backbone asks, and in whatever order."""
        return self.augmentation.augment_image(
            pixels, numpy_rng(self.seed, "augment", key.hex(), copy)
        )


@dataclass(frozen=True)
class Augmented:
    """Some copies of an image, by their numbers."""

    row: int
    image: str
    copies: tuple[int, ...]
    look: CopyLook

    def __len__(self) -> int:
        return len(self.copies)

    def variants(self, key: bytes) -> list[ImageVariant]:
        """Return the copies that are wanted."""
        return [self.look.variant(key, copy) for copy in self.copies]


def copy_key(image: bytes, augmentation: Augmentation, *, seed: int, copy: int) -> bytes:
    """Return the key of a copy: a hash of the image's key and of all that changes the copy.

    Examples:
        >>> from fairage.faces.augmentation import make_augmentation
        >>> image, kit = content_key(b"an image"), make_augmentation("kit")
        >>> one, two = (copy_key(image, kit, seed=0, copy=copy) for copy in (1, 2))
        >>> len({image, one, two})
        3
    """
    parts = [image.hex(), augmentation.to_dict(), seed, copy]
    return content_key(json.dumps(parts, sort_keys=True).encode())


def _unchanged(pixels: Image) -> Image:
    return pixels


@dataclass(frozen=True)
class PreparedPixels:
    """What a backbone sees, by the batcher's number, and the key of the embedding it will give."""

    batcher: int
    key: bytes
    pixels: Image


@dataclass(frozen=True)
class LoadedImage:
    """One image, ready for the backbones that lack embeddings of it.

    Args:
        request: What is wanted.
        key: The image's content key; None where it could not be read.
        keys: Keys of the embeddings that are wanted of it.
        prepared: Those of them that are lacking.
        reason: Why it could not be read.
        detected: What the detector found in it, where that was not known yet.
    """

    request: ImageRequest
    key: bytes | None
    keys: tuple[bytes, ...] = ()
    prepared: tuple[PreparedPixels, ...] = ()
    reason: str = ""
    detected: NDArray[np.float32] | None = None


def load_image(
    request: ImageRequest, batchers: Sequence[BackboneBatcher], detections: Detections | None
) -> LoadedImage:
    """Return an image as the backbones see it; what none of them lacks is not decoded.

    The file is read once: the key and the pixels come from the same bytes.
    """
    try:
        data = read_image_bytes(request.image)
        key = content_key(data)
        variants = request.variants(key)
        keys = tuple(variant.key for variant in variants)
        lacking = _lacking(variants, batchers)
        if not lacking and (detections is None or key in detections):
            return LoadedImage(request, key, keys)
        with decoded_face(data, key, detections) as image:
            views = {
                number: batchers[number].pixels(image.pixels, image.landmarks) for number in lacking
            }
            detected = image.detected
    except DataError as error:
        return LoadedImage(request, None, reason=str(error))
    prepared = tuple(
        PreparedPixels(number, variant.key, variant.change(views[number]))
        for number, own in lacking.items()
        for variant in own
    )
    return LoadedImage(request, key, keys, prepared, detected=detected)


def _lacking(
    variants: Sequence[ImageVariant], batchers: Sequence[BackboneBatcher]
) -> dict[int, list[ImageVariant]]:
    """Return what each backbone lacks, by its number; those that lack nothing are left out."""
    lacking = {
        number: [variant for variant in variants if variant.key not in batcher.store]
        for number, batcher in enumerate(batchers)
    }
    return {number: own for number, own in lacking.items() if own}
