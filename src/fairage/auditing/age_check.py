"""An age check: who passes one that asks the estimate, group by group.

A false positive is a person under the legal age whose estimate is the threshold or more; a
challenge is one of legal age whose estimate is below it. Source: NIST IR 8525; ISO/IEC 27566.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage.age_groups import MAX_AGE
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.distributions import clopper_pearson
from fairage.auditing.groups import Floats, Groups, Units, everyone
from fairage.auditing.rates import Rate, rate_gaps, rate_of
from fairage.auditing.result_parts import (
    ALL,
    AgeCheck,
    CheckCurve,
    CheckRates,
    Claim,
    Interval,
    Verdict,
)
from fairage.auditing.verdicts import verdict_of
from fairage.tables import AGE_GROUP, UNKNOWN

FALSE_POSITIVE, CHALLENGED = "false_positive", "challenged"
STEPS_A_YEAR = 10
CURVE_STEP = 0.5
CURVE_BELOW, CURVE_ABOVE = 5, 20


def audit_age_check(
    low: Floats,
    high: Floats,
    estimates: Floats,
    attributes: Mapping[str, Groups],
    *,
    units: Units | None,
    weights: Floats | None,
    settings: AuditSettings,
) -> AgeCheck | None:
    """Return what a check at the settings' threshold does; None without a legal age.

    Args:
        low: Lower end of each true age in years, shape `(n,)`.
        high: Its upper end; the same where the age is a number.
        estimates: Estimated ages in years, shape `(n,)`.
        attributes: Groups of the rows for each attribute.
        units: Persons.
        weights: Survey weight of each row.
        settings: Legal age, challenge, wanted rate, `min_rows`, `rate_margin`.
    """
    if settings.legal_age is None or settings.threshold is None:
        return None
    legal = settings.legal_age
    minor = (low < legal) & ((high <= legal) | (low == high))
    adult = low >= legal
    check = _Check(minor, adult, estimates, units, weights, settings)
    tables = {name: groups for name, groups in attributes.items() if name != AGE_GROUP}
    rates = {name: check.groups(groups) for name, groups in tables.items()}
    overall = check.rates(np.ones(len(low), dtype=bool))
    reached = check.reach(overall, rates, tables)
    challenged_then = None
    if reached is not None:
        challenged = (estimates[adult] < reached.threshold).astype(np.float64)
        challenged_then = check.rate(challenged, adult).interval(persons=units is not None)
    thresholds = _curve_thresholds(legal)
    return AgeCheck(
        legal_age=legal,
        threshold=settings.threshold,
        minors=int(minor.sum()),
        adults=int(adult.sum()),
        across=int((~minor & ~adult).sum()),
        overall=check.shown(overall),
        groups={
            name: {
                group: check.shown(own, group)
                for group, own in zip(tables[name].names, groups, strict=True)
            }
            for name, groups in rates.items()
        },
        verdicts=check.verdicts(FALSE_POSITIVE, tables, rates),
        challenged_verdicts=check.verdicts(CHALLENGED, tables, rates),
        wanted_rate=settings.wanted_rate,
        reached_at=None if reached is None else reached.threshold,
        reached_by=None if reached is None else (reached.attribute, reached.group),
        reached_n=None if reached is None else reached.n,
        reached_bound=None if reached is None else reached.bound,
        challenged_then=challenged_then,
        thresholds=tuple(thresholds.tolist()),
        curves={
            name: check.curves(groups, thresholds)
            for name, groups in {ALL: everyone(len(low)), **tables}.items()
        },
    )


@dataclass(frozen=True)
class _Rates:
    minors: NDArray[np.bool_]
    false_positive: Rate
    challenged: Rate


@dataclass(frozen=True)
class _Reached:
    threshold: float
    attribute: str
    group: str
    n: int
    bound: float


@dataclass(frozen=True)
class _Check:
    minor: NDArray[np.bool_]
    adult: NDArray[np.bool_]
    estimates: Floats
    units: Units | None
    weights: Floats | None
    settings: AuditSettings

    def rate(self, hits: Floats, rows: NDArray[np.bool_]) -> Rate:
        return rate_of(
            hits,
            None if self.units is None else self.units.codes[rows],
            None if self.weights is None else self.weights[rows],
        )

    def rates(self, rows: NDArray[np.bool_]) -> _Rates:
        threshold = self.settings.threshold or 0.0
        minor, adult = rows & self.minor, rows & self.adult
        return _Rates(
            minor,
            self.rate((self.estimates[minor] >= threshold).astype(np.float64), minor),
            self.rate((self.estimates[adult] < threshold).astype(np.float64), adult),
        )

    def groups(self, groups: Groups) -> list[_Rates]:
        return [self.rates(groups.codes == group) for group in range(len(groups))]

    def shown(self, rates: _Rates, group: str = ALL) -> CheckRates:
        persons = self.units is not None
        return CheckRates(
            rates.false_positive.interval(persons=persons),
            rates.challenged.interval(persons=persons),
            self.enough(rates.false_positive) and group != UNKNOWN,
        )

    def enough(self, rate: Rate) -> bool:
        return rate.size >= self.settings.min_rows

    def verdicts(
        self,
        measure: str,
        tables: Mapping[str, Groups],
        rates: Mapping[str, list[_Rates]],
    ) -> dict[str, Verdict]:
        """Return the verdicts on one of the two rates; a family of its own."""
        own = {
            name: [getattr(group, measure) for group in groups] for name, groups in rates.items()
        }
        judged = {
            name: {
                group: rate
                for group, rate in zip(tables[name].names, groups, strict=True)
                if self.enough(rate) and group != UNKNOWN
            }
            for name, groups in own.items()
        }
        margin = self.settings.rate_margin
        gaps = rate_gaps(measure, judged, margin, persons=self.units is not None)
        return {
            name: verdict_of(
                name,
                gaps[name],
                margin,
                groups=list(judged[name]),
                left_out=[
                    (name, group, rate.n)
                    for group, rate in zip(tables[name].names, groups, strict=True)
                    if group not in judged[name]
                ],
                rows=sum(rate.n for rate in judged[name].values()),
            )
            for name, groups in own.items()
        }

    def reach(
        self,
        overall: _Rates,
        rates: Mapping[str, list[_Rates]],
        tables: Mapping[str, Groups],
    ) -> _Reached | None:
        """Return the lowest threshold at which every group that takes part has the wanted rate."""
        parts = [(ALL, ALL, overall)]
        parts += [
            (name, group, own)
            for name, groups in rates.items()
            for group, own in zip(tables[name].names, groups, strict=True)
            if group != UNKNOWN
        ]
        needed = [
            (self._needed(own.minors), name, group, own)
            for name, group, own in parts
            if self.enough(own.false_positive)
        ]
        if not needed:
            return None
        threshold, name, group, own = max(needed, key=lambda part: part[0])
        if threshold > MAX_AGE:
            return None
        minors = own.minors
        rate = self.rate((self.estimates[minors] >= threshold).astype(np.float64), minors)
        _, bound = clopper_pearson(rate.value * rate.effective, rate.effective)
        return _Reached(threshold, name, group, rate.units, bound)

    def _needed(self, minors: NDArray[np.bool_]) -> float:
        """Return the lowest threshold, in tenths of a year, at which these have the wanted rate."""
        estimates = self.estimates[minors]
        order = np.argsort(-estimates)
        weights = np.ones(len(order)) if self.weights is None else self.weights[minors][order]
        passed = np.cumsum(weights)
        allowed = self.settings.wanted_rate * passed[-1] * (1 + 1e-12)
        over = np.flatnonzero(passed > allowed)
        if not len(over):
            return 0.0
        highest = float(estimates[order[over[0]]])
        return max(math.floor(highest * STEPS_A_YEAR + 1e-9) + 1, 0) / STEPS_A_YEAR

    def curves(self, groups: Groups, thresholds: Floats) -> tuple[CheckCurve, ...]:
        """Return both rates of each group at each threshold."""
        passed = np.searchsorted(thresholds, self.estimates, side="right")
        width = len(thresholds) + 1
        below = []
        for which in (self.minor, self.adult):
            cells = groups.codes[which] * width + passed[which]
            weights = None if self.weights is None else self.weights[which]
            counts = np.bincount(cells, weights, minlength=len(groups) * width)
            counts = counts.reshape(len(groups), width).astype(np.float64)
            with np.errstate(invalid="ignore", divide="ignore"):
                passing = np.cumsum(counts, axis=1)
                below.append(passing[:, :-1] / passing[:, -1:])
        return tuple(
            CheckCurve(name, _numbers(1 - below[0][group]), _numbers(below[1][group]))
            for group, name in enumerate(groups.names)
        )


def _numbers(rates: Floats) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(rate) else rate for rate in rates.tolist())


def _curve_thresholds(legal_age: float) -> Floats:
    """Return the thresholds of the curves, in steps of half a year around the legal age."""
    first = max(0.0, legal_age - CURVE_BELOW)
    return np.arange(first, legal_age + CURVE_ABOVE + CURVE_STEP / 2, CURVE_STEP)


def check_claim(claimed: float | str | None, mae: Interval) -> Claim | None:
    """Return what these rows say of a published MAE; None where none was given.

    It is reproduced only where the measured MAE, rounded to the digits that the claim is written
    with, is the claim; and it is not reproduced only where no number that rounds to the claim lies
    in the interval.

    Args:
        claimed: The published MAE in years; as text where its last digit is 0, such as "3.40". A
            number has the digits of its shortest form, at least one after the point.
        mae: The measured one.

    Examples:
        >>> check_claim(3.26, Interval(3.4325, 3.29, 3.57, 1977)).kind
        'not reproduced'
        >>> check_claim(2.9999, Interval(3.04, 2.9, 3.2, 1000)).kind
        'within chance'
    """
    if claimed is None:
        return None
    text = claimed.strip() if isinstance(claimed, str) else _shortest(claimed)
    published, digits = float(text), len(text.partition(".")[2])
    rounding = 0.5 * 10.0**-digits + 1e-9
    shown = max(digits, 3)
    lead = f"An MAE of {text} years was published; {_these(mae.n)} {mae.value:.{shown}f}"
    if abs(published - mae.value) <= rounding:
        same = f"{lead}: the same, as far as the claim is written."
        return Claim(published, mae, "reproduced", same)
    if mae.low is None or mae.high is None:
        one = f"{lead}: one row or person alone cannot tell."
        return Claim(published, mae, "within chance", one)
    span = f"({mae.low:.{shown}f} to {mae.high:.{shown}f})"
    if mae.low - rounding <= published <= mae.high + rounding:
        near = f"{lead} {span}: not the same, but other rows of the same kind could give it."
        return Claim(published, mae, "within chance", near)
    side = "larger" if mae.value > published else "smaller"
    return Claim(
        published,
        mae,
        "not reproduced",
        f"{lead} {span}: {side} than published, by more than chance. It is not reproduced.",
    )


def _shortest(claimed: float) -> str:
    text = f"{claimed:.10f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def _these(rows: int) -> str:
    return "this row gives" if rows == 1 else f"these {rows:,} rows give"
