"""What can be said of the change from model A to model B, from limits that hold at once.

A change is a number of B less that of A on the same rows: below 0, the errors of B are smaller.
The changes of all groups of all attributes, of MAE and of mean error, are one family: their limits
hold together, so two equal models differ for some group in 5 % of samples, however many groups
there are. Every verdict on groups follows from these limits.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from fairage.auditing.result_parts import FAILURES_DIFFER, MAE, MEAN_ERROR, Interval
from fairage.auditing.verdicts import rows_needed

ChangeKind = Literal[
    "better", "worse", "mixed", "shifted", "within margin", "cannot tell", "identical"
]
BETTER: ChangeKind = "better"
WORSE: ChangeKind = "worse"
MIXED: ChangeKind = "mixed"
SHIFTED: ChangeKind = "shifted"
WITHIN_MARGIN: Literal["within margin"] = "within margin"
CANNOT_TELL: Literal["cannot tell"] = "cannot tell"
IDENTICAL: Literal["identical"] = "identical"

BiasKind = Literal["fairer", "less fair", "within margin", "cannot tell", "identical"]
FAIRER: BiasKind = "fairer"
LESS_FAIR: BiasKind = "less fair"

OVERALL = "overall"
TOO_FEW = "too few rows"


@dataclass(frozen=True)
class Change:
    """One number of B less that of A.

    Args:
        attribute: The attribute; `overall` for all rows.
        group: The group; `overall` for all rows.
        measure: `mae` or `mean_error`.
        interval: The change in years; for groups that take part, limits that hold at once.
        identical: Whether A and B give the same estimates for all these rows.
    """

    attribute: str
    group: str
    measure: str
    interval: Interval
    identical: bool = False

    @property
    def differs(self) -> bool:
        """Whether the interval leaves 0 out, within the margin or not."""
        low, high = self.interval.low, self.interval.high
        return (low is not None and low > 0) or (high is not None and high < 0)

    @property
    def at_least(self) -> float:
        """The smallest size of the change that the data allow: 0 where there may be none."""
        low, high = self.interval.low, self.interval.high
        if low is not None and low > 0:
            return low
        return -high if high is not None and high < 0 else 0.0

    @property
    def at_most(self) -> float | None:
        """The largest size that the data allow, up or down; None where nothing bounds it."""
        if self.identical:
            return 0.0
        if self.interval.low is None or self.interval.high is None:
            return None
        return max(abs(self.interval.low), abs(self.interval.high))


@dataclass(frozen=True)
class GroupChange(Mapping[str, Interval]):
    """The change in one group; behaves as a mapping from measure to Interval.

    Args:
        name: The group.
        n: Rows for which both models have an estimate.
        n_persons: Their persons; None where identities are not known.
        takes_part: Whether it takes part in verdicts and biases.
        reason: Why it does not: "too small" or "unknown"; empty where it takes part.
        identical: Whether A and B give the same estimates for all these rows; then there is no
            interval.
        a: Each measure of A.
        b: Each measure of B.
        measures: The change of each measure. Where the group takes part, the limits of all groups
            hold at once; else they are the group's own.
    """

    name: str
    n: int
    n_persons: int | None
    takes_part: bool
    reason: str
    identical: bool
    a: dict[str, float]
    b: dict[str, float]
    measures: dict[str, Interval]

    def __getitem__(self, measure: str) -> Interval:
        return self.measures[measure]

    def __iter__(self) -> Iterator[str]:
        return iter(self.measures)

    def __len__(self) -> int:
        return len(self.measures)

    def changes(self, attribute: str) -> list[Change]:
        """Return the change of each measure."""
        return [
            Change(attribute, self.name, measure, interval, self.identical)
            for measure, interval in self.measures.items()
        ]


@dataclass(frozen=True)
class ChangeVerdict:
    """What can be said of B beside A, over all rows or for the groups of an attribute.

    Args:
        attribute: The attribute, or `overall`.
        kind: `identical` where both give the same estimates; `within margin` where the limits of
            every change of MAE and mean error lie inside the margin; `better` where the MAE falls
            beyond chance for some and rises beyond chance for none, `worse` the other way round,
            `mixed` where it falls for some and rises for others; `shifted` where no MAE but a mean
            error changes beyond chance; else `cannot tell`.
        margin: Largest change in years that counts as none in practice.
        improved: Changes of MAE that are below 0 beyond chance, largest `at_least` first; also
            within the margin.
        worsened: Those that are above 0.
        moved: Changes of the mean error that leave 0 out.
        at_most: Largest change, up or down, that the data still allow; None where nothing bounds
            it.
        widest: The change whose limit is `at_most`.
        groups: Groups that take part.
        left_out: Groups that do not, as (attribute, group, rows).
        rows_needed: Rows in all from which *cannot tell* would become something else, if all
            groups grow alike; None for other verdicts, or where rows do not help.
        reason: Why it cannot tell where it is not for want of rows: "failures differ" (the model
            that would be better leaves out more faces), "too few rows" (nothing is large enough
            to take part); else empty.
    """

    attribute: str
    kind: ChangeKind
    margin: float
    improved: tuple[Change, ...] = ()
    worsened: tuple[Change, ...] = ()
    moved: tuple[Change, ...] = ()
    at_most: float | None = None
    widest: Change | None = None
    groups: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str, int], ...] = ()
    rows_needed: int | None = None
    reason: str = ""


def change_verdict(
    attribute: str,
    changes: Sequence[Change],
    margin: float,
    *,
    rows: int,
    groups: Sequence[str] = (),
    left_out: Sequence[tuple[str, str, int]] = (),
) -> ChangeVerdict:
    """Return the verdict that follows from the limits of some changes.

    Args:
        attribute: The attribute, or `overall`.
        changes: Changes of MAE and mean error of everything that takes part.
        margin: Largest change in years that counts as none in practice.
        rows: Rows behind the changes, for the number that it would take.
        groups: Groups that take part.
        left_out: Groups that do not, as (attribute, group, rows).

    Examples:
        >>> change = Change("gender", "f", "mae", Interval(-1.5, -2.1, -0.9))
        >>> verdict = change_verdict("gender", [change], 1.0, rows=100)
        >>> verdict.kind, verdict.improved[0].at_least
        ('better', 0.9)
    """
    verdict = ChangeVerdict(
        attribute, CANNOT_TELL, margin, groups=tuple(groups), left_out=tuple(left_out)
    )
    if not changes:
        return replace(verdict, reason=TOO_FEW)
    if all(change.identical for change in changes):
        return replace(verdict, kind=IDENTICAL, at_most=0.0)
    differing = sorted((c for c in changes if c.differs), key=lambda change: -change.at_least)
    errors = [change for change in differing if change.measure == MAE]
    widest = max(changes, key=_bound)
    verdict = replace(
        verdict,
        improved=tuple(change for change in errors if change.interval.value < 0),
        worsened=tuple(change for change in errors if change.interval.value > 0),
        moved=tuple(change for change in differing if change.measure == MEAN_ERROR),
        at_most=widest.at_most,
        widest=widest,
    )
    kind = _kind(verdict)
    needed = (
        rows_needed([change.interval for change in changes if not change.identical], margin, rows)
        if kind == CANNOT_TELL
        else None
    )
    return replace(verdict, kind=kind, rows_needed=needed)


def bias_kind(
    interval: Interval, margin: float, *, failing: frozenset[str] = frozenset()
) -> BiasKind:
    """Return what can be said of the change of a bias.

    Args:
        interval: The change, B less A.
        margin: Largest change in years that counts as none in practice.
        failing: Models of which nothing good can be said: `a`, `b` or both.

    Examples:
        >>> bias_kind(Interval(-1.2, -1.9, -0.3), 1.0), bias_kind(Interval(0.1, -0.4, 0.5), 1.0)
        ('fairer', 'within margin')
        >>> bias_kind(Interval(-1.2, -1.9, -0.3), 1.0, failing=frozenset("b"))
        'cannot tell'
    """
    low, high = interval.low, interval.high
    if low is None or high is None:
        return CANNOT_TELL
    if max(abs(low), abs(high)) <= margin:
        return CANNOT_TELL if failing else WITHIN_MARGIN
    if high < 0:
        return CANNOT_TELL if "b" in failing else FAIRER
    if low > 0:
        return CANNOT_TELL if "a" in failing else LESS_FAIR
    return CANNOT_TELL


def without_failing(verdict: ChangeVerdict, failing: frozenset[str]) -> ChangeVerdict:
    """Return the verdict in which no model that leaves out faces is the better one.

    Args:
        verdict: What follows from the faces that both estimate.
        failing: `a`, `b` or both: models that leave out faces which the other estimates.
    """
    if verdict.kind in (CANNOT_TELL, IDENTICAL, SHIFTED) or not failing:
        return verdict
    if verdict.kind == MIXED and len(failing) == 1:
        return replace(verdict, kind=WORSE if "b" in failing else BETTER)
    gains = {BETTER: "b", WORSE: "a"}.get(verdict.kind)
    if gains is not None and gains not in failing:
        return verdict
    return replace(verdict, kind=CANNOT_TELL, rows_needed=None, reason=FAILURES_DIFFER)


def _kind(verdict: ChangeVerdict) -> ChangeKind:
    if verdict.at_most is not None and verdict.at_most <= verdict.margin:
        return WITHIN_MARGIN
    if verdict.improved and verdict.worsened:
        return MIXED
    if verdict.improved:
        return BETTER
    if verdict.worsened:
        return WORSE
    return SHIFTED if verdict.moved else CANNOT_TELL


def _bound(change: Change) -> float:
    return math.inf if change.at_most is None else change.at_most
