"""The parts that an audit's result is made of; `result` draws how they fit together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

ALL = "all"
MAE, MEAN_ERROR = "mae", "mean_error"
Kind = Literal["differ", "within margin", "cannot tell"]
DIFFER: Kind = "differ"
WITHIN: Kind = "within margin"
TELL: Kind = "cannot tell"
FEWER = "fewer than two groups"
FAILURES_DIFFER = "failures differ"
"""Why a verdict cannot tell, where it is not for want of rows."""


Value = TypeVar("Value")


class ByAttribute(Mapping[str, dict[str, Value]]):
    """What a dataclass keeps in `groups`, as a mapping: attribute -> group -> value."""

    groups: dict[str, dict[str, Value]]

    def __getitem__(self, attribute: str) -> dict[str, Value]:
        return self.groups[attribute]

    def __iter__(self) -> Iterator[str]:
        return iter(self.groups)

    def __len__(self) -> int:
        return len(self.groups)


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval.

    Args:
        value: The number; NaN where there are no rows.
        low: Lower end; None where the rows do not bound it.
        high: Upper end; None where the rows do not bound it.
        n: Rows behind it.
        n_persons: Persons behind it; None where identities are not known.
    """

    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0
    n_persons: int | None = None


@dataclass(frozen=True)
class Note:
    """Something that a reader of the numbers must know: a fixed name and a sentence."""

    name: str
    text: str


@dataclass(frozen=True)
class GroupAudit(Mapping[str, Interval]):
    """One group of an attribute; behaves as a mapping from measure to Interval.

    Args:
        name: The group.
        n: Its rows with an estimate.
        n_persons: Its persons; None where identities are not known.
        mean_age: Mean true age in years.
        takes_part: Whether it takes part in biases, floors and verdicts.
        reason: Why it does not: "too small" or "unknown"; empty where it takes part.
        measures: Each measure with its interval.
    """

    name: str
    n: int
    n_persons: int | None
    mean_age: float
    takes_part: bool
    reason: str
    measures: dict[str, Interval]

    def __getitem__(self, measure: str) -> Interval:
        return self.measures[measure]

    def __iter__(self) -> Iterator[str]:
        return iter(self.measures)

    def __len__(self) -> int:
        return len(self.measures)


@dataclass(frozen=True)
class NoiseFloor:
    """The bias that there would be if all groups had the same true error.

    Args:
        mean: Its mean, in years.
        p975: What it exceeds once in forty times.
    """

    mean: float
    p975: float


@dataclass(frozen=True)
class Gap:
    """A number of the first group minus that of the second, with simultaneous limits.

    Args:
        attribute: The attribute.
        first: Group with the larger number.
        second: Group with the smaller one.
        measure: `mae`, `mean_error`, or the name of a rate.
        interval: The gap, 0 or more; the limits hold for all gaps of the family at once.
        kind: What can be said of this pair alone, from the same limits.
    """

    attribute: str
    first: str
    second: str
    measure: str
    interval: Interval
    kind: Kind

    @property
    def differs(self) -> bool:
        """Whether the simultaneous interval leaves 0 out, within the margin or not."""
        low, high = self.interval.low, self.interval.high
        return (low is not None and low > 0) or (high is not None and high < 0)

    @property
    def at_least(self) -> float:
        """The smallest gap that the data allow: 0 where it may be none."""
        return max(0.0, self.interval.low or 0.0)

    @property
    def at_most(self) -> float | None:
        """The largest gap, either way, that the data allow; None where nothing bounds it."""
        if self.interval.low is None or self.interval.high is None:
            return None
        return max(abs(self.interval.low), abs(self.interval.high))


@dataclass(frozen=True)
class Verdict:
    """What can be said of the groups of an attribute, or of several at once.

    Args:
        attribute: The attribute, or `all`.
        kind: `within margin` where the limits of every gap lie inside the margin; `differ` where
            those of one leave 0 out; else `cannot tell`.
        margin: The margin: years, or a share for rates.
        differing: Gaps that leave 0 out, largest `at_least` first; also within the margin.
        at_least: Smallest size of the largest gap: the first of `differing`, or 0.
        at_most: Largest gap that the data still allow; None where nothing bounds it.
        widest: The gap whose limit is `at_most`.
        groups: Groups that take part, as (attribute, group).
        left_out: Groups that do not, as (attribute, group, rows).
        rows_needed: Rows in all from which *cannot tell* would become one of the others, if all
            groups grow alike; None for other verdicts, or where rows do not help.
        reason: Why it cannot tell where it is not for want of rows: "fewer than two groups",
            "failures differ" (estimates are missing more often in one group), "";
    """

    attribute: str
    kind: Kind
    margin: float
    differing: tuple[Gap, ...] = ()
    at_least: float = 0.0
    at_most: float | None = None
    widest: Gap | None = None
    groups: tuple[tuple[str, str], ...] = ()
    left_out: tuple[tuple[str, str, int], ...] = ()
    rows_needed: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Failures(ByAttribute[Interval]):
    """Rows with a true age and no estimate; a mapping: attribute -> group -> rate.

    Args:
        overall: Share of rows without an estimate.
        reasons: How many rows by what stands there instead, such as "no face" or "missing".
        groups: The rate in each group of each attribute.
        verdicts: The verdict on the rates of each attribute, with `rate_margin`.
        mae_if_withheld: MAE if each row without an estimate had its group's P90 error, by
            attribute; empty where no row fails.
    """

    overall: Interval
    reasons: dict[str, int]
    groups: dict[str, dict[str, Interval]]
    verdicts: dict[str, Verdict]
    mae_if_withheld: dict[str, float]


@dataclass(frozen=True)
class AgeBand:
    """Errors of one group (or `all`) at true ages in `[low, high)`."""

    group: str
    low: float
    high: float
    n: int
    mae: Interval
    mean_error: Interval


