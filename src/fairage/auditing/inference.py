"""The inference of one model's audit: gaps, verdicts and biases from one set of noise draws.

The audit and the coverage benchmark both come through `infer`, so that what is measured to hold is
what is printed.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.bias_interval import BiasEstimate, bias_estimate
from fairage.auditing.groups import (
    Floats,
    Groups,
    Units,
    everyone,
    pair_persons,
    taking_part,
)
from fairage.auditing.noise import GroupMeans, estimate_means
from fairage.auditing.result_parts import ALL, MAE, MEAN_ERROR, Gap, Interval, Verdict
from fairage.auditing.verdicts import Family, at_once, joint_verdict, pair_gap, verdict_of
from fairage.tables import AGE_GROUP


@dataclass(frozen=True)
class Inference:
    """What the errors of one model say about the groups.

    Args:
        means: Group means of absolute and mean errors; the attribute `all` has all rows.
        family: The simultaneous limits of all gaps.
        takes_part: Which groups take part, by attribute.
        behind: Rows and persons of these groups, by attribute; None for persons where identities
            are not known.
        gaps: Gaps of the pairs that take part, MAE and mean errors, widest first.
        verdicts: One an attribute.
        verdict: The one over all attributes but age_group; over that one where it is alone.
        bias: Bias of each attribute with two groups or more that take part.
        mean_error_bias: The same of the mean errors.
        average_bias: Mean of the biases; None without any.
        average_mean_error_bias: Mean of the mean-error biases; None without any.
    """

    means: GroupMeans
    family: Family
    takes_part: dict[str, NDArray[np.bool_]]
    behind: dict[str, tuple[int, int | None]]
    gaps: dict[str, tuple[Gap, ...]]
    verdicts: dict[str, Verdict]
    verdict: Verdict
    bias: dict[str, BiasEstimate]
    mean_error_bias: dict[str, BiasEstimate]
    average_bias: BiasEstimate | None
    average_mean_error_bias: BiasEstimate | None


def infer(
    signed_errors: Floats,
    attributes: Mapping[str, Groups],
    *,
    units: Units | None = None,
    weights: Floats | None = None,
    min_rows: int = 30,
    margin: float = 1.0,
    seed: int = 0,
) -> Inference:
    """Return gaps, verdicts and biases.

    Args:
        signed_errors: Estimate minus true age in years, shape `(n,)`.
        attributes: Groups of the rows for each attribute.
        units: Persons; each row is a unit where nothing is given.
        weights: Survey weight of each row.
        min_rows: Units from which a group takes part.
        margin: Largest gap in years that counts as none in practice.
        seed: Start of the random numbers.

    Examples:
        >>> from fairage.auditing.groups import group_rows
        >>> errors = np.tile([1.0, -1.0, 4.0, -4.0], 50)
        >>> gender = {"gender": group_rows(["f", "f", "m", "m"] * 50)}
        >>> inference = infer(errors, gender)
        >>> inference.verdict.kind, round(inference.bias["gender"].value, 2)
        ('differ', 3.0)
    """
    quantities = {MAE: np.abs(signed_errors), MEAN_ERROR: signed_errors}
    tables = {ALL: everyone(len(signed_errors)), **attributes}
    means = estimate_means(quantities, tables, units=units, weights=weights, seed=seed)
    part = {
        name: taking_part(groups, min_rows, means.effective[means.columns(name, MAE)])
        for name, groups in attributes.items()
    }
    judged = {name: mask for name, mask in part.items() if mask.sum() > 1}
    parts = {
        (name, quantity): means.columns(name, quantity)[mask]
        for name, mask in judged.items()
        for quantity in quantities
    }
    family = at_once(means, parts)
    gaps = {
        name: _gaps(family, name, groups, margin, units) if name in judged else ()
        for name, groups in attributes.items()
    }
    verdicts = {
        name: _verdict(name, groups, part[name], gaps[name], margin)
        for name, groups in attributes.items()
    }
    head = {name: verdict for name, verdict in verdicts.items() if name != AGE_GROUP}
    rows = len(signed_errors)
    bias = {name: _bias(family, [name], MAE, gaps) for name in judged}
    mean_error_bias = {name: _bias(family, [name], MEAN_ERROR, gaps) for name in judged}
    return Inference(
        means=means,
        family=family,
        takes_part=part,
        behind={name: _behind(groups, part[name], units) for name, groups in attributes.items()},
        gaps=gaps,
        verdicts=verdicts,
        verdict=joint_verdict(head or verdicts, margin, rows=rows),
        bias=bias,
        mean_error_bias=mean_error_bias,
        average_bias=_average(family, MAE, gaps, bias),
        average_mean_error_bias=_average(family, MEAN_ERROR, gaps, mean_error_bias),
    )


def _gaps(
    family: Family, attribute: str, groups: Groups, margin: float, units: Units | None
) -> tuple[Gap, ...]:
    """Return the gaps of all pairs, MAE first, widest first."""
    gaps = []
    together = None if units is None else pair_persons(groups, units)
    for quantity in (MAE, MEAN_ERROR):
        start = family.means.blocks[attribute, quantity].start
        own = []
        for g, h, gap, low, high in family.limits(attribute, quantity):
            first, second = g - start, h - start
            n = int(groups.counts[first] + groups.counts[second])
            persons = None if together is None else int(together[first, second])
            names = groups.names[first], groups.names[second]
            interval = Interval(gap, low, high, n, persons)
            own.append(pair_gap(attribute, names, quantity, interval, margin))
        gaps += sorted(own, key=lambda pair: -pair.interval.value)
    return tuple(gaps)


def _behind(groups: Groups, part: NDArray[np.bool_], units: Units | None) -> tuple[int, int | None]:
    rows = int(groups.counts[part].sum())
    if units is None:
        return rows, None
    return rows, int((np.bincount(units.codes[part[groups.codes]]) > 0).sum())


def _verdict(
    name: str, groups: Groups, part: NDArray[np.bool_], gaps: Sequence[Gap], margin: float
) -> Verdict:
    names = [group for group, takes in zip(groups.names, part, strict=True) if takes]
    left_out = [
        (name, group, int(n))
        for group, n, takes in zip(groups.names, groups.counts, part, strict=True)
        if not takes
    ]
    rows = int(groups.counts[part].sum())
    return verdict_of(name, gaps, margin, groups=names, left_out=left_out, rows=rows)


def _bias(
    family: Family, attributes: Sequence[str], quantity: str, gaps: Mapping[str, Sequence[Gap]]
) -> BiasEstimate:
    """Return the (average) bias, made to agree with the limits of the gaps."""
    means = family.means
    blocks = [family.parts[name, quantity] for name in attributes]
    estimate = bias_estimate(means.means, means.variance, means.draws, blocks)
    own = [[gap for gap in gaps[name] if gap.measure == quantity] for name in attributes]
    least = float(np.mean([np.mean([gap.at_least for gap in pairs]) for pairs in own]))
    most = float(np.mean([np.mean([gap.at_most or 0.0 for gap in pairs]) for pairs in own]))
    differ = any(gap.differs for pairs in own for gap in pairs)
    low = max(estimate.low, least) if differ else 0.0
    high = max(min(estimate.high, most), low, 0.0)
    corrected = min(max(estimate.corrected, low), high)
    return replace(estimate, low=low, high=high, corrected=corrected)


def _average(
    family: Family,
    quantity: str,
    gaps: Mapping[str, Sequence[Gap]],
    biases: Mapping[str, BiasEstimate],
) -> BiasEstimate | None:
    if not biases:
        return None
    if len(biases) == 1:
        return next(iter(biases.values()))
    return _bias(family, list(biases), quantity, gaps)


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
