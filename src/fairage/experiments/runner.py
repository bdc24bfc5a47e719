"""One run: a recipe and a seed, trained on embedded faces, into a folder."""

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from fairage._files import (
    atomic_folder,
    changed_files,
    folder_hashes,
    is_sealed,
    read_json,
    sealed,
    write_text,
)
from fairage._tables_io import write_table
from fairage.auditing.scoring import MIN_ROWS, Score, bias_column, metrics_of, score
from fairage.auditing.suite_runs import persons_of
from fairage.experiments.fitting import Fitted, Trained, fit
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.phases import sole_expert
from fairage.experiments.recipe import Recipe
from fairage.models import AgeHead, Bundle, save_bundle
from fairage.tables import (
    AGE,
    AGE_GROUP,
    IDENTITY,
    IMAGE,
    MODEL,
    PREDICTION,
    SEED,
    SPLIT,
    group_names,
    target_of,
)
from fairage.training import Epoch, add_to_bundle


def run_version(
    recipe: Recipe,
    data: EmbeddedFaces,
    *,
    seed: int,
    folder: Path,
    experts: Sequence[tuple[Recipe, Path]] = (),
    min_rows: int = MIN_ROWS,
) -> None:
    """Train, predict the test split and write bundle, predictions, log and `run.json`.

    The folder appears whole or not at all, so that an interrupted run is simply run again. Stages
    that train the backbone then go on with the epoch that was not finished: their checkpoints lie
    in a hidden folder beside it, which is removed when the run is whole.

    Args:
        recipe: What is trained how.
        data: The faces.
        seed: Settles all random numbers.
        folder: Where the run is written.
        experts: Recipes of single experts that this one trains among its own, and where the run
            of each is written: the same one that it would be alone.
        min_rows: Faces (persons, where they are known) that a group must have to take part in the
            scores.
    """
    fitted = fit(recipe, data, seed=seed, scratch=_scratch(folder))
    for alone, place in experts:
        attribute = sole_expert(alone)
        assert attribute is not None, "only single experts are trained by an ensemble"
        write_run(alone, fitted.expert(attribute), data, seed=seed, folder=place, min_rows=min_rows)
    write_run(recipe, fitted, data, seed=seed, folder=folder, min_rows=min_rows)
    remove_scratch(folder)


def remove_scratch(folder: Path) -> None:
    """Remove what a run keeps beside its folder until that is whole."""
    shutil.rmtree(_scratch(folder), ignore_errors=True)


