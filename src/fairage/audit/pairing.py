"""Two tables of predictions put side by side, image by image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from fairage.age_groups import AgeGroups
from fairage.audit.columns import Columns, find_columns
from fairage.audit.frames import Predictions, as_table
from fairage.audit.groups import subset
from fairage.audit.reading import Table
from fairage.audit.result import AuditWarning
from fairage.audit.rows import ModelRows, Rows, read_rows
from fairage.audit.sample import Floats
from fairage.exceptions import DataError

__all__ = ["Pair", "pair_tables"]

SAME_AGE = 1e-6


@dataclass(frozen=True)
class Pair:
    """The images that both tables have a prediction for.

    Args:
        name_a: Name of A.
        name_b: Name of B.
        columns_a: Columns of A.
        columns_b: Columns of B.
        rows: Rows of A.
        errors_a: Absolute errors of A in years, shape `(n,)`.
        errors_b: Those of B, in the same order.
        warnings: What a reader must know about the pairing.
    """

    name_a: str
    name_b: str
    columns_a: Columns
    columns_b: Columns
    rows: Rows
    errors_a: Floats
    errors_b: Floats
    warnings: tuple[AuditWarning, ...]


def pair_tables(
    a: Predictions,
    b: Predictions,
    age_groups: AgeGroups,
    *,
    told_a: Mapping[str, Any],
    told_b: Mapping[str, Any],
) -> Pair:
    """Return two tables of predictions of the same images, paired.

    Args:
        a: Predictions of A.
        b: Predictions of B.
        age_groups: Groups of the true age.
        told_a: Columns of A as told, by the options of `find_columns`.
        told_b: Columns of B as told.

    Raises:
        DataError: There is no column of images, an image stands in a table twice, the images are
            not the same (the message says how many are), or their true ages differ.
    """
    tables = as_table(a), as_table(b)
    columns = _columns(tables[0], told_a, "A"), _columns(tables[1], told_b, "B")
    _check_same_images(tables, columns)
    rows_a = read_rows(tables[0], columns[0], age_groups, keep_images=True)
    rows_b = read_rows(tables[1], columns[1], age_groups, keep_images=True)
    at_a, at_b = _matches(rows_a, rows_b)
    if not np.allclose(rows_a.ages[at_a], rows_b.ages[at_b], rtol=0, atol=SAME_AGE):
        differ = int((np.abs(rows_a.ages[at_a] - rows_b.ages[at_b]) > SAME_AGE).sum())
        raise DataError(
            f"expected the same true ages in both tables, got {differ} images of {len(at_a)} with "
            "different ones, name the same label with --age"
        )
    kept = _only(rows_a, at_a)
    lost = len(rows_a) + len(rows_b) - 2 * len(at_a)
    text = f"{lost:,} images have a prediction in one table only and are left out."
    return Pair(
        name_a=_name(tables[0], columns[0], tables[1]),
        name_b=_name(tables[1], columns[1], tables[0]),
        columns_a=columns[0],
        columns_b=columns[1],
        rows=kept,
        errors_a=next(iter(kept.models.values())).errors,
        errors_b=next(iter(rows_b.models.values())).errors[at_b],
        warnings=(AuditWarning("unpaired_predictions", text),) if lost else (),
    )


def _columns(table: Table, told: Mapping[str, Any], which: str) -> Columns:
    options = dict(told)
    name = options.pop("predictions")
    columns = find_columns(table, predictions=() if name is None else [name], **options)
    if len(columns.predictions) > 1:
        raise DataError(
            f"expected one column of predictions in {which}, got {list(columns.predictions)}, "
            f"choose one with --prediction-{which.lower()}"
        )
    if columns.image is None:
        raise DataError(
            f"expected a column of images in {which} to pair by, got {list(table.columns)}, "
            "name it with --image"
        )
    return columns


def _check_same_images(tables: tuple[Table, Table], columns: tuple[Columns, Columns]) -> None:
    names = []
    for table, column, which in zip(tables, columns, "AB", strict=True):
        images = _images(table, str(column.image))
        if len(images) != images.n_unique():
            raise DataError(
                f"expected each image once in {which}, got {len(images) - images.n_unique()} of "
                f"{len(images)} rows that repeat one, leave them out"
            )
        names.append(images)
    both = int(names[0].is_in(names[1].implode()).sum())
    if not both == len(names[0]) == len(names[1]):
        raise DataError(
            f"expected predictions of the same images, got {both:,} images in both tables, "
            f"{len(names[0]) - both:,} only in A and {len(names[1]) - both:,} only in B, "
            "keep the common rows or name the right column with --image"
        )


def _images(table: Table, column: str) -> pl.Series:
    return table.scan.select(pl.col(column).cast(pl.String)).collect()[column].drop_nulls()


def _matches(a: Rows, b: Rows) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the row numbers in A and in B of the images that both have, in A's order."""
    frames = [
        pl.DataFrame({"image": rows.images, at: np.arange(len(rows))})
        for rows, at in ((a, "a"), (b, "b"))
    ]
    found = frames[0].join(frames[1], on="image", how="inner").sort("a")
    if found.is_empty():
        raise DataError("expected images with a prediction in both tables, got none, check them")
    return found["a"].to_numpy(), found["b"].to_numpy()


def _only(rows: Rows, at: np.ndarray[Any, Any]) -> Rows:
    keep = np.zeros(len(rows), dtype=bool)
    keep[at] = True
    return Rows(
        ages=rows.ages[keep],
        attributes={name: subset(groups, keep) for name, groups in rows.attributes.items()},
        models={
            name: ModelRows(model.predictions[keep], model.signed[keep])
            for name, model in rows.models.items()
        },
        units=None if rows.units is None else rows.units.subset(keep),
        stds=None,
        images=None,
        report=rows.report,
    )


def _name(table: Table, columns: Columns, other: Table) -> str:
    return table.name if table.name != other.name else f"{table.name}: {columns.predictions[0]}"
