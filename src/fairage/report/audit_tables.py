"""The tables of an audit: rows of cells, each a number and its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairage.audit.result import (
    ALL,
    AttributeAudit,
    AuditResult,
    ErrorMeasures,
    GroupAudit,
    ModelAudit,
    PolicyAudit,
)
from fairage.report.estimates import as_cell, as_percent_cell, as_signed_cell
from fairage.report.words import attribute_title, number, years
from fairage.tables import AGE_GROUP

__all__ = [
    "TableRow",
    "attribute_rows",
    "chance_rows",
    "error_rows",
    "group_rows",
    "model_rows",
    "policy_rows",
]

Cell = tuple[str, str]


@dataclass(frozen=True)
class TableRow:
    """A row: its name, its cells (number, interval), and a remark in words."""

    name: str
    cells: Sequence[Cell]
    remark: str = ""


def error_rows(errors: ErrorMeasures) -> list[TableRow]:
    """Return the error measures of all rows, each with what it means."""
    rows = [
        TableRow("MAE", [as_cell(errors.mae)], "mean absolute error: years off, on average"),
        TableRow("RMSE", [as_cell(errors.rmse)], "the same, but large errors count more"),
        TableRow(
            "Signed error",
            [as_signed_cell(errors.signed)],
            "mean of estimate less truth; below 0: estimated too young",
        ),
        TableRow("Median error", [as_cell(errors.median)], "half of the faces are off by less"),
        TableRow("P90", [as_cell(errors.p90)], "one face in ten is off by more"),
    ]
    rows += [
        TableRow(f"Within {years(k, 0)}", [as_percent_cell(share)], f"share of faces, CS({k})")
        for k, share in errors.within.items()
    ]
    if errors.epsilon is not None:
        meaning = "error measured by how far human raters disagree; 0 best, 1 worst"
        rows.append(
            TableRow("\N{GREEK SMALL LETTER EPSILON}-error", [as_cell(errors.epsilon, 3)], meaning)
        )
    return rows


def chance_rows(model: ModelAudit) -> list[TableRow]:
    """Return each attribute's bias beside the noise floor, then the average."""
    found = [(attribute_title(a.name), a.bias, a.floor) for a in model.attributes]
    found.append(("Average", model.average_bias.bias, model.average_bias.floor))
    return [
        TableRow(
            name,
            [
                as_cell(bias),
                (number(floor.mean), f"up to {number(floor.p95)}"),
                (number(floor.excess), ""),
                (_p_value(floor.corrected), ""),
            ],
        )
        for name, bias, floor in found
    ]


def attribute_rows(model: ModelAudit) -> list[TableRow]:
    """Return the further measures of each attribute."""
    return [
        TableRow(
            attribute_title(a.name),
            [
                as_cell(a.gap),
                as_cell(a.ratio),
                as_cell(a.gini, 3),
                as_cell(a.signed_bias),
                as_cell(None if a.standardised is None else a.standardised.bias),
                as_cell(None if a.standardised is None else a.standardised.gap),
            ],
        )
        for a in model.attributes
    ]


def group_rows(attribute: AttributeAudit, most: int) -> list[TableRow]:
    """Return the measures of each group, of very many the first ones."""
    return [_group_row(attribute, group) for group in attribute.groups[:most]]


def policy_rows(policy: PolicyAudit) -> list[TableRow]:
    """Return both rates of each group at the threshold; age groups follow from the age itself."""
    return [
        TableRow(
            "All faces" if g.group == ALL else f"{attribute_title(g.attribute)}: {g.group}",
            [
                as_percent_cell(g.false_positive),
                (f"{g.false_positive.n:,}", ""),
                as_percent_cell(g.challenged),
                (f"{g.challenged.n:,}", ""),
            ],
            "" if g.ranked else "too few",
        )
        for g in policy.groups
        if g.attribute != AGE_GROUP
    ]


def model_rows(result: AuditResult) -> list[TableRow]:
    """Return the models side by side: MAE, average bias, then the bias of each attribute."""
    return [
        TableRow(
            model.name,
            [
                as_cell(model.errors.mae),
                as_cell(model.average_bias.bias),
                *(as_cell(attribute.bias) for attribute in model.attributes),
            ],
        )
        for model in result.models
    ]


def _group_row(attribute: AttributeAudit, group: GroupAudit) -> TableRow:
    mixed = attribute.standardised.groups if attribute.standardised is not None else {}
    needed = "" if group.rows_to_resolve is None else f"{group.rows_to_resolve:,}"
    return TableRow(
        group.name,
        [
            (
                f"{group.errors.n:,}",
                "" if group.units == group.errors.n else f"{group.units:,} people",
            ),
            (number(group.mean_age, 1), ""),
            as_cell(group.errors.mae),
            as_signed_cell(group.errors.signed),
            as_cell(group.errors.median),
            as_cell(group.errors.p90),
            as_percent_cell(group.errors.within[5]),
            as_cell(mixed.get(group.name)),
            (needed, ""),
        ],
        "" if group.ranked else "too few",
    )


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else number(value, 3)
