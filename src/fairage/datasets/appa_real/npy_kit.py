"""APPA-REAL as the challenge's starting kit packs it: data_*.npy, labels_*.npy, meta_data_*.npy.

Its images are not files: they are written as PNG files, which lose nothing.
"""

import struct
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from tokenize import TokenError

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._files import atomic_path, hash_of, new_folder, sync_files, write_text
from fairage._partial_files import remove_abandoned
from fairage._text import short
from fairage._work import Advance, progress_bar
from fairage.datasets.appa_real.release import choose_age
from fairage.datasets.dataset import REAL, TRAIN_COUNTS, Options, Prepared
from fairage.exceptions import DataError
from fairage.tables import APPARENT_AGE, IMAGE, SPLIT, SPLITS

_SOURCE = ".source"
"""File that tells which array the images of a folder were written from."""
_CHANNELS = 3


def is_npy_kit(folder: Path) -> bool:
    """Return whether the folder has this layout."""
    return (folder / f"data_{SPLITS[0]}.npy").is_file()


def prepare_npy_kit(folder: Path, options: Options) -> Prepared:
    """Return the faces of all three splits; the images are written to `options.image_folder`.

    An image that an interrupted run has written is kept.
    """
    if options.age == REAL:
        raise DataError(
            "expected real ages, got the kit, which holds apparent ones only, use --age apparent "
            "or another layout of APPA-REAL"
        )
    train = _meta(folder, SPLITS[0])
    columns = find_columns(train)
    meanings = {
        name: find_meanings(name, train[:, column], options.values.get(name, {}))
        for name, column in columns.items()
    }
    frames = []
    for split in SPLITS:
        meta = _meta(folder, split)
        if meta.shape[1] != train.shape[1]:
            raise DataError(
                f"expected {train.shape[1]} columns in meta_data_{split}.npy as in that of train, "
                f"got {meta.shape[1]}, copy the kit again"
            )
        attributes = {
            name: _decode(name, meta[:, column], meanings[name], split)
            for name, column in columns.items()
        }
        frames.append(_split(folder, split, options.image_folder, attributes))
    note = f"The images were written to {options.image_folder}."
    return Prepared(choose_age(pl.concat(frames), options.age), notes=(note,))


def _decode(
    attribute: str, codes: NDArray[np.str_], meanings: dict[str, str], split: str
) -> list[str | None]:
    unknown = sorted(set(codes.tolist()) - set(meanings) - BLANK)
    if unknown:
        raise DataError(
            f"expected one of {sorted(meanings)} for {attribute} in meta_data_{split}.npy, got "
            f"{unknown[0]!r}, say what it means: --value {attribute}.{unknown[0]}=GROUP"
        )
    return [None if code in BLANK else meanings[code] for code in codes.tolist()]


def _split(
    folder: Path, split: str, image_folder: Path, attributes: dict[str, list[str | None]]
) -> pl.DataFrame:
    images = _load(folder / f"data_{split}.npy")
    labels = _labels(folder / f"labels_{split}.npy")
    _check_images(images, split)
    lengths = {"data": len(images), "labels": len(labels), "meta_data": len(attributes[_FIRST])}
    if len(set(lengths.values())) != 1:
        counts = ", ".join(f"{n} in {name}_{split}.npy" for name, n in lengths.items())
        raise DataError(
            f"expected as many rows in each file of the split {split!r}, got {counts}, "
            "copy the kit again"
        )
    paths = _write_images(images, labels, image_folder.resolve() / split, split)
    return pl.DataFrame({IMAGE: paths, SPLIT: split, APPARENT_AGE: labels, **attributes})


_FIRST = next(iter(TRAIN_COUNTS))


def _labels(path: Path) -> NDArray[np.float64]:
    """Return the ages, shape `(n,)`."""
    values = _load(path)
    if values.dtype.kind not in "iuf":
        raise DataError(
            f"expected numbers of years in {str(path)!r}, got {values.dtype}, copy the kit again"
        )
    return values.reshape(-1).astype(np.float64)


def _meta(folder: Path, split: str) -> NDArray[np.str_]:
    """Return the texts of the attributes, shape `(n, columns)`; whole numbers without a point."""
    path = folder / f"meta_data_{split}.npy"
    values = _load(path)
    if values.ndim != 2 or values.dtype.kind not in "USiufb":
        raise DataError(
            f"expected rows and columns of text or numbers in {str(path)!r}, got {values.dtype} "
            f"of the shape {values.shape}, copy the kit again"
        )
    if values.dtype.kind == "f":
        text = [[f"{number:g}" for number in row] for row in values.tolist()]
        return np.array(text, dtype=np.str_)
    if not _are_texts(values):
        raise DataError(f"expected text in {str(path)!r}, got other bytes, copy the kit again")
    words = np.char.strip(np.char.lower(values.astype(np.str_)))
    return np.asarray(words, dtype=np.str_)


def _are_texts(values: NDArray[np.generic]) -> bool:
    """Return whether every character is one; numpy's own errors on others are no help."""
    if values.dtype.kind == "U":
        codes = np.frombuffer(values.tobytes(), values.dtype.str[0] + "u4")
        return bool(codes.max(initial=0) <= sys.maxunicode)
    return values.dtype.kind != "S" or values.tobytes().isascii()


_UNREADABLE = (EOFError, OverflowError, SyntaxError, TypeError, ValueError, TokenError)
"""What numpy raises on a header that says something else than it wrote."""


