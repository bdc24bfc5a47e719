"""Splits: which rows train, validate and test, whole persons at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray

from fairage._random import numpy_rng
from fairage.exceptions import ConfigError, DataError
from fairage.tables import (
    AGE_GROUP,
    IMAGE,
    SPLIT,
    SPLITS,
    attribute_names,
    group_labels,
    known_identities,
)


def join_units(keys: Sequence[Sequence[str | None]], n: int) -> NDArray[np.int64]:
    """Return the unit of each row, shape `(n,)`: rows that share a value of any key are together.

    Args:
        keys: Each has one value a row; None and the empty text are shared with nobody.
        n: Number of rows.

    Examples:
        >>> join_units([["ann", "bob", None, "ann"], ["x", "y", "y", ""]], 4).tolist()
        [0, 1, 1, 0]
    """
    parent = list(range(n))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for key in keys:
        first: dict[str, int] = {}
        for row, value in enumerate(key):
            if value is None or value == "":
                continue
            a, b = root(first.setdefault(value, row)), root(row)
            parent[max(a, b)] = min(a, b)
    _, units = np.unique([root(row) for row in range(n)], return_inverse=True)
    return units.astype(np.int64)


DEFAULT_SHARES = (0.7, 0.15, 0.15)


@dataclass(frozen=True)
class Shares:
    """The shares of train, valid and test; they sum to 1 and none is negative.

    Args:
        train: Share of the rows to train on.
        valid: Share of the rows to stop early on.
        test: Share of the rows to measure on.

    Examples:
        >>> Shares.parse("0.8,0.1,0.1")
        Shares(train=0.8, valid=0.1, test=0.1)
    """

    train: float = DEFAULT_SHARES[0]
    valid: float = DEFAULT_SHARES[1]
    test: float = DEFAULT_SHARES[2]

    def __post_init__(self) -> None:
        values = self.values
        if not (np.isfinite(values).all() and (values >= 0).all() and abs(values.sum() - 1) < 1e-6):
            raise ConfigError(
                f"expected shares of train, valid and test that are 0 or more and sum to 1, got "
                f"{values.tolist()}, write for example 0.7,0.15,0.15"
            )

    @property
    def values(self) -> NDArray[np.float64]:
        """The three shares, shape `(3,)`."""
        return np.array([self.train, self.valid, self.test], dtype=np.float64)

    @classmethod
    def parse(cls, text: str) -> "Shares":
        """Return the shares that a text such as `0.7,0.15,0.15` tells."""
        try:
            train, valid, test = (float(share) for share in text.split(","))
        except ValueError as error:
            raise ConfigError(
                "expected three shares, of train, valid and test, such as 0.7,0.15,0.15, got "
                f"{text!r}, write them so"
            ) from error
        return cls(train, valid, test)


def split_faces(
    frame: pl.DataFrame,
    shares: Shares | None = None,
    *,
    seed: int = 0,
    contents: list[str] | None = None,
) -> pl.DataFrame:
    """Return the faces table with a column `split`, stratified by its attributes and age groups.

    In every combination of groups each split has its share of the rows, rounded up or down, and
    the whole splits have theirs within a few rows. Rows of one identity, of one image path or of
    one content go to the same split; where such a unit has several rows, the shares are kept as
    well as whole units allow. The result depends on seed and rows, not on the order of the rows.

    Args:
        frame: Checked faces table.
        shares: Shares of the splits; 70, 15 and 15 % where none are given.
        seed: Start of the random numbers.
        contents: The key of each row's image bytes; an empty one is shared with nobody.

    Raises:
        DataError: There are no rows, or an identity has so many of them that a split gets none.

    Examples:
        >>> faces = pl.DataFrame({"image": [f"{i}.jpg" for i in range(40)], "age": [30.0] * 40})
        >>> sorted(split_faces(faces)["split"].value_counts().rows())
        [('test', 6), ('train', 28), ('valid', 6)]
    """
    if frame.is_empty():
        raise DataError("expected rows to split, got none, add faces to the table")
    rng = numpy_rng(seed, "split")
    order = _canonical_order(frame, rng)
    units = _units(frame, contents)[order]
    wanted = (shares or Shares()).values
    strata, targets = _targets(frame, wanted)
    assigned = _assign(units, strata[order], targets, rng)
    _check_filled(frame, np.bincount(assigned, minlength=len(SPLITS)), wanted)
    splits = np.empty(frame.height, dtype=np.int64)
    splits[order] = assigned
    return frame.with_columns(pl.Series(SPLIT, np.array(SPLITS)[splits]))


LARGEST_SHARE, FEWEST_ROWS = 0.1, 10
"""One person with more than a tenth of the faces can fill a split of the default 15 % alone."""


@dataclass(frozen=True)
class LargeIdentity:
    """The identity with the most rows, where it has more of them than one person should.

    Args:
        name: The identity.
        rows: Its rows.
        of: The rows of the table.
    """

    name: str
    rows: int
    of: int

    def __str__(self) -> str:
        return (
            f"The identity {self.name!r} has {self.rows:,} of {self.of:,} rows: it counts as one "
            "person, whose rows are all in one split. Where it stands for persons who are not "
            "known, leave these cells empty."
        )


def large_identity(frame: pl.DataFrame) -> LargeIdentity | None:
    """Return the identity that has more than a tenth of the rows, and at least ten of them.

    Examples:
        >>> faces = pl.DataFrame({"identity": ["0"] * 15 + ["n/a"] * 5})
        >>> large_identity(faces).rows
        15
    """
    identities = known_identities(frame)
    if identities is None or identities.is_null().all():
        return None
    counts = identities.drop_nulls().alias("name").value_counts()
    name, rows = max(counts.iter_rows(), key=lambda pair: (pair[1], pair[0]))
    if rows < FEWEST_ROWS or rows <= LARGEST_SHARE * frame.height:
        return None
    return LargeIdentity(name, rows, frame.height)


def _check_filled(
    frame: pl.DataFrame, counts: NDArray[np.int64], shares: NDArray[np.float64]
) -> None:
    """Refuse splits of which one is empty because a single identity has too many rows."""
    empty = [
        split
        for split, count, share in zip(SPLITS, counts, shares, strict=True)
        if count == 0 and share * frame.height >= 1
    ]
    large = large_identity(frame) if empty else None
    if large is not None:
        raise DataError(f"expected rows for every split, got none for {empty}. {large}")


def _canonical_order(frame: pl.DataFrame, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return row numbers in a random order that the table's own order does not change."""
    text = frame.select(pl.col(IMAGE), (cs.all() - cs.by_name(IMAGE) - cs.nested()).cast(pl.String))
    text.columns = [str(number) for number in range(text.width)]
    index = text.with_row_index().sort(text.columns, nulls_last=True)["index"]
    return rng.permutation(index.to_numpy().astype(np.int64))


