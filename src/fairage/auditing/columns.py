"""Which column of somebody's table holds what: as named, or guessed from the usual names."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fairage._demographics import plain
from fairage._table import Table
from fairage.auditing import column_names as usual
from fairage.auditing.coding import Bins
from fairage.auditing.column_guesses import (
    ColumnName,
    check_twins,
    guess_age,
    guess_attributes,
    guess_model,
    guess_predictions,
    holds_ages,
    why_unused,
)
from fairage.auditing.interval_columns import IntervalColumns, guess_intervals, named_intervals
from fairage.exceptions import ConfigError
from fairage.tables import AGE_GROUP

SINGLE = {
    "image": usual.IMAGES,
    "identity": usual.IDENTITIES,
    "age_std": usual.STDS,
    "reason": usual.REASONS,
}
END = re.compile(r"[\s._-]*(?:low|lower|min|from)$|^(?:low|lower|min|from)[\s._-]*", re.IGNORECASE)


@dataclass(frozen=True)
class ColumnRequest:
    """The columns that a caller names; the others are guessed.

    Args:
        age: True ages; the columns of both ends where they are ranges, or the mapping's name.
        predictions: Estimates, one column (or pair of columns) a model.
        attributes: Attributes; an empty tuple for none.
        image: Names of the images; `""` for none, here and below.
        identity: Who is on the image.
        age_std: Standard deviation of the raters' ages.
        weight: Survey weights; never guessed.
        model: Which model a row is of, in a long table.
        reason: Why a row has no estimate.
        interval: Both ends of the intervals of the only model; `""` for none.
        labels: Names of groups by attribute and code.
        bins: By attribute of numbers, how many quantile bins or the edges between bins.
    """

    age: ColumnName | None = None
    predictions: tuple[ColumnName, ...] = ()
    attributes: tuple[str, ...] | None = None
    image: str | None = None
    identity: str | None = None
    age_std: str | None = None
    weight: str | None = None
    model: str | None = None
    reason: str | None = None
    interval: ColumnName | None = None
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    bins: Mapping[str, Bins] = field(default_factory=dict)

    @property
    def named(self) -> list[str]:
        """Every column that is named but for attributes, each once."""
        single = [self.image, self.identity, self.age_std, self.weight, self.model, self.reason]
        return _each_once([self.age, *self.predictions, *single, self.interval])


@dataclass(frozen=True)
class Columns:
    """The columns of an audit, and what the others are not used for.

    Args:
        age: True ages, or their lower ends.
        age_high: Upper ends of true ages; None where one column holds them.
        predictions: Estimates, or their lower ends, one a model.
        prediction_high: Upper ends by column of lower ends.
        attributes: Attributes. The column `age_group`, where it is named, is one of them.
        image: Names of the images; None where there are none.
        identity: Who is on the image; None where nobody knows.
        age_std: Standard deviation of the raters' ages; None where there is none.
        weight: Survey weights; None where there are none.
        model: Which model a row is of; None where all rows have the same models.
        reason: Why there is no estimate; None where nothing says so.
        intervals: The model's own intervals, by column of estimates.
        guessed: Those of the above that were guessed, as "age", "prediction", ...
        unused: Why each other column is not used.
    """

    age: str
    predictions: tuple[str, ...]
    attributes: tuple[str, ...] = ()
    age_high: str | None = None
    prediction_high: dict[str, str] = field(default_factory=dict)
    image: str | None = None
    identity: str | None = None
    age_std: str | None = None
    weight: str | None = None
    model: str | None = None
    reason: str | None = None
    intervals: dict[str, IntervalColumns] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()
    unused: dict[str, str] = field(default_factory=dict)

    @property
    def used(self) -> list[str]:
        """Every column that is read, each once."""
        single = [getattr(self, kind) for kind in (*SINGLE, "weight", "model")]
        ends = [self.age_high, *self.prediction_high.values()]
        ends += [name for interval in self.intervals.values() for name in interval.names]
        return _each_once([self.age, *ends, *self.predictions, *self.attributes, *single])

    def title(self, prediction: str) -> str:
        """Return what to call the estimates of a column: its name, or that of both ends.

        Examples:
            >>> ends = {"AgeRange.Low": "AgeRange.High"}
            >>> Columns("age", ("AgeRange.Low",), prediction_high=ends).title("AgeRange.Low")
            'AgeRange'
        """
        high = self.prediction_high.get(prediction)
        if high is None:
            return prediction
        return END.sub("", prediction) or f"{prediction} to {high}"

    def describe(self) -> str:
        """Return the guesses as one sentence; empty where everything was named.

        Examples:
            >>> Columns("label", ("pred",), guessed=("age", "prediction")).describe()
            "Columns guessed: age 'label', prediction 'pred'."
        """
        highs = self.prediction_high
        names = {kind: [repr(getattr(self, kind))] for kind in (*SINGLE, "model")}
        names["age"] = [_pair(self.age, self.age_high)]
        names["prediction"] = [_pair(name, highs.get(name)) for name in self.predictions]
        names["attribute"] = [repr(name) for name in self.attributes]
        names["interval"] = [
            _pair(own.lower, own.upper) + (f" of level {own.level!r}" if own.level else "")
            for own in self.intervals.values()
        ]
        parts = [
            f"{kind.replace('_', ' ')} {', '.join(names[kind]) or 'none'}" for kind in self.guessed
        ]
        between = "; " if len(parts) > 2 else ", "
        return f"Columns guessed: {between.join(parts)}." if parts else ""


def find_columns(table: Table, request: ColumnRequest) -> Columns:
    """Return the columns as named; those that are not named are guessed.

    Raises:
        ConfigError: A named column, or the attribute of a label or of bins, is not there.
        DataError: No column, or more than one, looks like the true age or the estimate.

    Examples:
        >>> from fairage._tables_io import (open_table)
        >>> table = open_table({"Label": [30.0], "pred_a": [31.0], "sex": ["f"]})
        >>> find_columns(table, ColumnRequest()).describe()
        "Columns guessed: age 'Label'; prediction 'pred_a'; attribute 'sex'."
    """
    request = _with_pairs(table, request)
    _check_names(table, request)
    remaining = _without(table.columns, [*request.named, *(request.attributes or ())])
    age = guess_age(remaining) if request.age is None else request.age
    remaining = _without(remaining, [age])
    predictions = list(request.predictions) or guess_predictions(table, remaining)
    remaining = _without(remaining, predictions)
    intervals = _intervals(table, request, remaining, predictions)
    remaining = _without(remaining, [n for own in intervals.values() for n in own.names])
    single, reasons = _single_columns(table, request, remaining)
    remaining = _without(remaining, single.values())
    attributes = request.attributes
    if attributes is None:
        chosen, rejected = guess_attributes(table, remaining, request.bins)
        attributes = tuple(chosen)
        reasons |= rejected
    attributes = tuple(name for name in dict.fromkeys(attributes) if name in table.columns)
    _check_attributes("attribute to label", request.labels, attributes)
    _check_attributes("attribute to bin", request.bins, attributes)
    pairs = {low: high for low, high in map(_ends, predictions) if high is not None}
    columns = Columns(
        age=_ends(age)[0],
        age_high=_ends(age)[1],
        predictions=tuple(dict.fromkeys(_ends(name)[0] for name in predictions)),
        prediction_high=pairs,
        attributes=attributes,
        image=single["image"],
        identity=single["identity"],
        age_std=single["age_std"],
        weight=single["weight"],
        model=single["model"],
        reason=single["reason"],
        intervals=intervals,
        guessed=_guessed(request, single, intervals),
    )
    return replace(columns, unused=_unused(table, request, columns, reasons))


def _intervals(
    table: Table,
    request: ColumnRequest,
    remaining: Sequence[str],
    predictions: Sequence[ColumnName],
) -> dict[str, IntervalColumns]:
    """Return the columns of intervals; an estimate that is a range itself has none."""
    if request.interval is not None:
        return named_intervals(request.interval, [_ends(name)[0] for name in predictions])
    numbers = [name for name in predictions if isinstance(name, str)]
    return guess_intervals(remaining, numbers, lambda name: holds_ages(table, name))


def _with_pairs(table: Table, request: ColumnRequest) -> ColumnRequest:
    """Name both ends where a mapping with Low and High is named, which is read as two columns."""
    pairs = usual.low_high_pairs(table.columns)

    def both(name: ColumnName) -> ColumnName:
        if not isinstance(name, str) or name in table.columns:
            return name
        return pairs.get(plain(name), name)

    age = None if request.age is None else both(request.age)
    interval = both(request.interval) if request.interval else request.interval
    predictions = tuple(map(both, request.predictions))
    return replace(request, age=age, interval=interval, predictions=predictions)


def _check_names(table: Table, request: ColumnRequest) -> None:
    attributes = [name for name in request.attributes or () if name != AGE_GROUP]
    for name in (*request.named, *attributes):
        if name not in table.columns:
            raise ConfigError.unknown_name("column", name, table.columns)


def _check_attributes(kind: str, names: Iterable[str], attributes: Sequence[str]) -> None:
    for name in names:
        if name not in attributes:
            raise ConfigError.unknown_name(kind, name, attributes)


def _single_columns(
    table: Table, request: ColumnRequest, remaining: Sequence[str]
) -> tuple[dict[str, str | None], dict[str, str]]:
    """Return the columns of which there is one each, and why candidates are not used."""
    columns: dict[str, str | None] = {"weight": request.weight or None}
    for kind, names in SINGLE.items():
        requested: str | None = getattr(request, kind)
        guesses = usual.named(remaining, names)
        if requested is None and guesses:
            check_twins(
                guesses[0], remaining, kind.replace("_", " "), f"--{kind.replace('_', '-')}"
            )
        columns[kind] = next(iter(guesses), None) if requested is None else requested or None
    reasons: dict[str, str] = {}
    columns["model"] = request.model or None
    if request.model is None:
        columns["model"], reasons = guess_model(table, remaining, columns["image"])
    return columns, reasons


def _guessed(
    request: ColumnRequest,
    single: Mapping[str, str | None],
    intervals: Mapping[str, IntervalColumns],
) -> tuple[str, ...]:
    guessed = [] if request.age is not None else ["age"]
    guessed += [] if request.predictions else ["prediction"]
    guessed += [] if request.attributes is not None else ["attribute"]
    guessed += [kind for kind, name in single.items() if name and getattr(request, kind) is None]
    guessed += ["interval"] if intervals and request.interval is None else []
    return tuple(guessed)


def _unused(
    table: Table, request: ColumnRequest, columns: Columns, reasons: Mapping[str, str]
) -> dict[str, str]:
    """Return why each column that is not used is not."""
    schema = table.schema()
    intervals = {
        end: f"the ends of {name!r}"
        for name in (columns.age, *columns.predictions)
        for end in usual.low_high_pairs(table.columns).get(plain(name), ())
    }
    attributes_named = request.attributes is not None
    return {
        name: intervals.get(name)
        or reasons.get(name)
        or why_unused(name, schema[name], attributes_named=attributes_named)
        for name in table.columns
        if name not in columns.used
    }


def _ends(name: ColumnName) -> tuple[str, str | None]:
    return (name, None) if isinstance(name, str) else name


def _each_once(names: Iterable[ColumnName | None]) -> list[str]:
    ends = (end for name in names if name for end in _ends(name) if end)
    return list(dict.fromkeys(ends))


def _without(columns: Iterable[str], names: Iterable[ColumnName | None]) -> list[str]:
    used = set(_each_once(names))
    return [name for name in columns if name not in used]


def _pair(low: str, high: str | None) -> str:
    return repr(low) if high is None else f"{low!r} to {high!r}"
