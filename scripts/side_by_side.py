"""Models beside each other on the same faces, as a Markdown table.

Usage: python scripts/side_by_side.py FACES NAME=TABLE[:COLUMN] ... [--age age]

FACES is a faces table; each TABLE has the estimates of a model for its images (CSV or Parquet, by
`image`; COLUMN is `prediction` if unset). Faces count that every model has an estimate for.
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl

import fairage
from audit_markdown import ends, table
from boxed.faces import HIGH
from fairage.tables import AGE, IMAGE, PREDICTION


def main() -> None:
    """Read, join, audit, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--age", default=AGE)
    given = parser.parse_args()
    faces = pl.read_parquet(given.faces, glob=False).with_columns(short_names())
    columns = []
    for each in given.models:
        name, _, source = each.partition("=")
        faces = faces.join(estimates(name, source), on="short", how="inner")
        columns.append(name)
    faces = faces.drop_nulls(columns)
    ages = faces[given.age].to_numpy()
    other_ages = {AGE, "real_age", "apparent_age", "age_std", "age_group"} - {given.age}
    result = fairage.audit(
        faces.drop([*other_ages, "short"], strict=False), age=given.age, prediction=columns
    )
    print(f"{faces.height:,} faces with an estimate of every model\n")
    rows = []
    for name, model in result.to_dict()["models"].items():
        ranges = [np.searchsorted(HIGH, values, side="right") for values in (ages, faces[name])]
        groups = [
            (own["mae"]["value"], attribute, group, own["mae"])
            for attribute, groups in model["groups"].items()
            for group, own in groups.items()
            if own["mae"]["n"] >= result.settings.min_rows
        ]
        _, attribute, group, worst = max(groups, key=lambda each: each[0])
        rows.append(
            (
                name,
                ends(model["overall"]["mae"]),
                ends(model["overall"]["mean_error"], sign=True),
                f"{np.mean(ranges[0] == ranges[1]):.3f}",
                ends(model["average_bias"]),
                f"{attribute} {group}: {ends(worst)}".replace("_", " "),
            )
        )
    titles = ("model", "MAE", "mean error", "in the right range", "average bias", "worst group")
    print("\n".join(table(titles, rows)))


def estimates(name: str, source: str) -> pl.DataFrame:
    """Return one column of estimates by image."""
    path, _, column = source.partition(":")
    read = pl.read_csv if path.endswith(".csv") else pl.read_parquet
    frame = read(path, glob=False)
    if "face" in frame.columns:
        frame = frame.filter(pl.col("face") == 0)
    own = pl.col(column or PREDICTION).cast(pl.Float64).alias(name)
    return frame.select(short_names(), own).drop_nulls()


def short_names() -> pl.Expr:
    """Return the end of each path, by which tables are joined: folder and file."""
    return pl.col(IMAGE).str.split("/").list.tail(2).list.join("/").alias("short")


if __name__ == "__main__":
    main()
