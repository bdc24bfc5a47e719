"""Worst-best gap, ratio and Gini coefficient of an attribute's group errors, with intervals."""

import math
from dataclasses import replace

import numpy as np

from fairage.auditing.inference import Inference
from fairage.auditing.result_parts import MAE, Interval
from fairage.auditing.verdicts import at_once


def spread_intervals(inference: Inference) -> dict[str, dict[str, Interval]]:
    """Return `gap`, `ratio` and `gini` of each attribute that has gaps.

    The gap reaches from the largest lower to the largest upper simultaneous limit of the pairs'
    gaps; the ratio comes from the logarithms of the means in the same way, and is left out where an
    MAE may be 0; Gini is the bias times (k - 1) / (2 k mean MAE).

    Args:
        inference: The inference of one model.
    """
    return {attribute: _spread(inference, attribute) for attribute in inference.bias}


def _spread(inference: Inference, attribute: str) -> dict[str, Interval]:
    gaps = [gap for gap in inference.gaps[attribute] if gap.measure == MAE]
    columns = inference.family.parts[attribute, MAE]
    means = inference.means.means[columns]
    k, (n, persons) = len(columns), inference.behind[attribute]
    numbers = {
        "gap": Interval(
            max(gap.interval.value for gap in gaps),
            max(gap.at_least for gap in gaps),
            max(gap.at_most or 0.0 for gap in gaps),
            n,
            persons,
        )
    }
    lows = [inference.means.limits(column) for column in columns.tolist()]
    if all(limits is not None and limits[0] > 0 for limits in lows):
        numbers["ratio"] = _ratio(inference, attribute)
    if means.mean() > 0:
        share = (k - 1) / (2 * k * float(means.mean()))
        own = inference.bias[attribute]
        ends = own.low * share, own.high * share
        numbers["gini"] = Interval(own.value * share, *ends, n, persons)
    return numbers


def _ratio(inference: Inference, attribute: str) -> Interval:
    """Return the largest over the smallest group error; its family is this attribute's pairs."""
    means = inference.means
    columns = inference.family.parts[attribute, MAE]
    own = means.means[columns]
    logs = replace(
        means,
        blocks={(attribute, MAE): slice(0, len(columns))},
        means=np.log(own),
        variance=means.variance[np.ix_(columns, columns)] / np.outer(own, own),
        draws=means.draws[:, columns] / own,
        ratios=means.ratios[:, columns],
        sizes=means.sizes[columns],
        effective=means.effective[columns],
    )
    family = at_once(logs, {(attribute, MAE): np.arange(len(columns))})
    pairs = family.limits(attribute, MAE)
    limits = [(low, high) for *_, low, high in pairs]
    low = max(max(low, -high) for low, high in limits)
    high = max(max(-low, high) for low, high in limits)
    value = math.exp(max(gap for _, _, gap, *_ in pairs))
    ends = math.exp(max(low, 0.0)), math.exp(min(high, 700.0))
    return Interval(value, *ends, *inference.behind[attribute])
