"""Reading a data set's own files: tables with the columns they must have, and image files."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from fairage.datasets.dataset import Skipped
from fairage.exceptions import DataError
from fairage.tables import IMAGE

__all__ = ["IMAGE_SUFFIXES", "keep_files", "source_folder", "source_table"]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})


def source_folder(folder: str | Path) -> Path:
    """Return the absolute path of a data set's folder; none there is an error."""
    path = Path(folder).expanduser().resolve()
    if not path.is_dir():
        raise DataError(
            f"expected a data set's folder, got no folder {str(folder)!r}, check the path or run: "
            "fairage data download"
        )
    return path


def source_table(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Return these columns of a CSV file as text, stripped; an empty cell is null."""
    if not path.is_file():
        raise DataError(f"expected a file {str(path)!r}, got none, copy it there")
    try:
        frame = pl.read_csv(path, infer_schema=False, glob=False)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"expected a CSV table, got {str(path)!r} ({str(error).splitlines()[0]}), copy it again"
        ) from error
    frame = frame.rename({name: name.strip().lstrip("\ufeff") for name in frame.columns})
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(
            f"expected the columns {list(columns)} in {str(path)!r}, got {frame.columns}, "
            f"add {missing} or copy the file again"
        )
    text = frame.select(pl.col(name).str.strip_chars() for name in columns)
    return text.with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in columns
    )


def keep_files(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Skipped, ...]]:
    """Return the rows whose image is a file or a URL, and the others as skipped."""
    images = frame[IMAGE].to_list()
    there = [("://" in image) or Path(image).is_file() for image in images]
    skipped = tuple(
        Skipped(Path(image).name, "labelled, but there is no such image file")
        for image, found in zip(images, there, strict=True)
        if not found
    )
    return frame.filter(pl.Series(there, dtype=pl.Boolean)), skipped
