"""What `fairage audit` and `fairage compare` print and write."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table

from fairage.audit.result import ALL
from fairage.tables import AGE_GROUP

if TYPE_CHECKING:
    from fairage.audit import (
        AuditResult,
        AuditWarning,
        ComparisonResult,
        Difference,
        Estimate,
        ModelAudit,
    )

__all__ = ["give_audit", "give_comparison", "working"]


def working(doing: str) -> Status:
    """Show a spinner on standard error where that is a terminal."""
    return Console(stderr=True).status(doing)


def give_audit(result: "AuditResult", out: Path | None, *, as_json: bool) -> None:
    """Write the report where a folder is given, and print the result."""
    if out is not None:
        from fairage.report import audit_html

        _write(out, "audit", result.to_dict(), audit_html(result))
    if as_json:
        typer.echo(json.dumps(result.to_dict(), allow_nan=False))
    else:
        _show_audit(result, out)


def give_comparison(result: "ComparisonResult", out: Path | None, *, as_json: bool) -> None:
    """Write the report where a folder is given, and print the result."""
    if out is not None:
        from fairage.report import compare_html

        _write(out, "compare", result.to_dict(), compare_html(result))
    if as_json:
        typer.echo(json.dumps(result.to_dict(), allow_nan=False))
    else:
        _show_comparison(result, out)


def _write(out: Path, name: str, told: dict[str, Any], page: str) -> None:
    from fairage.files import write_text

    text = json.dumps(told, indent=2, allow_nan=False, ensure_ascii=False)
    write_text(out / f"{name}.json", text + "\n")
    write_text(out / f"{name}.html", page)


def _show_audit(result: "AuditResult", out: Path | None) -> None:
    console = Console()
    told = result.columns.told()
    if told:
        console.print(told, markup=False, highlight=False)
    for model in result.models:
        _show_model(console, model)
    _show_warnings(console, result.warnings)
    if out is not None:
        console.print(f"Report: {out / 'audit.html'}", soft_wrap=True, markup=False)


def _show_model(console: Console, model: "ModelAudit") -> None:
    errors = model.errors
    title = (
        f"{model.name}: {errors.n:,} rows, MAE {_span(errors.mae)}, "
        f"signed {errors.signed.value:+.2f}"
    )
    caption = "Years, 95 % intervals, p corrected by Holm; lower is better."
    table = Table(title=title, caption=caption)
    table.add_column("attribute", no_wrap=True)
    for heading in ("bias", "interval", "noise floor", "p"):
        table.add_column(heading, justify="right", no_wrap=heading != "noise floor")
    table.add_column("worst group, MAE", overflow="fold")
    for attribute in model.attributes:
        floor, worst = attribute.floor, attribute.group(attribute.worst)
        table.add_row(
            attribute.name,
            f"{attribute.bias.value:.3f}",
            _interval(attribute.bias),
            f"{floor.mean:.3f}",
            _p_value(floor.corrected),
            f"{worst.name} {worst.errors.mae.value:.2f}",
        )
    average = model.average_bias
    p_value = _p_value(average.floor.corrected)
    numbers = f"{average.bias.value:.3f}", _interval(average.bias), f"{average.floor.mean:.3f}"
    table.add_row("average", *numbers, p_value, "", style="bold")
    console.print(table)
    if model.policy is not None:
        _show_policy(console, model)
    if model.claim is not None:
        console.print(model.claim.text, highlight=False)


def _show_policy(console: Console, model: "ModelAudit") -> None:
    policy = model.policy
    assert policy is not None, "only called with a policy"
    table = Table(title=f"Age check: {policy.legal_age:g}, passes from {policy.threshold:g}")
    table.add_column("group", overflow="fold")
    for heading in ("false positives", "of", "challenged", "of "):
        table.add_column(heading, justify="right", no_wrap=True)
    for group in policy.groups:
        if group.attribute == AGE_GROUP:  # who is below the legal age follows from the age itself
            continue
        wrong, asked = group.false_positive, group.challenged
        name = ALL if group.group == ALL else f"{group.attribute} {group.group}"
        sizes = f"{wrong.n:,}", f"{asked.n:,}"
        table.add_row(name, _percent(wrong), sizes[0], _percent(asked), sizes[1])
    console.print(table)
    if policy.reached_at is not None and policy.reached_by is not None:
        console.print(
            f"A rate of {policy.wanted_rate:.1%} for the worst group "
            f"({' '.join(policy.reached_by)}) takes a threshold of {policy.reached_at:g} years.",
            highlight=False,
        )


def _show_comparison(result: "ComparisonResult", out: Path | None) -> None:
    console = Console()
    table = Table(title=f"{result.n:,} images: A {result.a}, B {result.b}")
    table.add_column("what", overflow="fold")
    for heading in ("A", "B", "change", "interval", "resolved"):
        table.add_column(heading, justify="right", no_wrap=True)
    for found in result.differences:
        table.add_row(
            _what(found),
            f"{found.a:.2f}",
            f"{found.b:.2f}",
            f"{found.change.value:+.2f}",
            _interval(found.change, digits=2),
            "yes" if found.resolved else "no",
        )
    console.print(table)
    for levelling in result.levelling:
        console.print(levelling.text, markup=False, highlight=False)
    _show_warnings(console, result.warnings)
    if out is not None:
        console.print(f"Report: {out / 'compare.html'}", soft_wrap=True, markup=False)


def _what(found: "Difference") -> str:
    if found.attribute == found.group:
        return {"mae": "MAE"}.get(found.measure, found.measure.replace("_", " "))
    if found.measure == "bias":
        return f"bias of {found.attribute}"
    return f"MAE of {found.attribute} {found.group}"


def _show_warnings(console: Console, warnings: "tuple[AuditWarning, ...]") -> None:
    for warning in warnings:
        console.print(f"warning ({warning.name}): {warning.text}", markup=False, highlight=False)


def _span(found: "Estimate") -> str:
    return f"{found.value:.2f} ({_interval(found, digits=2)})"


def _interval(found: "Estimate", digits: int = 3) -> str:
    if found.low is None or found.high is None:
        return "one row"
    return f"{found.low:.{digits}f} to {found.high:.{digits}f}"


def _p_value(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _percent(found: "Estimate") -> str:
    if found.low is None or found.high is None:
        return "-"
    return f"{found.value:.1%} ({100 * found.low:.1f} to {100 * found.high:.1f})"
