"""What is to be embedded of an image: the image itself, or augmented copies of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fairage._random import numpy_rng
from fairage.embeddings.shards import content_key
from fairage.faces.augmentation import Augmentation

__all__ = ["Chance", "Changed", "Itself", "Version", "Wanted", "copy_key"]

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
