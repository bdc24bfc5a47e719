"""One run: what it writes, that it repeats, that no half of it is ever taken for a whole."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fairage.auditing.scoring import score
from fairage.exceptions import ConfigError, DataError
from fairage.experiments import inputs as data_module
from fairage.experiments.fitting import check_fit
from fairage.experiments.inputs import EmbeddedFaces, load_embedded_faces
from fairage.experiments.recipe_files import recipe_from
from fairage.experiments.runner import BUNDLE, PREDICTIONS, RUN, run_version
from fairage.experiments.schedule import Batch, Job, run_batches
from fairage.models import load_bundle
from fairage.tables import group_labels

TOLD = {"experiment": "1", "version": "quick", "weighting": "1b", "training": {"epochs": 3}}


@pytest.fixture
def recipe():
    return recipe_from(TOLD, "test")


def test_a_run_writes_bundle_predictions_log_and_facts(recipe, embedded, tmp_path: Path) -> None:
    run_version(recipe, embedded, seed=0, folder=tmp_path / "seed-0")
    assert {path.name for path in (tmp_path / "seed-0").iterdir()} == {
        "bundle",
        "predictions.parquet",
        "log.csv",
        "run.json",
    }
    assert pl.read_csv(tmp_path / "seed-0" / "log.csv").height == 3


def test_the_scores_told_are_those_of_the_predictions(recipe, embedded, tmp_path: Path) -> None:
    run_version(recipe, embedded, seed=0, folder=tmp_path / "seed-0", min_rows=5)
    rows = pl.read_parquet(tmp_path / "seed-0" / PREDICTIONS)
    labels = {a: group_labels(rows, a) for a in embedded.attributes}
    expected = score(rows["age"].to_numpy(), rows["prediction"].to_numpy(), labels, min_rows=5)
    written = json.loads((tmp_path / "seed-0" / RUN).read_text())["scores"]["test"]
    assert written["mae"] == pytest.approx(expected.mae, abs=1e-9)
    assert written["average_bias"] == pytest.approx(expected.average_bias, abs=1e-9)
    assert set(rows["split"]) == {"test"}


def test_the_bundle_predicts_what_the_run_wrote(recipe, embedded, tmp_path: Path) -> None:
    run_version(recipe, embedded, seed=0, folder=tmp_path / "seed-0")
    bundle = load_bundle(tmp_path / "seed-0" / BUNDLE)
    again = bundle.ages(embedded.split("test").embeddings, embedded.backbones)
    told = pl.read_parquet(tmp_path / "seed-0" / PREDICTIONS)["prediction"].to_numpy()
    np.testing.assert_array_equal(again, told)


def test_the_same_seed_gives_the_same_predictions(recipe, embedded, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run_version(recipe, embedded, seed=seed, folder=tmp_path / name)
    a, b, c = (pl.read_parquet(tmp_path / name / PREDICTIONS)["prediction"] for name in "abc")
    assert a.equals(b)
    assert not a.equals(c)


def test_test_rows_change_nothing_in_the_model(recipe, embedded, tmp_path: Path) -> None:
    other = embedded.embeddings.copy()
    other[embedded.frame["split"].to_numpy() == "test"] = 9
    changed = EmbeddedFaces(embedded.frame, other, embedded.backbones)
    weights = []
    for name, data in (("a", embedded), ("b", changed)):
        run_version(recipe, data, seed=0, folder=tmp_path / name)
        weights.append(load_bundle(tmp_path / name / BUNDLE).head.state_dict())
    assert all(bool((weights[0][k] == weights[1][k]).all()) for k in weights[0])


def test_worker_processes_and_this_one_give_the_same_files(
    recipe, embedded, tmp_path: Path
) -> None:
    predictions = []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        scratch = tmp_path / f"scratch-{workers}"
        scratch.mkdir()
        jobs = [Job(recipe, seed, out / f"seed-{seed}") for seed in range(2)]
        batches = [Batch([job], embedded) for job in jobs]
        assert len(list(run_batches(batches, workers=workers, scratch=scratch))) == 2
        assert len(list(scratch.iterdir())) == workers - 1
        predictions.append([(job.folder / PREDICTIONS).read_bytes() for job in jobs])
    assert predictions[0] == predictions[1]


def test_the_fingerprint_of_the_faces_is_computed_once(
    recipe, embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []
    real = data_module.hash_of
    monkeypatch.setattr(
        data_module, "hash_of", lambda *parts, **size: hashed.append(1) or real(*parts, **size)
    )
    jobs = [Job(recipe, seed, tmp_path / f"seed-{seed}") for seed in range(2)]
    assert len(list(run_batches([Batch(jobs, embedded)], workers=1, scratch=tmp_path))) == 2
    assert len(hashed) == 1


def test_a_failed_run_leaves_no_folder(embedded, tmp_path: Path) -> None:
    told = {**TOLD, "objective": "mse", "head": {"name": "regression", "output": "linear"}}
    told["training"] = {"epochs": 5, "learning_rate": 1e30}
    with pytest.raises(ConfigError, match="finite loss"):
        run_version(recipe_from(told, "test"), embedded, seed=0, folder=tmp_path / "seed-0")
    assert not (tmp_path / "seed-0").exists()


LARGE = {"attributes": ["gender", "age_group"]}
VARIANTS: dict[str, dict[str, object]] = {
    "label distribution": {
        "head": "label-distribution",
        "objective": {"name": "dldl", "mae_weight": 0.5},
        "fairness": {"name": "gap", **LARGE},
        "select": "fair",
        "training": {"epochs": 3, "optimizer": "adamw", "schedule": "cosine", "ema": 0.9},
    },
    "coral": {"head": "coral", "objective": "coral", "fairness": {"name": "group-dro", **LARGE}},
    "corn": {"head": "corn", "objective": "corn", "fairness": {"name": "adaptive", **LARGE}},
    "after": {
        "after": [
            {"name": "last-layer", "weighting": "mean-harmonic"},
            {"name": "recalibrate", "weighting": "mean-harmonic"},
        ]
    },
}


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_every_variant_predicts_from_its_bundle_what_it_wrote(
    variant: str, embedded, tmp_path: Path
) -> None:
    recipe = recipe_from({**TOLD, **VARIANTS[variant]}, "test")
    run_version(recipe, embedded, seed=0, folder=tmp_path / "seed-0")
    bundle = load_bundle(tmp_path / "seed-0" / BUNDLE)
    again = bundle.ages(embedded.split("test").embeddings, embedded.backbones)
    told = pl.read_parquet(tmp_path / "seed-0" / PREDICTIONS)["prediction"].to_numpy()
    np.testing.assert_array_equal(again, told)


def test_the_log_tells_the_validation_biases_of_every_epoch(embedded, tmp_path: Path) -> None:
    recipe = recipe_from({**TOLD, "select": {"rule": "loss", "min_rows": 2}}, "test")
    run_version(recipe, embedded, seed=0, folder=tmp_path / "seed-0")
    log = pl.read_csv(tmp_path / "seed-0" / "log.csv")
    biases = ["gender", "ethnicity", "expression", "age"]
    names = [f"valid_{name}_bias" for name in biases]
    assert set(log.columns) == {
        *("training", "epoch", "train_loss", "valid_loss", "valid_mae", "valid_average_bias"),
        *names,
    }
    average = log.select(pl.mean_horizontal(names)).to_series()
    np.testing.assert_allclose(log["valid_average_bias"], average)


def test_test_rows_change_nothing_in_what_follows_a_training(embedded, tmp_path: Path) -> None:
    recipe = recipe_from({**TOLD, **VARIANTS["after"], "select": "fair"}, "test")
    other = embedded.embeddings.copy()
    other[embedded.frame["split"].to_numpy() == "test"] = 9
    changed = EmbeddedFaces(embedded.frame, other, embedded.backbones)
    heads = []
    for name, data in (("a", embedded), ("b", changed)):
        run_version(recipe, data, seed=0, folder=tmp_path / name)
        heads.append(load_bundle(tmp_path / name / BUNDLE).head)
    one, two = (head.state_dict() for head in heads)
    assert all(bool((one[key] == two[key]).all()) for key in one)
    assert heads[0].calibration == heads[1].calibration is not None


def test_raters_stds_reach_the_objective(embedded, tmp_path: Path) -> None:
    told = {**TOLD, "head": "label-distribution", "objective": "dldl"}
    stds = pl.Series("age_std", [None, 9.0] * (embedded.frame.height // 2), dtype=pl.Float64)
    frames = {"a": embedded.frame, "b": embedded.frame.with_columns(stds)}
    found = []
    for name, frame in frames.items():
        data = EmbeddedFaces(frame, embedded.embeddings, embedded.backbones)
        run_version(recipe_from(told, "test"), data, seed=0, folder=tmp_path / name)
        found.append(pl.read_parquet(tmp_path / name / PREDICTIONS)["prediction"])
    assert not found[0].equals(found[1])


@pytest.mark.parametrize("step", ["recalibrate", "last-layer"])
def test_a_step_that_the_faces_do_not_allow_is_told_before_training(step: str, embedded) -> None:
    by_hand = {"name": step, "weighting": "3"}
    other = {"weighting_options": {"table": {"gender": {"nobody": 1.0}}}}
    recipe = recipe_from({**TOLD, "after": [{**by_hand, **other}]}, "test")
    with pytest.raises(DataError, match="'female'"):
        check_fit(recipe, embedded)


def test_rows_that_no_training_could_use_are_told_before_training(recipe, embedded) -> None:
    valid = embedded.frame["split"].to_numpy() == "valid"
    values = embedded.embeddings.copy()
    values[np.flatnonzero(valid)[0]] = np.nan
    with pytest.raises(DataError, match="got others in 1 of"):
        check_fit(recipe, replace(embedded, embeddings=values))
    without = embedded.of(embedded.frame.filter(~valid), embedded.embeddings[~valid])
    with pytest.raises(DataError, match="expected rows to train and to validate on"):
        check_fit(recipe, without)


def test_batches_that_say_nothing_to_the_objective_are_told_before_training(embedded) -> None:
    told = {**TOLD, "objective": "balanced-mse", "training": {"batch_size": 1}}
    with pytest.raises(ConfigError, match="raise batch_size"):
        check_fit(recipe_from(told, "test"), embedded)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fairness": {"name": "gap", "attributes": ["gendr"]}}, "Did you mean 'gender'"),
        ({"fairness": {"name": "gap", "min_rows": 10_000}}, "two groups or more"),
        (
            {"weighting": {"name": "raking", "targets": {"gender": {"male": 1, "x": 1}}}},
            "got none of",
        ),
        (
            {
                "head": "label-distribution",
                "objective": {"name": "dldl", "use_votes": True},
            },
            "expected votes",
        ),
    ],
)
def test_a_recipe_that_the_faces_do_not_allow_leaves_no_folder(
    change: dict[str, object], message: str, embedded, tmp_path: Path
) -> None:
    recipe = recipe_from({**TOLD, **change}, "test")
    with pytest.raises((ConfigError, DataError), match=message):
        run_version(recipe, embedded, seed=0, folder=tmp_path / "seed-0")
    assert not list(tmp_path.iterdir())


def test_embedded_faces_survive_a_round_trip(embedded, tmp_path: Path) -> None:
    embedded.save(tmp_path)
    again = load_embedded_faces(tmp_path)
    assert again.fingerprint == embedded.fingerprint
    assert again.backbones == embedded.backbones
