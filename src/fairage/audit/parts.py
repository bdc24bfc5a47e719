"""The small parts that an audit's result is made of; `result` draws how they fit together."""

from dataclasses import dataclass

from fairage.audit.groups import ALL
from fairage.audit.intervals import Estimate

__all__ = [
    "ALL",
    "AgePoint",
    "AuditWarning",
    "Cell",
    "Claim",
    "ErrorMeasures",
    "GroupAudit",
    "Intersection",
    "PairGap",
    "PolicyAudit",
    "PolicyCurve",
    "PolicyGroup",
    "Standardised",
]


@dataclass(frozen=True)
class AuditWarning:
    """Something that a reader of the numbers must know.

    Args:
        name: Fixed name, such as `duplicate_images`.
        text: One sentence with the numbers.
    """

    name: str
    text: str


@dataclass(frozen=True)
class ErrorMeasures:
    """How far predictions are off.

    Args:
        n: Rows.
        mae: Mean absolute error.
        rmse: Root of the mean squared error.
        signed: Mean of prediction less truth.
        median: Median absolute error.
        p90: Absolute error that a tenth of the rows exceeds.
        within: Share of rows that are off by no more than so many years, CS(k).
        epsilon: Mean of 1 - exp(-error^2 / (2 std^2)), in 0..1; None without the raters' std.
    """

    n: int
    mae: Estimate
    rmse: Estimate
    signed: Estimate
    median: Estimate
    p90: Estimate
    within: dict[int, Estimate]
    epsilon: Estimate | None


@dataclass(frozen=True)
class GroupAudit:
    """One group of an attribute.

    Args:
        name: The group.
        units: Rows, or identities where these are known.
        mean_age: Mean true age.
        errors: Its error measures.
        ranked: Whether it has enough rows to be compared with others in earnest.
        rows_to_resolve: Rows that it would need for a gap of 0.5 years to the others to be found
            in four of five samples; None where its errors do not vary or there are no others.
    """

    name: str
    units: int
    mean_age: float
    errors: ErrorMeasures
    ranked: bool
    rows_to_resolve: int | None


@dataclass(frozen=True)
class PairGap:
    """MAE of the first group less that of the second.

    Args:
        first: Group with the larger error.
        second: Group with the smaller one.
        gap: Difference, 0 or more; `n` is the rows of both.
        resolved: Whether the interval leaves 0 out.
    """

    first: str
    second: str
    gap: Estimate
    resolved: bool


@dataclass(frozen=True)
class Standardised:
    """Group errors at one age mix, that of all rows, so that no gap comes from who is older.

    Args:
        bands: Lower edges of the age bands, in years.
        end: Upper edge of the last band; rows of ages outside the bands take no part.
        covered: Share of all rows whose ages lie within the bands, in 0..1.
        mix: Share of these rows in each band.
        groups: MAE of each group at that mix.
        crude_bias: Bias of the same rows, each group at its own ages.
        bias: Bias at the one mix.
        gap: Worst less best group error at the one mix.
        left_out: Groups with too few rows.
    """

    bands: tuple[float, ...]
    end: float
    covered: float
    mix: tuple[float, ...]
    groups: dict[str, Estimate]
    crude_bias: float
    bias: Estimate
    gap: Estimate
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class AgePoint:
    """Errors of one group at true ages in `[low, high)`."""

    group: str
    low: float
    high: float
    n: int
    mae: Estimate
    signed: Estimate


@dataclass(frozen=True)
class Cell:
    """Rows that share a group in each of two attributes.

    Args:
        groups: The group in each attribute.
        n: Rows.
        mae: Group error.
        signed: Mean signed error.
        rank: 1 for the largest error; None for too few rows.
    """

    groups: tuple[str, str]
    n: int
    mae: Estimate
    signed: Estimate
    rank: int | None


@dataclass(frozen=True)
class Intersection:
    """Two attributes crossed; ranked cells first, worst first."""

    attributes: tuple[str, str]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class PolicyGroup:
    """How an age check treats one group.

    Args:
        attribute: Attribute, or `all`.
        group: Group, or `all`.
        false_positive: Share of those under the legal age who pass; `n` is their number.
        challenged: Share of those of legal age who do not pass; `n` is their number.
        ranked: Whether there are enough people under the legal age to compare with others.
    """

    attribute: str
    group: str
    false_positive: Estimate
    challenged: Estimate
    ranked: bool


@dataclass(frozen=True)
class PolicyCurve:
    """The same at each of many thresholds; NaN where there is nobody.

    Args:
        attribute: Attribute, or `all`.
        group: Group, or `all`.
        false_positive: Share of those under the legal age who pass, one a threshold.
        challenged: Share of those of legal age who do not pass, one a threshold.
    """

    attribute: str
    group: str
    false_positive: tuple[float, ...]
    challenged: tuple[float, ...]


@dataclass(frozen=True)
class PolicyAudit:
    """Age assurance: those who are estimated at the threshold or older pass.

    Args:
        legal_age: Age that the check is about.
        threshold: Estimated age from which a person passes.
        groups: Rates at that threshold; the first one is of all rows.
        wanted_rate: False positive rate that the worst group should have at most.
        reached_at: Lowest threshold, in steps of 0.1 years, from which the worst ranked group has
            that rate; None where there is no such group or the rate is not reached.
        reached_by: That group; None without.
        challenged_then: Share of those of legal age who do not pass at `reached_at`.
        thresholds: Thresholds of the curves, in whole tenths of a year.
        curves: One a group; the first one is of all rows.
    """

    legal_age: float
    threshold: float
    groups: tuple[PolicyGroup, ...]
    wanted_rate: float
    reached_at: float | None
    reached_by: tuple[str, str] | None
    challenged_then: Estimate | None
    thresholds: tuple[float, ...]
    curves: tuple[PolicyCurve, ...]


@dataclass(frozen=True)
class Claim:
    """A published MAE beside the measured one.

    Args:
        claimed: The published MAE.
        mae: The measured one.
        verdict: `reproduced` (equal as far as it is written), `within chance` or
            `not reproduced`.
        text: The verdict as a sentence.
    """

    claimed: float
    mae: Estimate
    verdict: str
    text: str
