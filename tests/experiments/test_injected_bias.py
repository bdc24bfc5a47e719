"""A bias of known size is found, and the weightings do to it what they promise."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fairage.embeddings import BackboneSpec, EmbedOptions, embed
from fairage.experiments.inputs import EmbeddedFaces, embedded_faces
from fairage.experiments.recipe_files import recipe_from
from fairage.experiments.runner import PREDICTIONS, run_version
from fairage.faces_file import read_faces
from fairage.synthetic import GroupBias, synthesize
from fairage.tables import AGE, AGE_GROUP, PREDICTION, group_labels

SEEDS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Faces of whom 3.6 % are old, and show half of how far their age is from the mean."""
    out = tmp_path_factory.mktemp("biased")
    synthesize(out / "faces", n=2400, biases=[GroupBias("age_group", "old", cue=0.5)])
    return out


@pytest.fixture(scope="module")
def data(folder: Path) -> EmbeddedFaces:
    faces = read_faces(folder / "faces" / "faces.parquet")
    found = embed(
        faces,
        EmbedOptions(backbones=[BackboneSpec("embedded", flip=False)], store=folder / "store"),
    )
    return embedded_faces(faces, found)


def group_errors(data: EmbeddedFaces, weighting: str, folder: Path) -> tuple[float, float]:
    """Return the error on the old and on everybody else, averaged over seeds."""
    training = {"learning_rate": 2e-3, "batch_size": 64, "epochs": 30}
    told = {"experiment": "x", "version": weighting, "weighting": weighting, "training": training}
    errors = []
    for seed in range(SEEDS):
        run = folder / weighting / f"seed-{seed}"
        run_version(recipe_from(told, "test"), data, seed=seed, folder=run)
        rows = pl.read_parquet(run / PREDICTIONS)
        missed = np.abs(rows[PREDICTION].to_numpy() - rows[AGE].to_numpy())
        old = group_labels(rows, AGE_GROUP) == "old"
        errors.append((missed[old].mean(), missed[~old].mean()))
    hardest, others = np.mean(errors, axis=0)
    return float(hardest), float(others)


@pytest.fixture(scope="module")
def baseline(data: EmbeddedFaces, folder: Path) -> tuple[float, float]:
    return group_errors(data, "none", folder)


def test_the_injected_bias_is_found(baseline: tuple[float, float], folder: Path) -> None:
    truth = json.loads((folder / "faces" / "truth.json").read_text(encoding="utf-8"))
    expected = truth["expected_error"]["age_group"]["old"]["mae"]
    hardest, others = baseline
    assert hardest > others + 5
    assert hardest == pytest.approx(expected, rel=0.35)


@pytest.mark.parametrize("weighting", ["kit", "inverse", "1b"])
def test_a_weighting_lowers_the_error_of_the_rare_hard_group(
    weighting: str, data: EmbeddedFaces, folder: Path, baseline: tuple[float, float]
) -> None:
    hardest, _ = group_errors(data, weighting, folder)
    assert hardest < baseline[0] - 1
