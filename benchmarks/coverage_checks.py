"""What one simulated table says about each promise of the audit, for `coverage.py`.

Every figure is one number a table: the share of its intervals that hold the truth, or 1 and 0.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from coverage_rivals import reference_width, welch_finds
from coverage_tables import Design, Table
from fairage.auditing.bias_interval import BiasEstimate, bias
from fairage.auditing.groups import Floats, Groups, everyone, taking_part
from fairage.auditing.inference import Inference, infer, spread_intervals
from fairage.auditing.measures import MEASURES, GroupErrors
from fairage.auditing.rates import Rate, group_rates, rate_gaps
from fairage.auditing.result_parts import ALL, MAE, MEAN_ERROR, WITHIN, Gap, Interval
from fairage.tables import AGE_GROUP

__all__ = ["Figures", "check", "holds", "means_of"]

MARGIN, RATE_MARGIN = 1.0, 0.05
SMALL = 10  # fewer rows are in no figure
OTHERS = ("median", "within_5", "rmse", "p90")
MANY = 10  # attributes: quantiles and rates of the first one alone
EQUAL = 1e-9
Figures = dict[str, float]


def check(
    design: Design,
    table: Table,
    seed: int,
    *,
    min_rows: int = 30,
    groups: bool = True,
    reference: ModuleType | None = None,
) -> Figures:
    """Return the figures of one table.

    Args:
        design: What the table was drawn from.
        table: The table.
        seed: Start of the audit's random numbers.
        min_rows: Units from which a group takes part.
        groups: Whether to look at the measures of single groups too, which takes longer.
        reference: The module to hold the width of the bias interval against.
    """
    inference = infer(
        table.errors,
        table.attributes,
        units=table.units,
        weights=table.weights,
        min_rows=min_rows,
        margin=MARGIN,
        seed=seed,
    )
    case = _Case(design.truth, table, inference, min_rows)
    figures = case.gaps() | case.verdicts() | case.biases() | case.power()
    if groups:
        figures |= means_of(case.group_intervals(seed)) | case.spreads() | {"groups": 1.0}
    if design.faces.fails.any():
        figures |= _failures(design.truth, table, min_rows)
    if reference is not None:
        figures |= reference_width(reference, table, inference)
    return figures


def holds(interval: Interval | BiasEstimate, truth: float) -> float:
    """Return whether an interval holds the true value, as 1 or 0."""
    slack = EQUAL * max(abs(truth), 1.0)
    low = -np.inf if interval.low is None else interval.low
    high = np.inf if interval.high is None else interval.high
    return float(low - slack <= truth <= high + slack)


def means_of(pairs: Iterator[tuple[str, float]]) -> Figures:
    """Return the mean of the values of each name."""
    values: dict[str, list[float]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    return {key: float(np.mean(own)) for key, own in values.items()}


@dataclass(frozen=True)
class _Case:
    """A table with its truth and its inference."""

    truth: Mapping[str, Mapping[str, Floats]]
    table: Table
    inference: Inference
    min_rows: int

    @property
    def judged(self) -> list[str]:
        """Attributes with two groups or more that take part."""
        return list(self.inference.bias)

    def of(self, attribute: str, measure: str) -> Floats:
        """Return the true values of the groups that take part."""
        names = np.array(self.table.attributes[attribute].names, dtype=int)
        values: Floats = self.truth[attribute][measure]
        return np.asarray(values[names[self.inference.takes_part[attribute]]])

    def equal(self, attribute: str, measure: str) -> bool:
        """Return whether all groups that take part have the same true value."""
        return float(np.ptp(self.of(attribute, measure))) < EQUAL

    def group_intervals(self, seed: int) -> Iterator[tuple[str, float]]:
        """Yield a figure's name and whether an interval holds, of every group of SMALL units."""
        table, means = self.table, self.inference.means
        for attribute, groups in {ALL: everyone(len(table.errors)), **table.attributes}.items():
            sizes = means.sizes[means.columns(attribute, MAE)]
            effective = means.effective[means.columns(attribute, MAE)]
            for group in np.flatnonzero(sizes >= SMALL).tolist():
                name = 0 if attribute == ALL else int(groups.names[group])
                few = "_small" if effective[group] < self.min_rows else ""
                for measure, interval in self._intervals(attribute, groups, group, seed):
                    hit = holds(interval, float(self.truth[attribute][measure][name]))
                    yield f"{measure}{few}", hit
                    yield f"{measure}/{attribute}/{name}", hit

    def _intervals(
        self, attribute: str, groups: Groups, group: int, seed: int
    ) -> Iterator[tuple[str, Interval]]:
        for quantity in (MAE, MEAN_ERROR):
            means = self.inference.means
            limits = means.limits(int(means.columns(attribute, quantity)[group]))
            low, high = limits or (None, None)
            if quantity == MAE and low is not None:
                low = max(low, 0.0)
            yield quantity, Interval(np.nan, low, high)
        table, rows = self.table, groups.codes == group
        if len(table.attributes) > MANY and attribute not in list(table.attributes)[:1]:
            return
        errors = GroupErrors(
            table.errors[rows],
            None if table.units is None else table.units.codes[rows],
            None if table.weights is None else table.weights[rows],
            seed=seed,
        )
        for measure in OTHERS:
            yield measure, MEASURES[measure].measure(errors)

    def gaps(self) -> Figures:
        """Return whether all limits of an attribute, and of the family, hold at once."""
        hold = {}
        for attribute in self.judged:
            truth = self.truth[attribute]
            hold[attribute] = min(
                holds(
                    gap.interval,
                    truth[gap.measure][int(gap.first)] - truth[gap.measure][int(gap.second)],
                )
                for gap in self.inference.gaps[attribute]
            )
        if not hold:
            return {}
        return {"gaps": float(np.mean(list(hold.values()))), "family": min(hold.values())}

    def verdicts(self) -> Figures:
        """Return whether *differ* is said of equal groups, and *within* of unequal ones."""
        figures: Figures = {}
        equal = {
            name: [q for q in (MAE, MEAN_ERROR) if self.equal(name, q)] for name in self.judged
        }
        same = [name for name, own in equal.items() if len(own) == 2]
        verdicts = self.inference.verdicts
        if same:
            figures["false_differ"] = float(any(verdicts[name].differing for name in same))
        half = {name: own[0] for name, own in equal.items() if len(own) == 1}
        if half:
            figures["false_half"] = float(
                any(gap.measure == half[name] for name in half for gap in verdicts[name].differing)
            )
        head = [name for name in self.judged if name != AGE_GROUP] or self.judged
        if head and all(name in same for name in head):
            figures["false_headline"] = float(bool(self.inference.verdict.differing))
        wide = [name for name in self.judged if self._largest(name) > MARGIN]
        if wide:
            figures["false_within"] = float(any(verdicts[name].kind == WITHIN for name in wide))
        return figures

    def _largest(self, attribute: str) -> float:
        return max(float(np.ptp(self.of(attribute, q))) for q in (MAE, MEAN_ERROR))

    def biases(self) -> Figures:
        """Return whether biases and average biases are held, and how far they are off."""
        inference = self.inference
        figures: Figures = {}
        for key, measure, own, average in (
            ("bias", MAE, inference.bias, inference.average_bias),
            (
                "mean_error_bias",
                MEAN_ERROR,
                inference.mean_error_bias,
                inference.average_mean_error_bias,
            ),
        ):
            truths = {name: bias(self.of(name, measure)) for name in own}
            figures |= means_of(_bias_figures(key, own, truths))
            if len(own) > 1 and average is not None:
                true = float(np.mean(list(truths.values())))
                figures |= means_of(_bias_figures(f"average_{key}", {ALL: average}, {ALL: true}))
        return figures

    def spreads(self) -> Figures:
        """Return whether worst-best gap, ratio and Gini coefficient are held."""
        figures = []
        for attribute, intervals in spread_intervals(self.inference).items():
            own = self.of(attribute, MAE)
            k = len(own)
            true = {
                "gap": float(np.ptp(own)),
                "ratio": float(own.max() / own.min()),
                "gini": bias(own) * (k - 1) / (2 * k * float(own.mean())),
            }
            figures += [
                (f"spread_{key}", holds(interval, true[key])) for key, interval in intervals.items()
            ]
        return means_of(iter(figures))

    def power(self) -> Figures:
        """Return whether gaps are found, beside Welch's test, where rows or persons allow it."""
        gapped = [
            name
            for name in self.judged
            if not (self.equal(name, MAE) and self.equal(name, MEAN_ERROR))
        ]
        finds = welch_finds(self.table, self.inference, self.judged) if gapped else None
        if finds is None:
            return {}
        ours = np.array([bool(self.inference.verdicts[name].differing) for name in gapped])
        theirs = np.array([finds[name] for name in gapped])
        return {
            "found": float(ours.mean()),
            "welch": float(theirs.mean()),
            "found_less_welch": float(ours.mean() - theirs.mean()),
        }


