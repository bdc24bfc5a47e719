"""Print the validation MAE of every version of a suite as a Markdown table, by seed and on average.

Usage: python scripts/rates_table.py OUT
"""

import argparse
import json
from pathlib import Path

import numpy as np

from fairage.experiments.recipe import Recipe
from fairage.experiments.runner import RUN
from fairage.experiments.suite import SUITE


def valid_maes(folder: Path) -> list[float]:
    """Return the MAE on the validation split of each seed of a version, in years."""
    paths = sorted(folder.glob(f"seed-*/{RUN}"))
    return [json.loads(p.read_text(encoding="utf-8"))["scores"]["valid"]["mae"] for p in paths]


def table(out: Path) -> list[str]:
    """Return one column a version: the first seed, and the mean of all where there are several."""
    described = json.loads((out / SUITE).read_text(encoding="utf-8"))["recipes"]
    recipes = [Recipe.model_validate(recipe) for recipe in described]
    maes = [valid_maes(out / recipe.slug) for recipe in recipes]
    rows = [
        ["rate", *(recipe.version for recipe in recipes)],
        ["validation MAE, seed 0", *(f"{found[0]:.3f}" for found in maes)],
    ]
    if len(maes[0]) > 1:
        name = f"mean of seeds 0 to {len(maes[0]) - 1}"
        rows.append([name, *(f"{np.mean(found):.3f}" for found in maes)])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], "|---|" + "---:|" * len(recipes), *lines[1:]]


def main() -> None:
    """Read the runs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder that fairage run wrote")
    print("\n".join(table(parser.parse_args().out)))


if __name__ == "__main__":
    main()
