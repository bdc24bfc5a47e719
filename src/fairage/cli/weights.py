"""The command `fairage weights`."""

import json
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from fairage._tables_io import write_table
from fairage.tables import AGE_GROUP, IMAGE, SPLIT, WEIGHT, Faces, group_labels, read_faces
from fairage.weighting import Weights, make_weighting


def weights(
    faces: Annotated[Path, typer.Argument(help="Faces table (Parquet, CSV, TSV).")],
    weighting: Annotated[str, typer.Option(help="Name of the weighting, such as 1b or kit.")],
    out: Annotated[Path | None, typer.Option(help="Write image and weight to this table.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Weigh the training rows and show what the weights do to each group.

    Example: `fairage weights faces.parquet --weighting 2b --out weights.parquet`
    """
    table = read_faces(faces)
    train = table.split("train") if SPLIT in table.frame.columns else table
    weighed = make_weighting(weighting).weigh(train.frame)
    if out is not None:
        column = pl.Series(WEIGHT, weighed.values)
        write_table(train.frame.select(IMAGE).with_columns(column), out)
    summary = _summary(weighting, train, weighed)
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
    else:
        _show(summary, out)


def _summary(name: str, train: Faces, weighed: Weights) -> dict[str, Any]:
    groups = []
    for attribute in (*train.attributes, AGE_GROUP):
        labels = group_labels(train.frame, attribute)
        for group, share in weighed.shares(labels).items():
            support = int((labels == group).sum())
            formula = weighed.groups.get(attribute, {}).get(group)
            groups.append(
                {
                    "attribute": attribute,
                    "group": group,
                    "support": support,
                    "share_of_rows": support / len(train),
                    "formula_weight": formula,
                    "share_of_weight": share,
                }
            )
    return {
        "weighting": name,
        "rows": len(train),
        "effective_sample_size": weighed.effective_sample_size,
        "largest_weight": weighed.largest,
        "groups": groups,
    }


def _show(summary: dict[str, Any], out: Path | None) -> None:
    console = Console()
    table = Table(title=f"Weighting {summary['weighting']} on {summary['rows']:,} training rows")
    for heading in ("attribute", "group"):
        table.add_column(heading, overflow="fold")
    for heading in ("rows", "% of rows", "formula", "% of weight"):
        table.add_column(heading, justify="right")
    before = None
    for row in summary["groups"]:
        if before not in (None, row["attribute"]):
            table.add_section()
        before = row["attribute"]
        formula = row["formula_weight"]
        table.add_row(
            row["attribute"],
            row["group"],
            f"{row['support']:,}",
            f"{100 * row['share_of_rows']:.1f}",
            "" if formula is None else f"{formula:.2f}",
            f"{100 * row['share_of_weight']:.1f}",
        )
    console.print(table)
    console.print(
        f"Weights have mean 1. Effective sample size {summary['effective_sample_size']:,.0f} of "
        f"{summary['rows']:,}: the weighted rows inform like so many equal ones. "
        f"Largest weight {summary['largest_weight']:.1f}."
    )
    if out is not None:
        console.print(f"Wrote {out}")