def _bias_figures(
    key: str, estimates: Mapping[str, BiasEstimate], truths: Mapping[str, float]
) -> Iterator[tuple[str, float]]:
    for name, estimate in estimates.items():
        hit = holds(estimate, truths[name])
        yield key, hit
        yield f"{key}_{'above' if truths[name] > EQUAL else 'zero'}", hit
        yield f"{key}_plug_in", estimate.value - truths[name]
        yield f"{key}_corrected", estimate.corrected - truths[name]


def _true_gap(values: Floats, gap: Gap) -> float:
    return float(values[int(gap.first)] - values[int(gap.second)])


def _failures(truth: Mapping[str, Mapping[str, Floats]], table: Table, min_rows: int) -> Figures:
    """Return whether the rates of missing estimates, and their gaps, are held."""
    units = table.all_units
    own: dict[str, list[float]] = {"failures": [], "rate_gaps": [], "false_rate_differ": []}
    judged: dict[str, dict[str, Rate]] = {}
    for attribute, groups in {ALL: everyone(len(table.failed)), **table.everybody}.items():
        rates = group_rates(table.failed, groups, units)
        for name, rate in zip(groups.names, rates, strict=True):
            true = truth[attribute]["fails"][0 if attribute == ALL else int(name)]
            own["failures"].append(holds(rate.interval(persons=units is not None), float(true)))
        takes = taking_part(groups, min_rows, np.array([rate.units for rate in rates]))
        if attribute != ALL and takes.sum() > 1:
            kept = np.flatnonzero(takes).tolist()
            judged[attribute] = {groups.names[group]: rates[group] for group in kept}
    gaps = rate_gaps("failures", judged, RATE_MARGIN, persons=units is not None)
    for attribute, pairs in gaps.items():
        values = truth[attribute]["fails"]
        own["rate_gaps"].append(min(holds(gap.interval, _true_gap(values, gap)) for gap in pairs))
        if all(abs(_true_gap(values, gap)) < EQUAL for gap in pairs):
            own["false_rate_differ"].append(float(any(gap.differs for gap in pairs)))
    return {key: float(np.mean(values)) for key, values in own.items() if values}
