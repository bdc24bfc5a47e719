"""What a model says of the pictures of a faces table: its estimates, as a table to be audited.

A model is an object whose `predict` takes paths, as that of `fairage.load`, or a function of
pictures. The model is the caller's code: whatever it raises goes through as it is.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._images import decoded, read_image_bytes
from fairage._table import Table
from fairage._tables_io import open_table
from fairage._text import joined, short
from fairage._work import in_order, progress_bar, usable_processors
from fairage.auditing.model_answers import Answer, answer_of, answers_by_path, listed
from fairage.exceptions import ConfigError, DataError, MissingDependencyError
from fairage.faces_file import check_faces, read_faces
from fairage.tables import AGE_GROUP, LEVEL, LOWER, PREDICTION, REASON, SPLIT, SPREAD, UPPER, Faces

if TYPE_CHECKING:
    from fairage.faces import FaceDetector, View

Pixels = NDArray[np.uint8]
FacesSource: TypeAlias = Faces | pl.DataFrame | str | Path
"""A faces table: a file, a frame whose paths start from here, or `Faces`."""

WHOLE = "whole"
NO_FACE = "no face found"
SIDE, PICTURES, PATHS = 224, 32, 256
MOST_PIXELS = 50_000_000
"""Pixels that wait for a function at once; one picture may have more."""
MOST_READERS = 8


def estimate(
    faces: FacesSource,
    model: Any,  # noqa: ANN401  # any object that predicts, or a function
    *,
    view: str = WHOLE,
    side: int = SIDE,
    detector: "FaceDetector | str | Path | None" = None,
    crops: bool = False,
    split: str | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
) -> pl.DataFrame:
    """Return the faces table with a model's estimates: `prediction` and `reason`.

    Where the model gives intervals there are `lower`, `upper` and `level` too, and `spread` where
    it gives that. A picture that cannot be read, or that shows no face, has no estimate and its
    reason.

    Args:
        faces: The faces table.
        model: What estimates: an object with `predict`, which takes a list of paths and URLs and
            returns an age a picture, or objects with `age` and, if they like, `image`, `low`,
            `high`, `level`, `spread` and `reason` (several of one picture: the first counts); or a
            function that takes a list of pictures `(height, width, 3)`, uint8, red, green, blue,
            and returns an age each. None and NaN say that there is no estimate.
        view: What a function sees of each picture: `whole`, `crop:SHARE`, `aligned:MARGIN`.
        side: Side of an aligned face in pixels.
        detector: What finds the face that is aligned; see `find_detector`.
        crops: Has `predict` take each picture for a face crop as in its training (`crops=True`).
        split: The split that is estimated; all rows where nothing is given.
        batch_size: Pictures that the model is given at once, at most: 32, and 256 paths.
        workers: Threads that read pictures.

    Raises:
        ConfigError: The model is none, or an option makes no sense for it.
        DataError: The table is no faces table, or the model returns something else than ages.

    Examples:
        >>> rows = pl.DataFrame({"image": ["no.jpg"], "age": [30.0]})
        >>> estimate(rows, lambda pictures: [40.0] * len(pictures))["reason"].to_list()
        ['expected an image file, got none, check the path']
    """
    if batch_size is not None and batch_size < 1:
        raise ConfigError(f"expected a batch_size of 1 or more, got {batch_size}, ask for 32")
    predict = getattr(model, "predict", None)
    if predict is None and (not callable(model) or crops):
        raise _no_model(model, crops=crops)
    if predict is not None and view != WHOLE:
        raise ConfigError(
            f"expected the view {WHOLE!r} for a model with predict, which takes paths, got "
            f"{view!r}, give a function of pictures"
        )
    if predict is None:
        reader = partial(_picture, see=_sight(view, side, detector))
        answers = partial(_answers_of_function, model, reader, batch_size or PICTURES, workers)
    else:
        options = {"crops": True} if crops else {}
        answers = partial(_answers_of_paths, partial(predict, **options), batch_size or PATHS)
    own = faces_of(faces)
    own = own if split is None else own.split(split)
    if not len(own):
        raise DataError("expected at least one face, got a table without, write rows to it")
    return _with_answers(own.frame, list(answers(own.images)))


def estimated_table(
    faces: FacesSource,
    model: Any,  # noqa: ANN401  # any object that predicts, or a function
    *,
    split: str | None = None,
    **options: Any,  # noqa: ANN401  # those of estimate
) -> Table:
    """Return the table of `estimate`, with its name and what a reader must know of it."""
    own = faces_of(faces)
    table = open_table(estimate(own, model, split=split, **options))
    name = Path(faces).name if isinstance(faces, str | Path) else "faces"
    notes = _notes(own.frame) if split is None else ()
    return replace(table, name=name, notes=notes, age_groups=own.age_groups)


def faces_of(faces: FacesSource) -> Faces:
    """Return a faces table, read and checked."""
    if isinstance(faces, Faces):
        return faces
    if isinstance(faces, pl.DataFrame):
        return Faces(check_faces(faces.drop(AGE_GROUP, strict=False)))
    if isinstance(faces, str | Path):
        return read_faces(faces)
    raise ConfigError(
        f"expected a faces table: a file, a polars frame or Faces, got {short(faces)}, read it"
    )


def _no_model(model: object, *, crops: bool) -> ConfigError:
    if callable(model) and crops:
        return ConfigError(
            "expected a model with predict beside crops, got a function, leave out crops: it sees "
            "each picture whole"
        )
    hint = f", load it: fairage.load({model!r})" if isinstance(model, str) else ""
    return ConfigError(
        f"expected a model: an object with predict or a function of pictures, got {short(model)} "
        f"({type(model).__name__}){hint}"
    )


def _notes(frame: pl.DataFrame) -> tuple[str, ...]:
    splits = sorted(frame[SPLIT].unique().drop_nulls()) if SPLIT in frame.columns else []
    if len(splits) < 2:
        return ()
    text = f"Faces of the splits {joined(splits)} are audited together, and a model may have been "
    return (f"{text}trained on some of them; --split test takes one split.",)


def _with_answers(frame: pl.DataFrame, answers: Sequence[Answer]) -> pl.DataFrame:
    """Return the table with the answers, in place of columns that are called as these."""
    columns = [pl.Series(PREDICTION, [each.age for each in answers], pl.Float64)]
    ends = {
        LOWER: [each.low for each in answers],
        UPPER: [each.high for each in answers],
        LEVEL: [each.level for each in answers],
    }
    if any(not math.isnan(end) for end in (*ends[LOWER], *ends[UPPER])):
        columns += [pl.Series(name, values, pl.Float64) for name, values in ends.items()]
    spreads = [each.spread for each in answers]
    if any(not math.isnan(spread) for spread in spreads):
        columns.append(pl.Series(SPREAD, spreads, pl.Float64))
    own = [column.fill_nan(None) for column in columns]
    own.append(pl.Series(REASON, [each.reason or None for each in answers], pl.String))
    bare = frame.drop(AGE_GROUP, PREDICTION, *ends, SPREAD, REASON, strict=False)
    return bare.with_columns(own)


# ---- functions of pictures


def _answers_of_function(
    model: Callable[[list[Pixels]], Any],
    reader: Callable[[str], Pixels | str],
    batch_size: int,
    workers: int | None,
    images: Sequence[str],
) -> Iterator[Answer]:
    """Yield what a function says of each picture, while threads read the next ones."""
    threads = workers or min(MOST_READERS, usable_processors())
    batch: list[Pixels | str] = []
    with (
        progress_bar("estimating", len(images), unit="faces") as advance,
        closing(in_order(images, reader, ahead=2 * threads, workers=threads)) as pictures,
    ):
        for place, picture in enumerate(pictures):
            batch.append(picture)
            waiting = [each for each in batch if not isinstance(each, str)]
            is_full = sum(each.shape[0] * each.shape[1] for each in waiting) >= MOST_PIXELS
            if len(waiting) < batch_size and not is_full and place + 1 < len(images):
                continue
            ages = iter(listed(model(waiting), len(waiting)) if waiting else ())
            for each in batch:
                yield Answer(reason=each) if isinstance(each, str) else answer_of(next(ages))
            advance(len(batch))
            batch = []


def _picture(image: str, see: Callable[[Pixels], Pixels | None]) -> Pixels | str:
    """Return what the model sees of a picture, or why it sees nothing."""
    try:
        with decoded(read_image_bytes(image)) as pixels:
            seen = see(pixels)
            return NO_FACE if seen is None else np.ascontiguousarray(seen)
    except DataError as error:
        text = str(error)
        for named in (f" at {image!r}", f" for {image!r}", f" {image!r}"):
            text = text.replace(named, "")
        return text


def _sight(
    view: str, side: int, detector: "FaceDetector | str | Path | None"
) -> Callable[[Pixels], Pixels | None]:
    """Return what cuts the view out of a picture; None where it shows no face."""
    if view == WHOLE:
        return lambda pixels: pixels
    try:
        from fairage.faces import FaceDetector, find_detector, view_from_name
    except ModuleNotFoundError as error:
        raise MissingDependencyError.of(error) from error
    own = view_from_name(view)
    if not own.needs_landmarks:
        return lambda pixels: own.apply(pixels, side=side)
    finder = detector if isinstance(detector, FaceDetector) else find_detector(detector)
    finder.check()
    return lambda pixels: _aligned(pixels, own, finder, side)


def _aligned(pixels: Pixels, view: "View", detector: "FaceDetector", side: int) -> Pixels | None:
    landmarks = detector.landmarks(pixels)
    return None if landmarks is None else view.apply(pixels, landmarks, side=side)


# ---- objects that predict


def _answers_of_paths(
    predict: Callable[[list[str]], Any],
    batch_size: int,
    images: Sequence[str],
) -> Iterator[Answer]:
    """Yield what an object says of each picture."""
    with progress_bar("estimating", len(images), unit="faces") as advance:
        for start in range(0, len(images), batch_size):
            batch = list(images[start : start + batch_size])
            paths = list(dict.fromkeys(batch))
            answers = answers_by_path(predict(paths), paths)
            yield from (answers[path] for path in batch)
            advance(len(batch))
