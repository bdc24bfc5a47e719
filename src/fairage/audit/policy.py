"""Age assurance: who passes an age check that asks the estimate, group by group."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage.audit.groups import Groups, subset
from fairage.audit.intervals import Estimate, wilson
from fairage.audit.measures import proportions
from fairage.audit.result import ALL, PolicyAudit, PolicyCurve, PolicyGroup
from fairage.audit.sample import Floats
from fairage.audit.settings import AuditSettings
from fairage.audit.units import Units
from fairage.tables import MAX_AGE

__all__ = ["audit_policy"]

STEPS_A_YEAR = 10
CURVE_STEP = 0.5
CURVE_BELOW, CURVE_ABOVE = 5, 20
HIGHEST = int(MAX_AGE) + CURVE_ABOVE


def audit_policy(
    ages: Floats,
    predictions: Floats,
    attributes: Mapping[str, Groups],
    units: Units | None,
    settings: AuditSettings,
) -> PolicyAudit | None:
    """Return what a check at the settings' threshold does; None without a legal age.

    A false positive is a person under the legal age whose estimate is the threshold or more; a
    challenge is one of legal age whose estimate is below it.

    Args:
        ages: True ages in years, shape `(n,)`.
        predictions: Predicted ages in years, shape `(n,)`.
        attributes: Groups by attribute, `all` among them.
        units: Identities of the rows; None where each row is a unit.
        settings: Legal age, challenge and wanted rate.
    """
    if settings.legal_age is None or settings.threshold is None:
        return None
    check = _Check(ages < settings.legal_age, predictions, units)
    groups = [
        group
        for name, found in attributes.items()
        for group in check.groups(name, found, settings.threshold, settings.min_rows)
    ]
    counts = {name: check.counts(found) for name, found in attributes.items()}
    reached = _reach(counts, attributes, settings)
    challenged = None
    if reached is not None:
        everyone = attributes[ALL]
        challenged = check.groups(ALL, everyone, reached[0], settings.min_rows)[0].challenged
    thresholds = _curve_thresholds(settings.legal_age)
    return PolicyAudit(
        legal_age=settings.legal_age,
        threshold=settings.threshold,
        groups=tuple(groups),
        wanted_rate=settings.wanted_rate,
        reached_at=None if reached is None else reached[0],
        reached_by=None if reached is None else reached[1],
        challenged_then=challenged,
        thresholds=tuple(float(t) for t in thresholds),
        curves=tuple(
            curve
            for name, found in attributes.items()
            for curve in counts[name].curves(name, found, thresholds)
        ),
    )


@dataclass(frozen=True)
class _Counts:
    """Rows of each group under the legal age and of legal age that pass at each threshold."""

    young: NDArray[np.int64]
    grown: NDArray[np.int64]

    def curves(self, attribute: str, groups: Groups, thresholds: Floats) -> list[PolicyCurve]:
        at = np.round(thresholds * STEPS_A_YEAR).astype(int)
        return [
            PolicyCurve(
                attribute,
                name,
                _rates(young[at], int(young[0])),
                _rates(grown[0] - grown[at], int(grown[0])),
            )
            for name, young, grown in zip(groups.names, self.young, self.grown, strict=True)
        ]


@dataclass(frozen=True)
class _Check:
    young: NDArray[np.bool_]
    predictions: Floats
    units: Units | None

    def groups(
        self, attribute: str, groups: Groups, threshold: float, min_rows: int
    ) -> list[PolicyGroup]:
        passes = self.predictions >= threshold
        false_positive = self._shares(passes, self.young, groups)
        challenged = self._shares(~passes, ~self.young, groups)
        return [
            PolicyGroup(
                attribute,
                name,
                false_positive[name],
                challenged[name],
                false_positive[name].n >= min_rows,
            )
            for name in groups.names
        ]

    def counts(self, groups: Groups) -> _Counts:
        thresholds = np.arange(HIGHEST * STEPS_A_YEAR + 1) / STEPS_A_YEAR
        step = np.searchsorted(thresholds, self.predictions, side="right") - 1
        step = np.maximum(step, 0)
        found = []
        for keep in (self.young, ~self.young):
            cells = groups.codes[keep] * len(thresholds) + step[keep]
            table = np.bincount(cells, minlength=len(groups) * len(thresholds))
            table = table.reshape(len(groups), -1)
            found.append(np.cumsum(table[:, ::-1], axis=1)[:, ::-1])
        return _Counts(found[0], found[1])

    def _shares(
        self, hits: NDArray[np.bool_], keep: NDArray[np.bool_], groups: Groups
    ) -> dict[str, Estimate]:
        found = {name: wilson(0, 0) for name in groups.names}
        if keep.any():
            own = subset(groups, keep)
            units = None if self.units is None else self.units.subset(keep)
            found |= zip(
                own.names, proportions(hits[keep].astype(np.float64), own, units), strict=True
            )
        return found


def _rates(hits: NDArray[np.int64], n: int) -> tuple[float, ...]:
    return tuple(float(hit) / n if n else math.nan for hit in hits)


def _reach(
    counts: Mapping[str, _Counts], attributes: Mapping[str, Groups], settings: AuditSettings
) -> tuple[float, tuple[str, str]] | None:
    """Return the lowest threshold at which the worst ranked group has the wanted rate."""
    needed: list[tuple[float, tuple[str, str]]] = []
    for name, groups in attributes.items():
        for group, young in zip(groups.names, counts[name].young, strict=True):
            if young[0] < settings.min_rows:
                continue
            fits = np.flatnonzero(young <= settings.wanted_rate * young[0])
            if not len(fits):
                return None
            needed.append((float(fits[0]) / STEPS_A_YEAR, (name, group)))
    return max(needed, key=lambda found: found[0]) if needed else None


def _curve_thresholds(legal_age: float) -> Floats:
    """Return the thresholds of the curves, of those that are counted: in steps of 0.1 years."""
    first = round(max(0.0, legal_age - CURVE_BELOW), 1)
    found = np.arange(first, legal_age + CURVE_ABOVE + CURVE_STEP / 2, CURVE_STEP)
    return np.round(found * STEPS_A_YEAR) / STEPS_A_YEAR
