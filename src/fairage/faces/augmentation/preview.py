"""Faces beside their augmented copies, to look at before training on them."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.exceptions import ConfigError, DataError
from fairage.faces.augmentation.augmentation import Augmentation
from fairage.faces.decoding import decode_image
from fairage.faces.sources import read_image_bytes
from fairage.groups import members
from fairage.seeding import numpy_rng
from fairage.tables import SPLIT, Faces, group_labels

__all__ = ["preview_rows"]

Row = tuple[str, list[NDArray[np.uint8]]]


def preview_rows(
    faces: Faces,
    augmentation: Augmentation,
    *,
    rows: int = 6,
    copies: int = 6,
    groups: tuple[str, ...] = (),
    seed: int = 0,
) -> list[Row]:
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


def _row(faces: Faces, row: int, augmentation: Augmentation, copies: int, seed: int) -> Row:
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
