"""What a check found, in plain words: one line a kind of finding, and the first of each."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from fairage.datasets.findings import CheckResult, SameImage, differences

__all__ = ["in_words"]


def in_words(found: CheckResult, show: int = 3) -> list[str]:
    """Return the lines that tell a person what was found.

    Args:
        found: Result of a check.
        show: How many findings of each kind are told one by one.

    Examples:
        >>> in_words(CheckResult(rows=5, remote=0, same=(), unreadable=(), identity_leaks=()))
        ['5 faces checked: nothing found.']
    """
    checked = f"{found.rows:,} faces checked"
    if found.remote:
        checked += f" ({found.remote:,} are URLs, whose images were not fetched)"
    if found.clean:
        return [f"{checked}: nothing found."]
    return [f"{checked}.", *_unreadable(found, show), *_same(found, show), *_people(found, show)]


def _unreadable(found: CheckResult, show: int) -> Iterator[str]:
    if found.unreadable:
        yield f"{_count(len(found.unreadable), 'image')} cannot be read:"
        told = [f"row {each.row} {each.image}: {each.reason}" for each in found.unreadable]
        yield from _first(told, show)


def _same(found: CheckResult, show: int) -> Iterator[str]:
    if not found.same:
        return
    rows = sum(len(group.rows) for group in found.same)
    yield f"{_count(len(found.same), 'group')} of identical images ({rows:,} rows):"
    yield from _first([_group(group) for group in found.same], show)
    for groups, what in (
        (found.leaks, "in several splits"),
        (found.age_conflicts, "with conflicting ages"),
        (found.attribute_conflicts, "with conflicting attributes"),
    ):
        yield f"  {len(groups):,} of them {what}"
        if groups and groups != found.same:
            yield from _first([f"  {_group(group)}" for group in groups], show)


def _people(found: CheckResult, show: int) -> Iterator[str]:
    if found.identity_leaks:
        number = len(found.identity_leaks)
        yield f"{number:,} {'identity is' if number == 1 else 'identities are'} in several splits:"
        told = [
            f"{leak.identity}: " + ", ".join(f"{split} {n}" for split, n in leak.splits.items())
            for leak in found.identity_leaks
        ]
        yield from _first(told, show)


def _group(group: SameImage) -> str:
    splits = group.splits or ("",) * len(group.rows)
    told = [
        f"{split} {PurePath(image).name} (row {row}, age {age:.4g})".strip()
        for split, image, row, age in zip(splits, group.images, group.rows, group.ages, strict=True)
    ]
    difference = differences(group)
    return " = ".join(told) + (f": {difference}" if difference else "")


def _first(told: Sequence[str], show: int) -> Iterator[str]:
    yield from (f"  {line}" for line in told[:show])
    if len(told) > show > 0:
        yield f"  and {len(told) - show:,} more"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
