"""Checks of a faces table: its images, its persons, its splits."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import polars as pl

from fairage._files import hash_of
from fairage._images import decode_image, read_image_bytes
from fairage._work import progress_bar, usable_processors
from fairage.datasets.check_findings import CheckResult, IdentityLeak, SameImage, Unreadable
from fairage.exceptions import DataError
from fairage.tables import AGE, IMAGE, SPLIT, SPLITS, Faces, group_labels, known_identities

_BATCH = 2048
_MAX_WORKERS = 8


@dataclass(frozen=True)
class Content:
    """What one image file holds.

    Args:
        key: The same for files of the same bytes; empty where the file could not be read.
        reason: Why the file cannot be embedded; empty where it can.
    """

    key: str = ""
    reason: str = ""


def read_contents(images: Sequence[str], *, decode: bool = True) -> list[Content]:
    """Return the content of each image, in order; a URL is not fetched, its key is itself.

    Args:
        images: Paths or URLs.
        decode: Whether the pixels are decoded, to say why a file cannot be embedded.
    """
    contents: list[Content] = []
    workers = min(_MAX_WORKERS, usable_processors())
    with (
        progress_bar("reading images", len(images)) as advance,
        ThreadPoolExecutor(workers) as pool,
    ):
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH]
            contents.extend(pool.map(partial(read_content, decode=decode), batch))
            advance(len(batch))
    return contents


def read_content(image: str, *, decode: bool = True) -> Content:
    """Return the content of one image, which is read and decoded as for an embedding.

    Examples:
        >>> read_content("no/such.jpg")
        Content(key='', reason="expected an image file, got none at 'no/such.jpg', check the path")
        >>> read_content("https://example.org/a.jpg")
        Content(key='https://example.org/a.jpg', reason='')
    """
    if "://" in image:
        return Content(image)
    try:
        data = read_image_bytes(image)
    except DataError as error:
        return Content(reason=str(error))
    try:
        if decode:
            decode_image(data)
    except DataError as error:
        return Content(hash_of(data), str(error))
    return Content(hash_of(data))


def check_images(faces: Faces) -> CheckResult:
    """Return what is wrong with the images and with the rows that share one.

    Images are the same where their bytes are: a picture that was scaled or saved again is not
    found. A file counts as readable where `embed` can read it: its pixels are decoded.

    Examples:
        >>> frame = pl.DataFrame({"image": ["http://a/1.jpg"] * 2, "age": [30.0, 40.0]})
        >>> result = check_images(Faces(frame))
        >>> len(result.same), result.same[0].ages_conflict
        (1, True)
    """
    images = faces.images
    contents = read_contents(images)
    unreadable = tuple(
        Unreadable(row, image, content.reason)
        for row, (image, content) in enumerate(zip(images, contents, strict=True), start=1)
        if content.reason
    )
    return CheckResult(
        rows=len(faces),
        remote=sum("://" in image for image in images),
        same=_same_images(faces, contents),
        unreadable=unreadable,
        identity_leaks=_identity_leaks(faces.frame),
    )


def _same_images(faces: Faces, contents: list[Content]) -> tuple[SameImage, ...]:
    rows_of: dict[str, list[int]] = {}
    for row, content in enumerate(contents):
        if content.key and not content.reason:
            rows_of.setdefault(content.key, []).append(row)
    labels = {name: group_labels(faces.frame, name) for name in faces.attributes}
    images, ages = faces.frame[IMAGE].to_list(), faces.frame[AGE].to_list()
    splits = faces.frame[SPLIT].to_list() if SPLIT in faces.frame.columns else None
    return tuple(
        SameImage(
            rows=tuple(row + 1 for row in rows),
            images=tuple(images[row] for row in rows),
            ages=tuple(ages[row] for row in rows),
            splits=tuple(splits[row] for row in rows) if splits else (),
            attributes=tuple(name for name, values in labels.items() if len(set(values[rows])) > 1),
        )
        for rows in rows_of.values()
        if len(rows) > 1
    )


def _identity_leaks(frame: pl.DataFrame) -> tuple[IdentityLeak, ...]:
    identities = known_identities(frame)
    if SPLIT not in frame.columns or identities is None:
        return ()
    counts: dict[str, dict[str, int]] = {}
    for identity, split in zip(identities, frame[SPLIT], strict=True):
        if identity is not None:
            splits = counts.setdefault(identity, {})
            splits[split] = splits.get(split, 0) + 1
    return tuple(
        IdentityLeak(identity, {split: splits[split] for split in SPLITS if split in splits})
        for identity, splits in counts.items()
        if len(splits) > 1
    )
