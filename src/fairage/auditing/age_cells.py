"""Means over the cells (group, band of age) of one attribute, and the error of their means."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.distributions import student_quantile
from fairage.auditing.groups import Floats, Units, unit_chunks

CHUNK = 200_000  # numbers of the matrix of units and cells at a time: they stay in the cache


@dataclass(frozen=True)
class AgeCells:
    """Means of one quantity in each cell, shape `(groups, bands)` throughout.

    Args:
        counts: Rows of each cell.
        sizes: Units of each cell.
        totals: Sum of weights of each cell.
        means: Mean of the quantity; NaN in an empty cell.
        squares: Sum of the squared residual sums of the cell's units.
        cubes: Sum of their third powers.
        products: Sum over units of the products of two cells' residual sums, shape
            `(cells, cells)`; None where no unit is in two cells.
        presence: Which person has rows in which cell, shape `(persons, cells)`; None where rows
            are units.
    """

    counts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    totals: Floats
    means: Floats
    squares: Floats
    cubes: Floats
    products: Floats | None = field(default=None, repr=False)
    presence: NDArray[np.bool_] | None = field(default=None, repr=False)

    def group_mean(self, group: int) -> float:
        """Return the mean of a group over all bands."""
        total = float(self.totals[group].sum())
        return float(np.nansum(self.means[group] * self.totals[group])) / total

    def limits(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return lower and upper limits of each cell's mean; NaN for a cell of one unit.

        By Hall's transformation of the t statistic, which carries the skewness of errors.
        Source: Hall, J. R. Statist. Soc. B 54 (1992).
        """
        n = self.sizes.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            errors = np.sqrt(self.squares * n / (n - 1)) / self.totals
            skewness = (self.cubes / n) / (self.squares / n) ** 1.5
            a = np.where(self.squares > 0, skewness, 0.0) / (3 * np.sqrt(n))
        sizes, places = np.unique(self.sizes, return_inverse=True)
        quantiles = np.array(
            [student_quantile((1 + level) / 2, m - 1) if m > 1 else np.nan for m in sizes.tolist()]
        )
        reach = quantiles[places].reshape(n.shape)
        low, high = (self.means - errors * _untransformed(side * reach, a) for side in (1.0, -1.0))
        return low, high

    def variance(self, loads: Floats, persons: int | None) -> tuple[float, float]:
        """Return the variance of a weighted sum of cell means, and its degrees of freedom.

        Args:
            loads: Weight of each cell's mean, shape `(groups, bands)`.
            persons: Persons in the cells that have a weight; None where rows are units.
        """
        used, sizes = loads != 0, np.maximum(self.sizes, 2)
        scale = loads * np.sqrt(sizes / (sizes - 1)) / np.maximum(self.totals, 1e-300)
        if self.products is not None and persons is not None:
            flat = scale.ravel()
            return float(flat @ self.products @ flat), float(max(persons - int(used.sum()), 2))
        own = (scale**2 * self.squares)[used]
        variance = float(own.sum())
        shares = float((own**2 / (sizes[used] - 1)).sum())
        return variance, variance**2 / shares if shares > 0 else 1.0

    def persons_in(self, used: NDArray[np.bool_]) -> int | None:
        """Return how many persons have rows in these cells; None where rows are units."""
        if self.presence is None:
            return None
        return int(self.presence[:, used.ravel()].any(axis=1).sum())


def cells_of_rows(
    shape: tuple[int, int],
    codes: NDArray[np.int64],
    counts: Floats | None,
    powers: tuple[Floats, Floats, Floats],
    centre: float,
) -> AgeCells:
    """Return the cells where rows are units; entries are rows, or rows already added up.

    Args:
        shape: Groups and bands.
        codes: Cell of each entry, shape `(entries,)`.
        counts: Rows of each entry; 1 where nothing is given.
        powers: Sum of the value less `centre`, and of its second and third powers, by entry.
        centre: What was taken off, so that powers keep their digits.
    """
    size = shape[0] * shape[1]

    def total(values: Floats | None) -> Floats:
        return np.bincount(codes, values, minlength=size).astype(np.float64).reshape(shape)

    n = total(counts)
    first, second, third = (total(power) for power in powers)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = first / n
    squares = second - mean * first
    cubes = third - 3 * mean * second + 2 * mean**2 * first
    rounding = squares <= 1e-12 * np.abs(second)
    rows = n.astype(np.int64)
    return AgeCells(
        rows,
        rows,
        n,
        mean + centre,
        np.where(rounding, 0.0, squares),
        np.where(rounding, 0.0, cubes),
    )


