"""The folder of a run: bundle, predictions, log and what `run.json` tells."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from fairage.audit.gaps import Score, score
from fairage.audit.score_columns import bias_column, metrics_of
from fairage.experiments.data import EmbeddedFaces
from fairage.experiments.fitting import Fitted, Trained
from fairage.experiments.recipe_model import Recipe
from fairage.files import atomic_folder, write_text
from fairage.models import AgeHead, Bundle, save_bundle
from fairage.table_files import write_table
from fairage.tables import AGE, AGE_GROUP, IMAGE, MODEL, PREDICTION, SEED, SPLIT
from fairage.training import Epoch
from fairage.training.finetuning import add_to_bundle

__all__ = ["BUNDLE", "LOG", "PREDICTIONS", "RUN", "run_fingerprint", "write_run"]

BUNDLE, PREDICTIONS, LOG, RUN = "bundle", "predictions.parquet", "log.csv", "run.json"


def write_run(
    recipe: Recipe, fitted: Fitted, data: EmbeddedFaces, *, seed: int, folder: Path
) -> None:
    """Predict the test split and write the folder, which appears whole or not at all.

    Args:
        recipe: What was trained.
        fitted: The trained model.
        data: The faces that it was trained on, as they were before.
        seed: The seed of the training.
        folder: Where to write.
    """
    measured = {name: fitted.data.split(name) for name in ("valid", "test")}
    scores = {name: _score(fitted.head, part) for name, part in measured.items()}
    bundle = _bundle(recipe, fitted, seed, scores["test"])
    predictions = _predictions(recipe, measured["test"], bundle, seed)
    told = {
        "recipe": recipe.model_dump(mode="json"),
        "fingerprint": run_fingerprint(recipe, data),
        "seed": seed,
        "copies": _copies(recipe, data),
        **_told(fitted, measured, scores),
    }
    with atomic_folder(folder) as partial:
        save_bundle(bundle, partial / BUNDLE)
        if fitted.tuned is not None:
            add_to_bundle(fitted.tuned, partial / BUNDLE)
        write_table(predictions, partial / PREDICTIONS)
        write_table(_log(fitted.trainings), partial / LOG)
        write_text(partial / RUN, json.dumps(told, indent=2) + "\n")


def run_fingerprint(recipe: Recipe, data: EmbeddedFaces) -> str:
    """Return the hash of everything that a run depends on but for its seed."""
    told = [recipe.fingerprint, data.fingerprint]
    told += [data.extra(name).fingerprint for name in recipe.extra_names]
    if recipe.augmentation is not None:
        told.append(data.augmented(recipe.augmentation).fingerprint)
    return "-".join(told)


def _copies(recipe: Recipe, data: EmbeddedFaces) -> dict[str, Any]:
    """What `run.json` tells of the augmented copies."""
    if recipe.augmentation is None:
        return {"number": 0, "notes": []}
    copies = data.augmented(recipe.augmentation)
    return {"number": len(copies), "notes": list(copies.notes)}


def _told(
    fitted: Fitted, measured: Mapping[str, EmbeddedFaces], scores: Mapping[str, Score]
) -> dict[str, Any]:
    """What `run.json` tells of the model: its trainings, its scores, those of its experts."""
    return {
        "trainings": [_training(trained) for trained in fitted.trainings],
        "scores": {name: metrics_of(found) for name, found in scores.items()},
        "experts": {
            expert: {name: metrics_of(_score(head, part)) for name, part in measured.items()}
            for expert, head in fitted.experts.items()
        },
    }


def _training(trained: Trained) -> dict[str, Any]:
    return {
        "name": trained.name,
        "rows": trained.rows,
        "epochs": len(trained.history.epochs),
        "best_epoch": trained.history.best + 1,
        "effective_sample_size": trained.weights.effective_sample_size,
        "largest_weight": trained.weights.largest,
        "seconds": round(trained.seconds, 2),
    }


def _log(trainings: Sequence[Trained]) -> pl.DataFrame:
    """All epochs of all trainings; an attribute that one of them does not know is null there."""
    rows = [
        {"training": trained.name, **_log_row(epoch)}
        for trained in trainings
        for epoch in trained.history.epochs
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _log_row(epoch: Epoch) -> dict[str, float]:
    """One epoch as a line of `log.csv`; the biases are the validation rows'."""
    biases = {f"valid_{bias_column(name)}": v for name, v in epoch.valid_biases.items()}
    return {
        "epoch": epoch.epoch,
        "train_loss": epoch.train_loss,
        "valid_loss": epoch.valid_loss,
        "valid_mae": epoch.valid_mae,
        **biases,
        "valid_average_bias": epoch.valid_average_bias,
    }


def _score(head: AgeHead, data: EmbeddedFaces) -> Score:
    found = head.ages(torch.from_numpy(np.array(data.embeddings, dtype=np.float32)))
    return score(data.frame[AGE].to_numpy(), found.numpy(), data.labels())


def _bundle(recipe: Recipe, fitted: Fitted, seed: int, test: Score) -> Bundle:
    data = fitted.data
    labels = data.split("train").labels()
    training = {
        "description": recipe.description,
        "version": recipe.version,
        "seed": seed,
        "recipe": recipe.model_dump(mode="json", exclude={"published"}),
        "rows": data.counts,
        "groups": {
            name: {
                str(g): int(n) for g, n in zip(*np.unique(found, return_counts=True), strict=True)
            }
            for name, found in labels.items()
        },
        "scores": metrics_of(test),
        "versions": {name: version(name) for name in ("fairage", "torch")},
    }
    options = {key: value for key, value in fitted.told.items() if key != "name"}
    return Bundle(fitted.head, fitted.told["name"], options, data.backbones, training)


def _predictions(recipe: Recipe, test: EmbeddedFaces, bundle: Bundle, seed: int) -> pl.DataFrame:
    attributes = [name for name in test.attributes if name != AGE_GROUP]
    return test.frame.select(IMAGE, AGE, *attributes, SPLIT).with_columns(
        pl.Series(PREDICTION, bundle.ages(test.embeddings)),
        pl.lit(seed).alias(SEED),
        pl.lit(recipe.version).alias(MODEL),
    )
