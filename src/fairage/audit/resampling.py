"""The noise floor: the bias that an attribute shows although its groups do not matter."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairage.audit.gaps import bias, biases
from fairage.audit.groups import Groups, group_rows
from fairage.audit.permutation import permuted_means
from fairage.audit.units import Units
from fairage.exceptions import DataError

__all__ = [
    "CHANCE",
    "NoiseFloor",
    "average_noise_floor",
    "holm",
    "noise_floor",
    "noise_floors",
]

CHANCE = 0.05
"""A p-value from here on means that what was measured may well be chance."""


@dataclass(frozen=True)
class NoiseFloor:
    """What chance alone does to a bias, in years.

    Args:
        bias: The bias that was measured.
        mean: Mean bias when the labels are shuffled: the noise floor.
        p95: What a shuffled bias exceeds once in twenty times.
        p_value: Share of shuffles whose bias reaches the measured one; the shuffle that the
            data are counts as one of them, so that it is never 0.
        excess: Measured bias less the noise floor; negative where chance gives more.
        permutations: How many shuffles.
        n: Rows.
        holm_p_value: The p-value corrected for looking at several attributes (Holm); None where
            the attribute was looked at alone.
    """

    bias: float
    mean: float
    p95: float
    p_value: float
    excess: float
    permutations: int
    n: int
    holm_p_value: float | None = None

    @property
    def by_chance(self) -> bool:
        """Whether shuffled labels reach the measured bias once in twenty times or more often."""
        return self.p_value >= CHANCE

    @property
    def corrected(self) -> float:
        """The p-value by Holm where several attributes were looked at, else the p-value."""
        return self.p_value if self.holm_p_value is None else self.holm_p_value

    @property
    def beyond_chance(self) -> bool:
        """Whether shuffled labels hardly give such a bias, by the corrected p-value."""
        return self.corrected < CHANCE


def noise_floor(
    errors: ArrayLike,
    labels: ArrayLike | Groups,
    *,
    permutations: int = 1000,
    rng: np.random.Generator,
) -> NoiseFloor:
    """Return the noise floor of one attribute's bias.

    The labels are dealt out anew among the rows, group sizes fixed: exactly up to 10,000 rows,
    beyond that with a normal approximation for groups of thousands (see `permutation`).

    Args:
        errors: Absolute errors in years, shape `(n,)`.
        labels: The group of each row, shape `(n,)`.
        permutations: How many times the labels are dealt out.
        rng: Source of chance.

    Raises:
        DataError: There is no row, or not one label a row.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> floor = noise_floor([1.0, 2.0, 9.0, 8.0], ["a", "a", "b", "b"], rng=rng)
        >>> floor.bias
        7.0
        >>> floor.p_value > 0.3  # two of the six partitions are as extreme
        True
    """
    return _floor(*_draws(errors, {"labels": labels}, permutations, rng))[0]["labels"]


def average_noise_floor(
    errors: ArrayLike,
    attributes: Mapping[str, ArrayLike | Groups],
    *,
    permutations: int = 1000,
    rng: np.random.Generator,
) -> NoiseFloor:
    """Return the noise floor of the average bias, each attribute's labels shuffled on their own.

    Args:
        errors: Absolute errors in years, shape `(n,)`.
        attributes: The group of each row, shape `(n,)`, for each attribute.
        permutations: How many times the labels are dealt out.
        rng: Source of chance.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> average_noise_floor([1.0, 2.0, 9.0], {"x": ["a", "a", "b"]}, rng=rng).bias
        7.5
    """
    return _floor(*_draws(errors, attributes, permutations, rng))[1]


def noise_floors(
    errors: ArrayLike,
    attributes: Mapping[str, ArrayLike | Groups],
    *,
    permutations: int = 1000,
    rng: np.random.Generator,
    units: Units | None = None,
) -> tuple[dict[str, NoiseFloor], NoiseFloor]:
    """Return each attribute's noise floor, p-values corrected by Holm, and that of the average.

    Args:
        errors: Absolute errors in years, shape `(n,)`.
        attributes: The group of each row, shape `(n,)`, for each attribute.
        permutations: How many times the labels are dealt out.
        rng: Source of chance.
        units: Identities: an attribute that each person has one group of is dealt out among
            persons, as their rows are not independent.
    """
    found, average = _floor(*_draws(errors, attributes, permutations, rng, units))
    corrected = holm([floor.p_value for floor in found.values()])
    named = {
        name: replace(floor, holm_p_value=float(value))
        for (name, floor), value in zip(found.items(), corrected, strict=True)
    }
    return named, average


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p-values corrected for their number by Holm's step-down rule.

    Below 0.05, they reject with at most 5 % chance that any rejection is false.

    Examples:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(stepped, 1)
    return corrected


def _draws(
    errors: ArrayLike,
    attributes: Mapping[str, ArrayLike | Groups],
    permutations: int,
    rng: np.random.Generator,
    units: Units | None = None,
) -> tuple[dict[str, float], dict[str, NDArray[np.float64]], int]:
    """Return the measured biases, the shuffled ones, shape `(permutations,)`, and the rows."""
    values = np.asarray(errors, dtype=float)
    groups = {name: group_rows(labels) for name, labels in attributes.items()}
    lengths = {len(found.codes) for found in groups.values()}
    if values.ndim != 1 or lengths != {values.size} or not values.size or permutations < 1:
        raise DataError(
            "expected at least one attribute with one label for each of at least one error and "
            f"at least one permutation, got {values.shape} errors, {sorted(lengths)} labels and "
            f"{permutations} permutations, give a label a row"
        )
    measured = {name: bias(found.means(values)) for name, found in groups.items()}
    shuffled = {
        name: biases(permuted_means(values, found, permutations, rng, units=units))
        for name, found in groups.items()
    }
    return measured, shuffled, values.size


def _floor(
    measured: dict[str, float], shuffled: dict[str, NDArray[np.float64]], rows: int
) -> tuple[dict[str, NoiseFloor], NoiseFloor]:
    found = {name: _one_floor(measured[name], draws, rows) for name, draws in shuffled.items()}
    average = np.mean(list(shuffled.values()), axis=0)
    return found, _one_floor(float(np.mean(list(measured.values()))), average, rows)


def _one_floor(measured: float, draws: NDArray[np.float64], rows: int) -> NoiseFloor:
    mean = float(draws.mean())
    # Equal partitions may differ in the last bits of their sums.
    reached = int((draws >= measured * (1 - 1e-12)).sum())
    return NoiseFloor(
        bias=measured,
        mean=mean,
        p95=float(np.quantile(draws, 0.95)),
        p_value=(1 + reached) / (1 + len(draws)),
        excess=measured - mean,
        permutations=len(draws),
        n=rows,
    )