@dataclass(frozen=True)
class AdjustedGap:
    """A gap between two groups, and how much of it comes from who is older.

    All three numbers are of the same rows: the bands of five years where both groups have enough
    units. Their intervals hold for all pairs of the attribute at once.

    Args:
        attribute: The attribute.
        first: Group with the larger number overall.
        second: The other group.
        measure: `mae` or `mean_error`.
        crude: First minus second on these rows.
        adjusted: The same if both had the same ages.
        explained: Crude minus adjusted: the part that comes from who is older, in years.
        bands: The ages used, as (low, high) of each band.
        share_used: Share of each group's rows inside the bands, in 0..1.
        usable: Whether at least half of both groups' rows lie inside the bands.
    """

    attribute: str
    first: str
    second: str
    measure: str
    crude: Interval
    adjusted: Interval
    explained: Interval
    bands: tuple[tuple[float, float], ...]
    share_used: tuple[float, float]
    usable: bool


@dataclass(frozen=True)
class ByAge:
    """Errors along age.

    Args:
        bands: AgeBands of five years by attribute; `all` has those of all rows.
        adjusted: Adjusted gaps by attribute, for pairs of groups that take part.
    """

    bands: dict[str, tuple[AgeBand, ...]]
    adjusted: dict[str, tuple[AdjustedGap, ...]]


@dataclass(frozen=True)
class Cell:
    """Rows that share a group in each of two attributes; `takes_part` as for groups."""

    groups: tuple[str, str]
    n: int
    n_persons: int | None
    takes_part: bool
    mae: Interval
    mean_error: Interval


@dataclass(frozen=True)
class Intersection:
    """Two attributes crossed: cells that take part first, largest MAE first.

    The verdict is over all pairs of its cells; `group` in its gaps is "a x b".
    """

    attributes: tuple[str, str]
    cells: tuple[Cell, ...]
    verdict: Verdict


@dataclass(frozen=True)
class CheckRates:
    """How an age check treats one group.

    Args:
        false_positive: Share of those under the legal age who pass; `n` is their number.
        challenged: Share of those of legal age who do not pass; `n` is their number.
        takes_part: Whether enough persons under the legal age are there to be compared.
    """

    false_positive: Interval
    challenged: Interval
    takes_part: bool


@dataclass(frozen=True)
class CheckCurve:
    """Both rates at each of many thresholds; None where there is nobody."""

    group: str
    false_positive: tuple[float | None, ...]
    challenged: tuple[float | None, ...]


@dataclass(frozen=True)
class AgeCheck:
    """An age check: those who are estimated at the threshold or older pass.

    Args:
        legal_age: Age that the check is about.
        threshold: Estimated age from which a person passes.
        minors: Rows under the legal age with an estimate.
        adults: Rows of legal age with an estimate.
        across: Rows whose range of true age lies on both sides of the legal age: left out.
        overall: Rates of all rows.
        groups: Rates of each group of each attribute but age_group.
        verdicts: Verdicts on the false positive rates by attribute, with `rate_margin`.
        challenged_verdicts: Verdicts on the challenge rates by attribute.
        wanted_rate: False positive rate that the worst group should have at most.
        reached_at: Lowest threshold, in steps of 0.1 years, at which every group that takes part
            has that rate; None where there is none up to 120.
        reached_by: (attribute, group) that needs it.
        reached_n: Persons (rows) under the legal age in that group.
        reached_bound: Upper end of the 95 % interval of that group's rate at `reached_at`.
        challenged_then: Share of those of legal age who do not pass at `reached_at`.
        thresholds: Thresholds of the curves.
        curves: Curves by attribute; `all` has that of all rows.
    """

    legal_age: float
    threshold: float
    minors: int
    adults: int
    across: int
    overall: CheckRates
    groups: dict[str, dict[str, CheckRates]]
    verdicts: dict[str, Verdict]
    challenged_verdicts: dict[str, Verdict]
    wanted_rate: float
    reached_at: float | None
    reached_by: tuple[str, str] | None
    reached_n: int | None
    reached_bound: float | None
    challenged_then: Interval | None
    thresholds: tuple[float, ...]
    curves: dict[str, tuple[CheckCurve, ...]]


@dataclass(frozen=True)
class Ranges:
    """What ranges leave open, where true ages or estimates are ranges.

    Args:
        true_ranges: Rows whose true age is a range.
        predicted_ranges: Rows whose estimate is a range.
        open_ranges: Rows whose range has no end, so no mid-point; they are in no mean.
        across_age_groups: Rows whose range lies in two age groups; counted where its mid-point is.
        across_legal_age: Rows whose range lies on both sides of the legal age; None without one.
        mae_least: MAE if every true age were the one within its range that is nearest.
        mae_most: The same with the farthest; None where a range has no end.
        inside: Share of rows whose estimate (mid-point) lies inside the true range, or whose
            predicted range holds the true age; None without either.
        width: Mean width of predicted ranges in years; None without.
        outside: Mean distance in years of the true age from the predicted range; None without.
    """

    true_ranges: int
    predicted_ranges: int
    open_ranges: int
    across_age_groups: int
    across_legal_age: int | None
    mae_least: Interval | None
    mae_most: Interval | None
    inside: Interval | None
    width: Interval | None
    outside: Interval | None


@dataclass(frozen=True)
class Claim:
    """A published MAE beside the measured one.

    Args:
        claimed: The published MAE.
        mae: The measured one.
        kind: `reproduced` (equal as far as the claim is written), `within chance` or
            `not reproduced`.
        text: The same as a sentence.
    """

    claimed: float
    mae: Interval
    kind: Literal["reproduced", "within chance", "not reproduced"]
    text: str
