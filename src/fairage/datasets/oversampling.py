"""Which training rows are copied how often, so that the copies can be augmented."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._random import numpy_rng
from fairage._registry import build
from fairage.datasets.rare_groups import GroupCopies, copies_of_cells, make_cells, supports_of
from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE_GROUP, attribute_names, group_labels, group_names, members


@dataclass(frozen=True)
class CopiedRows:
    """The copies of a training table's rows, the rows themselves not among them.

    Args:
        rows: Row number of each copy, rising, shape `(m,)`.
        copies: 1 for a row's first copy, 2 for its second, ..., shape `(m,)`.
        supports: Every group's rows and copies, and what was aimed at.
        notes: One sentence for each group that missed its target: by how much, and why.
    """

    rows: NDArray[np.int64]
    copies: NDArray[np.int64]
    supports: tuple[GroupCopies, ...]
    notes: tuple[str, ...] = ()


class Copies(Protocol):
    """Says which rows of a training table are copied how often."""

    def choose(self, train: pl.DataFrame, *, seed: int = 0) -> CopiedRows:
        """Return the copies; only training rows must be handed over."""
        ...


@dataclass(frozen=True)
class AllRows:
    """Every row, the same number of times.

    Args:
        times: Copies of a row.

    Examples:
        >>> AllRows(2).choose(pl.DataFrame({"age": [8.0, 70.0]})).rows.tolist()
        [0, 0, 1, 1]
    """

    times: int = 1

    def __post_init__(self) -> None:
        _check_times("all", self.times)

    def choose(self, train: pl.DataFrame, *, seed: int = 0) -> CopiedRows:
        """Return the copies; nothing is left to chance."""
        return _copied(train, np.full(train.height, self.times, dtype=np.int64))


OLD = "old"


@dataclass(frozen=True)
class ChosenGroups:
    """The rows of some groups, a number of times; the kit's way is the old ones.

    Args:
        groups: `attribute=group` each; a row in several of them is copied once as often.
        times: Copies of a row. The kit says "several times"; four is our choice.

    Examples:
        >>> copied = ChosenGroups(times=2).choose(pl.DataFrame({"age": [8.0, 70.0]}))
        >>> copied.rows.tolist(), copied.copies.tolist()
        ([1, 1], [1, 2])
    """

    groups: tuple[str, ...] = (f"{AGE_GROUP}={OLD}",)
    times: int = 4

    def __post_init__(self) -> None:
        _check_times("groups", self.times)

    def choose(self, train: pl.DataFrame, *, seed: int = 0) -> CopiedRows:
        """Return the copies; nothing is left to chance.

        Raises:
            ConfigError: A group is not written as `attribute=group`, or no row is in it.
            DataError: An attribute is not known, or there are no rows.
        """
        _check_rows(train)
        chosen = np.zeros(train.height, dtype=bool)
        if self.groups == ChosenGroups().groups and OLD not in group_names(train, AGE_GROUP):
            raise ConfigError(
                f"expected the age group {OLD!r}, whose faces the kit copies, got "
                f"{group_names(train, AGE_GROUP)}, write in the recipe which groups are copied"
            )
        for text in self.groups:
            chosen |= members(train, text)
        return _copied(train, chosen * np.int64(self.times))


@dataclass(frozen=True)
class RareGroups:
    """Rows of rare groups, until every group of every attribute has a share of the largest.

    With a share of 0.5 this is our reading of *extreme*, a variant that the study names without
    describing: half the support of the attribute's largest group, copies counted on both sides.
    A copied row counts in all its attributes, so that filling up one group may raise the largest
    of another; see `rare_groups` for how that is settled. `unknown` is reported, not filled up.

    Args:
        share: Part of the largest group's support that every group should have, in (0, 1).
        attributes: Which attributes; all of the table and `age_group` where none are named.
        most: No row is copied more often than this. As few as possible is tried first.

    Examples:
        >>> ages = pl.DataFrame({"age": [30.0] * 10 + [70.0] * 2})
        >>> copied = RareGroups(0.5).choose(ages)
        >>> copied.rows.tolist(), copied.notes
        ([10, 10, 11], ())
    """

    share: float = 0.5
    attributes: tuple[str, ...] | None = None
    most: int = 100

    def __post_init__(self) -> None:
        _check_times("share", self.most)
        if not 0 < self.share < 1:
            raise ConfigError(
                f"expected a share above 0 and below 1, got {self.share!r}, write for example 0.5"
            )

    def choose(self, train: pl.DataFrame, *, seed: int = 0) -> CopiedRows:
        """Return the copies; the seed decides which rows of those alike are copied once more.

        Raises:
            DataError: An attribute is not known, or there are no rows.
        """
        _check_rows(train)
        cells = make_cells(_labels(train, self.attributes))
        counts = copies_of_cells(cells, self.share, self.most)
        times = _spread(cells.cell_of_row, counts, numpy_rng(seed, "copies"))
        copied = _copied(train, times, share=self.share, attributes=self.attributes)
        missed = (group for group in copied.supports if not group.reached)
        return replace(copied, notes=tuple(self._note(group) for group in missed))

    def _note(self, group: GroupCopies) -> str:
        """Say by how much a group misses its target, and why."""
        reason = (
            f"each of its rows is copied {self.most} times already"
            if group.fewest >= self.most
            else f"no further copy, at most {self.most} a row, gives more than it takes elsewhere"
        )
        return (
            f"{group.attribute} {group.group!r} has {group.rows} rows and {group.copies} copies, "
            f"{group.target:g} were aimed at: {reason}"
        )


COPIES: dict[str, type[Copies]] = {"all": AllRows, "groups": ChosenGroups, "share": RareGroups}


def make_copies(name: str, **options: object) -> Copies:
    """Return the choice of copies of this name; options are the fields of its class.

    Examples:
        >>> make_copies("groups", groups=["gender=female"])
        ChosenGroups(groups=('gender=female',), times=4)
    """
    return build("copies", COPIES, name, options)


def _check_times(name: str, times: int) -> None:
    if times < 1:
        raise ConfigError(f"expected copies {name!r} of 1 or more, got {times!r}, raise it")


def _check_rows(train: pl.DataFrame) -> None:
    if train.is_empty():
        raise DataError("expected training rows to copy, got none, check the split 'train'")


def _labels(train: pl.DataFrame, attributes: tuple[str, ...] | None) -> dict[str, NDArray[np.str_]]:
    named = attributes or (*attribute_names(train), AGE_GROUP)
    return {attribute: group_labels(train, attribute) for attribute in named}


def _spread(
    cell_of_row: NDArray[np.int64], counts: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return each row's copies: its cell's shared out evenly, the rest by lot."""
    order = np.lexsort((rng.permutation(len(cell_of_row)), cell_of_row))
    sizes = np.bincount(cell_of_row, minlength=len(counts))
    place = np.empty(len(cell_of_row), dtype=np.int64)
    place[order] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    whole, rest = np.divmod(counts, sizes)
    return np.asarray(whole[cell_of_row] + (place < rest[cell_of_row]), dtype=np.int64)


def _copied(
    train: pl.DataFrame,
    times: NDArray[np.int64],
    *,
    share: float = 0.0,
    attributes: tuple[str, ...] | None = None,
) -> CopiedRows:
    _check_rows(train)
    rows = np.repeat(np.arange(train.height), times)
    first = np.repeat(np.cumsum(times) - times, times)
    copies = np.arange(len(rows)) - first + 1
    return CopiedRows(rows, copies, supports_of(_labels(train, attributes), times, share))
