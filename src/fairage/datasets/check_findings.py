"""What the checks of a faces table find, and how it is said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import polars as pl

from fairage._text import count
from fairage.tables import AGE, IDENTITY, IMAGE, SPLIT


@dataclass(frozen=True)
class Unreadable:
    """A row whose image is not a whole image file.

    Args:
        row: Number of the row, from 1.
        image: Path of the image.
        reason: What is wrong with it.
    """

    row: int
    image: str
    reason: str


@dataclass(frozen=True)
class SameImage:
    """Rows whose image files have the same bytes.

    Args:
        rows: Their numbers, from 1.
        images: Path of each.
        ages: Age of each, in years.
        splits: Split of each; empty where the table has none.
        attributes: Names of the attributes in which they differ.
    """

    rows: tuple[int, ...]
    images: tuple[str, ...]
    ages: tuple[float, ...]
    splits: tuple[str, ...]
    attributes: tuple[str, ...]

    @property
    def leaks(self) -> bool:
        """Whether they are in several splits."""
        return len(set(self.splits)) > 1

    @property
    def ages_conflict(self) -> bool:
        """Whether they do not all have the same age."""
        return len(set(self.ages)) > 1


@dataclass(frozen=True)
class IdentityLeak:
    """A person with faces in several splits.

    Args:
        identity: Value of the column.
        splits: Number of faces in each split.
    """

    identity: str
    splits: dict[str, int]


@dataclass(frozen=True)
class CheckResult:
    """Everything that a check found.

    Args:
        rows: Rows of the table.
        remote: Rows whose image is a URL, which is not fetched.
        same: Groups of identical images, in the order of the table.
        unreadable: Rows without a whole image file.
        identity_leaks: People in several splits.
    """

    rows: int
    remote: int
    same: tuple[SameImage, ...]
    unreadable: tuple[Unreadable, ...]
    identity_leaks: tuple[IdentityLeak, ...]

    @property
    def leaks(self) -> tuple[SameImage, ...]:
        """Groups of identical images that are in several splits."""
        return tuple(group for group in self.same if group.leaks)

    @property
    def age_conflicts(self) -> tuple[SameImage, ...]:
        """Groups of identical images with different ages."""
        return tuple(group for group in self.same if group.ages_conflict)

    @property
    def attribute_conflicts(self) -> tuple[SameImage, ...]:
        """Groups of identical images with different groups of an attribute."""
        return tuple(group for group in self.same if group.attributes)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.same or self.unreadable or self.identity_leaks)

    def to_dict(self) -> dict[str, int]:
        """Return the numbers, ready for JSON."""
        return {
            "rows": self.rows,
            "remote": self.remote,
            "unreadable": len(self.unreadable),
            "identical_groups": len(self.same),
            "identical_rows": sum(len(group.rows) for group in self.same),
            "split_leaks": len(self.leaks),
            "age_conflicts": len(self.age_conflicts),
            "attribute_conflicts": len(self.attribute_conflicts),
            "identity_leaks": len(self.identity_leaks),
        }

    def to_frame(self) -> pl.DataFrame:
        """Return one row for each row concerned, with what was found and in which group."""
        schema = {
            FINDING: pl.String,
            GROUP: pl.Int64,
            ROW: pl.Int64,
            IMAGE: pl.String,
            AGE: pl.Float64,
            SPLIT: pl.String,
            IDENTITY: pl.String,
            REASON: pl.String,
        }
        return pl.DataFrame(list(self._records()), schema=schema)

    def _records(self) -> Iterator[dict[str, object]]:
        for broken in self.unreadable:
            yield {
                FINDING: "unreadable",
                ROW: broken.row,
                IMAGE: broken.image,
                REASON: broken.reason,
            }
        for number, group in enumerate(self.same, start=1):
            splits = group.splits or (None,) * len(group.rows)
            cells = zip(group.rows, group.images, group.ages, splits, strict=True)
            for row, image, age, split in cells:
                yield {
                    FINDING: "same image",
                    GROUP: number,
                    ROW: row,
                    IMAGE: image,
                    AGE: age,
                    SPLIT: split,
                    REASON: differences(group),
                }
        for leak in self.identity_leaks:
            yield {
                FINDING: "identity in several splits",
                IDENTITY: leak.identity,
                REASON: ", ".join(f"{split} {count}" for split, count in leak.splits.items()),
            }


def in_words(result: CheckResult, show: int = 3) -> list[str]:
    """Return the lines that tell a person what was found.

    Args:
        result: Result of a check.
        show: How many findings of each kind are named one by one.

    Examples:
        >>> in_words(CheckResult(rows=5, remote=0, same=(), unreadable=(), identity_leaks=()))
        ['5 faces checked: no broken image, no identical images, nobody in several splits.']
    """
    checked = f"{result.rows:,} faces checked"
    if result.remote:
        checked += f" ({result.remote:,} are URLs, whose images were not fetched)"
    if result.clean:
        return [f"{checked}: no broken image, no identical images, nobody in several splits."]
    return [f"{checked}.", *_unreadable(result, show), *_same(result, show), *_people(result, show)]


def _unreadable(result: CheckResult, show: int) -> Iterator[str]:
    if result.unreadable:
        yield f"{count(len(result.unreadable), 'image')} cannot be read:"
        lines = [f"row {each.row} {each.image}: {each.reason}" for each in result.unreadable]
        yield from _first(lines, show)


def _same(result: CheckResult, show: int) -> Iterator[str]:
    if not result.same:
        return
    rows = sum(len(group.rows) for group in result.same)
    yield f"{count(len(result.same), 'group')} of identical images ({rows:,} rows):"
    yield from _first([_group(group) for group in result.same], show)
    for groups, what in (
        (result.leaks, "in several splits"),
        (result.age_conflicts, "with conflicting ages"),
        (result.attribute_conflicts, "with conflicting attributes"),
    ):
        yield f"  {len(groups):,} of them {what}"
        if groups and groups != result.same:
            yield from _first([f"  {_group(group)}" for group in groups], show)


def _people(result: CheckResult, show: int) -> Iterator[str]:
    if result.identity_leaks:
        number = len(result.identity_leaks)
        yield f"{number:,} {'identity is' if number == 1 else 'identities are'} in several splits:"
        lines = [
            f"{leak.identity}: " + ", ".join(f"{split} {n}" for split, n in leak.splits.items())
            for leak in result.identity_leaks
        ]
        yield from _first(lines, show)


def _group(group: SameImage) -> str:
    splits = group.splits or ("",) * len(group.rows)
    images = [
        f"{split} {PurePath(image).name} (row {row}, age {age:.4g})".strip()
        for split, image, row, age in zip(splits, group.images, group.rows, group.ages, strict=True)
    ]
    difference = differences(group)
    return " = ".join(images) + (f": {difference}" if difference else "")


def _first(lines: Sequence[str], show: int) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:show])
    if len(lines) > show > 0:
        yield f"  and {len(lines) - show:,} more"


FINDING, GROUP, ROW, REASON = "finding", "group", "row", "reason"
"""Columns of the table of findings beside those of the faces table."""


def differences(group: SameImage) -> str:
    """Return in what the rows of a group differ, such as `different splits, ages`."""
    differing = (["splits"] if group.leaks else []) + (["ages"] if group.ages_conflict else [])
    differing += group.attributes
    return f"different {', '.join(differing)}" if differing else ""
