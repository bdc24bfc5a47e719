"""Bootstrap sums over many units, drawn from the normal distribution that they come close to.

The mean and the covariance are those of the bootstrap itself, computed in one pass over the rows;
only the shape of the distribution is an approximation. See `bootstrap` for where it is used.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fairage.audit.groups import Groups
from fairage.audit.sample import Floats, Quantity, Sample
from fairage.audit.units import cluster_sums

__all__ = ["NormalSums", "unit_table"]

CHUNK = 4_000_000


def unit_table(cells: NDArray[np.int64], weights: Floats | None, shape: tuple[int, int]) -> Floats:
    """Return the sum of the weights, or the number of rows, in each cell of a table."""
    found = np.bincount(cells, weights=weights, minlength=shape[0] * shape[1])
    return found.reshape(shape).astype(np.float64, copy=False)


class NormalSums:
    """Draws the sums over many units of each group, less what they are in the sample.

    Args:
        quantities: Quantities; they share their draws.
        means: Group means of each quantity by attribute.
        attributes: Groups by attribute, in the sample's cells.
        sample: The rows.
        keep: Which cells hold the units that are meant, shape `(cells,)`.
    """

    def __init__(
        self,
        quantities: Sequence[Quantity],
        means: list[dict[str, Floats]],
        attributes: Mapping[str, Groups],
        sample: Sample,
        keep: NDArray[np.bool_],
    ) -> None:
        self.attributes = attributes
        self.sample = sample
        self.keep = keep
        self.columns = [
            _Column(quantity, groups, own[name][groups.codes])
            for quantity, own in zip(quantities, means, strict=True)
            for name, groups in attributes.items()
        ]
        self.quantities = len(quantities)

    def draw(
        self, replicates: int, rng: np.random.Generator, *, joint: bool
    ) -> list[dict[str, Floats]]:
        """Return the sums of each quantity's residuals by attribute, each `(replicates, k)`."""
        root = self._root() if joint else None
        widths = np.cumsum([len(column.groups) for column in self.columns])
        normal = rng.standard_normal((replicates, int(widths[-1])))
        draws = normal * self._scales() if root is None else normal @ root.T
        parts = iter(np.split(draws, widths[:-1], axis=1))
        return [{name: next(parts) for name in self.attributes} for _ in range(self.quantities)]

    def _units(self) -> int:
        """Return how many units are meant."""
        units = self.sample.units
        if units is None:
            return int(self.sample.counts[self.keep].sum())
        return len(np.unique(units.codes[self.keep]))

    def _sums(self) -> Floats:
        """Return the sums of the residuals in each group of each column."""
        return np.concatenate(
            [
                column.groups.sums(np.where(self.keep, column.residuals(self.sample), 0.0))
                for column in self.columns
            ]
        )

    def _scales(self) -> Floats:
        """Return the standard deviation of each sum."""
        squares = np.concatenate([self._squares(column) for column in self.columns])
        return np.sqrt(np.maximum(squares - self._sums() ** 2 / self._units(), 0))

    def _root(self) -> Floats:
        """Return a root of the covariance of all sums: `root @ root.T`."""
        products = self._products() if self.sample.units is None else self._unit_products()
        sums = self._sums()
        eigenvalues, vectors = np.linalg.eigh(products - np.outer(sums, sums) / self._units())
        found: Floats = vectors * np.sqrt(np.maximum(eigenvalues, 0))
        return found

    def _squares(self, column: "_Column") -> Floats:
        if self.sample.units is None:
            return column.groups.sums(np.where(self.keep, self._cell_products(column, column), 0.0))
        residuals = np.where(self.keep, column.residuals(self.sample), 0.0)
        sums, of = cluster_sums(residuals, column.groups, self.sample.units)
        return np.bincount(of, weights=sums * sums, minlength=len(column.groups)).astype(np.float64)

    def _cell_products(self, one: "_Column", other: "_Column") -> Floats:
        """Sum the products of residuals over the rows of each cell."""
        v, w = one.quantity, other.quantity
        both = v.squares if v is w else self.sample.sums(v.values * w.values)
        return (
            both
            - one.means * w.sums
            - other.means * v.sums
            + one.means * other.means * self.sample.counts
        )

    def _products(self) -> Floats:
        """Sum the products of residuals over the rows that two groups share, for all pairs."""
        edges = np.cumsum([0, *(len(column.groups) for column in self.columns)])
        spans = [slice(start, stop) for start, stop in pairwise(edges)]
        found = np.zeros((int(edges[-1]), int(edges[-1])))
        for i, one in enumerate(self.columns):
            for j, other in enumerate(self.columns[: i + 1]):
                shape = (len(one.groups), len(other.groups))
                products = np.where(self.keep, self._cell_products(one, other), 0.0)
                block = unit_table(
                    one.groups.codes * shape[1] + other.groups.codes, products, shape
                )
                found[spans[i], spans[j]] = block
                found[spans[j], spans[i]] = block.T
        return found

    def _unit_products(self) -> Floats:
        """Sum over identities the products of their sums in two groups, for all pairs."""
        units = self.sample.units
        assert units is not None, "only called where identities are known"
        residuals = [
            np.where(self.keep, column.residuals(self.sample), 0.0) for column in self.columns
        ]
        width = sum(len(column.groups) for column in self.columns)
        found = np.zeros((width, width))
        order = np.argsort(units.codes, kind="stable")
        for first, last in _spans(units.count, max(1, CHUNK // width)):
            low, high = np.searchsorted(units.codes, [first, last], sorter=order)
            rows = order[low:high]
            place = units.codes[rows] - first
            tables = [
                unit_table(
                    place * len(column.groups) + column.groups.codes[rows],
                    values[rows],
                    (last - first, len(column.groups)),
                )
                for column, values in zip(self.columns, residuals, strict=True)
            ]
            dense = np.concatenate(tables, axis=1)
            found += dense.T @ dense
        return found


@dataclass(frozen=True)
class _Column:
    """One quantity in the groups of one attribute; `means` has the group mean of each cell."""

    quantity: Quantity
    groups: Groups
    means: Floats

    def residuals(self, sample: Sample) -> Floats:
        """Return the sum of the residuals in each cell."""
        found: Floats = self.quantity.sums - self.means * sample.counts
        return found


def _spans(total: int, step: int) -> Iterator[tuple[int, int]]:
    for first in range(0, total, step):
        yield first, min(first + step, total)
