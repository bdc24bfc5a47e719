"""Recipes with augmentation in a suite: which rows are copied, what is told, what is cached."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from fairage.datasets.oversampling import CopiedRows
from fairage.embeddings import Embeddings, EmbedOptions, embed
from fairage.exceptions import ConfigError, DataError
from fairage.experiments import embedded_faces, suite
from fairage.experiments.embedded_faces import Copying, augmented_faces, copies_sentences
from fairage.experiments.inputs import EmbeddedFaces, load_embedded_faces
from fairage.experiments.plan import RunOptions
from fairage.experiments.recipe import AugmentationChoice, Recipe
from fairage.experiments.recipe_files import recipe_from, shipped_recipes
from fairage.experiments.suite import run_suite
from fairage.experiments.training_data import training_faces
from fairage.faces_file import check_faces
from fairage.tables import AGE, Faces

QUICK = {"epochs": 2, "learning_rate": 1e-2, "batch_size": 64}
TOLD = {"experiment": "x", "training": QUICK}
OLD = {"name": "kit", "copies": {"name": "groups", "times": 2}}
SHARE = {"name": "kit", "copies": {"name": "share", "share": 0.5, "most": 2}}


def recipe(version: str, augmentation: object = None) -> Recipe:
    return recipe_from({**TOLD, "version": version, "augmentation": augmentation}, "test")


class FakeEmbedding:
    """Embeds a copy as its age and number, and counts the calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, train: Faces, copied: CopiedRows, _: AugmentationChoice) -> Embeddings:
        self.calls += 1
        values = np.zeros((len(copied.rows), 6), dtype=np.float32)
        values[:, 0], values[:, 1] = train.ages[copied.rows], copied.copies
        return Embeddings(values, copied.rows, (), (), new=len(values))


def test_only_training_rows_are_copied_and_keep_their_labels(embedded: EmbeddedFaces) -> None:
    told = recipe("old", OLD)
    found = augmented_faces([told], embedded, Copying(FakeEmbedding()))
    copies = found.data.augmented(told.augmentation)
    frame = embedded.frame[copies.rows]
    assert set(frame["split"]) == {"train"}
    np.testing.assert_allclose(copies.embeddings[:, 0], frame[AGE].to_numpy(), rtol=1e-6)
    assert frame[AGE].min() > 60
    taught = training_faces(found.data, told.augmentation, None)
    ages = taught.frame[AGE].to_numpy()[embedded.counts["train"] :]
    np.testing.assert_allclose(ages, copies.embeddings[:, 0], rtol=1e-6)
    assert found.new_copies == len(copies) == found.data.copies[told.augmentation.key].rows.size


def test_recipes_of_the_same_augmentation_share_its_copies(embedded: EmbeddedFaces) -> None:
    fake = FakeEmbedding()
    recipes = [recipe("plain"), recipe("a", OLD), recipe("b", OLD), recipe("c", SHARE)]
    found = augmented_faces(recipes, embedded, Copying(fake))
    assert fake.calls == len(found.data.copies) == 2
    told = copies_sentences(recipes, found.data)
    assert told[0].endswith("were trained on as well by a, b.")


def test_no_copy_is_no_error(embedded: EmbeddedFaces) -> None:
    few = {"name": "kit", "copies": {"name": "share", "share": 0.01}}
    fake = FakeEmbedding()
    found = augmented_faces([recipe("few", few)], embedded, Copying(fake))
    (copies,) = found.data.copies.values()
    assert (fake.calls, copies.embeddings.shape) == (0, (0, 6))


def test_a_group_that_is_missing_is_left_out_or_an_error(embedded: EmbeddedFaces) -> None:
    wrong = {"name": "kit", "copies": {"name": "groups", "groups": ["gender=malee"]}}
    recipes = [recipe("plain"), recipe("wrong", wrong)]
    copying = Copying(FakeEmbedding())
    with pytest.raises(ConfigError, match="Did you mean 'male'"):
        augmented_faces(recipes, embedded, copying)
    found = augmented_faces(recipes, embedded, replace(copying, leave_out=True))
    assert [kept.version for kept in found.recipes] == ["plain"]
    assert found.left_out["x-wrong"].startswith("wrong was left out: ")
    assert "malee" in found.left_out["x-wrong"]


