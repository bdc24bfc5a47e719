"""Print what each version of a suite errs on one group and on everybody else, as Markdown.

Usage: python scripts/group_table.py OUT --attribute ethnicity --group afroamerican [--truth FILE]

Numbers are means over seeds with their standard deviation, in years, on the test split. With the
`truth.json` of synthetic faces, the last line is what a perfect reader of the faces would err.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.auditing.scoring import bias_column
from fairage.experiments.recipe import Recipe
from fairage.faces_file import read_predictions
from fairage.tables import AGE, PREDICTION, group_labels


def seed_errors(path: Path, attribute: str, group: str) -> tuple[float, float]:
    """Return the mean absolute error on the group and on all other rows of one run."""
    rows = read_predictions(path)
    errors = np.abs(rows[PREDICTION].to_numpy() - rows[AGE].to_numpy())
    inside = group_labels(rows, attribute) == group
    return float(errors[inside].mean()), float(errors[~inside].mean())


def table(out: Path, attribute: str, group: str) -> list[str]:
    """Return one line a version of the suite in the folder."""
    results = pl.read_csv(out / "results.csv", schema_overrides={"experiment": pl.String})
    column = bias_column(attribute)
    title = attribute.replace("_", " ")
    lines = [
        f"| version | {group} | everybody else | {title} bias | average bias | MAE |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for described in json.loads((out / "suite.json").read_text(encoding="utf-8"))["recipes"]:
        recipe = Recipe.model_validate(described)
        own = results.filter(
            (pl.col("version") == recipe.version) & (pl.col("experiment") == recipe.experiment)
        )
        paths = sorted((out / recipe.slug).glob("seed-*/predictions.parquet"))
        inside, others = np.array([seed_errors(path, attribute, group) for path in paths]).T
        columns = [inside, others, *(own[c].to_numpy() for c in (column, "average_bias", "mae"))]
        cells = [cell(values) for values in columns]
        lines.append(f"| {recipe.version} | {' | '.join(cells)} |")
    return lines


def cell(values: NDArray[np.float64]) -> str:
    """Return the mean over seeds, ± their standard deviation; nothing where there is no bias."""
    if values.dtype == object or np.isnan(values).any():
        return ""
    mean = f"{values.mean():.2f}"
    return mean if len(values) == 1 else f"{mean} ± {values.std(ddof=1):.2f}"


def truth_line(path: Path, attribute: str, group: str) -> str:
    """Return the line of a perfect reader: its error on the group and on everybody else."""
    expected = json.loads(path.read_text(encoding="utf-8"))["expected_error"][attribute]
    others = [error for name, error in expected.items() if name != group]
    rest = np.average([e["mae"] for e in others], weights=[e["n"] for e in others])
    return f"| *shown age read perfectly* | {expected[group]['mae']:.2f} | {rest:.2f} | | | |"


def main() -> None:
    """Parse the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder that fairage suite wrote")
    parser.add_argument("--attribute", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--truth", type=Path)
    options = parser.parse_args()
    print("\n".join(table(options.out, options.attribute, options.group)))
    if options.truth:
        print(truth_line(options.truth, options.attribute, options.group))


if __name__ == "__main__":
    main()
