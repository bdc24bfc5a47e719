"""Raking: weights under which every attribute has the margins that are wanted, all at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._text import count, joined
from fairage.exceptions import ConfigError, DataError
from fairage.tables import UNKNOWN, group_labels
from fairage.weighting.weights import Weights, chosen_attributes, weights_from_raw

TOLERANCE = 1e-6
ROUNDS, STALLED = 5000, 100
TRIMS = 20
SMALLEST = 1e-9

Targets = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Raking:
    """Weights by iterative proportional fitting: each group gets its wanted share of the total.

    The weights are scaled to one attribute's margins after the other until every margin is met
    within 1e-6; balancing one attribute then no longer unbalances another. Faces of the same
    groups weigh alike. Few rows may lack the combinations of groups that uniform targets take: then
    the weights go as far toward them as they can, in tenths of `power`, and say so in their note.
    Source: Deming & Stephan, Annals of Mathematical Statistics, 1940.

    Args:
        targets: `"uniform"`, or the wanted share of each group of each attribute; shares are
            divided by their sum. Uniform means equal shares for the groups that the rows show,
            while `unknown`, which is no group of people, keeps the share of rows that it has.
        attributes: Which attributes are raked where the targets are uniform; all of the faces
            table and `age_group` where none are given.
        trim: Cut weights at so many times their median and rake again, up to 20 times while it
            lowers the largest. The margins come first: a weight that they need stays.
        power: How far uniform targets go: a group with the share p of the rows gets a share in
            proportion to p to the power of 1 - `power`; 1 is uniform, 0 keeps the rows as they are.

    Examples:
        >>> faces = pl.DataFrame({"age": [30.0, 30, 30, 70], "gender": ["f", "m", "m", "m"]})
        >>> Raking(attributes=("gender",)).weigh(faces).values.round(3).tolist()
        [2.0, 0.667, 0.667, 0.667]
    """

    targets: Literal["uniform"] | dict[str, dict[str, float]] = "uniform"
    attributes: tuple[str, ...] | None = None
    trim: float | None = None
    power: float = 1.0

    def __post_init__(self) -> None:
        if self.trim is not None and not 1 < self.trim < float("inf"):
            raise ConfigError(f"expected a trim above 1 median, got {self.trim}, take 10")
        if not 0 <= self.power <= 1:
            raise ConfigError(f"expected a power in 0..1, got {self.power}, take 1 for uniform")
        if self.targets == "uniform":
            return
        if self.attributes is not None:
            raise ConfigError("expected targets or attributes, got both, leave one of them out")
        if not self.targets:
            raise ConfigError(
                "expected targets for one attribute or more, got none, write for example "
                "targets: {gender: {female: 1, male: 1}}, or uniform"
            )
        for attribute, shares in self.targets.items():
            if not shares or not all(0 < share < float("inf") for share in shares.values()):
                raise ConfigError(
                    f"expected positive shares for {attribute!r}, got {shares}, "
                    "leave out rows of a group instead of giving it the share 0"
                )

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the raked weights.

        Raises:
            DataError: A target names a group without rows, or a group of the rows has no target,
                or no weights give all groups the shares that targets name.
        """
        named = self.attributes if self.targets == "uniform" else tuple(self.targets)
        names = chosen_attributes(faces, named)
        if faces.height == 0:
            return weights_from_raw(np.ones(0))
        labels = {name: group_labels(faces, name) for name in names}
        for tenths in range(10, -1, -1):
            power = self.power * tenths / 10
            margins = [self._margin(name, own, power) for name, own in labels.items()]
            codes = np.stack([margin.codes for margin in margins], axis=1)
            cells, place, rows = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
            of_cells = _Cells(cells, rows.astype(np.float64), tuple(margins))
            weights = _fit(of_cells, np.ones(len(cells)))
            if _is_met(of_cells, weights):
                break
            if self.targets != "uniform":
                raise _cannot_be_met(of_cells, weights)
        weights = _trimmed(of_cells, weights, self.trim)
        groups = {margin.name: margin.factors(weights[place]) for margin in margins}
        note = "" if tenths == 10 else _note(10 * tenths, names, faces.height)
        return replace(weights_from_raw(weights[place.ravel()], groups), note=note)

    def _margin(self, name: str, labels: NDArray[np.str_], power: float) -> "_Margin":
        groups, codes, rows = np.unique(labels, return_inverse=True, return_counts=True)
        present = dict(zip(map(str, groups), (rows / len(labels)).tolist(), strict=True))
        if self.targets == "uniform":
            shares = _evened(present, 1 - power)
        else:
            shares = _checked(name, self.targets[name], present)
        return _Margin(name, tuple(present), codes, np.array([shares[g] for g in present]))


@dataclass(frozen=True)
class _Margin:
    """One attribute: its groups, each row's group `(n,)`, the wanted shares `(k,)`, sum 1."""

    name: str
    groups: tuple[str, ...]
    codes: NDArray[np.intp]
    shares: NDArray[np.float64]

    def factors(self, weights: NDArray[np.float64]) -> dict[str, float]:
        """The mean weight of each group."""
        totals = np.bincount(self.codes, weights.ravel()) / np.bincount(self.codes)
        return dict(zip(self.groups, totals.tolist(), strict=True))


