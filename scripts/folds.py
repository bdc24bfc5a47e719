"""Cross-validate how far estimates are stretched, on the training and validation faces alone.

Usage: python scripts/folds.py split FACES FOLDER
       python scripts/folds.py table FOLDER

`split` writes five faces tables, in each of which another fifth of those faces is the split `test`
and the next fifth validates, and the recipes to train on them, with three members each. `table`
stretches what each model says of faces that it has not seen, by lines fitted to the other four
fifths, and prints MAE and average bias of all, in years, as Markdown.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
import yaml
from numpy.typing import NDArray

from fairage._tables_io import write_table
from fairage.age_groups import MAX_AGE
from fairage.auditing.suite_runs import score_predictions
from fairage.experiments.recipe_files import read_recipe
from fairage.experiments.runner import PREDICTIONS
from fairage.experiments.training_data import split_parts
from fairage.faces_file import read_faces, read_predictions
from fairage.tables import AGE, AGE_GROUP, IMAGE, PREDICTION, SPLIT, group_labels
from fairage.training.postprocess import fitted_line
from fairage.weighting import make_weighting

FOLDS = 5
MEMBERS = 3
RECIPES = {"recalibrated": "frontier/4-recalibrated", "fair": "frontier/5-fair"}
FOLD = "fold"
POWERS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
KNOTS: tuple[tuple[float, ...], ...] = ((), (30,), (40,), (50,))


def write_folds(path: Path, folder: Path) -> None:
    """Write `K.parquet` for every fold, and the frontier's recipes without what follows."""
    faces = read_faces(path)
    known = faces.frame.with_columns(pl.Series(IMAGE, faces.images))
    known = known.filter(pl.col(SPLIT) != "test")
    folds = split_parts(known.height, FOLDS, 0, group_labels(known, AGE_GROUP))
    folder.mkdir(parents=True, exist_ok=True)
    for fold in range(FOLDS):
        split = np.full(known.height, "train", dtype="<U5")
        split[folds == fold], split[folds == (fold + 1) % FOLDS] = "test", "valid"
        table = known.drop(AGE_GROUP).with_columns(pl.Series(SPLIT, split))
        write_table(table, folder / f"{fold}.parquet", faces.age_groups)
    for name in RECIPES:
        shipped = read_recipe(RECIPES[name]).model_dump(mode="json")
        text = yaml.safe_dump(shipped | {"after": [], "members": MEMBERS})
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def table(folder: Path) -> list[str]:
    """Return one line a stretch, one column a recipe; the first line is without one."""
    rows = [unseen(folder, name) for name in RECIPES]
    lines = [f"| power | knots | {' | '.join(RECIPES)} |", "|---:|---|" + "---:|" * len(RECIPES)]
    lines.append(
        f"| no line | | {' | '.join(scored(row, row[PREDICTION].to_numpy()) for row in rows)} |"
    )
    for power in POWERS:
        for knots in KNOTS:
            cells = [scored(row, stretched(row, power, knots)) for row in rows]
            lines.append(
                f"| {power} | {', '.join(map(str, knots)) or 'none'} | {' | '.join(cells)} |"
            )
    return lines


def unseen(folder: Path, name: str) -> pl.DataFrame:
    """Return what the models say of faces that they have not seen, with of which fold they were."""
    slug = read_recipe(RECIPES[name]).slug
    paths = [folder / f"runs-{k}" / slug / "seed-0" / PREDICTIONS for k in range(FOLDS)]
    frames = [
        read_predictions(path).with_columns(pl.lit(k).alias(FOLD)) for k, path in enumerate(paths)
    ]
    return pl.concat(frames)


def stretched(rows: pl.DataFrame, power: float, knots: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the estimates, those of each fold corrected by a line of the other folds."""
    estimates = rows[PREDICTION].to_numpy().astype(np.float64)
    for fold in range(FOLDS):
        others = rows.filter(pl.col(FOLD) != fold)
        weights = make_weighting("raking", power=power).weigh(others).values
        own = (rows[FOLD] == fold).to_numpy()
        line = fitted_line(
            others[PREDICTION].to_numpy(), others[AGE].to_numpy(), weights, knots=knots
        )
        estimates[own] = line(torch.from_numpy(estimates[own])).numpy()
    return estimates.clip(0, MAX_AGE)


def scored(rows: pl.DataFrame, estimated: NDArray[Any]) -> str:
    """Return MAE and average bias."""
    score = score_predictions(rows.with_columns(pl.Series(PREDICTION, estimated)))
    return f"{score.mae:.3f} / {score.average_bias:.3f}"


def main() -> None:
    """Do as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    split = commands.add_parser("split")
    split.add_argument("faces", type=Path)
    for command in (split, commands.add_parser("table")):
        command.add_argument("folder", type=Path)
    chosen = parser.parse_args()
    if chosen.command == "split":
        write_folds(chosen.faces, chosen.folder)
    else:
        print("\n".join(table(chosen.folder)))


if __name__ == "__main__":
    main()
