"""The differences between two models on the same images, each with its paired interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage.audit.bootstrap import draw_means
from fairage.audit.gaps import biases
from fairage.audit.groups import Groups, everyone
from fairage.audit.intervals import Ends, Estimate, bootstrap_estimate
from fairage.audit.pairing import Pair
from fairage.audit.result import ALL
from fairage.audit.sample import Floats, gather
from fairage.audit.settings import AuditSettings
from fairage.audit.units import group_units
from fairage.seeding import numpy_rng

__all__ = ["Difference", "paired_differences"]


@dataclass(frozen=True)
class Difference:
    """One number of A and of B.

    Args:
        attribute: Attribute, or `all`.
        group: Group, or `all`.
        measure: `mae`, `bias` or `average_bias`.
        a: The number of A, in years.
        b: The number of B.
        change: B less A with its paired bootstrap interval; below 0 where B is better.
        resolved: Whether the interval leaves 0 out.
    """

    attribute: str
    group: str
    measure: str
    a: float
    b: float
    change: Estimate
    resolved: bool


def paired_differences(pair: Pair, settings: AuditSettings) -> tuple[Difference, ...]:
    """Return the differences of MAE, average bias, each bias, then each group error.

    Both models are measured on the same bootstrap draws, so that what they share cancels out. The
    replicates of a bias lie above it, by more in the model whose groups are alike; intervals of
    changes of bias hold the percentiles and their reflection, so that this is allowed for.

    Args:
        pair: The images that both have a prediction for.
        settings: Replicates and seed.
    """
    rows = pair.rows
    tables = {ALL: everyone(len(rows)), **rows.attributes}
    sample = gather(tables, rows.units)
    draws = draw_means(
        [sample.quantity(values) for values in (pair.errors_a, pair.errors_b)],
        sample.attributes,
        sample,
        replicates=settings.replicates,
        rng=numpy_rng(settings.seed, "compare"),
    )
    overall, *attributes = (
        _Attribute(
            name,
            groups,
            group_units(groups, rows.units),
            (groups.means(pair.errors_a), groups.means(pair.errors_b)),
            (draws[0][name], draws[1][name]),
        )
        for name, groups in tables.items()
    )
    units = int(overall.units[0])
    average = np.mean([attribute.values for attribute in attributes], axis=0)
    average_draws = np.mean([attribute.spreads for attribute in attributes], axis=0)
    return (
        *overall.group_errors(),
        _difference(
            (ALL, ALL, "average_bias"), average, average_draws, len(rows), units, ends="both"
        ),
        *(attribute.bias(len(rows), units) for attribute in attributes),
        *(difference for attribute in attributes for difference in attribute.group_errors()),
    )


@dataclass(frozen=True)
class _Attribute:
    """Group errors of A and of B: `(k,)` each; their replicates: `(replicates, k)` each."""

    name: str
    groups: Groups
    units: NDArray[np.int64]
    means: tuple[Floats, Floats]
    draws: tuple[Floats, Floats]

    @property
    def values(self) -> Floats:
        """The bias of A and of B, shape `(2,)`."""
        return biases(np.stack(self.means))

    @property
    def spreads(self) -> Floats:
        """Their replicates, shape `(2, replicates)`."""
        return np.stack([biases(draws) for draws in self.draws])

    def bias(self, n: int, units: int) -> Difference:
        return _difference(
            (self.name, ALL, "bias"), self.values, self.spreads, n, units, ends="both"
        )

    def group_errors(self) -> list[Difference]:
        means, draws = np.stack(self.means), np.stack(self.draws)
        return [
            _difference(
                (self.name, group, "mae"),
                means[:, i],
                draws[:, :, i],
                int(self.groups.counts[i]),
                int(self.units[i]),
            )
            for i, group in enumerate(self.groups.names)
        ]


def _difference(
    key: tuple[str, str, str],
    values: Floats,
    draws: Floats,
    n: int,
    units: int,
    *,
    ends: Ends = "percentile",
) -> Difference:
    """Return a difference from the numbers of A and B, `(2,)`, and replicates `(2, replicates)`."""
    a, b = float(values[0]), float(values[1])
    change = bootstrap_estimate(b - a, draws[1] - draws[0], n, units=units, ends=ends)
    resolved = change.low is not None and change.high is not None
    resolved = resolved and not change.low <= 0 <= change.high  # type: ignore[operator]  # both are there
    return Difference(*key, a, b, change, resolved)