def _scratch(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.finetuning")


BUNDLE, PREDICTIONS, LOG, RUN = "bundle", "predictions.parquet", "log.csv", "run.json"
_FILES = "files"


def write_run(
    recipe: Recipe,
    fitted: Fitted,
    data: EmbeddedFaces,
    *,
    seed: int,
    folder: Path,
    min_rows: int = MIN_ROWS,
) -> None:
    """Predict the test split and write the folder, which appears whole or not at all.

    `run.json` holds a checksum of every other file, and one of what it says itself.

    Args:
        recipe: What was trained.
        fitted: The trained model.
        data: The faces that it was trained on, as they were before.
        seed: The seed of the training.
        folder: Where to write.
        min_rows: Faces (persons, where they are known) that a group must have to take part in the
            scores.
    """
    measured = {name: fitted.data.split(name) for name in ("valid", "test")}
    scores = {name: _score(fitted.head, part, min_rows) for name, part in measured.items()}
    bundle = _bundle(recipe, fitted, seed, scores["test"])
    predictions = _predictions(recipe, measured["test"], bundle, seed)
    facts = {
        "recipe": recipe.model_dump(mode="json"),
        "fingerprint": run_fingerprint(recipe, data),
        "seed": seed,
        "min_rows": min_rows,
        "age_groups": json.loads(data.age_groups.to_json()),
        "copies": _copies(recipe, data),
        **_facts(fitted, measured, scores, min_rows),
    }
    with atomic_folder(folder) as partial:
        save_bundle(bundle, partial / BUNDLE)
        if fitted.tuned is not None:
            add_to_bundle(fitted.tuned, partial / BUNDLE)
        write_table(predictions, partial / PREDICTIONS, data.age_groups)
        write_table(_log(fitted.trainings), partial / LOG)
        content = sealed({**facts, _FILES: folder_hashes(partial)})
        write_text(partial / RUN, json.dumps(content, indent=2, allow_nan=False) + "\n")


def run_of(folder: Path) -> str | None:
    """Return the fingerprint of the run in a folder; None where `run.json` is damaged or missing.

    It says whose folder this is, not whether the run is whole: see `damage_of`.
    """
    facts = facts_of(folder)
    return facts["fingerprint"] if is_sealed(facts) else None


def damage_of(folder: Path) -> str:
    """Return what is missing or not as it was written in a run's folder; nothing if it is whole."""
    facts = facts_of(folder)
    if not is_sealed(facts):
        return f"{RUN} is missing or damaged"
    changed = changed_files(folder, facts[_FILES])
    return f"{', '.join(changed)} missing or damaged" if changed else ""


def facts_of(folder: Path) -> dict[str, Any]:
    """Return what a run's `run.json` says, nothing where it cannot be read."""
    try:
        facts = read_json(folder / RUN)
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def run_fingerprint(recipe: Recipe, data: EmbeddedFaces) -> str:
    """Return the hash of everything that a run depends on but for its seed."""
    parts = [recipe.fingerprint, data.fingerprint]
    parts += [data.extra(name).fingerprint for name in recipe.extra_names]
    if recipe.augmentation is not None:
        parts.append(data.augmented(recipe.augmentation).fingerprint)
    return "-".join(parts)


def _copies(recipe: Recipe, data: EmbeddedFaces) -> dict[str, Any]:
    """What `run.json` says of the augmented copies."""
    if recipe.augmentation is None:
        return {"number": 0, "notes": []}
    copies = data.augmented(recipe.augmentation)
    return {"number": len(copies), "notes": list(copies.notes)}


def _facts(
    fitted: Fitted,
    measured: Mapping[str, EmbeddedFaces],
    scores: Mapping[str, Score],
    min_rows: int,
) -> dict[str, Any]:
    """What `run.json` says of the model: its trainings, its scores, those of its experts."""
    return {
        "trainings": [_training(trained) for trained in fitted.trainings],
        "scores": {name: metrics_of(result) for name, result in scores.items()},
        "experts": {
            expert: {
                name: metrics_of(_score(head, part, min_rows)) for name, part in measured.items()
            }
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
        "note": trained.history.note,
    }


def _log(trainings: Sequence[Trained]) -> pl.DataFrame:
    """All epochs of all trainings; an attribute that one of them does not know is null there."""
    rows = [
        {"training": trained.name, **_log_row(epoch)}
        for trained in trainings
        for epoch in trained.history.epochs
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _log_row(epoch: Epoch) -> dict[str, float | None]:
    """One epoch as a line of `log.csv`; the biases are the validation rows'."""
    biases = {f"valid_{bias_column(name)}": v for name, v in epoch.valid_biases.items()}
    average = epoch.valid_average_bias
    return {
        "epoch": epoch.epoch,
        "train_loss": epoch.train_loss,
        "valid_loss": epoch.valid_loss,
        "valid_mae": epoch.valid_mae,
        **biases,
        "valid_average_bias": None if math.isnan(average) else average,
    }


def _score(head: AgeHead, data: EmbeddedFaces, min_rows: int) -> Score:
    ages = head.ages(torch.from_numpy(np.array(data.embeddings, dtype=np.float32)))
    return score(
        data.frame[AGE].to_numpy(),
        ages.numpy(),
        data.labels(),
        min_rows=min_rows,
        units=persons_of(data.frame),
    )


def _bundle(recipe: Recipe, fitted: Fitted, seed: int, test: Score) -> Bundle:
    data = fitted.data
    train = data.split("train")
    labels = train.labels()
    own = {name: group_names(train.frame, name) for name in train.attributes}
    training = {
        "description": recipe.description,
        "version": recipe.version,
        "seed": seed,
        "recipe": recipe.model_dump(mode="json", exclude={"published"}),
        "rows": data.counts,
        "groups": {
            name: {group: int(n) for group in names if (n := (labels[name] == group).sum())}
            for name, names in own.items()
        },
        "scores": metrics_of(test),
        "versions": {name: version(name) for name in ("fairage", "torch")},
    }
    options = {key: value for key, value in fitted.head_config.items() if key != "name"}
    framing = None if data.provenance is None else data.provenance.framing
    return Bundle(
        fitted.head,
        fitted.head_config["name"],
        options,
        data.backbones,
        training,
        target_of(data.frame),
        None if framing is None else asdict(framing),
    )


def _predictions(recipe: Recipe, test: EmbeddedFaces, bundle: Bundle, seed: int) -> pl.DataFrame:
    attributes = [name for name in test.attributes if name != AGE_GROUP]
    persons = [IDENTITY] if IDENTITY in test.frame.columns else []
    return test.frame.select(IMAGE, AGE, *attributes, *persons, SPLIT).with_columns(
        pl.Series(PREDICTION, bundle.ages(test.embeddings, test.backbones)),
        pl.lit(seed).alias(SEED),
        pl.lit(recipe.version).alias(MODEL),
    )
