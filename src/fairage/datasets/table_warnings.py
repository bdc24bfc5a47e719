"""What a faces table does not allow, in sentences: leaks, splits, groups, ages, persons."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from fairage._demographics import is_demographic, similar_names
from fairage._text import count, joined, visible
from fairage.datasets.splits import large_identity
from fairage.tables import (
    AGE,
    AGE_GROUP,
    IMAGE,
    SPLIT,
    SPLITS,
    UNKNOWN,
    attribute_names,
    group_labels,
    group_names,
    known_identities,
)

FEW_FACES = 50
MANY_GROUPS = 30
MOST_NAMES = 6
SPLIT_AGAIN = "to split anew: fairage data prepare ... --shares 0.7,0.15,0.15"
_SUFFERS = {
    "train": "a model learns little from them",
    "valid": "the choice of the epoch and corrections of ages rest on them",
    "test": "errors and biases that are measured on them are rough",
}

_ADJECTIVE = {"train": "training", "valid": "validation", "test": "test"}

Counts = dict[str, dict[str, int]]
"""Faces (persons, where they are known) of each group in each split."""


def table_warnings(
    frame: pl.DataFrame, *, min_rows: int, splits: Sequence[str] = SPLITS
) -> tuple[str, ...]:
    """Return what a training on a faces table and its numbers suffer from, a sentence each.

    Args:
        frame: Checked faces table; of one without splits little can be said.
        min_rows: Faces (persons, where they are known) that a group needs to take part in biases.
        splits: Those that are used: train, valid and, where it is measured, test.

    Examples:
        >>> faces = pl.DataFrame({"age": [30.0] * 2, "gender": ["Male", "male"]})
        >>> table_warnings(faces, min_rows=30)[0]
        "Groups of gender look like spellings of one and are counted apart: 'Male' and 'male'."
    """
    warnings = [*unused_columns(frame), *_names_of_groups(frame)]
    large = large_identity(frame)
    if large is not None:
        warnings.append(str(large))
    if SPLIT in frame.columns:
        warnings += _sizes_and_ages(frame, splits)
        units = person_numbers(frame)
        thing = "faces" if units is None else "persons"
        least = f"{min_rows} {_ADJECTIVE[splits[-1]]} {thing}"
        for attribute in (*attribute_names(frame), AGE_GROUP):
            counts = _counts(frame, attribute, units)
            warnings += _absent(_words(attribute), counts, splits)
            sizes = {group: n[splits[-1]] for group, n in counts.items()}
            warnings += _small(_words(attribute), sizes, min_rows, least)
    return tuple(warnings)


def leak_warnings(
    frame: pl.DataFrame, pictures: ArrayLike, trained_on: Sequence[ArrayLike] = ()
) -> tuple[str, ...]:
    """Return what is in several splits, pictures and persons, a sentence each.

    Args:
        frame: Checked faces table with splits.
        pictures: A number for the picture of each row, equal for equal ones, shape `(n,)`.
        trained_on: Those of further faces that are trained on.

    Examples:
        >>> faces = pl.DataFrame({"image": ["a", "b"], "split": ["train", "test"]})
        >>> leak_warnings(faces, [7, 7])[0]
        "1 picture is in several splits (first: train 'a', test 'b'): errors on such faces come ..."
    """
    numbers = np.asarray(pictures)
    warnings = [*_same_pictures(frame, numbers), *_same_persons(frame)]
    measured = numbers[(frame[SPLIT] != SPLITS[0]).to_numpy()]
    for other in trained_on:
        n = int(np.isin(measured, np.asarray(other)).sum())
        if n:
            warnings.append(
                f"{count(n, 'picture')} of the validation and test faces {_are(n)} among the extra "
                "faces that are trained on as well: errors on such faces come out too low."
            )
    return tuple(warnings)


def unused_columns(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return a sentence on each column that is named like a demographic and is no attribute.

    Examples:
        >>> unused_columns(pl.DataFrame({"skin_tone": [0.2, 0.7], "fold": [1, 2]}))[0]
        "The column 'skin_tone' is not used: it holds numbers that are no codes of groups; ..."
    """
    attributes = {*attribute_names(frame), AGE_GROUP}
    return tuple(
        f"The column {name!r} is not used: it holds numbers that are no codes of groups; put them "
        "into groups, such as 'light' and 'dark'."
        for name in frame.columns
        if is_demographic(name) and name not in attributes
    )


def person_numbers(frame: pl.DataFrame) -> NDArray[np.int64] | None:
    """Return the number of each row's person, shape `(n,)`; None where nobody is known."""
    identities = known_identities(frame)
    if identities is None or identities.is_null().all():
        return None
    codes = identities.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
    alone = codes == 0
    return np.where(alone, codes.max() + np.cumsum(alone), codes)


def _names_of_groups(frame: pl.DataFrame) -> Iterator[str]:
    for attribute in attribute_names(frame):
        names = group_names(frame, attribute)
        words = _words(attribute)
        for similar in similar_names(names):
            quoted = joined(repr(visible(name)) for name in similar)
            yield f"Groups of {words} look like spellings of one and are counted apart: {quoted}."
        if len(names) > MANY_GROUPS:
            yield (
                f"The column {attribute!r} has {len(names):,} groups: leave it out of the faces "
                "table if it is no attribute of people."
            )


