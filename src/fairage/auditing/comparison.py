"""The comparison of two models on the same images."""

from collections.abc import Mapping, Sequence

import numpy as np

from fairage._tables_io import TableSource, one_grouping
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.auditor import Bins, column_request, one_table
from fairage.auditing.bias_change import (
    BiasChange,
    BiasChanges,
    Levelling,
    infer_bias_changes,
    level_errors,
)
from fairage.auditing.changes import (
    IDENTICAL,
    OVERALL,
    BiasKind,
    bias_kind,
    without_failing,
)
from fairage.auditing.comparison_result import ComparisonResult, ModelValues
from fairage.auditing.groups import Units
from fairage.auditing.paired_failures import PairedFailures, compare_failures
from fairage.auditing.paired_inference import PairedInference, infer_changes
from fairage.auditing.pairing import Pair, PairedTable, pair_tables
from fairage.auditing.result_parts import MAE, Interval, Note
from fairage.exceptions import DataError

A, B = "a", "b"


def compare(
    a: TableSource,
    b: TableSource,
    *,
    age: str | tuple[str, str] | None = None,
    prediction_a: str | tuple[str, str] | None = None,
    prediction_b: str | tuple[str, str] | None = None,
    attributes: str | Sequence[str] | None = None,
    identity: str | None = None,
    image: str | None = None,
    weight: str | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    bins: Mapping[str, Bins] | None = None,
    join: TableSource | None = None,
    on: str | None = None,
    settings: AuditSettings | None = None,
) -> ComparisonResult:
    """Return what changes from model A to model B on the same images, and what of it is chance.

    Rows are paired by image. True ages, attributes, persons and weights are those of A. Errors are
    compared where both have an estimate; faces that one of them leaves out are counted by group.

    Args:
        a: A file, frame or mapping of columns with the estimates of A, as for `audit`.
        b: The same of B; it may be the same table.
        age: Column of true ages in both; two columns for both ends of ranges.
        prediction_a: Column of estimates in A, or the name of a model of a long table.
        prediction_b: The same in B.
        attributes: Attribute columns of A; age groups of the true age are always added.
        identity: Column of who is on the image, in A.
        image: Column of the images' names in both.
        weight: Column of survey weights, in A.
        labels: Names of groups, by attribute and code: `{"gender": {"0": "male"}}`.
        bins: Attributes that are numbers: how many quantile groups, or the edges between groups.
        join: A second table that has attributes by image, joined to A.
        on: Column of images in both, for `join`.
        settings: Options; the defaults where nothing is given.

    Raises:
        ConfigError: A named column is not there, or an option is out of its limits.
        DataError: The tables are not of the same images, or cannot be read.

    Examples:
        >>> table = {"image": list(range(100)), "age": [30] * 100, "sex": ["f", "m"] * 50}
        >>> before = table | {"prediction": [31 + i % 3 if i % 2 else 36 for i in range(100)]}
        >>> after = table | {"prediction": [31 + i % 3 for i in range(100)]}
        >>> change = compare(before, after)
        >>> change.groups["sex"]["f"]["mae"].value, change.verdicts["sex"].kind
        (-4.0, 'better')
    """
    settings = AuditSettings() if settings is None else settings
    request_a = column_request(
        prediction=_one(prediction_a),
        attributes=attributes,
        labels=labels,
        bins=bins,
        identity=identity,
        weight=weight,
        age=age,
        image=image,
        interval="",
    )
    request_b = column_request(prediction=_one(prediction_b), age=age, image=image, interval="")
    table_a = one_table(a, join, on)
    table_b = one_table(b, None, None)
    if settings.age_groups is None:
        settings = settings.with_default_groups(one_grouping(table_a, table_b))
    pair = pair_tables(
        PairedTable(table_a, request_a),
        PairedTable(table_b, request_b),
        settings,
    )
    return _Comparison(pair, settings).result()


