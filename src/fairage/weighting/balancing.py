"""Weights that balance groups or ages: inverse frequency, effective number, cells, density."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.exceptions import ConfigError
from fairage.tables import AGE, group_labels
from fairage.weighting.weights import (
    GroupWeights,
    Weights,
    chosen_attributes,
    weights_from_raw,
)


@dataclass(frozen=True)
class Inverse:
    """The product over attributes of `n_g ** -power`, n_g being the rows of the row's group.

    Source: Yang et al., Delving into Deep Imbalanced Regression, ICML 2021 (there on bins of age).

    Args:
        power: 1 gives every group of one attribute the same total (`inverse`), 0.5 goes half the
            way on a log scale (`sqrt-inverse`).
        attributes: Names; all of the faces table and `age_group` where none are given.

    Examples:
        >>> faces = pl.DataFrame({"age": [30.0, 30, 70], "gender": ["f", "m", "m"]})
        >>> Inverse(1.0, ("gender",)).weigh(faces).values.tolist()
        [1.5, 0.75, 0.75]
    """

    power: float = 1.0
    attributes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.power <= 4:
            raise ConfigError(f"expected a power in 0..4, got {self.power}, take 1 or 0.5")

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the product of the attributes' weights for each row."""
        return _product(faces, self.attributes, lambda supports: supports**-self.power)


@dataclass(frozen=True)
class EffectiveNumber:
    """The product over attributes of `(1 - beta) / (1 - beta ** n_g)`.

    The more rows a group has, the less a further one adds: `1 / (1 - beta)` rows are as many as
    ever count. Beta near 1 is the inverse support, beta 0 weighs all rows alike.
    Source: Cui et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019.

    Args:
        beta: In 0..1, 1 excluded.
        attributes: Names; all of the faces table and `age_group` where none are given.

    Examples:
        >>> faces = pl.DataFrame({"age": [30.0, 30, 70], "gender": ["f", "m", "m"]})
        >>> EffectiveNumber(0.5, ("gender",)).weigh(faces).groups["gender"]
        {'f': 1.0, 'm': 0.666...}
    """

    beta: float = 0.999
    attributes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.beta < 1:
            raise ConfigError(f"expected a beta in 0..1 without 1, got {self.beta}, take 0.999")

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the product of the attributes' weights for each row."""
        return _product(faces, self.attributes, self._of_supports)

    def _of_supports(self, supports: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((1 - self.beta) / (1 - self.beta**supports), dtype=np.float64)


@dataclass(frozen=True)
class SmoothedCells:
    """One weight for each intersection c of the attributes: `1 / (n_c + k e_c)`.

    `e_c` is the number of rows that c would hold if the attributes were independent: N times the
    product of the groups' shares. It keeps a nearly empty cell of common groups from weighing
    like a crowd.

    Args:
        k: How far supports are drawn to independence; 0 is the inverse support of the cell.
        attributes: Names; all of the faces table and `age_group` where none are given.

    Examples:
        >>> faces = pl.DataFrame({"age": [30.0, 30, 30, 70], "gender": ["f", "m", "m", "m"]})
        >>> cells = SmoothedCells(k=1.0).weigh(faces).groups["gender x age_group"]
        >>> {cell: round(weight, 3) for cell, weight in cells.items()}
        {'f x adult': 0.571, 'm x adult': 0.235, 'm x old': 0.571}
    """

    k: float = 1.0
    attributes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.k < float("inf"):
            raise ConfigError(f"expected a k of 0 or more, got {self.k}, take 1")

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the weight of each row's intersection."""
        names = chosen_attributes(faces, self.attributes)
        expected = np.full(faces.height, float(faces.height))
        columns = []
        for name in names:
            labels = group_labels(faces, name)
            columns.append(labels)
            expected *= _supports(labels) / max(faces.height, 1)
        cells = np.array([" x ".join(row) for row in zip(*columns, strict=True)])
        raw = 1 / (_supports(cells) + self.k * expected)
        groups = dict(zip(cells.tolist(), raw.tolist(), strict=True))
        return weights_from_raw(raw, {" x ".join(names): dict(sorted(groups.items()))})


def _product(
    faces: pl.DataFrame,
    attributes: tuple[str, ...] | None,
    formula: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> Weights:
    """Multiply a function of the group's support over the attributes."""
    raw = np.ones(faces.height)
    groups: GroupWeights = {}
    for name in chosen_attributes(faces, attributes):
        labels = group_labels(faces, name)
        names, codes, supports = np.unique(labels, return_inverse=True, return_counts=True)
        weights = formula(supports.astype(np.float64))
        groups[name] = dict(zip(map(str, names), weights.tolist(), strict=True))
        raw *= weights[codes]
    return weights_from_raw(raw, groups)


def _supports(labels: NDArray[np.str_]) -> NDArray[np.float64]:
    """Rows of each row's group, shape `(n,)`."""
    _, codes, supports = np.unique(labels, return_inverse=True, return_counts=True)
    return np.asarray(supports[codes], dtype=np.float64)


STEPS_PER_SIGMA = 50
REACH = 6


@dataclass(frozen=True)
class Density:
    """The inverse of the rows' density at the row's age, smoothed by a Gaussian.

    Ages enter as the floats they are. The density is computed on a grid of a fiftieth of sigma,
    which is exact to about one part in ten thousand and costs the same for a million rows.
    Source: label distribution smoothing (LDS), Yang et al., ICML 2021.

    Args:
        sigma: Standard deviation of the Gaussian, in years.
        power: 1 weighs by the inverse of the density, 0.5 by its square root.

    Examples:
        >>> weights = Density(sigma=2.0).weigh(pl.DataFrame({"age": [30.0, 30.0, 70.0]}))
        >>> weights.values.round(3).tolist()
        [0.75, 0.75, 1.5]
    """

    sigma: float = 2.0
    power: float = 1.0

    def __post_init__(self) -> None:
        if not 0.1 <= self.sigma <= 100 or not 0 <= self.power <= 4:
            raise ConfigError(
                f"expected a sigma of 0.1..100 years and a power in 0..4, got {self.sigma} and "
                f"{self.power}, take 2 and 1"
            )

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the inverse density at each row's age."""
        ages = faces[AGE].to_numpy().astype(np.float64)
        if ages.size == 0:
            return weights_from_raw(ages)
        return weights_from_raw(smoothed_density(ages, self.sigma) ** -self.power)


def smoothed_density(ages: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Return the sum of a Gaussian around every age, at each age: 1 for a lonely row.

    Args:
        ages: Years, shape `(n,)`.
        sigma: Standard deviation of the Gaussian in years.
    """
    step = sigma / STEPS_PER_SIGMA
    place = (ages - ages.min()) / step
    below = np.floor(place).astype(np.int64)
    share = place - below
    size = int(below.max()) + 2
    mass = np.bincount(below, 1 - share, size) + np.bincount(below + 1, share, size)
    offsets = np.arange(-REACH * STEPS_PER_SIGMA, REACH * STEPS_PER_SIGMA + 1) / STEPS_PER_SIGMA
    dense = np.convolve(mass, np.exp(-(offsets**2) / 2))[REACH * STEPS_PER_SIGMA :]
    return np.asarray((1 - share) * dense[below] + share * dense[below + 1])
