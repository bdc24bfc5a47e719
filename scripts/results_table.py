"""Print a suite as the two Markdown tables of pages in docs/results.

Usage: python scripts/results_table.py OUT

The first has what was measured, mean over seeds, ± their standard deviation where there are
several, the noise floor, and what was published. The second has the 95 % intervals over faces and
seeds and the changes from the first version; those of biases are of the noise-corrected ones. A
change in bold leaves 0 out with all versions and numbers looked at together.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import polars as pl

METRICS = ("mae", "gender_bias", "expression_bias", "ethnicity_bias", "age_bias", "average_bias")
CHANGES = ("mae", "average_bias")


def values_table(summary: pl.DataFrame, recipes: list[dict[str, Any]]) -> list[str]:
    """Return one line a version: every metric and what was published; at last the noise floor."""
    metrics = [metric for metric in METRICS if f"{metric}_mean" in summary.columns]
    rows = summary.to_dicts()
    published = any(recipe["published"] for recipe in recipes)
    titles = ["exp", "version", *map(_title, metrics)]
    titles += ["published: MAE / average"] if published else []
    lines = [_line(titles), "|---|---|" + "---:|" * (len(titles) - 2)]
    for row, recipe in zip(rows, recipes, strict=True):
        cells = [row["experiment"], row["version"], *(_value(row, metric) for metric in metrics)]
        lines.append(_line([*cells, *([_published(recipe)] if published else [])]))
    floors = [rows[0].get(f"{metric}_floor") for metric in metrics]
    cells = ["", "*noise floor*", *("" if floor is None else f"{floor:.3f}" for floor in floors)]
    return [*lines, _line([*cells, *([""] if published else [])])]


def changes_table(summary: pl.DataFrame) -> list[str]:
    """Return one line a version: interval of MAE and average bias, change to the baseline."""
    titles = ["version", *(title for m in CHANGES for title in (_title(m), "change"))]
    lines = [_line(titles), "|---|" + "---:|" * (len(titles) - 1)]
    for row in summary.to_dicts():
        cells = [
            cell for metric in CHANGES for cell in (_interval(row, metric), _change(row, metric))
        ]
        lines.append(_line([row["version"], *cells]))
    return lines


def _title(metric: str) -> str:
    if metric == "mae":
        return "MAE"
    name = metric.removesuffix("_bias").replace("_", " ")
    return f"{name} bias" if metric == "average_bias" else name


def _line(cells: list[str]) -> str:
    """Join cells; an empty one is a single space wide."""
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _value(row: dict[str, Any], metric: str) -> str:
    deviation = row[f"{metric}_sd"]
    mean = row[f"{metric}_mean"]
    if mean is None:
        return ""
    return f"{mean:.3f}" if deviation is None else f"{mean:.3f} ± {deviation:.3f}"


def _published(recipe: dict[str, Any]) -> str:
    published = recipe["published"]
    return f"{published['mae']:.3f} / {published['average_bias']:.3f}" if published else ""


def _interval(row: dict[str, Any], metric: str) -> str:
    low, high = row[f"{metric}_low"], row[f"{metric}_high"]
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _change(row: dict[str, Any], metric: str) -> str:
    change = row[f"{metric}_change"]
    if change is None:
        return ""
    low, high = row[f"{metric}_change_low"], row[f"{metric}_change_high"]
    text = f"{change:+.3f} ({low:+.3f} to {high:+.3f})"
    return f"**{text}**" if row[f"{metric}_change_resolved"] in (True, "true") else text


def main() -> None:
    """Read `OUT/summary.csv` and `OUT/suite.json` and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder that fairage suite wrote")
    folder = parser.parse_args().out
    summary = pl.read_csv(folder / "summary.csv", schema_overrides={"experiment": pl.String})
    recipes = json.loads((folder / "suite.json").read_text(encoding="utf-8"))["recipes"]
    print("\n".join(values_table(summary, recipes)), end="\n\n")
    print("\n".join(changes_table(summary)))


if __name__ == "__main__":
    main()