def _units(frame: pl.DataFrame, contents: list[str] | None) -> NDArray[np.int64]:
    keys: list[list[str | None]] = [frame[IMAGE].to_list()]
    identities = known_identities(frame)
    if identities is not None:
        keys.append(identities.to_list())
    if contents is not None:
        keys.append(list(contents))
    return join_units(keys, frame.height)


def _targets(
    frame: pl.DataFrame, shares: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each row's stratum `(n,)` and the wanted rows of each stratum `(strata, 3)`."""
    attributes = [*attribute_names(frame), AGE_GROUP]
    labels = np.stack([group_labels(frame, name) for name in attributes], axis=1)
    _, strata, sizes = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    return strata.reshape(-1).astype(np.int64), sizes[:, None] * shares[None, :]


def _assign(
    units: NDArray[np.int64],
    strata: NDArray[np.int64],
    targets: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return the split of each row: units of many rows first, then single rows fill the gaps."""
    splits = np.full(len(units), -1, dtype=np.int64)
    missing = targets.copy()
    for rows in _large_units(units):
        split = _best_split(missing, targets, strata[rows])
        splits[rows] = split
        np.subtract.at(missing[:, split], strata[rows], 1)
    carry = np.zeros(targets.shape[1])
    members = _grouped(strata)
    for stratum in rng.permutation(len(targets)):
        rows = members[stratum][splits[members[stratum]] < 0]
        counts, carry = _round(_fill(missing[stratum], len(rows)), len(rows), carry)
        splits[rows] = np.repeat(np.arange(len(counts)), counts)
    return splits


def _large_units(units: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the rows of each unit that has several, the largest units first."""
    groups = [rows for rows in _grouped(units) if len(rows) > 1]
    return sorted(groups, key=lambda rows: (-len(rows), int(rows[0])))


def _grouped(codes: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the row numbers of each code 0, 1, ... in their order."""
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return np.split(order, starts[1:])


def _best_split(
    missing: NDArray[np.float64], targets: NDArray[np.float64], strata: NDArray[np.int64]
) -> int:
    """Return the split that lacks the most of what a unit brings, relative to its share."""
    total = targets.sum(axis=0)
    share = total / total.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        lack = (missing[strata].sum(axis=0) + missing.sum(axis=0) * len(strata)) / share
    lack[share == 0] = -np.inf
    return int(np.argmax(lack))


def _fill(missing: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return how many of `n` rows each split gets ideally: what it lacks, scaled to sum to `n`."""
    lack = np.maximum(missing, 0)
    total = lack.sum()
    if total > 0:
        return np.asarray(lack * (n / total), dtype=np.float64)
    return np.where(missing == missing.max(), n / (missing == missing.max()).sum(), 0.0)


def _round(
    ideal: NDArray[np.float64], n: int, carry: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return whole counts, each the ideal one rounded up or down, and the shortfall.

    What a split lacks after the earlier strata decides which fractions are rounded up, so that a
    hundred strata of one row do not all end up in the largest split.
    """
    exact = np.round(ideal, 9)
    counts = np.floor(exact).astype(np.int64)
    shortfall = np.where(exact > counts, carry + exact - counts, -np.inf)
    counts[np.argsort(-shortfall, kind="stable")[: n - int(counts.sum())]] += 1
    return counts, carry + ideal - counts