class _Comparison:
    """Holds what the parts share: the rows that both estimate."""

    def __init__(self, pair: Pair, settings: AuditSettings) -> None:
        self.pair, self.settings = pair, settings
        rows = pair.rows
        if OVERALL in rows.attributes:
            raise DataError(
                f"expected another name for an attribute than {OVERALL!r}, got it, rename it"
            )
        estimates = {A: pair.a.estimates, B: pair.b.estimates}
        self.signed = {side: values - rows.ages for side, values in estimates.items()}
        known = np.isfinite(self.signed[A]) & np.isfinite(self.signed[B])
        if not known.any():
            raise DataError(
                "expected images that both models estimate, got none in "
                f"{len(rows):,} images with a true age, check the columns of estimates"
            )
        self.known = known
        self.n = int(known.sum())
        self.attributes = {name: own.subset(known) for name, own in rows.attributes.items()}
        self.units: Units | None = None if rows.units is None else rows.units.subset(known)
        self.weights = None if rows.weights is None else rows.weights[known]

    def result(self) -> ComparisonResult:
        pair, changes, failures = self.pair, self._changes(), self._failures()
        biases = self._biases(changes)
        same = changes.overall.identical
        bias = {
            name: _interval(own, self._behind(name, changes), identical=same)
            for name, own in biases.attributes.items()
        }
        average = biases.average
        average_bias = None if average is None else _interval(average, self._size, identical=same)
        return ComparisonResult(
            a=pair.name_a,
            b=pair.name_b,
            n=self.n,
            n_persons=self._size[1],
            columns_a=pair.columns_a,
            columns_b=pair.columns_b,
            settings=self.settings,
            notes=(*pair.notes, *_range_notes(pair)),
            overall=dict(changes.overall.measures),
            groups=changes.groups,
            bias=bias,
            average_bias=average_bias,
            verdicts={
                name: without_failing(verdict, failures.failing)
                for name, verdict in changes.verdicts.items()
            },
            bias_kinds={name: self._kind(own, failures, same) for name, own in bias.items()},
            average_bias_kind=(
                None if average_bias is None else self._kind(average_bias, failures, same)
            ),
            values={side: _values(side, changes, biases) for side in (A, B)},
            failures=failures,
            levelling=self._levelling(changes, bias),
            identical=same and self._same_failures(),
        )

    @property
    def _size(self) -> tuple[int, int | None]:
        return self.n, None if self.units is None else self.units.count

    def _changes(self) -> PairedInference:
        return infer_changes(
            self.signed[A][self.known],
            self.signed[B][self.known],
            self.attributes,
            units=self.units,
            weights=self.weights,
            min_rows=self.settings.min_rows,
            margin=self.settings.margin,
            seed=self.settings.seed,
        )

    def _biases(self, changes: PairedInference) -> BiasChanges:
        absolute = {side: np.abs(signed[self.known]) for side, signed in self.signed.items()}
        return infer_bias_changes(
            absolute[A],
            absolute[B],
            self.attributes,
            changes.takes_part,
            units=self.units,
            weights=self.weights,
            seed=self.settings.seed,
        )

    def _failures(self) -> PairedFailures:
        pair, rows = self.pair, self.pair.rows
        return compare_failures(
            {A: pair.a.failed, B: pair.b.failed},
            {side: np.abs(signed) for side, signed in self.signed.items()},
            rows.attributes,
            reasons={A: pair.a.reasons, B: pair.b.reasons},
            units=rows.units,
            weights=rows.weights,
            min_rows=self.settings.min_rows,
            rate_margin=self.settings.rate_margin,
        )

    def _same_failures(self) -> bool:
        return bool((self.pair.a.failed == self.pair.b.failed).all())

    def _behind(self, attribute: str, changes: PairedInference) -> tuple[int, int | None]:
        """Return the rows and persons of the groups that take part."""
        used = changes.takes_part[attribute][self.attributes[attribute].codes]
        persons = None if self.units is None else self.units.subset(used).count
        return int(used.sum()), persons

    def _kind(self, interval: Interval, failures: PairedFailures, identical: bool) -> BiasKind:
        """Return what can be said of the change of a bias."""
        if identical:
            return IDENTICAL
        return bias_kind(interval, self.settings.margin, failing=failures.failing)

    def _levelling(
        self, changes: PairedInference, bias: Mapping[str, Interval]
    ) -> dict[str, Levelling]:
        levelling = {}
        for name, interval in bias.items():
            judged = [group for group in changes.groups[name].values() if group.takes_part]
            levelling[name] = level_errors(
                name,
                [group.name for group in judged],
                *(np.array([getattr(group, side)[MAE] for group in judged]) for side in (A, B)),
                beyond_chance=_leaves_out_zero(interval),
            )
        return levelling


def _one(prediction: str | tuple[str, str] | None) -> tuple[str | tuple[str, str], ...]:
    return () if prediction is None else (prediction,)


def _interval(change: BiasChange, behind: tuple[int, int | None], *, identical: bool) -> Interval:
    if identical:
        return Interval(0.0, None, None, *behind)
    return Interval(change.value, change.low, change.high, *behind)


def _leaves_out_zero(interval: Interval) -> bool:
    low, high = interval.low, interval.high
    return (low is not None and low > 0) or (high is not None and high < 0)


def _values(side: str, changes: PairedInference, biases: BiasChanges) -> ModelValues:
    own = {name: getattr(change, side) for name, change in biases.attributes.items()}
    average = None if biases.average is None else getattr(biases.average, side)
    return ModelValues(
        overall=dict(getattr(changes.overall, side)),
        bias={name: bias.value for name, bias in own.items()},
        corrected_bias={name: bias.corrected for name, bias in own.items()},
        average_bias=None if average is None else average.value,
        average_corrected=None if average is None else average.corrected,
    )


def _range_notes(pair: Pair) -> list[Note]:
    """Return which ages are ranges, whose middle the errors take."""
    kinds = (
        ("true ages", pair.rows.low),
        (f"estimates of {pair.name_a}", pair.a.low),
        (f"estimates of {pair.name_b}", pair.b.low),
    )
    ranges = [name for name, low in kinds if low is not None]
    if not ranges:
        return []
    text = (
        f"Ranges among the {' and the '.join(ranges)} count with their middle in all errors, "
        "changes and verdicts."
    )
    return [Note("ranges", text)]
