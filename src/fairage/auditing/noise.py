"""Group means of all attributes at once, and the law of their error: one set of noise draws.

`estimate_means` gives the means `m` of every group of every attribute, for several quantities
(absolute and mean errors), their covariance `V`, and draws `Z` of `m` minus the true means. Rows
that several groups share, and persons with several rows, make them depend on each other: the draws
carry that. Everything that is said of gaps and biases comes from these draws.

A group's influence of unit u is its residual sum over the group's rows (weights); V is the sum of
products of influences over units, cluster-robust and valid under unequal spread. Z is normal with
covariance V; a column with few units then takes the sorted bootstrap-t draws in its own order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from fairage._random import numpy_rng
from fairage.auditing.distributions import normal_quantile, student_quantile
from fairage.auditing.groups import (
    Floats,
    Groups,
    Units,
    effective_sizes,
    pair_persons,
    unit_chunks,
)
from fairage.auditing.means import DRAWS, FEW_UNITS, LEAST_UNITS, UnitSums, studentised_draws
from fairage.exceptions import ConfigError

CHUNK = 400_000  # numbers of the influence matrix at a time: they stay in the cache
MANY_ROWS = 20_000  # from here on cells stand for rows
MOST_CELLS = 8_000_000  # cells times columns
MOST_COLUMNS = 4_000
ROUNDING = 1e-10  # of the sum of squares


@dataclass(frozen=True)
class GroupMeans:
    """Means of several quantities in the groups of several attributes, and draws of their error.

    Args:
        blocks: The columns of each (attribute, quantity), in the groups' order.
        means: Mean of each column, shape `(columns,)`; NaN for a group without rows.
        variance: Covariance of the means, shape `(columns, columns)`.
        draws: Draws of mean minus true mean, shape `(DRAWS, columns)`.
        ratios: Standard error of each draw's resample over that of the column, in the same shape;
            1 where there are units enough for none.
        sizes: Units of each column, shape `(columns,)`.
        effective: The same, less what unequal weights cost: (sum w)² / sum w².
    """

    blocks: dict[tuple[str, str], slice]
    means: Floats
    variance: Floats
    draws: Floats
    ratios: Floats
    sizes: NDArray[np.int64]
    effective: Floats

    def columns(self, attribute: str, quantity: str) -> NDArray[np.int64]:
        """Return the numbers of the columns of an attribute and quantity."""
        block = self.blocks[attribute, quantity]
        return np.arange(block.start, block.stop)

    @property
    def errors(self) -> Floats:
        """Standard error of each column, shape `(columns,)`."""
        errors: Floats = np.sqrt(np.diag(self.variance))
        return errors

    def limits(self, column: int, level: float = 0.95) -> tuple[float, float] | None:
        """Return the limits of one mean; None for a group of one unit."""
        size = int(self.sizes[column])
        if size < 2:
            return None
        tail, mean = (1 - level) / 2, float(self.means[column])
        if size > FEW_UNITS or size < LEAST_UNITS:
            reach = normal_quantile(1 - tail)
            if size < LEAST_UNITS:
                reach = student_quantile(1 - tail, size - 1)
            half = reach * float(np.sqrt(self.variance[column, column]))
            return mean - half, mean + half
        low, high = np.quantile(self.draws[:, column], [tail, 1 - tail])
        return mean - float(high), mean - float(low)


def estimate_means(
    quantities: Mapping[str, Floats],
    attributes: Mapping[str, Groups],
    *,
    units: Units | None = None,
    weights: Floats | None = None,
    seed: int = 0,
    purpose: str = "noise",
) -> GroupMeans:
    """Return the means of all groups and the draws of their error.

    Args:
        quantities: One number a row for each quantity, shape `(n,)`.
        attributes: Groups of the same rows for each attribute.
        units: Persons; each row is a unit where nothing is given.
        weights: Weight of each row, shape `(n,)`.
        seed: Start of the random numbers.
        purpose: Keeps the random numbers of different uses apart.

    Raises:
        ConfigError: There are too many groups to be compared at once.

    Examples:
        >>> from fairage.auditing.groups import group_rows
        >>> errors = np.array([1.0, 3.0, 5.0, 7.0, 9.0, 9.0])
        >>> groups = {"gender": group_rows(["f", "f", "f", "m", "m", "m"])}
        >>> estimate_means({"mae": errors}, groups).means.round(2).tolist()
        [3.0, 8.33]
    """
    layout = _Layout(quantities, attributes, units, weights)
    variance = layout.variance()
    rng = numpy_rng(seed, "audit", purpose)
    values, vectors = np.linalg.eigh(variance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    draws = rng.standard_normal((DRAWS, len(root))) @ root.T
    ratios = np.ones(draws.shape)
    for column, unit_sums in layout.few():
        order = np.argsort(draws[:, column])
        draws[order, column], ratios[order, column] = studentised_draws(unit_sums, seed)
    return GroupMeans(
        layout.blocks, layout.means, variance, draws, ratios, layout.sizes, layout.effective
    )


class _Layout:
    """The columns: which rows and units stand behind each."""

    def __init__(
        self,
        quantities: Mapping[str, Floats],
        attributes: Mapping[str, Groups],
        units: Units | None,
        weights: Floats | None,
    ) -> None:
        self.quantities, self.attributes, self.units = quantities, attributes, units
        self.weights = weights
        self.blocks: dict[tuple[str, str], slice] = {}
        start = 0
        for attribute, groups in attributes.items():
            for quantity in quantities:
                self.blocks[attribute, quantity] = slice(start, start + len(groups))
                start += len(groups)
        if start > MOST_COLUMNS:
            raise ConfigError(
                f"expected at most {MOST_COLUMNS // len(quantities):,} groups in all attributes, "
                f"got {start // len(quantities):,}, name fewer attributes with --attribute"
            )
        self.width = start
        self.means = np.zeros(start)
        self.sizes = np.zeros(start, dtype=np.int64)
        self.effective = np.zeros(start)
        self.totals = np.zeros(start)
        for attribute, groups in attributes.items():
            self._count(attribute, groups)

    def _count(self, attribute: str, groups: Groups) -> None:
        k, weights, codes = len(groups), self.weights, groups.codes
        totals = np.bincount(codes, weights=weights, minlength=k).astype(np.float64)
        sizes = groups.counts if self.units is None else np.diag(pair_persons(groups, self.units))
        effective = effective_sizes(groups, sizes, weights)
        for quantity, values in self.quantities.items():
            block = self.blocks[attribute, quantity]
            sums = np.bincount(
                codes, weights=values if weights is None else values * weights, minlength=k
            )
            with np.errstate(invalid="ignore"):
                self.means[block] = sums / totals
            self.sizes[block], self.effective[block], self.totals[block] = sizes, effective, totals

    def variance(self) -> Floats:
        """Return the covariance of all means."""
        cells = 1
        for groups in self.attributes.values():
            cells *= max(len(groups), 1)
        n = len(next(iter(self.quantities.values())))
        if self.units is None and n > MANY_ROWS and cells * self.width <= MOST_CELLS:
            variance = self._variance_of_cells(cells)
        else:
            variance = np.zeros((self.width, self.width))
            for influences in self._influences():
                variance += influences.T @ influences
        errors = np.sqrt(np.diag(variance))
        equal = errors <= 1e-9 * np.abs(np.nan_to_num(self.means))
        variance[equal] = 0.0
        variance[:, equal] = 0.0
        return variance

    def _variance_of_cells(self, cells: int) -> Floats:
        """Return the same for very many rows, from sums over the cells of all attributes."""
        codes = np.zeros(len(next(iter(self.quantities.values()))), dtype=np.int64)
        for groups in self.attributes.values():
            codes = codes * len(groups) + groups.codes
        names = np.indices([len(groups) for groups in self.attributes.values()]).reshape(-1, cells)
        squares = None if self.weights is None else self.weights**2

        def sums(values: Floats | None) -> Floats:
            if values is not None and squares is not None:
                values = values * squares
            weights = squares if values is None else values
            return np.bincount(codes, weights, minlength=cells).astype(np.float64)

        centres = {name: float(values.mean()) for name, values in self.quantities.items()}
        moved = {name: values - centres[name] for name, values in self.quantities.items()}
        counts, first = sums(None), {name: sums(values) for name, values in moved.items()}
        second = {
            (one, other): sums(moved[one] * moved[other])
            for one, other in combinations_with_replacement(moved, 2)
        }
        member = np.zeros((cells, self.width))
        for (attribute, _), block in self.blocks.items():
            place = list(self.attributes).index(attribute)
            member[np.arange(cells), block.start + names[place]] = 1.0
        scale, variance = self._scale(), np.zeros((self.width, self.width))
        uncentred = np.zeros(self.width)
        for (_, q), rows in self.blocks.items():
            for (_, r), columns in self.blocks.items():
                pair = (q, r) if (q, r) in second else (r, q)
                one, other = member[:, rows], member[:, columns]
                if rows == columns:
                    uncentred[rows] = second[pair] @ one
                m = np.nan_to_num(self.means[rows] - centres[q])[:, None]
                k = np.nan_to_num(self.means[columns] - centres[r])[None, :]
                products = one.T @ (second[pair][:, None] * other)
                products -= m * (one.T @ (first[r][:, None] * other))
                products -= k * (one.T @ (first[q][:, None] * other))
                products += m * k * (one.T @ (counts[:, None] * other))
                variance[rows, columns] = products * scale[rows, None] * scale[None, columns]
        return _without_rounding(variance, uncentred * scale**2)

    def _scale(self) -> Floats:
        """Return what a residual sum is multiplied with to be an influence, shape `(columns,)`."""
        scale = np.zeros(self.width)
        enough = self.sizes > 1
        sizes = self.sizes[enough]
        scale[enough] = np.sqrt(sizes / (sizes - 1)) / self.totals[enough]
        return scale

    def _influences(self) -> Iterator[Floats]:
        """Yield the influence of units on the means, shape `(units, columns)`."""
        step = max(CHUNK // max(self.width, 1), 1)
        n = len(next(iter(self.quantities.values())))
        if self.units is None:
            for first in range(0, n, step):
                last = min(first + step, n)
                rows = slice(first, last)
                yield self._matrix(rows, np.arange(last - first), last - first)
            return
        for chunk, first, height in unit_chunks(self.units, step):
            yield self._matrix(chunk, self.units.codes[chunk] - first, height)

    def _matrix(
        self, rows: NDArray[np.int64] | slice, places: NDArray[np.int64], height: int
    ) -> Floats:
        matrix, scale = np.zeros((height, self.width)), self._scale()
        for (attribute, quantity), block in self.blocks.items():
            codes = self.attributes[attribute].codes[rows]
            residuals = self.quantities[quantity][rows] - self.means[block][codes]
            if self.weights is not None:
                residuals = residuals * self.weights[rows]
            residuals = residuals * scale[block][codes]
            if self.units is None:
                matrix[places, block.start + codes] = residuals
            else:
                width = block.stop - block.start
                flat = np.bincount(places * width + codes, residuals, minlength=height * width)
                matrix[:, block] = flat.reshape(height, width)
        return matrix

    def few(self) -> Iterator[tuple[int, UnitSums]]:
        """Yield the columns that have 2 to 200 units, with these."""
        for attribute, groups in self.attributes.items():
            starts = {name: self.blocks[attribute, name].start for name in self.quantities}
            sizes = self.sizes[self.blocks[attribute, next(iter(self.quantities))]]
            for group in np.flatnonzero((sizes >= 2) & (sizes <= FEW_UNITS)).tolist():
                rows = np.flatnonzero(groups.codes == group)
                units = None if self.units is None else self.units.codes[rows]
                weights = None if self.weights is None else self.weights[rows]
                for name, values in self.quantities.items():
                    yield starts[name] + group, UnitSums.of(values[rows], units, weights)


def _without_rounding(variance: Floats, uncentred: Floats) -> Floats:
    """Return the variances with 0 where only rounding is left of the squares, as of equal values.

    Args:
        variance: Covariance of the means, shape `(columns, columns)`; changed in place.
        uncentred: What each variance was before the group's mean was taken off.
    """
    equal = np.diag(variance) <= ROUNDING * uncentred
    variance[equal] = 0.0
    variance[:, equal] = 0.0
    return variance