def _load(path: Path) -> NDArray[np.generic]:
    if not path.is_file():
        raise DataError(f"expected a file {str(path)!r}, got none, copy the whole kit there")
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except _UNREADABLE as error:
        raise DataError(
            f"expected a plain numpy array in {str(path)!r}, got {short(error, 200)}, save it "
            "again without Python objects: numpy.save(path, array.astype(str))"
        ) from error


def _check_images(images: NDArray[np.generic], split: str) -> None:
    if images.ndim != 4 or images.shape[3] != _CHANNELS or images.dtype != np.uint8:
        raise DataError(
            f"expected data_{split}.npy to hold uint8 images (n, height, width, 3), got "
            f"{images.dtype} {images.shape}, copy the kit again"
        )


def _write_images(
    images: NDArray[np.generic], labels: NDArray[np.float64], folder: Path, split: str
) -> list[str]:
    """Write the images that are not there yet, and return the paths of all."""
    paths = [folder / f"{number:06d}.png" for number in range(1, len(images) + 1)]
    new_folder(folder)
    source = _fingerprint(images, labels)
    same = (folder / _SOURCE).is_file() and (folder / _SOURCE).read_bytes() == source.encode()
    if not same:
        for path in folder.glob("*.png"):
            path.unlink()
        write_text(folder / _SOURCE, source)
    remove_abandoned(paths)
    with progress_bar(f"writing images ({split})", len(paths)) as advance:
        for path, image in zip(paths, images, strict=True):
            _write_image(path, image, advance)
    sync_files(paths)
    return [str(path) for path in paths]


def _write_image(path: Path, image: NDArray[np.uint8], advance: Advance) -> None:
    if not path.is_file():
        with atomic_path(path, sync=False) as temporary:
            temporary.write_bytes(encode_png(np.asarray(image)))
    advance(1)


def _fingerprint(images: NDArray[np.generic], labels: NDArray[np.float64]) -> str:
    some = images[:: max(1, len(images) // 64)]
    return hash_of(f"{images.shape}", labels.tobytes(), some.tobytes())


BLANK = frozenset({"", "nan", "none"})
"""Texts that stand for a missing value."""


def find_columns(meta: NDArray[np.str_]) -> dict[str, int]:
    """Return the column of each attribute in the train split's texts, shape `(n, columns)`.

    Words name their attribute. Columns of anything else are taken in the order gender, ethnicity,
    expression, the last three where there are more.

    Examples:
        >>> find_columns(np.array([["happy", "male", "asian"], ["other", "female", "asian"]]))
        {'gender': 1, 'ethnicity': 2, 'expression': 0}
    """
    columns = range(meta.shape[1])
    matches = {
        attribute: next(
            (c for c in columns if set(meta[:, c].tolist()) - BLANK <= set(counts)), None
        )
        for attribute, counts in TRAIN_COUNTS.items()
    }
    by_words = {name: column for name, column in matches.items() if column is not None}
    if len(by_words) == len(TRAIN_COUNTS):
        return by_words
    if meta.shape[1] < len(TRAIN_COUNTS):
        raise DataError(
            f"expected meta_data_train.npy to have the columns {list(TRAIN_COUNTS)}, got "
            f"{meta.shape[1]} of them, save it with all three"
        )
    return dict(zip(TRAIN_COUNTS, columns[-len(TRAIN_COUNTS) :], strict=True))


def find_meanings(
    attribute: str, codes: NDArray[np.str_], overrides: Mapping[str, str]
) -> dict[str, str]:
    """Return what each value of the train split's column means, shape `(n,)`.

    Args:
        attribute: Name of the attribute.
        codes: The column.
        overrides: Meanings that the user gives; they go before everything else.

    Raises:
        DataError: A value is no known word, and not all values occur as often as published.
    """
    counts = TRAIN_COUNTS[attribute]
    values, supports = np.unique(codes[~np.isin(codes, list(BLANK))], return_counts=True)
    meanings = {str(value): str(value) for value in values if str(value) in counts} | dict(
        overrides
    )
    if set(values.tolist()) <= set(meanings):
        return meanings
    by_count = {count: group for group, count in counts.items()}
    if sorted(supports.tolist()) == sorted(by_count):
        return {str(v): by_count[int(n)] for v, n in zip(values, supports, strict=True)} | dict(
            overrides
        )
    unknown = [
        f"{v} ({n} faces)" for v, n in zip(values, supports, strict=True) if str(v) not in meanings
    ]
    raise DataError(
        f"expected the words {sorted(counts)} for {attribute} in meta_data_train.npy, got "
        f"{', '.join(unknown)}, say what they mean: --value {attribute}.{values[0]}=GROUP"
    )


_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTH, _RGB = 8, 2
_UP = 2
"""Filter: each row is stored as its difference from the row above."""
_LEVEL = 4


def encode_png(image: NDArray[np.uint8]) -> bytes:
    r"""Return the PNG file of an image `(height, width, 3)` in red, green, blue.

    Examples:
        >>> encode_png(np.zeros((4, 6, 3), dtype=np.uint8))[:8]
        b'\x89PNG\r\n\x1a\n'
    """
    height, width = image.shape[:2]
    rows = image.reshape(height, width * 3)
    differences = rows.copy()
    differences[1:] -= rows[:-1]
    filtered = np.insert(differences, 0, _UP, axis=1)
    header = struct.pack(">IIBBBBB", width, height, _DEPTH, _RGB, 0, 0, 0)
    body = zlib.compress(filtered.tobytes(), _LEVEL)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)
