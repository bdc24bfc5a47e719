"""The audit of one model: every number of `ModelAudit`, in the order of its fields."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.age_check import audit_age_check, check_claim
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.bias_interval import BiasEstimate
from fairage.auditing.by_age import audit_by_age
from fairage.auditing.estimates import ModelRows
from fairage.auditing.failures import audit_failures
from fairage.auditing.groups import Groups, groups_of
from fairage.auditing.inference import infer, spread_intervals
from fairage.auditing.intersections import audit_intersections
from fairage.auditing.interval_coverage import audit_coverage
from fairage.auditing.measures import MEASURES, GroupErrors, Measure, all_measures
from fairage.auditing.range_summary import summarise_ranges
from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import (
    ALL,
    MAE,
    MEAN_ERROR,
    WITHIN,
    AgeCheck,
    Failures,
    GroupAudit,
    Interval,
    Verdict,
)
from fairage.auditing.rows import Rows
from fairage.auditing.verdicts import joint_verdict, with_failures
from fairage.exceptions import DataError
from fairage.tables import AGE_GROUP, UNKNOWN


def audit_model(
    name: str,
    rows: Rows,
    model: ModelRows,
    settings: AuditSettings,
    measures: Sequence[Measure] = (),
) -> ModelAudit:
    """Return the audit of one model's estimates.

    Args:
        name: The model.
        rows: The rows that have a true age.
        model: Its estimates for them.
        settings: Options.
        measures: Further measures of the user's own.

    Raises:
        DataError: No row has an error: each lacks an estimate, or a true age with a mid-point.
    """
    return _ModelAuditor(rows, model, settings, all_measures(tuple(measures))).audit(name)


class _ModelAuditor:
    """Holds what the parts of a model's audit share: its rows with an error, and the inference."""

    def __init__(
        self,
        rows: Rows,
        model: ModelRows,
        settings: AuditSettings,
        measures: Mapping[str, Measure],
    ) -> None:
        self.rows, self.model, self.settings, self.measures = rows, model, settings, measures
        self.with_error = self._rows_with_error()
        if not len(rows.ages[self.with_error]):
            raise DataError(
                "expected a row that has an estimate and a true age with a mid-point, got none, "
                "close ranges without an end with --oldest"
            )
        self.ages = rows.ages[self.with_error]
        self.errors = model.estimates[self.with_error] - self.ages
        self.attributes = {
            name: _without_empty_unknown(groups_of(groups.names, groups.codes[self.with_error]))
            for name, groups in rows.attributes.items()
        }
        self.units = None if rows.units is None else rows.units.at(self.with_error)
        self.weights = None if rows.weights is None else rows.weights[self.with_error]
        self.stds = None if rows.stds is None else rows.stds[self.with_error]
        self.inference = infer(
            self.errors,
            self.attributes,
            units=self.units,
            weights=self.weights,
            min_rows=settings.min_rows,
            margin=settings.margin,
            seed=settings.seed,
        )

    def _rows_with_error(self) -> NDArray[np.int64] | slice:
        """Return the rows with an age and an estimate; persons together, which is faster."""
        has_error = np.isfinite(self.model.estimates) & np.isfinite(self.rows.ages)
        if self.rows.units is None:
            return slice(None) if has_error.all() else np.flatnonzero(has_error)
        order = np.argsort(self.rows.units.codes, kind="stable")
        return order[has_error[order]]

    def audit(self, name: str) -> ModelAudit:
        rows, settings, inference = self.rows, self.settings, self.inference
        absolute = np.full(len(rows), np.nan)
        absolute[self.with_error] = np.abs(self.errors)
        overall = self._overall()
        groups = {key: self._groups(key, own) for key, own in self.attributes.items()}
        failures = audit_failures(
            self.model.failed,
            absolute,
            rows.attributes,
            p90={
                ALL: {ALL: overall["p90"].value},
                **{
                    key: {name: group["p90"].value for name, group in own.items()}
                    for key, own in groups.items()
                },
            },
            reasons=self.model.reasons,
            units=rows.units,
            weights=rows.weights,
            min_rows=settings.min_rows,
            margin=settings.rate_margin,
        )
        verdicts = {
            attribute: with_failures(verdict, failures.verdicts[attribute])
            for attribute, verdict in inference.verdicts.items()
        }
        head = {key: verdict for key, verdict in verdicts.items() if key != AGE_GROUP}
        average = inference.average_bias
        return ModelAudit(
            name=name,
            n=len(self.errors),
            n_persons=None if self.units is None else self.units.count,
            overall=overall,
            groups=groups,
            bias=self._intervals(inference.bias),
            corrected_bias={key: own.corrected for key, own in inference.bias.items()},
            floors={key: own.floor for key, own in inference.bias.items()},
            spread=spread_intervals(inference),
            mean_error_bias=self._intervals(inference.mean_error_bias),
            mean_error_floors={key: own.floor for key, own in inference.mean_error_bias.items()},
            average_bias=self._interval(average),
            average_corrected=None if average is None else average.corrected,
            average_floor=None if average is None else average.floor,
            average_mean_error_bias=self._interval(inference.average_mean_error_bias),
            gaps=inference.gaps,
            verdicts=verdicts,
            verdict=self._headline(head or verdicts, failures),
            failures=failures,
            by_age=audit_by_age(
                self.ages,
                self.errors,
                self.attributes,
                inference.takes_part,
                units=self.units,
                weights=self.weights,
                gaps=inference.gaps,
            ),
            intersections=audit_intersections(
                self.errors,
                self.attributes,
                units=self.units,
                weights=self.weights,
                min_rows=settings.min_rows,
                margin=settings.margin,
                seed=settings.seed,
            ),
            age_check=self._age_check(),
            ranges=summarise_ranges(rows, self.model, settings),
            coverage=audit_coverage(rows, self.model, settings),
            claim=check_claim(settings.claimed_mae, overall[MAE]),
            own_measures={k: own for k, own in self.measures.items() if k not in MEASURES},
        )

    def _headline(self, verdicts: Mapping[str, Verdict], failures: Failures) -> Verdict:
        """Return the verdict over all attributes; uneven failures of any one concern it."""
        verdict = joint_verdict(verdicts, self.settings.margin, rows=len(self.errors))
        if verdict.kind == WITHIN:
            return with_failures(verdict, *failures.verdicts.values())
        return verdict

    def _overall(self) -> dict[str, Interval]:
        group = GroupErrors(
            self.errors,
            None if self.units is None else self.units.codes,
            self.weights,
            self.stds,
            self.settings.seed,
        )
        return self._measures(ALL, 0, group)

    def _groups(self, attribute: str, groups: Groups) -> dict[str, GroupAudit]:
        small = np.uint16 if len(groups) < 2**16 else np.int64  # sorted faster
        order = np.argsort(groups.codes.astype(small), kind="stable")
        parts = np.split(order, np.cumsum(groups.counts)[:-1])
        return {
            name: self._group(attribute, index, name, parts[index])
            for index, name in enumerate(groups.names)
        }

    def _group(self, attribute: str, index: int, name: str, rows: NDArray[np.int64]) -> GroupAudit:
        weights = None if self.weights is None else self.weights[rows]
        group = GroupErrors(
            self.errors[rows],
            None if self.units is None else self.units.codes[rows],
            weights,
            None if self.stds is None else self.stds[rows],
            self.settings.seed,
        )
        takes_part = bool(self.inference.takes_part[attribute][index])
        reason = "" if takes_part else "unknown" if name == UNKNOWN else "too small"
        return GroupAudit(
            name=name,
            n=len(rows),
            n_persons=None if self.units is None else group.n_units,
            mean_age=float(np.average(self.ages[rows], weights=weights)) if len(rows) else np.nan,
            takes_part=takes_part,
            reason=reason,
            measures=self._measures(attribute, index, group),
        )

    def _measures(self, attribute: str, index: int, group: GroupErrors) -> dict[str, Interval]:
        measured = {}
        for key, measure in self.measures.items():
            if key in (MAE, MEAN_ERROR):
                measured[key] = self._mean(attribute, index, key, group)
            elif key != "epsilon" or self.stds is not None:
                measured[key] = measure.measure(group)
        return measured

    def _mean(self, attribute: str, index: int, key: str, group: GroupErrors) -> Interval:
        """Return MAE or mean error, with the limits of the draws that the verdicts come from."""
        means = self.inference.means
        column = int(means.columns(attribute, key)[index])
        low, high = means.limits(column) or (None, None)
        if key == MAE and low is not None:
            low = max(low, 0.0)
        persons = None if self.units is None else group.n_units
        return Interval(float(means.means[column]), low, high, len(group), persons)

    def _intervals(self, biases: Mapping[str, BiasEstimate]) -> dict[str, Interval]:
        behind = self.inference.behind
        return {key: _bias_interval(own, *behind[key]) for key, own in biases.items()}

    def _interval(self, estimate: BiasEstimate | None) -> Interval | None:
        if estimate is None:
            return None
        persons = None if self.units is None else self.units.count
        return _bias_interval(estimate, len(self.errors), persons)

    def _age_check(self) -> AgeCheck | None:
        rows, estimates = self.rows, self.model.estimates
        if self.settings.legal_age is None:
            return None
        low = rows.ages if rows.low is None else rows.low
        high = rows.ages if rows.high is None else rows.high
        keep = np.isfinite(estimates) & np.isfinite(low)
        return audit_age_check(
            low[keep],
            high[keep],
            estimates[keep],
            {name: groups.subset(keep) for name, groups in rows.attributes.items()},
            units=None if rows.units is None else rows.units.subset(keep),
            weights=None if rows.weights is None else rows.weights[keep],
            settings=self.settings,
        )


def _bias_interval(estimate: BiasEstimate, n: int, n_persons: int | None) -> Interval:
    return Interval(estimate.value, estimate.low, estimate.high, n, n_persons)


def _without_empty_unknown(groups: Groups) -> Groups:
    """Return the groups without an `unknown` that has no row."""
    if UNKNOWN not in groups.names:
        return groups
    place = groups.names.index(UNKNOWN)
    if groups.counts[place]:
        return groups
    names = groups.names[:place] + groups.names[place + 1 :]
    codes = np.where(groups.codes > place, groups.codes - 1, groups.codes)
    return replace(groups, names=names, codes=codes, counts=np.delete(groups.counts, place))
