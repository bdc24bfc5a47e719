"""What every weighting gives back: one weight a row, and what the weights do to the groups."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE_GROUP, attribute_names

FEWEST_EFFECTIVE = 30
"""Fewer rows of equal weight than a mean is usually trusted on."""
GroupWeights = dict[str, dict[str, float]]
"""Weight of each group of each attribute, as the formula gives it, before normalisation."""


@dataclass(frozen=True)
class Weights:
    """One positive weight a training row, with mean 1.

    Args:
        values: The weights, shape `(n,)`, mean 1 over the rows they were computed on.
        groups: Each group's weight as the formula gives it, where the formula speaks of groups.
        scale: What the formula's weights were divided by to bring their mean to 1.
        note: A sentence on what the rows did not allow; empty where the weights are as asked for.
    """

    values: NDArray[np.float64]
    groups: GroupWeights = field(default_factory=dict)
    scale: float = 1.0
    note: str = ""

    @property
    def effective_sample_size(self) -> float:
        """ESS = (sum w)^2 / sum w^2: how many equally weighted rows would be as informative.

        Source: Kish, Survey Sampling, 1965.
        """
        return float(self.values.sum() ** 2 / (self.values**2).sum())

    @property
    def largest(self) -> float:
        """The largest weight; one row counts as this many average rows."""
        return float(self.values.max())

    def warnings(self, weighting: str) -> tuple[str, ...]:
        """Return what these rows do not allow, and whether few of them have most of the weight.

        Args:
            weighting: Name of the weighting.

        Examples:
            >>> Weights(np.array([1.0] * 99 + [99.0])).warnings("1a")[0]
            "the weights of '1a' let 100 rows count like 4 of equal weight (effective sample ..."
        """
        warnings = (self.note,) if self.note else ()
        effective, rows = self.effective_sample_size, len(self.values)
        if effective >= FEWEST_EFFECTIVE or effective > rows / 2:
            return warnings
        return (
            *warnings,
            f"the weights of {weighting!r} let {rows:,} rows count like {effective:.0f} of equal "
            "weight (effective sample size): a few faces decide; take a milder weighting, such as "
            "'sqrt-inverse', or add faces of rare groups",
        )

    def shares(self, labels: ArrayLike) -> dict[str, float]:
        """Return each group's share of the total weight, for the group of each row `(n,)`.

        Examples:
            >>> Weights(np.array([0.5, 0.5, 2.0])).shares(["f", "f", "m"])
            {'f': 0.333..., 'm': 0.666...}
        """
        names, codes = np.unique(np.asarray(labels), return_inverse=True)
        totals = np.bincount(codes, weights=self.values) / self.values.sum()
        return {str(name): float(total) for name, total in zip(names, totals, strict=True)}


class Weighting(Protocol):
    """Gives each row of a faces table its weight, from the supports of the groups it sees there."""

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the weights of these (training) rows."""
        ...


def weights_from_raw(raw: NDArray[np.float64], groups: GroupWeights | None = None) -> Weights:
    """Return the weights divided by their mean; every raw weight must be positive and finite."""
    if raw.size == 0:
        raise DataError("expected at least one row to weigh, got none, check the split 'train'")
    assert np.all(np.isfinite(raw) & (raw > 0)), "a weighting gave a weight that is not positive"
    scale = float(raw.mean())
    return Weights(raw / scale, groups or {}, scale)


def chosen_attributes(faces: pl.DataFrame, named: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the named attributes, each once, or for None all of the table and `age_group`.

    Raises:
        DataError: The table lacks one of them.
        ConfigError: None is named in an empty list.

    Examples:
        >>> chosen_attributes(pl.DataFrame({"age": [30.0], "gender": ["f"]}), None)
        ('gender', 'age_group')
    """
    available = (*attribute_names(faces), AGE_GROUP)
    if named is not None and not named:
        raise ConfigError(
            f"expected attributes among {list(available)}, got an empty list, name one or leave "
            "attributes out for all of them"
        )
    for name in named or ():
        if name not in available:
            raise DataError(
                f"expected attributes among {list(available)}, got {name!r}, "
                "correct the name or add the column to the faces table"
            )
    return available if named is None else tuple(dict.fromkeys(named))
