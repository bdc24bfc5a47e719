"""FairFace for the model in the box: which faces train, choose and calibrate; their pixels."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._images import decode_image
from fairage._random import numpy_rng
from fairage._work import progress_bar, usable_processors
from fairage.datasets import prepare_faces
from fairage.faces.detection import DETECTION_VERSION, find_detector
from fairage.faces.views import view_from_name
from fairage.faces_file import read_faces as read_table
from fairage.tables import AGE_HIGH, AGE_LOW, SPLIT

VIEW = "aligned:0.93:0.16"
"""Where FairFace's own crops have the landmarks, on the average of its training faces."""
CHOOSING = CALIBRATING = 4000
SIDE = 128
"""Faces are kept at this many pixels; FairFace's have 224 as they are published."""
LOW = np.array([0, 3, 10, 20, 30, 40, 50, 60, 70], dtype=np.float64)
HIGH = np.array([3, 10, 20, 30, 40, 50, 60, 70, np.inf])
CROP, ALIGNED = 0, 1

Pixels = NDArray[np.uint8]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class BoxedFaces:
    """The faces of FairFace, those that are in it twice left out.

    Args:
        frame: The faces table, with a column `part`: train, valid, calibration or test.
        pixels: Shape `(n, 2, SIDE, SIDE, 3)`: the crop as it is, and the face aligned as a
            photograph's would be. Where no face is found, both are the crop.
    """

    frame: pl.DataFrame
    pixels: Pixels

    def rows(self, part: str) -> Rows:
        """Return the rows of a part."""
        return (self.frame["part"] == part).arg_true().to_numpy().astype(np.int64)

    @property
    def ranges(self) -> NDArray[np.int64]:
        """Number of each face's range, 0..8, shape `(n,)`."""
        return np.searchsorted(LOW, self.frame[AGE_LOW].to_numpy()).astype(np.int64)

    @property
    def limits(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where each face's range begins and ends, shape `(n,)`; infinite where it is open."""
        high = self.frame[AGE_HIGH].fill_null(np.inf).to_numpy()
        return self.frame[AGE_LOW].to_numpy(), high


def read_faces(folder: Path, work: Path) -> BoxedFaces:
    """Return FairFace's faces, decoded and aligned once, then kept in a working folder."""
    table, images = work / "faces.parquet", work / f"faces-{DETECTION_VERSION}.npy"
    if not (table.is_file() and images.is_file()):
        prepare_faces("fairface", folder, work / "fairface.parquet")
        faces = read_table(work / "fairface.parquet")
        paths = [Path(path) for path in faces.images]
        digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
        frame = faces.frame.with_columns(
            pl.Series("sha256", digests), pl.Series("path", list(map(str, paths)))
        )
        frame = _parted(frame)
        _write_pixels([Path(path) for path in frame["path"]], images)
        frame.drop("path").write_parquet(table)
    return BoxedFaces(pl.read_parquet(table), np.load(images, mmap_mode="r"))


def _parted(frame: pl.DataFrame) -> pl.DataFrame:
    """Give each face its part, and keep one of those that are equal.

    Test faces are FairFace's validation faces, all of them. Of the others, those that are equal to
    a test face are dropped.
    """
    test = frame.filter(pl.col(SPLIT) == "test")
    rest = frame.filter(pl.col(SPLIT) != "test").unique("sha256", keep="first", maintain_order=True)
    rest = rest.filter(~pl.col("sha256").is_in(test["sha256"].implode()))
    order = numpy_rng(0, "boxed").permutation(rest.height)
    part = np.full(rest.height, "train", dtype="<U11")
    part[order[:CHOOSING]] = "valid"
    part[order[CHOOSING : CHOOSING + CALIBRATING]] = "calibration"
    return pl.concat(
        [rest.with_columns(pl.Series("part", part)), test.with_columns(part=pl.lit("test"))]
    )


def _write_pixels(paths: list[Path], target: Path) -> None:
    detector, view = find_detector(), view_from_name(VIEW)
    partial = target.with_suffix(".partial.npy")
    shape = (len(paths), 2, SIDE, SIDE, 3)
    pixels = np.lib.format.open_memmap(partial, "w+", np.uint8, shape)

    def fill(row: int) -> None:
        image = decode_image(paths[row].read_bytes())
        points = detector.landmarks(image)
        pixels[row, CROP] = resized(image, SIDE)
        pixels[row, ALIGNED] = (
            pixels[row, CROP] if points is None else view.apply(image, points, side=SIDE)
        )

    with (
        ThreadPoolExecutor(usable_processors()) as pool,
        progress_bar("reading faces", len(paths), unit="faces") as advance,
    ):
        for _ in pool.map(fill, range(len(paths))):
            advance(1)
    pixels.flush()
    partial.replace(target)


def resized(image: Pixels, side: int) -> Pixels:
    """Return a picture as a square, smoothed where it gets smaller."""
    smaller = side < image.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (side, side), interpolation=how), dtype=np.uint8)


def at_side(faces: BoxedFaces, side: int, work: Path) -> Pixels:
    """Return the pixels `(n, 2, side, side, 3)`, kept in the working folder."""
    if side == SIDE:
        return faces.pixels
    path = work / f"faces-{DETECTION_VERSION}-{side}.npy"
    if not path.is_file():
        partial = path.with_suffix(".partial.npy")
        shape = (len(faces.pixels), 2, side, side, 3)
        pixels = np.lib.format.open_memmap(partial, "w+", np.uint8, shape)
        for row, views in enumerate(faces.pixels):
            pixels[row] = [resized(view, side) for view in views]
        pixels.flush()
        partial.replace(path)
    pixels_: Pixels = np.load(path, mmap_mode="r")
    return pixels_