@dataclass(frozen=True)
class _Cells:
    """The intersections that hold rows: group numbers `(cells, attributes)` and rows `(cells,)`."""

    codes: NDArray[np.intp]
    rows: NDArray[np.float64]
    margins: tuple[_Margin, ...]

    def shares(self, attribute: int, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each group's share of the total weight."""
        mass = weights * self.rows
        return np.asarray(np.bincount(self.codes[:, attribute], mass) / mass.sum())


def _trimmed(
    cells: _Cells, weights: NDArray[np.float64], trim: float | None
) -> NDArray[np.float64]:
    """Return a weight a cell, with mean 1 over the rows, the large ones cut where margins allow."""
    for _ in range(TRIMS if trim is not None else 0):
        limit = (trim or 1) * _median(weights, cells.rows)
        if weights.max() <= limit * (1 + TOLERANCE):
            break
        trimmed = _fit(cells, np.minimum(weights, limit))
        if trimmed.max() >= weights.max() or not _is_met(cells, trimmed):
            break
        weights = trimmed
    return weights


def _note(reached: int, names: Sequence[str], rows: int) -> str:
    return (
        f"raking goes {reached} % of the way to the shares that it aims at: {count(rows, 'row')} "
        f"have too few combinations of the groups of {joined(names)} to give all of them their "
        "share at once; add faces of rare groups, or name fewer attributes"
    )


def _fit(cells: _Cells, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale to one margin after the other until all are met, none is neared or a weight vanishes.

    Where the margins can be met, the distance falls at least like one over the rounds.
    """
    before = np.inf
    for turn in range(ROUNDS):
        for attribute, margin in enumerate(cells.margins):
            factors = margin.shares / cells.shares(attribute, weights)
            weights = weights * factors[cells.codes[:, attribute]]
        worst = _worst(cells, weights)[0]
        if worst <= TOLERANCE / 10 or _vanishes(weights):
            break
        if turn % STALLED == 0:
            if worst > 0.995 * before:
                break
            before = worst
    return np.asarray(weights * cells.rows.sum() / (weights * cells.rows).sum())


def _is_met(cells: _Cells, weights: NDArray[np.float64]) -> bool:
    return _worst(cells, weights)[0] <= TOLERANCE and not _vanishes(weights)


def _vanishes(weights: NDArray[np.float64]) -> bool:
    return bool(weights.min() < SMALLEST * weights.max())


def _worst(cells: _Cells, weights: NDArray[np.float64]) -> tuple[float, int]:
    """The largest distance of a share from its target, and whose it is."""
    misses = [
        float(np.abs(cells.shares(i, weights) - margin.shares).max())
        for i, margin in enumerate(cells.margins)
    ]
    worst = int(np.argmax(misses))
    return misses[worst], worst


def _median(weights: NDArray[np.float64], rows: NDArray[np.float64]) -> float:
    order = np.argsort(weights)
    middle = np.searchsorted(np.cumsum(rows[order]), rows.sum() / 2)
    return float(weights[order][middle])


def _evened(present: Mapping[str, float], power: float) -> dict[str, float]:
    """Shares to this power, with sum 1; `unknown` keeps its own."""
    unknown_share = present.get(UNKNOWN, 0.0)
    raw = {group: share**power for group, share in present.items() if group != UNKNOWN}
    shares = {
        group: (1 - unknown_share) * share / sum(raw.values()) for group, share in raw.items()
    }
    return {UNKNOWN: unknown_share, **shares}


def _checked(
    name: str, targets: Mapping[str, float], present: Mapping[str, float]
) -> dict[str, float]:
    """The target's shares with sum 1; `unknown` keeps its share where it is not named."""
    empty = sorted(set(targets) - set(present))
    if empty:
        raise DataError(
            f"expected rows of every group of {name!r} that the targets name, got none of {empty}, "
            f"leave them out of the targets or add rows (there are {sorted(present)})"
        )
    missing = sorted(set(present) - set(targets) - {UNKNOWN})
    if missing:
        raise DataError(
            f"expected a target for each group of {name!r}, got none for {missing}, "
            "add their shares"
        )
    unknown_share = present.get(UNKNOWN, 0.0) if UNKNOWN not in targets else 0.0
    scale = (1 - unknown_share) / sum(targets.values())
    return {UNKNOWN: unknown_share, **{group: share * scale for group, share in targets.items()}}


def _cannot_be_met(cells: _Cells, weights: NDArray[np.float64]) -> DataError:
    _, attribute = _worst(cells, weights)
    margin = cells.margins[attribute]
    shares = cells.shares(attribute, weights)
    group = int(np.abs(shares - margin.shares).argmax())
    return DataError(
        "expected targets that weights can reach for all attributes at once, got at best a share "
        f"of {shares[group]:.4f} instead of {margin.shares[group]:.4f} for "
        f"{margin.groups[group]!r} of {margin.name!r}, as too few rows combine the groups, name "
        "fewer attributes, merge groups or give other targets"
    )
