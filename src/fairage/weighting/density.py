"""Weights from how dense the training rows lie around an age, without bins."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.exceptions import ConfigError
from fairage.tables import AGE
from fairage.weighting.weights import Weights, weights_from_raw

__all__ = ["Density"]

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