def _sizes_and_ages(frame: pl.DataFrame, splits: Sequence[str]) -> Iterator[str]:
    for split in splits:
        ages = frame.filter(pl.col(SPLIT) == split)[AGE]
        if len(ages) < FEW_FACES:
            some = f"Only {count(len(ages), 'face')}" if len(ages) else "No face"
            verb = _are(len(ages)) if len(ages) else "is"
            yield f"{some} {verb} in the split {split!r}: {_SUFFERS[split]}; {SPLIT_AGAIN}."
        if len(ages) > 1 and ages.n_unique() == 1:
            yield (
                f"All {len(ages):,} {_ADJECTIVE[split]} faces have the age {ages[0]:g}: nothing "
                "about other ages can be learned or measured there."
            )


def _counts(frame: pl.DataFrame, attribute: str, units: NDArray[np.int64] | None) -> Counts:
    table = pl.DataFrame({"group": group_labels(frame, attribute), SPLIT: frame[SPLIT]})
    number = pl.len() if units is None else pl.col("unit").n_unique()
    if units is not None:
        table = table.with_columns(pl.Series("unit", units))
    counts: Counts = {name: dict.fromkeys(SPLITS, 0) for name in group_names(frame, attribute)}
    for group, split, n in table.group_by("group", SPLIT).agg(number.alias("n")).iter_rows():
        counts[group][split] = n
    return {group: n for group, n in counts.items() if group != UNKNOWN and any(n.values())}


def _absent(words: str, counts: Counts, splits: Sequence[str]) -> Iterator[str]:
    others = splits[1:]
    unseen = [(g, rows) for g, n in counts.items() if (rows := _sum(n, others)) and not n["train"]]
    if unseen:
        yield (
            f"No training face is of {words} {_some(unseen)}, other splits have some: no model "
            "learns from them."
        )
    unchecked = [(g, n["test"]) for g, n in counts.items() if n["test"] and not n["valid"]]
    if unchecked and "test" in splits:
        yield (
            f"No validation face is of {words} {_some(unchecked)}, the test faces have some: the "
            "choice of the epoch and corrections of ages do not see them."
        )


def _small(words: str, sizes: Mapping[str, int], min_rows: int, least: str) -> Iterator[str]:
    small = [(group, n) for group, n in sizes.items() if n < min_rows]
    if len(sizes) - len(small) < 2:
        names = _some(sizes.items()) if sizes else "no group is known"
        yield f"No bias of {words} can be measured, as fewer than two groups have {least}: {names}."
    elif small:
        yield (
            f"Too few faces for a verdict on {words} {_some(small)}: a group needs {least} to take "
            "part in biases."
        )


def _sum(counts: Mapping[str, int], splits: Sequence[str]) -> int:
    return sum(counts[split] for split in splits)


def _same_pictures(frame: pl.DataFrame, pictures: NDArray[np.generic]) -> Iterator[str]:
    table = frame.select(IMAGE, SPLIT).with_columns(pl.Series("picture", pictures))
    shared = (
        table.filter(pl.col("picture").is_duplicated())
        .group_by("picture", maintain_order=True)
        .agg(IMAGE, SPLIT)
        .filter(pl.col(SPLIT).list.n_unique() > 1)
    )
    if shared.is_empty():
        return
    images, splits = shared[IMAGE][0].to_list(), shared[SPLIT][0].to_list()
    second = next(i for i, split in enumerate(splits) if split != splits[0])
    first = [f"{splits[i]} {visible(images[i])!r}" for i in (0, second)]
    n = shared.height
    yield (
        f"{count(n, 'picture')} {_are(n)} in several splits (first: {', '.join(first)}): errors on "
        f"such faces come out too low; to see them: fairage data check; {SPLIT_AGAIN}."
    )


def _same_persons(frame: pl.DataFrame) -> Iterator[str]:
    identities = known_identities(frame)
    if identities is None:
        return
    table = pl.DataFrame({"person": identities, SPLIT: frame[SPLIT]}).drop_nulls()
    shared = (
        table.group_by("person", maintain_order=True)
        .agg(pl.col(SPLIT).unique(maintain_order=True))
        .filter(pl.col(SPLIT).list.len() > 1)
    )
    if shared.is_empty():
        return
    n, where = shared.height, joined(shared[SPLIT][0])
    persons = "1 person has" if n == 1 else f"{n:,} persons have"
    yield (
        f"{persons} faces in several splits (first: {visible(shared['person'][0])!r} in {where}): "
        f"errors on persons that a model knows come out too low; {SPLIT_AGAIN}."
    )


def _some(groups: Iterable[tuple[str, int]]) -> str:
    """Return groups with their counts, a few of them by name."""
    texts = [f"{visible(name)} ({n:,})" for name, n in groups]
    more = [f"{len(texts) - MOST_NAMES:,} more"] if len(texts) > MOST_NAMES else []
    return joined([*texts[:MOST_NAMES], *more])


def _words(attribute: str) -> str:
    return visible(attribute).replace("_", " ")


def _are(n: int) -> str:
    return "is" if n == 1 else "are"
