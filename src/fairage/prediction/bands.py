"""Residuals of calibration faces, pooled in bands: of the estimate, or of the true age.

Bands are made of cells, the first and the last without an end; while a band has fewer than so many
faces, the smallest one is joined to the smaller of its neighbours. The rule never sees how far
estimates are off, and is the same for all data. One face more or less changes bands only in a tie
or where one has just too few, so that the ranks are as good as exact within a band.

A unit, a person or a face of whom no person is known, counts once, however many of its faces lie in
a band: they share its weight evenly. So do the draws of an age that is known as a range; those that
lie in another band leave with their share. With units that weigh k together the unknown age of the
next has the weight 1 of k + 1. That keeps the promised level for a random face of a new person [1].

[1] Lee, Barber and Willett, "Distribution-free inference with hierarchical data", 2023.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.groups import Floats

ROUNDING = 1e-9  # what sums of weights and (1 + level) / 2 may be off by

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Band:
    """The residuals of the calibration faces that lie in `[start, stop)`.

    Args:
        start: Where it begins, in years; `-inf` in the first band.
        stop: Where it ends; `inf` in the last band.
        faces: Calibration faces.
        units: Persons, or faces where no person is known; of ages that are ranges, their shares.
        residuals: How far the true age is above the estimate, rising, shape `(draws,)`.
        rows: The number of the face that each is of.
        before: Sum of the weights of the residuals before each, from 0 to `units`, one longer.
    """

    start: float
    stop: float
    faces: int
    units: float
    residuals: Floats = field(repr=False)
    rows: Codes = field(repr=False)
    before: Floats = field(repr=False)

    def upper(self, level: float, settled: NDArray[np.bool_] | None = None) -> float:
        """Return the residual that the next is at most above with about (1 - level) / 2.

        Of k + 1 units, the next one among them, at most 1 - level lie outside both limits: half of
        these below the lower one, rounded down to whole units, the rest above the upper one.

        Args:
            level: Share of residuals between both limits.
            settled: Residuals that need no limit, shape `(draws,)`; they never count as outside.

        Returns:
            The limit; `inf` where the units are too few to tell.
        """
        below, outside = self._outside(level)
        if outside - below < 1:
            return math.inf
        weights = self._weights(settled)
        tail = np.cumsum(weights[::-1])[::-1] - weights
        return float(self.residuals[int(np.argmax(tail <= outside - below - 1 + ROUNDING))])

    def lower(self, level: float, settled: NDArray[np.bool_] | None = None) -> float:
        """Return the residual below which the next lies with at most (1 - level) / 2; see `upper`.

        It is `-inf` where the units are too few to tell.
        """
        below, _ = self._outside(level)
        if below < 1:
            return -math.inf
        weights = self._weights(settled)
        head = np.cumsum(weights) - weights
        return float(self.residuals[int((head <= below - 1 + ROUNDING).sum()) - 1])

    def _outside(self, level: float) -> tuple[int, float]:
        """Return how many units may lie below, and how many in all outside."""
        outside = (1 - level) * (self.units + 1) + ROUNDING
        return math.floor(outside / 2), outside

    def _weights(self, settled: NDArray[np.bool_] | None) -> Floats:
        weights = np.diff(self.before)
        return weights if settled is None else np.where(settled, 0.0, weights)

    def share_from(self, residuals: Floats) -> Floats:
        """Return the share of k + 1 units whose residual is at least each of these."""
        places = np.searchsorted(self.residuals, residuals)
        return np.asarray((self.units - self.before[places]) / (self.units + 1))


def fit_bands(
    values: Floats, residuals: Floats, units: Codes, edges: Floats, least: int
) -> tuple[Band, ...]:
    """Return the bands of these faces, rising, without gaps.

    Args:
        values: What puts a draw of a face into a band, in years, shape `(faces, draws)`.
        residuals: Those of the same draws.
        units: The unit of each face, shape `(faces,)`.
        edges: Where cells meet, in years, rising.
        least: Units that a band must have; with fewer in all there is one band.
    """
    cells = np.searchsorted(edges, values, side="right").astype(np.int64)
    first = np.arange(len(edges) + 1)
    weights = _weights(cells, units)
    while len(names := np.unique(first)) > 1:
        sums = np.bincount(first[cells].ravel(), weights.ravel(), minlength=len(first))[names]
        smallest = int(np.argmin(sums))
        if sums[smallest] >= least - ROUNDING:
            break
        sides = [side for side in (smallest - 1, smallest + 1) if 0 <= side < len(names)]
        low, high = sorted((smallest, min(sides, key=lambda side: float(sums[side]))))
        first[first == names[high]] = names[low]
        weights = _weights(first[cells], units)
    starts = [-math.inf, *(float(edges[name - 1]) for name in names[1:])]
    stops = [*starts[1:], math.inf]
    return tuple(
        _band(residuals, weights, first[cells] == name, start, stop)
        for name, start, stop in zip(names, starts, stops, strict=True)
    )


def _weights(bands: Codes, units: Codes) -> Floats:
    """Return the weight of each draw, shape `(faces, draws)`.

    In each band the faces of a unit share its weight; a draw has a face's by the number of draws.
    """
    faces, draws = bands.shape
    n_units = int(units.max()) + 1
    _, first = np.unique(bands * faces + np.arange(faces)[:, None], return_index=True)
    pairs = bands * n_units + units[:, None]  # a number for each unit in each band
    alike = np.bincount(pairs.ravel()[first], minlength=int(pairs.max()) + 1)
    return np.asarray(1 / (alike[pairs] * draws), dtype=np.float64)


def _band(
    residuals: Floats, weights: Floats, inside: NDArray[np.bool_], start: float, stop: float
) -> Band:
    own, weights, rows = residuals[inside], weights[inside], np.nonzero(inside)[0]
    order = np.argsort(own, kind="stable")
    sums = np.cumsum(weights[order], dtype=np.longdouble)  # else a third of a unit adds up to less
    before = np.concatenate([[0.0], sums.astype(np.float64)])
    faces = int(inside.any(axis=1).sum())
    return Band(start, stop, faces, float(before[-1]), own[order], rows[order], before)
