"""What may be given as pictures: files, folders, bytes, arrays, images of Pillow, tables."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._files import given_path
from fairage._images import check_size, decoded, pixels_of_pillow, read_image_bytes
from fairage._tables_io import is_table_name, read_table
from fairage._text import short
from fairage.exceptions import DataError
from fairage.tables import IMAGE, Faces

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

Pixels = NDArray[np.uint8]
Images: TypeAlias = (
    "str | Path | bytes | Pixels | PillowImage | Faces | pl.DataFrame | Picture | Iterable[Images]"
)
"""What `Model.predict` takes."""

IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".avif", ".heic", ".heif"),
)
"""How the names of files end that are taken for pictures in a folder."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture, not read yet.

    Args:
        name: Its path or URL, or its place among those that were given (`image 1`).
        source: What it is read from: path, URL, bytes, RGB pixels or an image of Pillow.
        row: Its row in the table that it came from.
    """

    name: str
    source: object = field(repr=False)
    row: int | None = None

    def data(self) -> bytes | None:
        """Return what is in its file; None where it is no file.

        Raises:
            DataError: It cannot be read.
        """
        if isinstance(self.source, str):
            return read_image_bytes(self.source)
        return self.source if isinstance(self.source, bytes) else None

    @contextmanager
    def pixels(self, data: bytes | None = None) -> Iterator[Pixels]:
        """Yield its pixels `(height, width, 3)`, red, green, blue, while there is room for them.

        Args:
            data: What is in its file, where that has been read.

        Raises:
            DataError: It cannot be read.
        """
        data = self.data() if data is None else data
        if data is not None:
            with decoded(data) as pixels:
                yield pixels
        elif isinstance(self.source, np.ndarray):
            yield _checked(self.source)
        else:
            yield _checked(_from_pillow(self.source))


@dataclass(frozen=True)
class Pictures:
    """Pictures one after another.

    Args:
        stream: The pictures; it can be gone through once.
        count: How many there are; None where that is not known.
        table: The table that they came from, its rows in their order.
    """

    stream: Iterator[Picture]
    count: int | None
    table: pl.DataFrame | None = None


def pictures_of(images: Images) -> Pictures:
    """Return the pictures that are meant.

    Args:
        images: A path or URL of a picture, a folder (with all in it), a pattern such as
            `photos/*.jpg`, a table of faces (`Faces`, a frame or a file: with a column `image`),
            bytes of a file, an RGB array `(height, width, 3)` or several `(n, height, width, 3)`,
            an image of Pillow, or any number of these but tables one after another.

    Raises:
        DataError: Nothing is meant, or nothing of these kinds.

    Examples:
        >>> given = pictures_of([np.zeros((20, 30, 3), dtype=np.uint8), "face.jpg"])
        >>> [picture.name for picture in given.stream]
        ['image 1', 'face.jpg']
    """
    if isinstance(images, Faces):
        return _of_names(images.images, images.frame)
    if isinstance(images, pl.DataFrame):
        return _of_frame(images, Path())
    if isinstance(images, str | Path):
        return _of_path(str(images))
    if isinstance(images, np.ndarray) and images.ndim == 4:
        images = list(images)
    if isinstance(images, Iterable) and not isinstance(images, bytes | np.ndarray):
        if not isinstance(images, Sequence):
            return Pictures(_numbered(images), None)
        pictures = list(_numbered(images))
        if not pictures:
            raise _nothing("an empty list")
        return Pictures(iter(pictures), len(pictures))
    return Pictures(iter([_one(images, 0)]), 1)


def _numbered(images: Iterable[Any]) -> Iterator[Picture]:
    for place, image in enumerate(images):
        if isinstance(image, str | Path):
            own = _of_path(str(image))
            if own.table is not None:
                raise DataError(
                    f"expected pictures, got the table {str(image)!r} among others, give it alone, "
                    "so that its ages and attributes are taken over"
                )
            yield from own.stream
        else:
            yield _one(image, place)


def _one(image: object, place: int) -> Picture:
    """Return a single picture."""
    name = f"image {place + 1}"
    if isinstance(image, Picture):
        return image
    if isinstance(image, bytes | bytearray | memoryview):
        return Picture(name, bytes(image))
    if isinstance(image, np.ndarray) or _is_pillow(image):
        return Picture(name, image)
    raise DataError(
        "expected pictures: paths, bytes, RGB arrays (height, width, 3) of uint8, images of "
        f"Pillow, or a table of faces, got {short(image)} ({type(image).__name__}) as {name}"
    )


def _of_path(text: str) -> Pictures:
    """Return what a path, a URL or a pattern means."""
    if "://" in text:
        return Pictures(iter([Picture(text, text)]), 1)
    path = given_path(text)
    if path.is_dir():
        return _of_names(_in_folder(path))
    if path.is_file() and is_table_name(path):
        return _of_frame(read_table(path), Path(os.path.realpath(path)).parent)
    if glob.has_magic(text) and not path.exists():
        names = sorted(glob.glob(text, recursive=True))  # noqa: PTH207  # the pattern may be absolute
        if not names:
            raise _nothing(f"the pattern {text!r}, which no file matches")
        return _of_names(names)
    return Pictures(iter([Picture(text, str(path))]), 1)


def _in_folder(folder: Path) -> list[str]:
    names = sorted(
        str(path)
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )
    if not names:
        raise _nothing(f"the folder {str(folder)!r} without one ({', '.join(IMAGE_SUFFIXES)})")
    return names


def _of_frame(frame: pl.DataFrame, root: Path) -> Pictures:
    if IMAGE not in frame.columns or frame.is_empty():
        raise DataError(
            f"expected a table with a column {IMAGE!r} and at least one row, got "
            f"{frame.height} rows of {frame.columns}, name the column with the paths {IMAGE!r}"
        )
    names = frame[IMAGE].cast(pl.String)
    if names.null_count():
        row = names.is_null().arg_true()[0] + 1
        raise DataError(f"expected a path or URL in {IMAGE!r}, got an empty cell in row {row}")
    return _of_names([each if "://" in each else str(root / each) for each in names], frame)


def _of_names(sources: Sequence[str], table: pl.DataFrame | None = None) -> Pictures:
    """Return the pictures at these paths; of a table they are called as it calls them."""
    names = sources if table is None else table[IMAGE].cast(pl.String).to_list()
    pairs = enumerate(zip(names, sources, strict=True))
    stream = (Picture(name, source, row) for row, (name, source) in pairs)
    return Pictures(stream, len(sources), table)


def _checked(pixels: NDArray[Any]) -> Pixels:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise DataError(
            "expected RGB pixels of shape (height, width, 3) and type uint8, got "
            f"{pixels.dtype} of shape {pixels.shape}, convert them"
        )
    check_size(*pixels.shape[:2])
    return np.ascontiguousarray(pixels)


def _is_pillow(image: object) -> bool:
    return type(image).__module__.partition(".")[0] == "PIL" and hasattr(image, "convert")


def _from_pillow(image: Any) -> NDArray[np.uint8]:  # noqa: ANN401  # Pillow may not be there
    """Return the pixels of an image of Pillow as those of its file would be."""
    return pixels_of_pillow(image.copy())  # other threads may have it too


def _nothing(given: str) -> DataError:
    return DataError(f"expected at least one picture, got {given}, give another path or a picture")
