"""What the faces do not allow is told before anything is trained, and stands in the report."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fairage.embeddings import BackboneSpec, Embeddings, EmbedOptions
from fairage.experiments import embedded_faces
from fairage.experiments.fitting import check_fit
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.plan import RunOptions, data_warnings, fit_warnings
from fairage.experiments.recipe import Recipe
from fairage.experiments.recipe_files import recipe_from
from fairage.experiments.suite import run_suite
from fairage.tables import Faces

QUICK = {"experiment": "1", "training": {"epochs": 1, "learning_rate": 1e-2}}


def recipe(version: str, **more: object) -> Recipe:
    return recipe_from({**QUICK, "version": version, **more}, "test")


def few_rare(embedded: EmbeddedFaces) -> EmbeddedFaces:
    """The faces with one asian among the validation rows, who is the only one of her sex."""
    valid = (embedded.frame["split"] == "valid").to_numpy()
    first = valid & (np.cumsum(valid) == 1)
    ethnicity = np.where(valid, np.where(first, "asian", "caucasian"), "asian")
    gender = np.where(valid, np.where(first, "female", "male"), "male")
    frame = embedded.frame.with_columns(
        pl.Series("ethnicity", ethnicity), pl.Series("gender", gender)
    ).drop("expression")
    return replace(embedded, frame=frame)


def with_the_same_picture_twice(embedded: EmbeddedFaces) -> EmbeddedFaces:
    splits = embedded.frame["split"].to_list()
    values = embedded.embeddings.copy()
    values[splits.index("test")] = values[splits.index("train")]
    return replace(embedded, embeddings=values)


def test_pictures_are_the_same_where_all_numbers_are(embedded: EmbeddedFaces) -> None:
    many = np.tile(embedded.embeddings, (30, 1))
    many[-1, -1] = np.nextafter(many[-1, -1], np.float32(9))
    found = replace(embedded, frame=pl.concat([embedded.frame] * 30), embeddings=many).pictures
    n = len(embedded.embeddings)
    assert len(set(found[:n].tolist())) == n
    assert np.array_equal(found[:n], found[-2 * n : -n])
    assert found[-1] not in found[:-1]


def test_a_picture_in_two_splits_or_in_extra_faces_is_told(embedded: EmbeddedFaces) -> None:
    found = with_the_same_picture_twice(embedded)
    assert not any("several splits" in line for line in data_warnings(embedded, 5))
    assert data_warnings(found, 5)[0].startswith("1 picture is in several splits (first: ")
    extra = replace(embedded, frame=embedded.frame.with_columns(split=pl.lit("train")))
    told = data_warnings(replace(embedded, extras={"more": extra}), 5)[0]
    measured = sum(embedded.counts[split] for split in ("valid", "test"))
    assert told.startswith(f"{measured} pictures of the validation and test faces are among")


def test_what_follows_a_training_works_on_few_rows_and_says_how_far(embedded) -> None:
    told = check_fit(recipe("last layer", after=["last-layer"]), few_rare(embedded))
    assert told[0].startswith("raking goes ")
    assert "the groups of gender, ethnicity and age_group" in told[0]
    assert check_fit(recipe("plain"), few_rare(embedded)) == ()


def test_weights_that_lean_on_a_few_faces_are_told_by_name(embedded: EmbeddedFaces) -> None:
    train = embedded.counts["train"]
    ages = embedded.frame["age"].to_numpy().copy()
    rows = np.flatnonzero(embedded.frame["split"] == "train")
    ages[rows] = 30
    ages[rows[0]] = 70
    skewed = replace(embedded, frame=embedded.frame.with_columns(pl.Series("age", ages)))
    (told,) = check_fit(recipe("one", weighting="kit"), skewed)
    assert told.startswith(f"the weights of 'kit' let {train} rows count like 4 of equal weight")


def test_an_attribute_that_a_fairness_term_leaves_out_is_told(embedded: EmbeddedFaces) -> None:
    alike = replace(embedded, frame=embedded.frame.with_columns(gender=pl.lit("f")))
    (told,) = check_fit(recipe("gap", fairness="gap"), alike)
    assert told.startswith("the fairness term leaves out gender: fewer than two of its groups")


def test_versions_with_the_same_fault_share_a_sentence() -> None:
    found = {"a": ["few rows"], "b": ["few rows", "one group"], "c": []}
    assert fit_warnings(found) == ("a and b: few rows.", "b: one group.")


@pytest.fixture
def faces(embedded: EmbeddedFaces, monkeypatch: pytest.MonkeyPatch) -> Faces:
    found = few_rare(with_the_same_picture_twice(embedded))
    place = {image: row for row, image in enumerate(found.frame["image"])}

    def embed(faces: Faces, _: object, **__: object) -> Embeddings:
        rows = [place[image] for image in faces.frame["image"]]
        return Embeddings(found.embeddings[rows], np.arange(len(rows)), (), found.backbones, 0)

    monkeypatch.setattr(embedded_faces, "embed", embed)
    return Faces(found.frame)


def test_a_run_tells_before_it_trains_and_in_its_report(
    faces: Faces, trained: list, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = RunOptions(EmbedOptions(backbones=(BackboneSpec("fake"),)), seeds=1, min_rows=5)
    recipes = [recipe("plain"), recipe("corrected", after=["last-layer"])]
    outcome = run_suite(recipes, faces, options, tmp_path)
    told = capsys.readouterr().err.splitlines()
    assert told == [f"note: {line}" for line in outcome.warnings]
    starts = [
        "1 picture is in several splits",
        "No bias of gender can be measured",
        "corrected: raking goes ",
    ]
    for start in starts:
        assert any(line.startswith(start) for line in outcome.warnings), start
    assert json.loads((tmp_path / "suite.json").read_text())["warnings"] == list(outcome.warnings)
    report = (tmp_path / "report.html").read_text()
    assert "What the faces do not allow" in report
    assert "corrected: raking goes " in report
    assert trained == [("plain", 0), ("corrected", 0)]
