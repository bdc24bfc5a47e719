"""A contact sheet: rows of small pictures with a label above each row."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._files import atomic_path
from fairage._images import decode_image, read_image_bytes
from fairage._random import numpy_rng
from fairage.exceptions import ConfigError, DataError
from fairage.faces.augmentation.base import Augmentation
from fairage.tables import SPLIT, Faces, group_labels, members

Image = NDArray[np.uint8]

_PAPER = 245
_INK = (40, 40, 40)
_GAP = 6
_BAND = 22
_FONT, _FONT_SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.45


def contact_sheet(rows: Sequence[tuple[str, Sequence[Image]]], *, side: int = 128) -> Image:
    """Return one RGB picture `(height, width, 3)` that shows all the images.

    Images keep their proportions; rows may differ in length. A label that is too long is cut, and
    signs outside ASCII become `?`.

    Args:
        rows: A label and images `(height, width, 3)` each.
        side: Pixels of the square that an image is fitted into.

    Examples:
        >>> grey = np.full((20, 10, 3), 128, dtype=np.uint8)
        >>> contact_sheet([("two", [grey, grey]), ("one", [grey])], side=32).shape
        (114, 82, 3)
    """
    if side < 1:
        raise ConfigError(f"expected a side of 1 pixel or more, got {side!r}, give a larger one")
    columns = max((len(images) for _, images in rows), default=0)
    if not columns:
        raise DataError("expected at least one image to show, got none, add faces")
    width = _GAP + columns * (side + _GAP)
    strips = [_strip(label, images, side, width) for label, images in rows]
    edge = np.full((_GAP, width, 3), _PAPER, dtype=np.uint8)
    return np.vstack([*strips, edge])


def write_contact_sheet(
    path: str | Path, rows: Sequence[tuple[str, Sequence[Image]]], *, side: int = 128
) -> Path:
    """Write the sheet as a PNG or JPEG file, whole or not at all, and return its path.

    Raises:
        ConfigError: The file's name has another ending.
    """
    path = Path(path)
    if path.suffix.lower() not in (".png", ".jpg"):
        raise ConfigError(f"expected a file ending in .png or .jpg, got {str(path)!r}, rename it")
    _, data = cv2.imencode(path.suffix, contact_sheet(rows, side=side)[..., ::-1])
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.tobytes())
    return path


def _strip(label: str, images: Sequence[Image], side: int, width: int) -> Image:
    strip = np.full((_BAND + side, width, 3), _PAPER, dtype=np.uint8)
    text = _fitting(label.encode("ascii", "replace").decode(), width - 2 * _GAP)
    cv2.putText(strip, text, (_GAP, _BAND - _GAP), _FONT, _FONT_SIZE, _INK, 1, cv2.LINE_AA)
    for number, image in enumerate(images):
        small = _fitted(image, side)
        height, shown = small.shape[:2]
        top = _BAND + (side - height) // 2
        left = _GAP + number * (side + _GAP) + (side - shown) // 2
        strip[top : top + height, left : left + shown] = small
    return strip


def _fitting(text: str, width: int) -> str:
    """Return the start of the text that is at most so many pixels wide."""
    while text and cv2.getTextSize(text, _FONT, _FONT_SIZE, 1)[0][0] > width:
        text = text[:-1]
    return text


def _fitted(image: Image, side: int) -> Image:
    scale = side / max(image.shape[:2])
    height, width = (max(1, round(length * scale)) for length in image.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(
        cv2.resize(image, (width, height), interpolation=interpolation), dtype=np.uint8
    )


LabelledImages = tuple[str, list[NDArray[np.uint8]]]


def preview_rows(
    faces: Faces,
    augmentation: Augmentation,
    *,
    rows: int = 6,
    copies: int = 6,
    groups: tuple[str, ...] = (),
    seed: int = 0,
) -> list[LabelledImages]:
    """Return a few faces drawn by lot, each as a label, the image, and its augmented copies.

    Where the table has splits, only training faces are drawn.

    Args:
        faces: A faces table; only the drawn images are read.
        augmentation: What changes the copies.
        rows: How many faces; fewer where there are fewer.
        copies: How many copies of each.
        groups: `attribute=group` each; a face must be in all of these groups.
        seed: Which faces are drawn, and how they are changed.

    Raises:
        ConfigError: No face is left, or a group is not written as it should be.
        DataError: An attribute is not known, or an image cannot be read.
    """
    keep = _chosen(faces, groups)
    drawn = numpy_rng(seed, "preview").permutation(keep)[:rows]
    return [_row(faces, int(row), augmentation, copies, seed) for row in drawn]


def _chosen(faces: Faces, groups: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the row numbers of the training faces that are in all of the groups."""
    keep = np.ones(len(faces), dtype=bool)
    if SPLIT in faces.frame.columns:
        keep &= faces.frame.select(pl.col(SPLIT) == "train").to_series().to_numpy()
    for text in groups:
        keep &= members(faces.frame, text)
    if not keep.any():
        raise ConfigError(
            f"expected training faces in {' and '.join(groups) or 'the table'}, got none, "
            "choose other groups"
        )
    return np.flatnonzero(keep)


def _row(
    faces: Faces, row: int, augmentation: Augmentation, copies: int, seed: int
) -> LabelledImages:
    name = faces.images[row]
    try:
        image = decode_image(read_image_bytes(name))
    except DataError as error:
        raise DataError(f"row {row + 1}, image {name!r}: {error}") from error
    groups = [str(group_labels(faces.frame, attribute)[row]) for attribute in faces.attributes]
    label = ", ".join([f"row {row + 1}", f"age {round(faces.ages[row], 1):g}", *groups])
    changed = [
        augmentation.augment_image(image, numpy_rng(seed, "preview", row, copy))
        for copy in range(1, copies + 1)
    ]
    return label, [image, *changed]
