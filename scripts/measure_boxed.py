"""Measure a model on FairFace's test faces, APPA-REAL and UTKFace.

Usage: python scripts/measure_boxed.py DATA OUT [--model BUNDLE]

DATA holds fairface, appa-real and utkface. OUT gets a predictions table a data set, and
`measures.json`. Nothing is chosen here: every number stands as it comes out.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import fairage
from boxed.faces import LOW
from boxed.refit import range_score
from fairage._tables_io import write_table
from fairage.datasets import prepare_faces
from fairage.faces_file import read_faces as read_table
from fairage.prediction import CalibrationRows, Model, load
from fairage.prediction.held_out import for_card
from fairage.tables import AGE, AGE_HIGH, AGE_LOW, PREDICTION

RANGES = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70+")
DRAWS = 2000
QUESTIONS = ((18, 0.01), (18, 0.05), (25, 0.01))


def main() -> None:
    """Estimate, score, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", help="a bundle; the model in the box if unset")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    model = load(given.model)
    measures = {
        "fairface": fairface(model, given.data / "fairface", given.out),
        "appa-real": foreign(model, "appa-real", given.data, given.out),
        "utkface": foreign(model, "utkface", given.data, given.out),
        "decisions": decisions(model, given.out),
    }
    (given.out / "measures.json").write_text(json.dumps(measures, indent=2) + "\n")


def estimated(model: Model, name: str, data: Path, out: Path, *, crops: bool) -> pl.DataFrame:
    """Return the test faces of a data set with their estimates, one row a face of the table."""
    table = out / f"{name}.parquet"
    target = out / f"{name}-{'crops' if crops else 'photographs'}.parquet"
    if target.is_file():
        return pl.read_parquet(target)
    if not table.is_file():
        prepare_faces(name, data / name, table)
    faces = read_table(table)
    if name != "utkface":
        faces = faces.split("test")
    frame = model.predict(faces, crops=crops, progress=True).to_frame()
    frame = frame.filter(pl.col("face") == 0)
    write_table(frame, target)
    return frame


def fairface(model: Model, folder: Path, out: Path) -> dict[str, Any]:
    """Return how ranges are met, with crops as they are and as photographs."""
    scores = {}
    for crops in (True, False):
        frame = estimated(model, "fairface", folder.parent, out, crops=crops)
        ranges = np.searchsorted(LOW, frame[AGE_LOW].to_numpy())
        ages = frame[PREDICTION].to_numpy()
        known = ~np.isnan(ages)
        scores["crops" if crops else "photographs"] = {
            "faces": len(ages),
            "audit": audited(frame, (AGE_LOW, AGE_HIGH)),
            "without": int((~known).sum()),
            "all": ranged(ages[known], ranges[known]),
            **{
                name: {
                    group: ranged(ages[known & own], ranges[known & own])
                    for group in sorted(frame[name].unique())
                    if (own := (frame[name] == group).to_numpy()).any()
                }
                for name in ("ethnicity", "gender")
            },
        }
    return scores


def ranged(ages: NDArray[np.float64], ranges: NDArray[np.int64]) -> dict[str, Any]:
    """Return the scores of some faces with 95 % intervals by resampling faces within each range."""
    own = range_score(ages, ranges)
    rng = np.random.default_rng(0)
    places = [np.flatnonzero(ranges == number) for number in range(len(LOW))]
    draws = []
    for _ in range(DRAWS):
        chosen = np.concatenate([rng.choice(each, len(each)) for each in places if len(each)])
        draws.append(range_score(ages[chosen], ranges[chosen]))
    low_high = {
        name: [
            float(value) for value in np.quantile([getattr(d, name) for d in draws], (0.025, 0.975))
        ]
        for name in ("exact", "balanced", "near")
    }
    outside = np.array([each.outside for each in draws])
    return {
        "n": len(ages),
        **{name: [getattr(own, name), *low_high[name]] for name in low_high},
        "outside": {
            name: [own.outside[k], *np.quantile(outside[:, k], (0.025, 0.975)).tolist()]
            for k, name in enumerate(RANGES)
        },
    }


def foreign(model: Model, name: str, data: Path, out: Path) -> dict[str, Any]:
    """Return MAE and mean error by group on faces that the model has never seen."""
    scores = {}
    for crops in (False, True):
        frame = estimated(model, name, data, out, crops=crops)
        targets = [column for column in (AGE, "real_age") if column in frame.columns]
        for target in targets:
            scores[f"{target}, {'crops' if crops else 'photographs'}"] = audited(frame, target)
    return scores


def audited(frame: pl.DataFrame, age: str | tuple[str, str]) -> dict[str, Any]:
    """Return the audit of estimates against one column of ages, or against ranges."""
    used = {age} if isinstance(age, str) else set(age)
    others = {AGE, "real_age", "apparent_age", AGE_LOW, AGE_HIGH, "age_group"} - used
    result = fairage.audit(frame.drop(others, strict=False), age=age, prediction=PREDICTION)
    (model,) = result.to_dict()["models"].values()
    return dict(model)


def decisions(model: Model, out: Path) -> list[dict[str, Any]]:
    """Return what answers cost on APPA-REAL's test faces, whose real ages are known."""
    frame = pl.read_parquet(out / "appa-real-photographs.parquet").with_columns(
        pl.col("real_age").alias(AGE)
    )
    rows = CalibrationRows.from_frame(frame.filter(pl.col(PREDICTION).is_not_null()))
    rules = []
    for age, wrong in QUESTIONS:
        rule = model.rule(age, wrong_yes=wrong)
        assert rule.yes is not None
        rules.append(
            {
                "title": f"at least {age}, {100 * wrong:g} % wrong yes promised",
                "text": rule.yes.text,
                "faces": "APPA-REAL's test faces, by their real age",
                "costs": for_card(rule.costs(rows), ("referred", "wrong_yes")),
            }
        )
    return rules


if __name__ == "__main__":
    main()
