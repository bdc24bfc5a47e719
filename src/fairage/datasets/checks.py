"""Checking a faces table against its images: duplicates, split leaks, conflicts, broken files."""

import polars as pl

from fairage.datasets.contents import Content, read_contents
from fairage.datasets.findings import CheckResult, IdentityLeak, SameImage, Unreadable
from fairage.tables import AGE, IDENTITY, IMAGE, SPLIT, SPLITS, Faces, group_labels

__all__ = ["check_images"]


def check_images(faces: Faces) -> CheckResult:
    """Return what is wrong with the images and with the rows that share one.

    Images are the same where their bytes are: a picture that was scaled or saved again is not
    found. A file counts as whole by its container; its pixels are not decoded.

    Examples:
        >>> frame = pl.DataFrame({"image": ["http://a/1.jpg"] * 2, "age": [30.0, 40.0]})
        >>> found = check_images(Faces(frame))
        >>> len(found.same), found.same[0].ages_conflict
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
            attributes=tuple(name for name, of in labels.items() if len(set(of[rows])) > 1),
        )
        for rows in rows_of.values()
        if len(rows) > 1
    )


def _identity_leaks(frame: pl.DataFrame) -> tuple[IdentityLeak, ...]:
    if SPLIT not in frame.columns or IDENTITY not in frame.columns:
        return ()
    known = frame.select(pl.col(IDENTITY).cast(pl.String).str.strip_chars(), SPLIT).filter(
        pl.col(IDENTITY) != ""
    )
    counts: dict[str, dict[str, int]] = {}
    for identity, split in known.iter_rows():
        of = counts.setdefault(identity, {})
        of[split] = of.get(split, 0) + 1
    return tuple(
        IdentityLeak(identity, {split: of[split] for split in SPLITS if split in of})
        for identity, of in counts.items()
        if len(of) > 1
    )
