"""What can be said of the groups: simultaneous limits of all gaps, and the verdicts from them.

One family holds all pairs of groups of all attributes, for absolute and for mean errors. The
largest studentised |Z_g - Z_h| over the family, in the draws of `noise`, gives one critical value
q; every gap ± q se then holds at once in 95 % of samples. Every verdict follows from these limits,
so that no two of them can contradict each other.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.groups import Floats
from fairage.auditing.noise import GroupMeans
from fairage.auditing.result_parts import (
    ALL,
    DIFFER,
    FAILURES_DIFFER,
    FEWER,
    TELL,
    WITHIN,
    Gap,
    Interval,
    Kind,
    Verdict,
)

EQUAL = 1e-9
LeftOut = Sequence[tuple[str, str, int]]


@dataclass(frozen=True)
class Family:
    """The pairs of groups that are judged at once.

    Args:
        means: Group means and the draws of their error.
        parts: Columns that take part, by (attribute, quantity).
        critical: Critical value q of the largest studentised difference.
    """

    means: GroupMeans
    parts: Mapping[tuple[str, str], NDArray[np.int64]]
    critical: float

    def limits(self, attribute: str, quantity: str) -> list[tuple[int, int, float, float, float]]:
        """Return (column, column, gap, low, high) of each pair; the first has the larger mean."""
        columns = self.parts[attribute, quantity]
        means, variance = self.means.means, self.means.variance
        order = columns[np.argsort(-means[columns], kind="stable")]
        pairs = []
        for place, g in enumerate(order.tolist()):
            for h in order[place + 1 :].tolist():
                gap = float(means[g] - means[h])
                error = float(_errors(variance, means, g, np.array([h]))[0])
                if error == 0 and gap <= EQUAL * max(abs(means[g]), abs(means[h])):
                    gap = 0.0
                reach = self.critical * error
                pairs.append((g, h, gap, gap - reach, gap + reach))
        return pairs


def at_once(
    means: GroupMeans,
    parts: Mapping[tuple[str, str], NDArray[np.int64]],
    *,
    level: float = 0.95,
) -> Family:
    """Return the family of all pairs within each of these parts.

    Args:
        means: Group means and the draws of their error.
        parts: Columns that take part, by (attribute, quantity); pairs are made within each.
        level: Share of samples in which all limits hold at once.
    """
    largest = np.zeros(len(means.draws))
    for columns in parts.values():
        for place, g in enumerate(columns[:-1].tolist()):
            others = columns[place + 1 :]
            usable = others[_errors(means.variance, means.means, g, others) > 0]
            if len(usable):
                np.maximum(largest, _studentised(means, g, usable), out=largest)
    return Family(means, dict(parts), float(np.quantile(largest, level)))


def pair_gap(
    attribute: str,
    names: tuple[str, str],
    measure: str,
    interval: Interval,
    margin: float,
) -> Gap:
    """Return the gap of a pair of groups with what can be said of it alone."""
    gap = Gap(attribute, *names, measure, interval, TELL)
    kind: Kind = TELL
    if gap.at_most is not None and gap.at_most <= margin:
        kind = WITHIN
    elif gap.differs:
        kind = DIFFER
    return replace(gap, kind=kind)


def verdict_of(
    attribute: str,
    gaps: Sequence[Gap],
    margin: float,
    *,
    groups: Sequence[str],
    left_out: LeftOut = (),
    rows: int,
) -> Verdict:
    """Return the verdict on one attribute from the gaps of all its pairs.

    Args:
        attribute: The attribute.
        gaps: Gaps of all pairs of groups that take part, every measure.
        margin: Largest gap that counts as none in practice.
        groups: Groups that take part.
        left_out: Groups that do not, as (attribute, group, rows).
        rows: Rows behind the gaps, for the number that it would take.
    """
    return _verdict(
        attribute, gaps, margin, [(attribute, group) for group in groups], left_out, rows
    )


def joint_verdict(verdicts: Mapping[str, Verdict], margin: float, *, rows: int) -> Verdict:
    """Return the verdict over several attributes, from their verdicts; `rows` as for one."""
    gaps = {name: verdict for name, verdict in verdicts.items() if verdict.groups}
    left_out = [part for verdict in verdicts.values() for part in verdict.left_out]
    judged = [verdict for verdict in gaps.values() if verdict.reason != FEWER]
    if not judged:
        return Verdict(ALL, TELL, margin, left_out=tuple(left_out), reason=FEWER)
    differing = sorted(
        (gap for verdict in judged for gap in verdict.differing), key=lambda gap: -gap.at_least
    )
    widest = max(judged, key=lambda verdict: _bound(verdict.at_most))
    kind = _kind([verdict.kind for verdict in judged])
    needed = [v.rows_needed for v in judged if v.kind == TELL and v.rows_needed is not None]
    failing = kind == TELL and any(verdict.reason == FAILURES_DIFFER for verdict in judged)
    return Verdict(
        ALL,
        kind,
        margin,
        differing=tuple(differing),
        at_least=differing[0].at_least if differing else 0.0,
        at_most=widest.at_most,
        widest=widest.widest,
        groups=tuple(pair for verdict in judged for pair in verdict.groups),
        left_out=tuple(left_out),
        rows_needed=max(needed) if kind == TELL and needed and not failing else None,
        reason=FAILURES_DIFFER if failing else "",
    )


def with_failures(verdict: Verdict, *failures: Verdict | None) -> Verdict:
    """Return the verdict, at most *cannot tell* where estimates are missing unevenly.

    That is the reason then, also where a group is too small because its estimates are missing:
    more rows would not help.

    Args:
        verdict: The verdict on errors.
        failures: The verdicts on rates of missing estimates that concern it.
    """
    uneven = any(each is not None and each.kind == DIFFER for each in failures)
    if uneven and verdict.kind != DIFFER:
        return replace(verdict, kind=TELL, reason=FAILURES_DIFFER, rows_needed=None)
    return verdict


def _kind(kinds: Sequence[Kind]) -> Kind:
    if all(kind == WITHIN for kind in kinds):
        return WITHIN
    return DIFFER if DIFFER in kinds else TELL


def _verdict(
    attribute: str,
    gaps: Sequence[Gap],
    margin: float,
    groups: Sequence[tuple[str, str]],
    left_out: LeftOut,
    rows: int,
) -> Verdict:
    if not gaps:
        return Verdict(
            attribute,
            TELL,
            margin,
            groups=tuple(groups),
            left_out=tuple(left_out),
            reason=FEWER,
        )
    differing = sorted((gap for gap in gaps if gap.differs), key=lambda gap: -gap.at_least)
    widest = max(gaps, key=lambda gap: _bound(gap.at_most))
    inside = _bound(widest.at_most) <= margin
    kind: Kind = WITHIN if inside else DIFFER if differing else TELL
    needed = rows_needed([gap.interval for gap in gaps], margin, rows) if kind == TELL else None
    return Verdict(
        attribute,
        kind,
        margin,
        differing=tuple(differing),
        at_least=differing[0].at_least if differing else 0.0,
        at_most=widest.at_most,
        widest=widest,
        groups=tuple(groups),
        left_out=tuple(left_out),
        rows_needed=needed,
    )


def _bound(at_most: float | None) -> float:
    return math.inf if at_most is None else at_most


def rows_needed(intervals: Sequence[Interval], margin: float, rows: int) -> int | None:
    """Return the rows at which the widest half-width is half the margin, to two digits.

    None where a limit is missing, so that rows alone may not help.

    Args:
        intervals: Simultaneous limits of what is judged.
        margin: Largest size that counts as none in practice.
        rows: Rows now; all groups are taken to grow alike.

    Examples:
        >>> rows_needed([Interval(0.5, -0.5, 1.5)], 1.0, 100)
        400
    """
    halves = [
        (one.high - one.low) / 2
        for one in intervals
        if one.low is not None and one.high is not None
    ]
    if not halves or len(halves) < len(intervals):
        return None
    exact = rows * max((2 * max(halves) / margin) ** 2, 1.0)
    unit = int(10 ** max(math.floor(math.log10(exact)) - 1, 0))
    return math.ceil(exact / unit) * unit


def _studentised(means: GroupMeans, g: int, others: NDArray[np.int64]) -> Floats:
    """Return the largest of a group's studentised differences to others, in each draw.

    Each draw is held against the standard error of its own resample, as bootstrap-t does for one
    group.
    """
    own, theirs = means.ratios[:, [g]], means.ratios[:, others]
    distance = np.abs(means.draws[:, [g]] * own - means.draws[:, others] * theirs)
    variance = means.variance
    squares = (
        variance[g, g] * own**2
        + variance[others, others] * theirs**2
        - 2 * variance[g, others] * own * theirs
    )
    least = 1e-18 * (variance[g, g] + variance[others, others])
    largest: Floats = (distance / np.sqrt(np.maximum(squares, least))).max(axis=1)
    return largest


def _errors(variance: Floats, means: Floats, g: int, others: NDArray[np.int64]) -> Floats:
    """Return the standard errors of the differences of one mean to others; 0 for rounding."""
    squares = variance[g, g] + variance[others, others] - 2 * variance[g, others]
    errors = np.sqrt(np.maximum(squares, 0))
    larger = np.maximum(np.abs(means[g]), np.abs(means[others]))
    return np.where(errors > EQUAL * larger, errors, 0.0)
