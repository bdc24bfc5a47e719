"""Simulated tables of errors from a population of `coverage_kinds`, and their true values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from coverage_kinds import LAWS, Kinds, cross, sampled_shares, true_values
from fairage.auditing.groups import Floats, Groups, Units, groups_of

__all__ = ["Design", "Table"]

Codes = NDArray[np.int64]
EVERYBODY = "all"
MEASURES = ("mae", "mean_error", "median", "p90", "rmse", "within_5", "fails")


@dataclass(frozen=True)
class Table:
    """One simulated table.

    Args:
        errors: Estimate minus true age of the rows that have an estimate, shape `(n,)`.
        attributes: Groups of these rows; a group's name is its number in the truth.
        units: Persons; None where each row is one.
        weights: Survey weights; None where all are 1.
        ages: True ages, or NaN.
        failed: 1 for each row without an estimate, over all rows, shape `(all,)`.
        everybody: Groups of all rows.
        all_units: Persons of all rows.
    """

    errors: Floats
    attributes: dict[str, Groups]
    units: Units | None
    weights: Floats | None
    ages: Floats
    failed: Floats
    everybody: dict[str, Groups]
    all_units: Units | None


@dataclass(frozen=True)
class Design:
    """How tables are drawn.

    Args:
        kinds: The population of persons; of faces, where each row is a unit.
        count: Units of a table: drawn, or so many in each group of the first attribute.
        sizes: Equally likely numbers of rows of a person, shape `(sizes,)` or one row a kind;
            None where each row is a unit.
        within: What varies from row to row of one person.
        coins: Further attributes of two groups that have nothing to do with anything.
        mislabelled: Rows that get another group of the first attribute.
    """

    kinds: Kinds
    count: int | Sequence[int]
    sizes: Sequence[int] | Sequence[Sequence[int]] | None = None
    within: Kinds | None = None
    coins: int = 0
    mislabelled: int = 0

    @cached_property
    def faces(self) -> Kinds:
        """The population of faces: shares by rows, not by persons."""
        shares = self.kinds.shares
        if not isinstance(self.count, int):
            totals = np.bincount(self._first, shares)
            shares = shares * (np.asarray(self.count) / totals)[self._first]
        if self.sizes is not None:
            shares = shares * np.mean(np.atleast_2d(np.asarray(self.sizes, float)), axis=1)
        kinds = replace(self.kinds, shares=shares / shares.sum())
        return kinds if self.within is None else cross(kinds, self.within)

    @cached_property
    def truth(self) -> dict[str, dict[str, Floats]]:
        """True values: attribute (or `all`) -> measure -> one number a group."""
        faces = self.faces
        codes = {EVERYBODY: np.zeros(len(faces), np.int64), **faces.codes}
        result: dict[str, dict[str, Floats]] = {}
        for name, own in codes.items():
            groups = [true_values(faces, own == group) for group in range(int(own.max()) + 1)]
            result[name] = {key: np.array([values[key] for values in groups]) for key in MEASURES}
        for coin in range(self.coins):
            both = result[EVERYBODY].items()
            result[f"coin{coin}"] = {key: np.repeat(values, 2) for key, values in both}
        return result

    def draw(self, rng: np.random.Generator) -> Table:
        """Return a table."""
        own = self._draw_kinds(rng)
        units: Codes | None = None
        if self.sizes is not None:
            possible = np.atleast_2d(np.asarray(self.sizes))
            places = rng.integers(0, possible.shape[1], len(own))
            sizes = possible[own if len(possible) > 1 else 0, places]
            units = np.repeat(np.arange(len(own)), sizes)
            own = np.repeat(own, sizes)
        if self.within is not None:
            own = own * len(self.within) + rng.choice(
                len(self.within), len(own), p=self.within.shares
            )
        return self._table(rng, own, units)

    @property
    def _first(self) -> Codes:
        return next(iter(self.kinds.codes.values()))

    def _draw_kinds(self, rng: np.random.Generator) -> Codes:
        """Return the kind of each unit."""
        shares = sampled_shares(self.kinds)
        if isinstance(self.count, int):
            return rng.choice(len(shares), self.count, p=shares)
        parts = []
        for group, count in enumerate(self.count):
            own = np.flatnonzero(self._first == group)
            parts.append(own[rng.choice(len(own), count, p=shares[own] / shares[own].sum())])
        return np.concatenate(parts)

    def _table(self, rng: np.random.Generator, own: Codes, units: Codes | None) -> Table:
        faces = self.faces
        errors = _errors(rng, faces, own)
        codes = {name: group[own] for name, group in faces.codes.items()}
        if self.mislabelled:
            name = next(iter(codes))
            rows = rng.choice(len(own), self.mislabelled, replace=False)
            codes[name][rows] = (codes[name][rows] + 1) % (int(faces.codes[name].max()) + 1)
        for coin in range(self.coins):
            codes[f"coin{coin}"] = rng.integers(0, 2, len(own))
        failed = np.zeros(len(own))
        if faces.fails.any():
            failed = (rng.random(len(own)) < faces.fails[own]).astype(float)
        keep = failed == 0
        weights = None
        if self.kinds.drawn is not None:
            weights = (faces.shares / sampled_shares(faces))[own[keep]]
        everybody = {name: _present(group) for name, group in codes.items()}
        return Table(
            errors[keep],
            {name: _present(group[keep]) for name, group in codes.items()},
            None if units is None else _units(units[keep]),
            weights,
            faces.age[own[keep]] if len(faces.age) > 1 else np.full(int(keep.sum()), np.nan),
            failed,
            everybody,
            None if units is None else _units(units),
        )


def _errors(rng: np.random.Generator, faces: Kinds, own: Codes) -> Floats:
    laws = faces.law[own] if len(faces.law) > 1 else np.full(len(own), faces.law[0])
    sizes = np.empty(len(own))
    for law in np.unique(laws).tolist():
        rows = laws == law
        sizes[rows] = LAWS[law].draw(rng, int(rows.sum()))
    up = faces.up[own] if len(faces.up) > 1 else np.full(len(own), faces.up[0])
    signs = np.where(rng.random(len(own)) < up, 1.0, -1.0)
    return np.asarray(sizes * faces.scale[own] * signs)


def _present(codes: Codes) -> Groups:
    """Return the groups that have rows; the name of each is its number."""
    names, places = np.unique(codes, return_inverse=True)
    return groups_of(tuple(map(str, names.tolist())), places)


def _units(codes: Codes) -> Units:
    names, places = np.unique(codes, return_inverse=True)
    return Units(places.astype(np.int64), len(names))
