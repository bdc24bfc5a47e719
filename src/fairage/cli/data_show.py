"""What the commands `fairage data ...` print for people."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["say", "show_dataset", "show_description", "show_prepared"]

_LISTED = 20


def say(text: str) -> None:
    """Print one line, however long."""
    Console().print(text, soft_wrap=True, markup=False, highlight=False)


def show_dataset(told: dict[str, Any]) -> None:
    """Print what is known of one data set."""
    table = Table(title=f"[bold]{escape(told['name'])}[/bold]: {escape(told['title'])}")
    table.title_justify = "left"
    table.show_header = False
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    rows = {
        "faces": f"{told['faces']:,}" if told["faces"] else "",
        "ages": ", ".join(told["ages"]),
        "attributes": ", ".join(told["attributes"]),
        "splits": ", ".join(told["splits"]),
        "terms": told["terms"],
        "page": told["source"],
        "download": told["download"][0] if told["download"] else "",
        "to get it": told["obtain"],
    }
    for heading, text in rows.items():
        if text:
            table.add_row(heading, escape(text))
    Console().print(table)


def show_prepared(told: dict[str, Any]) -> None:
    """Print what `prepare` wrote, and what it left out and why."""
    splits = ", ".join(f"{split} {count:,}" for split, count in told["splits"].items())
    say(f"{told['rows']:,} faces" + (f": {splits}" if splits else ""))
    for note in told["notes"]:
        say(note)
    skipped = told["skipped"]
    if skipped:
        say(f"Left out: {len(skipped):,}")
    for each in skipped[:_LISTED]:
        say(f"  {each['name']}: {each['reason']}")
    if len(skipped) > _LISTED:
        say(f"  and {len(skipped) - _LISTED:,} more; --json lists all")
    say(f"Wrote {told['out']}")


def show_description(faces: Path, told: dict[str, Any]) -> None:
    """Print the ages of each split and the support of each group."""
    Console().print(_ages(faces, told))
    Console().print(_groups(told))


def _ages(faces: Path, told: dict[str, Any]) -> Table:
    table = Table(title=f"Ages in {escape(str(faces))}, years")
    table.add_column("split")
    for heading in ("faces", "mean", "sd", "lowest", "median", "highest"):
        table.add_column(heading, justify="right")
    for row in told["ages"]:
        numbers = (row[key] for key in ("mean", "sd", "lowest", "median", "highest"))
        table.add_row(row["split"], f"{row['rows']:,}", *(f"{number:.1f}" for number in numbers))
    return table


def _groups(told: dict[str, Any]) -> Table:
    splits = [row["split"] for row in told["ages"]]
    table = Table(title="Faces of each group")
    table.add_column("attribute", overflow="fold")
    table.add_column("group", overflow="fold", min_width=13)
    for heading in (*splits, "share", "mean age"):
        table.add_column(heading, justify="right")
    total, before = told["ages"][-1]["rows"], None
    for row in told["groups"]:
        if before not in (None, row["attribute"]):
            table.add_section()
        before = row["attribute"]
        mean = "" if row["mean_age"] is None else f"{row['mean_age']:.1f}"
        counts = (f"{row['rows'][split]:,}" for split in splits)
        share = f"{row['rows']['all'] / total:.1%}"
        table.add_row(escape(row["attribute"]), escape(row["group"]), *counts, share, mean)
    return table