def cells_of_units(
    shape: tuple[int, int],
    codes: NDArray[np.int64],
    values: Mapping[str, Floats],
    units: Units | None,
    weights: Floats | None,
) -> dict[str, AgeCells]:
    """Return the cells of each quantity where persons are units, or rows have weights.

    Args:
        shape: Groups and bands.
        codes: Cell of each row, shape `(n,)`.
        values: The quantities, shape `(n,)` each.
        units: Persons; each row is a unit where nothing is given.
        weights: Survey weight of each row.
    """
    size = shape[0] * shape[1]
    counts = np.bincount(codes, minlength=size).reshape(shape)
    totals = np.bincount(codes, weights, minlength=size).astype(np.float64)
    means, residuals = {}, {}
    for name, quantity in values.items():
        weighted = quantity if weights is None else quantity * weights
        with np.errstate(invalid="ignore", divide="ignore"):
            means[name] = np.bincount(codes, weighted, minlength=size) / totals
        residuals[name] = quantity - means[name][codes]
        if weights is not None:
            residuals[name] *= weights
    sums = (
        _sums_of_rows(size, codes, residuals)
        if units is None
        else _sums_of_persons(size, codes, residuals, units)
    )
    return {
        name: AgeCells(
            counts,
            counts if own.presence is None else own.presence.sum(axis=0).reshape(shape),
            totals.reshape(shape),
            means[name].reshape(shape),
            own.squares.reshape(shape),
            own.cubes.reshape(shape),
            own.products,
            own.presence,
        )
        for name, own in sums.items()
    }


@dataclass(frozen=True)
class _Sums:
    """Sums over units of the powers of their residual sums in each cell, as in `AgeCells`."""

    squares: Floats
    cubes: Floats
    products: Floats | None = None
    presence: NDArray[np.bool_] | None = None


def _sums_of_rows(
    size: int, codes: NDArray[np.int64], residuals: Mapping[str, Floats]
) -> dict[str, _Sums]:
    def total(values: Floats) -> Floats:
        return np.bincount(codes, values, minlength=size).astype(np.float64)

    return {name: _Sums(total(own**2), total(own**3)) for name, own in residuals.items()}


def _sums_of_persons(
    size: int, codes: NDArray[np.int64], residuals: Mapping[str, Floats], units: Units
) -> dict[str, _Sums]:
    products = {name: np.zeros((size, size)) for name in residuals}
    cubes = {name: np.zeros(size) for name in residuals}
    presence = np.zeros((units.count, size), dtype=bool)
    for rows, first, height in unit_chunks(units, max(CHUNK // size, 1)):
        cells = (units.codes[rows] - first) * size + codes[rows]
        presence[first : first + height].reshape(-1)[cells] = True
        for name, own in residuals.items():
            matrix = np.bincount(cells, own[rows], minlength=height * size).reshape(-1, size)
            products[name] += matrix.T @ matrix
            cubes[name] += (matrix * matrix * matrix).sum(axis=0)
    return {
        name: _Sums(np.diag(products[name]).copy(), cubes[name], products[name], presence)
        for name in residuals
    }


def _untransformed(values: Floats, a: Floats) -> Floats:
    """Return the t statistics whose transformed values these are; `a`: skewness / (3 sqrt n)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        curved = (np.cbrt(1 + 3 * a * (values - a / 2)) - 1) / a
    return np.where(np.abs(a) < 1e-6, values, curved)
