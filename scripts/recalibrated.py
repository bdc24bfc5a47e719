"""What intervals hold at a new place, calibrated on few faces from there, drawn many times.

Usage: python scripts/recalibrated.py PREDICTIONS [--age age] [--prediction prediction]
    [--faces 500] [--draws 20] [--level 0.9]

PREDICTIONS is what `fairage predict FACES --out PREDICTIONS`, or an audit of a model, wrote of
faces with ages. In each draw some faces calibrate and all others are measured. Prints a Markdown
table.
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl

from fairage._random import numpy_rng
from fairage._tables_io import read_table
from fairage.age_groups import AgeGroups
from fairage.prediction import CalibrationRows, ConformalAges
from fairage.tables import AGE, FACE, PREDICTION, attribute_names

MOST_GROUPS = 12
"""Columns with more values are names, not groups."""


def main() -> None:
    """Read, draw, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("predictions", type=Path)
    parser.add_argument("--age", default=AGE, help="column of true ages")
    parser.add_argument("--prediction", default=PREDICTION, help="column of estimates")
    parser.add_argument("--faces", type=int, default=500)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--level", type=float, default=0.9)
    given = parser.parse_args()
    frame = read_table(given.predictions)
    own = {AGE: pl.col(given.age), PREDICTION: pl.col(given.prediction)}
    frame = frame.with_columns(each.cast(pl.Float64).alias(name) for name, each in own.items())
    frame = frame.filter(pl.col(PREDICTION).is_not_null())
    if FACE in frame.columns:
        frame = frame.filter(pl.col(FACE) == 0)
    draws = [drawn(frame, given.faces, given.level, seed) for seed in range(given.draws)]
    print(
        f"{frame.height:,} faces, {given.faces} calibrate, {given.draws} draws, {given.level:.0%}\n"
    )
    print("| group | coverage, mean | least | most | width, mean of medians |")
    print("|---|---:|---:|---:|---:|")
    for group in draws[0]:
        held = np.array([draw[group][0] for draw in draws])
        width = np.mean([draw[group][1] for draw in draws])
        print(
            f"| {group} | {held.mean():.3f} | {held.min():.3f} | {held.max():.3f} | {width:.1f} |"
        )
    shares = [draw["all"][0] for draw in draws]
    spread = np.std(shares, ddof=1)
    print(f"\nOver all faces the mean is {np.mean(shares):.4f}, its spread over draws {spread:.3f}")


def drawn(frame: pl.DataFrame, n: int, level: float, seed: int) -> dict[str, tuple[float, float]]:
    """Return coverage and median width, in years, of the faces that do not calibrate, by group."""
    order = numpy_rng(seed, "recalibrated").permutation(frame.height)
    rows = CalibrationRows.from_frame(frame[order[:n]])
    others = frame[order[n:]]
    ages = others[AGE].to_numpy()
    spreads = CalibrationRows.from_frame(others).spreads
    low, high = ConformalAges.fit(rows).interval(
        others[PREDICTION].to_numpy(), spreads, level=level
    )
    held, width = (low <= ages) & (ages <= high), high - np.maximum(low, 0)
    names = AgeGroups()
    groups = {"all": np.ones(len(ages), dtype=bool)}
    groups |= {f"age {name}": names.codes(ages) == k for k, name in enumerate(names.names)}
    for attribute in attribute_names(others):
        if others[attribute].n_unique() > MOST_GROUPS:
            continue
        own = others[attribute].to_numpy()
        groups |= {f"{attribute} {group}": own == group for group in sorted(set(own.tolist()))}
    return {
        name: (float(held[inside].mean()), float(np.median(width[inside])))
        for name, inside in groups.items()
        if inside.any()
    }


if __name__ == "__main__":
    main()
