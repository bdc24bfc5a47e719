"""Print the summary of a suite as a Markdown table: mean over seeds, sd, interval, change.

Usage: python scripts/results_table.py OUT
"""

import argparse
from pathlib import Path
from typing import Any

import polars as pl

METRICS = ("mae", "gender_bias", "expression_bias", "ethnicity_bias", "age_bias", "average_bias")


def values_table(summary: pl.DataFrame, metrics: list[str]) -> list[str]:
    """Return one line a version: mean ± sd over seeds of every metric, and the noise floor."""
    titles = [metric.replace("_", " ") for metric in metrics]
    lines = [
        "| exp | version | " + " | ".join(titles) + " |",
        "|---|---|" + "---:|" * len(metrics),
    ]
    for row in summary.to_dicts():
        cells = [f"{row[f'{m}_mean']:.3f} ± {row[f'{m}_sd'] or 0:.3f}" for m in metrics]
        lines.append(f"| {row['experiment']} | {row['version']} | {' | '.join(cells)} |")
    first = summary.to_dicts()[0]
    floors = [first.get(f"{metric}_floor") for metric in metrics]
    cells = ["" if floor is None else f"{floor:.3f}" for floor in floors]
    return [*lines, f"| | *noise floor* | {' | '.join(cells)} |"]


def changes_table(summary: pl.DataFrame, metrics: list[str]) -> list[str]:
    """Return one line a version: interval of MAE and average bias, change to the baseline."""
    lines = ["| exp | version |", "|---|---|"]
    for metric in metrics:
        title = metric.replace("_", " ")
        lines[0] += f" {title}, 95 % interval | change to the baseline |"
        lines[1] += "---:|---:|"
    for row in summary.to_dicts():
        cells = [
            cell for metric in metrics for cell in (_interval(row, metric), _change(row, metric))
        ]
        lines.append(f"| {row['experiment']} | {row['version']} | {' | '.join(cells)} |")
    return lines


def _interval(row: dict[str, Any], metric: str) -> str:
    return f"{row[f'{metric}_low']:.3f} to {row[f'{metric}_high']:.3f}"


def _change(row: dict[str, Any], metric: str) -> str:
    change = row[f"{metric}_change"]
    if change is None:
        return ""
    low, high = row[f"{metric}_change_low"], row[f"{metric}_change_high"]
    return f"{change:+.3f} ({low:+.3f} to {high:+.3f})"


def main() -> None:
    """Read `OUT/summary.csv` and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder that fairage suite wrote")
    folder = parser.parse_args().out
    summary = pl.read_csv(folder / "summary.csv", schema_overrides={"experiment": pl.String})
    metrics = [metric for metric in METRICS if f"{metric}_mean" in summary.columns]
    print("\n".join(values_table(summary, metrics)), end="\n\n")
    print("\n".join(changes_table(summary, ["mae", "average_bias"])))


if __name__ == "__main__":
    main()
