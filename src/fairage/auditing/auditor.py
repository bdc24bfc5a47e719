"""The audit of a table of estimates, start to end."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from fairage._table import Table, naming
from fairage._tables_io import TableSource, join_table, open_table, table_suffix, write_table
from fairage._text import joined, short
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.columns import ColumnRequest, find_columns
from fairage.auditing.measures import Measure
from fairage.auditing.model_audit import audit_model
from fairage.auditing.model_estimates import WHOLE, FacesSource, estimated_table
from fairage.auditing.result import AuditResult
from fairage.auditing.rows import read_models
from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE, PREDICTION

Bins = int | Sequence[float]


def audit(
    table: TableSource | Any = None,  # noqa: ANN401  # or true ages: any array
    y_pred: Any = None,  # noqa: ANN401  # any array
    groups: Any = None,  # noqa: ANN401  # an array, or arrays by name
    *,
    age: str | tuple[str, str] | None = None,
    prediction: str | Sequence[str | tuple[str, str]] = (),
    attributes: str | Sequence[str] | None = None,
    identity: str | None = None,
    image: str | None = None,
    age_std: str | None = None,
    weight: str | None = None,
    model: str | Any = None,  # noqa: ANN401  # beside faces: a model
    reason: str | None = None,
    interval: str | tuple[str, str] | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    bins: Mapping[str, Bins] | None = None,
    join: TableSource | None = None,
    on: str | None = None,
    measures: Sequence[Measure] = (),
    settings: AuditSettings | None = None,
    faces: FacesSource | None = None,
    view: str = WHOLE,
    crops: bool = False,
    split: str | None = None,
    estimates: str | Path | None = None,
) -> AuditResult:
    """Return how far estimates are off in each group, and what the data say of the gaps.

    Either a table, or true ages, estimates and groups as arrays: `audit(y_true, y_pred, groups)`,
    or a model and the faces that it is to estimate: `audit(faces="faces.parquet", model=model)`.
    Columns that are not named are guessed from the usual names.

    Args:
        table: A file (`-` for standard input), a polars, pandas or arrow frame, or a mapping of
            columns; or the true ages, shape `(n,)`, where `y_pred` is given.
        y_pred: Estimated ages, shape `(n,)`.
        groups: The group of each row, shape `(n,)`, or such arrays by attribute.
        age: Column of true ages, numbers or ranges such as "20-29"; two columns for both ends.
        prediction: Column or columns of estimates; several are audited side by side.
        attributes: Attribute columns; age groups of the true age are always added.
        identity: Column of who is on the image; persons are then the unit, not rows.
        image: Column of the images' names; tells duplicates.
        age_std: Column of the standard deviation of the raters' ages.
        weight: Column of survey weights.
        model: Column that names the model of each row, in a long table; beside `faces` what
            estimates: an object with `predict`, or a function of pictures; see `estimate`.
        reason: Column that says why there is no estimate.
        interval: Columns of both ends of the model's own intervals, `""` for none; guessed from
            `lower` and `upper`, of several models from `NAME_lower` and `NAME_upper`.
        labels: Names of groups, by attribute and code: `{"gender": {"0": "male"}}`.
        bins: Attributes that are numbers: how many quantile groups, or the edges between groups.
        join: A second table that has attributes by image.
        on: Column of images in both tables, for `join`.
        measures: Measures of your own: `Measure.of(function, title=...)`.
        settings: Options; the defaults where nothing is given.
        faces: A faces table, in place of a table with estimates.
        view: What a function sees of each picture: `whole`, `crop:SHARE`, `aligned:MARGIN`.
        crops: Has `predict` take each picture for a face crop as in its training.
        split: The split of the faces that is estimated; all rows where nothing is given.
        estimates: File that the estimates are kept in, as a predictions table.

    Raises:
        ConfigError: A named column is not there, or an option is out of its limits.
        DataError: The table cannot be read, or a column does not hold what it should.

    Examples:
        >>> table = {"age": [20, 30, 40] * 20, "prediction": [21, 30, 43] * 20}
        >>> table["gender"] = ["f", "f", "m"] * 20
        >>> result = audit(table, settings=AuditSettings(min_rows=20))
        >>> result.groups["gender"]["m"]["mae"].value, result.verdict.kind
        (3.0, 'differ')
    """
    settings = AuditSettings() if settings is None else settings
    seeing = {"split": split, "view": view, "crops": crops}
    _check_faces(
        table if y_pred is None else y_pred, model, faces, {**seeing, "estimates": estimates}
    )
    if faces is not None:
        table, model = _estimated(faces, model, seeing, estimates), ""
    if y_pred is not None:
        table = _from_arrays(table, y_pred, groups)
        if attributes is None:
            named = {AGE, PREDICTION, identity, image, age_std, weight, model, reason}
            attributes = [name for name in table if name not in named]
    elif groups is not None:
        raise DataError("expected y_pred beside groups, got none, give true ages, y_pred, groups")
    request = column_request(
        age=age,
        prediction=prediction,
        attributes=attributes,
        identity=identity,
        image=image,
        age_std=age_std,
        weight=weight,
        model=model,
        reason=reason,
        interval=interval,
        labels=labels,
        bins=bins,
    )
    opened = one_table(table, join, on)
    settings = settings.with_default_groups(opened.age_groups)
    with naming(opened):
        columns = find_columns(opened, request)
        if settings.level is not None and not columns.intervals:
            raise ConfigError(
                "expected columns of intervals beside level, got none, name both with --interval"
            )
        rows, report = read_models(
            opened, columns, settings, labels=request.labels, bins=request.bins
        )
    models = {
        name: audit_model(name, own, own.models[name], settings, measures)
        for name, own in rows.items()
    }
    return AuditResult(opened.name, columns, settings, report, report.notes, models)


def _check_faces(
    table: object,
    model: object,
    faces: object,
    options: Mapping[str, object],
) -> None:
    """Check that there are estimates, or faces and a model that estimates them, and not both."""
    if faces is None:
        given = [name for name, value in options.items() if value and value != WHOLE]
        if table is None:
            raise ConfigError("expected a table of estimates, or faces and a model, got neither")
        if given or not isinstance(model, str | None):
            what = joined(given) or f"the model {short(model)}"
            raise ConfigError(f"expected faces beside {what}, got none, give faces='faces.parquet'")
    elif table is not None:
        raise ConfigError("expected a table of estimates or faces, got both, leave out one")
    elif model is None:
        raise ConfigError(
            "expected a model beside faces, got none, give one with predict or a function"
        )


def _estimated(
    faces: FacesSource,
    model: object,
    seeing: Mapping[str, Any],
    path: str | Path | None,
) -> Table:
    """Return the estimates of faces, and keep them in a file where one is named."""
    if path is not None:
        table_suffix(path)
    table = estimated_table(faces, model, **seeing)
    if path is not None:
        write_table(table.scan.collect(), path, table.age_groups)
    return table


def one_table(table: TableSource | Table, join: TableSource | None, on: str | None) -> Any:  # noqa: ANN401  # any table
    """Return the table, with the attributes of a second one where that is given."""
    opened = table if isinstance(table, Table) else open_table(table)
    if join is None:
        if on is not None:
            raise DataError(f"expected a table to join on {on!r}, got none, give join too")
        return opened
    return join_table(opened, open_table(join), on=on)


def column_request(
    *,
    prediction: str | Sequence[str | tuple[str, str]] = (),
    attributes: str | Sequence[str] | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    bins: Mapping[str, Bins] | None = None,
    **names: Any,  # noqa: ANN401  # a column or None each
) -> ColumnRequest:
    """Return the columns that a caller names, in the form that `find_columns` takes."""
    return ColumnRequest(
        predictions=(prediction,) if isinstance(prediction, str) else tuple(prediction),
        attributes=(
            None
            if attributes is None
            else (attributes,)
            if isinstance(attributes, str)
            else tuple(attributes)
        ),
        labels=labels or {},
        bins=bins or {},
        **names,
    )


def _from_arrays(ages: Any, estimates: Any, groups: Any) -> dict[str, Any]:  # noqa: ANN401  # any table
    """Return a mapping of columns from arrays, as scikit-learn's metrics take them."""
    if isinstance(ages, str | bytes) or (isinstance(ages, Mapping) and not hasattr(ages, "iloc")):
        raise DataError(
            f"expected true ages beside y_pred, got {type(ages).__name__}, give an array of ages"
        )
    columns = {AGE: ages, PREDICTION: estimates}
    if groups is None:
        return columns
    if isinstance(groups, Mapping):
        own = dict(groups)
    elif isinstance(groups, pl.DataFrame) or hasattr(groups, "columns"):
        own = {str(name): groups[name] for name in groups.columns}
    elif np.ndim(groups) == 1:
        own = {str(getattr(groups, "name", None) or "group"): groups}
    else:
        raise DataError(
            f"expected one group a row or a mapping of such arrays, got the shape "
            f"{np.shape(groups)}, give groups={{'gender': ...}}"
        )
    clash = sorted(set(own) & set(columns))
    if clash:
        raise DataError(f"expected other names for attributes than {clash}, got them, rename")
    return columns | own