def test_what_is_told_of_the_copies_survives_saving(embedded: EmbeddedFaces, tmp_path) -> None:
    found = augmented_faces([recipe("c", SHARE)], embedded, Copying(FakeEmbedding())).data
    (copies,) = found.copies.values()
    assert copies.notes
    found.save(tmp_path)
    (again,) = load_embedded_faces(tmp_path).copies.values()
    assert (again.notes, again.fingerprint) == (copies.notes, copies.fingerprint)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Faces:
    """Tiny pictures that are the brighter the older their person is."""
    folder = tmp_path_factory.mktemp("pictures")
    rng, n = np.random.default_rng(0), 160
    ages = rng.uniform(5, 80, n).round(1)
    names = [f"{number:03d}.png" for number in range(n)]
    for name, age in zip(names, ages, strict=True):
        picture = np.clip(rng.normal(2.5 * age, 20, (24, 24, 3)), 0, 255).astype(np.uint8)
        assert cv2.imwrite(str(folder / name), picture)
    frame = pl.DataFrame(
        {
            "image": names,
            "age": ages,
            "split": ["train", "train", "valid", "test"] * (n // 4),
            "gender": rng.choice(["female", "male"], n),
            "ethnicity": rng.choice(["caucasian", "asian", "afroamerican"], n, p=[0.75, 0.15, 0.1]),
            "expression": rng.choice(["neutral", "happy", "slightlyhappy", "other"], n),
        }
    )
    return Faces(check_faces(frame), folder)


@pytest.fixture
def options(tmp_path: Path, pictures: Faces) -> RunOptions:
    embedding = EmbedOptions(backbones="embedded", store=tmp_path / "store")
    return RunOptions(embedding, seeds=1, extra_faces={"utkface": pictures.split("train")})


def quick(told: Recipe) -> Recipe:
    return told.model_copy(update={"training": told.training.model_copy(update=QUICK)})


def test_the_whole_published_suite_is_run(pictures, options, tmp_path: Path) -> None:
    recipes = [quick(told) for told in shipped_recipes("published")]
    outcome = run_suite(recipes, pictures, options, tmp_path / "out", leave_out=True)
    assert outcome.left_out == {}
    assert outcome.new_runs == len(recipes) == outcome.summary.height
    keys = {told.augmentation.key for told in recipes if told.augmentation}
    assert len(keys) == 3
    assert 0 < outcome.new_copies <= outcome.copies
    again = run_suite(recipes, pictures, options, tmp_path / "out", leave_out=True)
    assert (again.new_runs, again.new_copies, again.copies) == (0, 0, outcome.copies)


NOBODY = {"name": "kit", "copies": {"name": "groups", "groups": ["gender=malee"]}}
UNFIT = {"table": {"gender": {"nobody": 1.0}}}


@pytest.mark.parametrize(
    "change",
    [
        {"augmentation": NOBODY},
        {"stages": [{"name": "elsewhere", "data": "nowhere"}]},
        {"weighting": {"name": "3", **UNFIT}},
        {"after": [{"name": "recalibrate", "weighting": "3", "weighting_options": UNFIT}]},
    ],
)
def test_of_versions_of_one_name_only_that_which_does_not_fit_is_left_out(
    change, pictures, options, tmp_path: Path
) -> None:
    told = {**TOLD, "version": "same"}
    recipes = [recipe_from(told, "test"), recipe_from({**told, "experiment": "y", **change}, "t")]
    outcome = run_suite(recipes, pictures, options, tmp_path / "out", leave_out=True)
    assert outcome.summary["experiment"].to_list() == ["x"]
    assert list(outcome.left_out) == ["y-same"]
    assert outcome.left_out["y-same"].startswith("same was left out: ")


def test_extra_faces_that_no_version_is_trained_on_are_told(
    pictures, options, tmp_path: Path
) -> None:
    run_suite([recipe("plain")], pictures, options, tmp_path / "out", leave_out=True)
    told = "No version was trained on the extra faces utkface, which were handed over."
    assert told in (tmp_path / "out" / "report.html").read_text()


def test_where_all_extra_faces_are_missing_nothing_is_embedded(
    pictures, options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_faces, "embed", interrupted)
    told = recipe_from({**TOLD, "version": "s", "stages": [{"name": "a", "data": "b"}]}, "test")
    with pytest.raises(DataError, match="give --extra-faces b=TABLE"):
        run_suite([told], pictures, options, tmp_path / "out", leave_out=True)


def test_report_and_run_tell_of_the_copies(pictures, options, tmp_path: Path) -> None:
    options = replace(options, extra_faces={})
    outcome = run_suite([recipe("c", SHARE)], pictures, options, tmp_path / "out", leave_out=True)
    run = json.loads((tmp_path / "out" / "x-c" / "seed-0" / "run.json").read_text())
    assert run["copies"]["number"] == outcome.copies > 0
    assert run["copies"]["notes"]
    report = (tmp_path / "out" / "report.html").read_text()
    assert f"{outcome.copies} augmented copies of " in report
    assert "Their copies: " in report


def test_a_suite_interrupted_while_copies_are_embedded_ends_as_an_undisturbed_one(
    pictures, options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes, options = [recipe("old", OLD)], replace(options, extra_faces={})
    run_suite(recipes, pictures, options, tmp_path / "whole", leave_out=True)
    embedding = options.embedding.changed(store=tmp_path / "cut-store")
    cut = replace(options, embedding=embedding)
    embed(pictures, embedding)
    with monkeypatch.context() as patched:
        patched.setattr("fairage.embeddings.batcher.FLUSH_SECONDS", 0.0)
        patched.setattr(suite, "run_plan", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_suite(recipes, pictures, cut, tmp_path / "cut", leave_out=True)
    outcome = run_suite(recipes, pictures, cut, tmp_path / "cut", leave_out=True)
    assert (outcome.new_copies, outcome.new_runs) == (0, 1)
    for name in ("results.csv", "summary.csv"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_the_detector_reaches_faces_and_copies(pictures, options, tmp_path, monkeypatch) -> None:
    named = tmp_path / "detector.onnx"
    seen = []
    for name in ("embed", "embed_copies"):
        real = getattr(embedded_faces, name)

        def watched(*given, real=real, **more):
            (chosen,) = (one for one in given if isinstance(one, EmbedOptions))
            seen.append(chosen.detector)
            return real(*given, **more)

        monkeypatch.setattr(embedded_faces, name, watched)
    options = replace(options, embedding=options.embedding.changed(detector=named), extra_faces={})
    run_suite([recipe("old", OLD)], pictures, options, tmp_path / "out", leave_out=True)
    assert seen == [named, named]
