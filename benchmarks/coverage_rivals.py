"""What the audit is held against on the same tables: Welch's test and a reference's intervals."""

from collections.abc import Callable
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from coverage_tables import Table
from fairage.auditing.groups import Floats, Groups
from fairage.auditing.inference import Inference

__all__ = ["reference_width", "welch_finds"]


def welch_finds(table: Table, inference: Inference, judged: list[str]) -> dict[str, bool] | None:
    """Return in which attributes Welch's test finds a pair, at the level of Sidak's family.

    On rows, or on the means of persons who all have as many rows in one group; None for weights
    and other persons, where the test does not hold.
    """
    if table.weights is not None:
        return None
    samples = {}
    for name in judged:
        own = _units_of(table, table.attributes[name])
        if own is None:
            return None
        samples[name] = own
    takes = inference.takes_part
    pairs = sum(int(takes[name].sum()) * (int(takes[name].sum()) - 1) for name in judged)
    level = 1 - 0.95 ** (1 / max(pairs, 1))
    return {
        name: any(_welch(values, codes, takes[name]) <= level for values in quantities)
        for name, (codes, *quantities) in samples.items()
    }


def _units_of(table: Table, groups: Groups) -> tuple[NDArray[np.int64], Floats, Floats] | None:
    """Return group, mean absolute error and mean error of each unit; None where Welch fails."""
    errors = table.errors
    if table.units is None:
        return groups.codes, np.abs(errors), errors
    codes, count = table.units.codes, table.units.count
    rows = np.bincount(codes, minlength=count)
    own = np.zeros(count, np.int64)
    own[codes] = groups.codes
    if np.ptp(rows) or (own[codes] != groups.codes).any():
        return None
    means = [np.bincount(codes, values, count) / rows for values in (np.abs(errors), errors)]
    return own, means[0], means[1]


def _welch(values: Floats, codes: NDArray[np.int64], takes: NDArray[np.bool_]) -> float:
    """Return the smallest p of Welch's test over all pairs of groups that take part."""
    k = len(takes)
    n = np.bincount(codes, minlength=k).astype(float)[takes]
    means = (np.bincount(codes, values, k))[takes] / n
    squares = (np.bincount(codes, values**2, k))[takes] / n
    part = np.maximum(squares - means**2, 0) / (n - 1)
    one, two = np.triu_indices(len(n), 1)
    both = np.maximum(part[one] + part[two], 1e-300)
    degrees = both**2 / (part[one] ** 2 / (n[one] - 1) + part[two] ** 2 / (n[two] - 1))
    p = 2 * student.sf(np.abs(means[one] - means[two]) / np.sqrt(both), degrees)
    return float(p.min())


def reference_width(reference: ModuleType, table: Table, inference: Inference) -> dict[str, float]:
    """Return the width of the (average) bias interval, ours and the reference's.

    Nothing where the reference has no answer: weights, or small groups among several attributes.
    """
    estimate = inference.average_bias
    if estimate is None or table.weights is not None:
        return {}
    judged = [table.attributes[name] for name in inference.bias]
    keep = np.ones(len(table.errors), dtype=bool)
    for name in inference.bias:
        keep &= inference.takes_part[name][table.attributes[name].codes]
    if len(judged) > 1 and not keep.all():
        return {}
    units = np.arange(len(keep)) if table.units is None else table.units.codes
    codes = [np.unique(groups.codes[keep], return_inverse=True)[1] for groups in judged]
    analyse: Callable[..., dict[str, tuple[float, float]]] = reference.analyse
    low, high = analyse(
        np.abs(table.errors[keep]), codes, np.unique(units[keep], return_inverse=True)[1]
    )["bias"]
    return {"width": estimate.high - estimate.low, "reference_width": high - low}
