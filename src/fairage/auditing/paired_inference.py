"""The inference of a comparison: the change from A to B in each group, with verdicts.

The difference of the two errors of a row is a quantity like any other: its group means have the
draws of `noise`, in which what both models share has cancelled out. `compare`, and whoever
measures how often it errs, come through `infer_changes`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.changes import (
    OVERALL,
    Change,
    ChangeVerdict,
    GroupChange,
    change_verdict,
)
from fairage.auditing.distributions import normal_quantile, student_quantile
from fairage.auditing.groups import Floats, Groups, Units, everyone, taking_part
from fairage.auditing.noise import GroupMeans, estimate_means
from fairage.auditing.result_parts import MAE, MEAN_ERROR, Interval
from fairage.tables import UNKNOWN

LEVEL = 0.95
ROUNDING = 1e-9  # years: errors that are closer are equal
FEW_CHANGED = 30  # where fewer units change, and most do not, the normal law is too narrow
ALL_ROWS = "\0all"  # no attribute has this name
A, B = "a", "b"


@dataclass(frozen=True)
class PairedInference:
    """What the errors of two models on the same rows say.

    Args:
        overall: Change over all rows, each measure with its own interval.
        groups: Change in each group of each attribute.
        verdicts: One an attribute, and `overall`.
        takes_part: Which groups take part, by attribute.
    """

    overall: GroupChange
    groups: dict[str, dict[str, GroupChange]]
    verdicts: dict[str, ChangeVerdict]
    takes_part: dict[str, NDArray[np.bool_]]


def infer_changes(
    signed_a: Floats,
    signed_b: Floats,
    attributes: Mapping[str, Groups],
    *,
    units: Units | None = None,
    weights: Floats | None = None,
    min_rows: int = 30,
    margin: float = 1.0,
    seed: int = 0,
) -> PairedInference:
    """Return the changes from A to B.

    Args:
        signed_a: Estimate of A minus true age in years, shape `(n,)`.
        signed_b: The same of B, for the same rows.
        attributes: Groups of the rows for each attribute.
        units: Persons; each row is a unit where nothing is given.
        weights: Survey weight of each row.
        min_rows: Units from which a group takes part.
        margin: Largest change in years that counts as none in practice.
        seed: Start of the random numbers.

    Examples:
        >>> from fairage.auditing.groups import group_rows
        >>> a, b = np.tile([4.0, -5.0, 3.0, -2.0], 50), np.tile([1.0, -2.0, 3.1, -2.1], 50)
        >>> changes = infer_changes(a, b, {"gender": group_rows(["f", "f", "m", "m"] * 50)})
        >>> changes.verdicts["gender"].kind, round(changes.groups["gender"]["f"]["mae"].value, 2)
        ('mixed', -3.0)
    """
    changes = _Changes(signed_a, signed_b, attributes, units, weights, min_rows, seed)
    groups = {name: changes.groups(name) for name in attributes}
    overall = changes.overall()
    return PairedInference(
        overall=overall,
        groups=groups,
        verdicts={
            OVERALL: _verdict(OVERALL, {OVERALL: overall}, margin, changes.n),
            **{name: _verdict(name, own, margin, changes.n) for name, own in groups.items()},
        },
        takes_part={name: changes.part[name] for name in attributes},
    )


def changes_at_once(
    means: GroupMeans, columns: NDArray[np.int64], *, level: float = LEVEL
) -> float:
    """Return the critical value of the largest |Z_g| / se_g: limits of all means at once.

    Args:
        means: Group means of the differences, and the draws of their error.
        columns: Columns that take part, of all attributes and measures.
        level: Share of samples in which all limits hold at once.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> from fairage.auditing.groups import group_rows
        >>> groups = {"x": group_rows(np.arange(4000) % 10)}
        >>> means = estimate_means({"mae": rng.normal(size=4000)}, groups)
        >>> bool(2.6 < changes_at_once(means, np.arange(10)) < 3.0)
        True
    """
    errors = means.errors
    usable = columns[errors[columns] > 0]
    if not len(usable):
        return 0.0
    largest = (np.abs(means.draws[:, usable]) / errors[usable]).max(axis=1)
    return float(np.quantile(largest, level))


class _Changes:
    """Holds what the parts share: the differences' means and those of both models."""

    def __init__(
        self,
        signed_a: Floats,
        signed_b: Floats,
        attributes: Mapping[str, Groups],
        units: Units | None,
        weights: Floats | None,
        min_rows: int,
        seed: int,
    ) -> None:
        self.n, self.attributes, self.units, self.weights = (
            len(signed_a),
            attributes,
            units,
            weights,
        )
        self.values = {
            A: {MAE: np.abs(signed_a), MEAN_ERROR: signed_a},
            B: {MAE: np.abs(signed_b), MEAN_ERROR: signed_b},
        }
        self.same = signed_a == signed_b
        self.differences = {
            measure: _difference(self.values[A][measure], self.values[B][measure])
            for measure in (MAE, MEAN_ERROR)
        }
        self.tables = {ALL_ROWS: everyone(self.n), **attributes}
        self.means = estimate_means(
            self.differences,
            self.tables,
            units=units,
            weights=weights,
            seed=seed,
            purpose="changes",
        )
        self.part = {
            name: taking_part(groups, min_rows, self.means.effective[self._columns(name)])
            for name, groups in self.tables.items()
        }
        judged = {name: mask for name, mask in self.part.items() if name != ALL_ROWS and mask.any()}
        columns = [
            self.means.columns(name, measure)[mask]
            for name, mask in judged.items()
            for measure in self.differences
        ]
        self.family = np.concatenate(columns) if columns else np.zeros(0, dtype=np.int64)
        self.critical = changes_at_once(self.means, self.family)

    def overall(self) -> GroupChange:
        """Return the change over all rows."""
        return self._change(ALL_ROWS, 0, OVERALL)

    def groups(self, attribute: str) -> dict[str, GroupChange]:
        """Return the change in each group of an attribute."""
        names = self.attributes[attribute].names
        return {name: self._change(attribute, place, name) for place, name in enumerate(names)}

    def _columns(self, attribute: str, measure: str = MAE) -> NDArray[np.int64]:
        return self.means.columns(attribute, measure)

    def _change(self, attribute: str, place: int, name: str) -> GroupChange:
        rows = self.tables[attribute].codes == place
        identical = bool(self.same[rows].all()) and bool(rows.any())
        takes_part = bool(self.part[attribute][place])
        reason = "" if takes_part else UNKNOWN if name == UNKNOWN else "too small"
        persons = None
        if self.units is not None:
            persons = int(self.means.sizes[self._columns(attribute)[place]])
        n = int(rows.sum())
        return GroupChange(
            name=name,
            n=n,
            n_persons=persons,
            takes_part=takes_part,
            reason=reason,
            identical=identical,
            a=self._measured(A, rows),
            b=self._measured(B, rows),
            measures={
                measure: Interval(
                    *self._limits(attribute, place, measure, rows, identical=identical), n, persons
                )
                for measure in self.differences
            },
        )

    def _measured(self, side: str, rows: NDArray[np.bool_]) -> dict[str, float]:
        weights = None if self.weights is None else self.weights[rows]
        return {
            measure: float(np.average(values[rows], weights=weights)) if rows.any() else np.nan
            for measure, values in self.values[side].items()
        }

    def _limits(
        self, attribute: str, place: int, measure: str, rows: NDArray[np.bool_], *, identical: bool
    ) -> tuple[float, float | None, float | None]:
        column = int(self._columns(attribute, measure)[place])
        value = float(self.means.means[column])
        if identical:
            return 0.0, None, None
        at_once = attribute != ALL_ROWS and bool(self.part[attribute][place])
        stretch = self._stretch(column, measure, rows, len(self.family) if at_once else 1)
        if at_once:
            reach = self.critical * float(self.means.errors[column]) * stretch
            return value, value - reach, value + reach
        limits = self.means.limits(column)
        if limits is None:
            return value, None, None
        low, high = limits
        return value, value - (value - low) * stretch, value + (high - value) * stretch

    def _stretch(self, column: int, measure: str, rows: NDArray[np.bool_], numbers: int) -> float:
        """Return by how much limits are widened where the models differ in few units alone.

        A mean of a few changes among many zeros is not normal: Student's t of the changed units.
        """
        changed = rows & (self.differences[measure] != 0)
        count = int(changed.sum())
        if self.units is not None:
            count = len(np.unique(self.units.codes[changed]))
        if not 0 < count < FEW_CHANGED or 2 * count > int(self.means.sizes[column]):
            return 1.0
        share = 1 - (1 - LEVEL) / (2 * numbers)
        return student_quantile(share, max(count - 1, 1)) / normal_quantile(share)


def _difference(a: Floats, b: Floats) -> Floats:
    difference = b - a
    return np.where(np.abs(difference) > ROUNDING, difference, 0.0)


def _verdict(
    attribute: str, groups: Mapping[str, GroupChange], margin: float, rows: int
) -> ChangeVerdict:
    judged = [group for group in groups.values() if group.takes_part]
    changes: list[Change] = [change for group in judged for change in group.changes(attribute)]
    return change_verdict(
        attribute,
        changes,
        margin,
        rows=rows,
        groups=[group.name for group in judged],
        left_out=[
            (attribute, group.name, group.n)
            for group in groups.values()
            if not group.takes_part and attribute != OVERALL
        ],
    )
