"""Print validation beside test for every version of a suite, as Markdown.

Usage: python scripts/validation_table.py OUT

MAE and average bias in years, means over seeds; ± their standard deviation on the test split.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from fairage.auditing.scoring import AVERAGE_BIAS, MAE
from fairage.experiments.recipe import Recipe
from fairage.experiments.runner import RUN
from fairage.experiments.suite import SUITE

METRICS = (MAE, AVERAGE_BIAS)


def table(out: Path) -> list[str]:
    """Return one line a version, in the order of the suite."""
    lines = [
        "| version | validation MAE | average bias | test MAE | average bias |",
        "|---|---:|---:|---:|---:|",
    ]
    results = pl.read_csv(out / "results.csv", schema_overrides={"experiment": pl.String})
    for described in json.loads((out / SUITE).read_text(encoding="utf-8"))["recipes"]:
        recipe = Recipe.model_validate(described)
        own = results.filter(
            (pl.col("version") == recipe.version) & (pl.col("experiment") == recipe.experiment)
        )
        paths = [out / recipe.slug / f"seed-{seed}" / RUN for seed in own["seed"]]
        scores = [json.loads(path.read_text(encoding="utf-8"))["scores"] for path in paths]
        cells = [cell(mean(scores, "valid", metric)) for metric in METRICS]
        cells += [spread(scores, metric) for metric in METRICS]
        lines.append(f"| {recipe.version} | {' | '.join(cells)} |")
    return lines


def mean(scores: list[dict[str, Any]], split: str, metric: str) -> float | None:
    """Return the mean over seeds; None where there is no bias."""
    values = [score[split][metric] for score in scores]
    return None if None in values else float(np.mean(values))


def cell(value: float | None) -> str:
    """Return a number for a table, nothing for none."""
    return "" if value is None else f"{value:.3f}"


def spread(scores: list[dict[str, Any]], metric: str) -> str:
    """Return the mean on the test split, ± the deviation over seeds where there are several."""
    text = cell(mean(scores, "test", metric))
    if len(scores) == 1 or not text:
        return text
    return f"{text} ± {np.std([score['test'][metric] for score in scores], ddof=1):.3f}"


def main() -> None:
    """Read the runs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder that fairage suite wrote")
    print("\n".join(table(parser.parse_args().out)))


if __name__ == "__main__":
    main()
