"""A table of estimates on the disk, made part by part, so that a killed command goes on."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from fairage._files import atomic_path, hash_of
from fairage._locks import locked_folder
from fairage._tables_io import write_table
from fairage._work import progress_bar
from fairage.exceptions import ConfigError
from fairage.faces.detection import DETECTION_VERSION
from fairage.prediction.drawing import draw_all
from fairage.prediction.model import Model
from fairage.prediction.pictures import Picture, Pictures

PART = 256
"""Pictures a part, which a killed command loses at most; each part is seen in the same batches."""
SUFFIXES = (".parquet", ".csv", ".tsv", ".json")


@dataclass(frozen=True)
class PredictJob:
    """How pictures become a table.

    Args:
        options: What `Model.predict` takes beside the pictures.
        p_over: See `Estimates.to_frame`.
        show: Folder for pictures with what was estimated drawn on them.
        progress: Show a progress bar on standard error where that is a terminal.
    """

    options: Mapping[str, Any]
    p_over: tuple[float, ...] = ()
    show: Path | None = None
    progress: bool = True


def predict_parts(
    model: Model, pictures: Pictures, job: PredictJob, folder: Path | None = None
) -> Iterator[pl.DataFrame]:
    """Yield the estimates of pictures, part by part, as `Estimates.to_frame` has them.

    Args:
        model: What estimates.
        pictures: The pictures.
        job: How.
        folder: Keeps the parts, and gives back those that are there.
    """
    with progress_bar(
        "estimating", pictures.count or 0, unit="pictures", shown=job.progress
    ) as advance:
        stream, start = pictures.stream, 0
        while part := list(islice(stream, PART)):
            own = replace(pictures, stream=iter(part), count=len(part))
            path = None
            if folder is not None:
                path = folder / f"{start // PART:06d}-{_fingerprint(model, own, part, job)}.parquet"
            frame = _known(path)
            if frame is None:
                frame = _predicted(model, own, job, start)
                if path is not None:
                    write_table(frame, path)
            yield frame
            advance(len(part))
            start += len(part)


def predict_to_file(model: Model, pictures: Pictures, path: Path, job: PredictJob) -> pl.DataFrame:
    """Write the estimates of pictures to a table and return it.

    Killed and given again, the command goes on with the part that was not finished: parts lie in a
    hidden folder beside the table until it is whole.

    Raises:
        ConfigError: The path ends in none of `SUFFIXES`, or another command is writing to it.
    """
    check_suffix(path)
    folder = path.with_name(f".{path.name}.parts")
    with locked_folder(folder):
        frame = pl.concat(predict_parts(model, pictures, job, folder))
        write_predictions(frame, path)
        shutil.rmtree(folder)
    return frame


def write_predictions(frame: pl.DataFrame, path: Path) -> None:
    """Write a table of estimates; the suffix says how, see `SUFFIXES`."""
    check_suffix(path)
    if path.suffix.lower() != ".json":
        write_table(frame, path)
        return
    with atomic_path(path) as temporary:
        for_json(frame).write_json(temporary)


def for_json(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table as JSON knows it: an end that nothing bounds is null."""
    floats = cs.float()
    return frame.with_columns(pl.when(floats.is_finite()).then(floats).name.keep())


def check_suffix(path: Path) -> None:
    """Raise a ConfigError unless a table can be written under this name."""
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"expected a file name ending in {', '.join(SUFFIXES)}, got {str(path)!r}, give "
            "another name"
        )


def _predicted(model: Model, pictures: Pictures, job: PredictJob, start: int) -> pl.DataFrame:
    estimates = replace(model.predict(list(pictures.stream), **job.options), table=pictures.table)
    if job.show is not None:
        draw_all(estimates, job.show, start)
    return estimates.to_frame(p_over=job.p_over)


def _known(path: Path | None) -> pl.DataFrame | None:
    """Return a part that is there and whole."""
    if path is None or not path.is_file():
        return None
    try:
        return pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError):
        return None


def _fingerprint(model: Model, pictures: Pictures, part: Sequence[Picture], job: PredictJob) -> str:
    """Return a hash of all that a part depends on; of a file, its size and time stand for it."""
    rows = [picture.row for picture in part if picture.row is not None]
    table = [] if pictures.table is None else pictures.table[rows].rows()
    about = [
        [version("fairage"), DETECTION_VERSION, model.config, model.detector.fingerprint()],
        [dict(job.options), job.p_over, str(job.show)],
        [(picture.name, *_state(picture)) for picture in part],
        [table, [] if pictures.table is None else pictures.table.columns],
    ]
    return hash_of(json.dumps(about, sort_keys=True, default=str))


def _state(picture: Picture) -> tuple[int, ...]:
    if not isinstance(picture.source, str) or "://" in picture.source:
        return ()
    try:
        about = Path(picture.source).stat()
    except (OSError, ValueError):
        return ()
    return (about.st_size, about.st_mtime_ns)
