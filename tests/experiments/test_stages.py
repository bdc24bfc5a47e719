"""Stages: what each inherits, what it trains on, that the head goes from one to the next."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from fairage.embeddings import Embeddings
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.fitting import check_fit, fit
from fairage.experiments.inputs import (
    EmbeddedFaces,
    embedded_extra,
    embedded_faces,
    load_embedded_faces,
)
from fairage.experiments.phases import resolve_phases, stage_recipe
from fairage.experiments.recipe_files import recipe_from
from fairage.experiments.runner import RUN, run_fingerprint, run_version
from fairage.experiments.training_data import TrainingData
from fairage.tables import Faces

TOLD = {"experiment": "4", "version": "staged", "training": {"epochs": 2, "learning_rate": 1e-2}}
TWO = [{"name": "one", "training": {"epochs": 3}}, {"name": "two", "weighting": "1b"}]
ELSEWHERE = [{"name": "elsewhere", "data": "utk"}, {"name": "here"}]


def recipe(stages=(), **more):
    return recipe_from({**TOLD, "stages": stages, **more}, "test")


@pytest.fixture
def with_extra(embedded: EmbeddedFaces, rng: np.random.Generator) -> EmbeddedFaces:
    """The faces, and 200 others of their own ethnicities, without an expression or a split."""
    ages = rng.uniform(1, 90, 200)
    frame = pl.DataFrame(
        {
            "image": [f"u{i}.jpg" for i in range(200)],
            "age": ages,
            "gender": rng.choice(["female", "male"], 200),
            "ethnicity": rng.choice(["white", "indian"], 200),
        }
    )
    values = rng.normal(size=(200, 6)).astype(np.float32)
    values[:, 0] = ages / 25
    found = Embeddings(values, np.arange(200), (), embedded.backbones, 0)
    return replace(embedded, extras={"utk": embedded_extra(Faces(frame), found)})


def test_unset_keys_are_the_recipes(embedded) -> None:
    one, two = resolve_phases(
        recipe(TWO, weighting="2b", objective="mae"), TrainingData(embedded)
    ).stages
    assert (one.settings.epochs, two.settings.epochs) == (3, 2)
    assert one.settings.learning_rate == two.settings.learning_rate == 1e-2
    assert list(one.weights.groups) != list(two.weights.groups)
    assert one.objective == two.objective


def test_every_stage_starts_from_what_the_one_before_left(embedded) -> None:
    still = {"training": {"epochs": 1, "learning_rate": 1e-12}}
    alone = fit(recipe([TWO[0]]), embedded, seed=0)
    followed = fit(recipe([TWO[0], {"name": "still", **still}]), embedded, seed=0)
    rows = torch.from_numpy(embedded.embeddings)
    assert torch.allclose(alone.head.ages(rows), followed.head.ages(rows), atol=1e-4)
    assert [trained.name for trained in followed.trainings] == ["one", "still"]


def test_one_stage_that_changes_nothing_is_the_plain_training_but_for_chance(embedded) -> None:
    plain, staged = (fit(recipe(s), embedded, seed=0) for s in ((), [{"name": "training"}]))
    assert all(
        torch.equal(plain.head.state_dict()[k], v) for k, v in staged.head.state_dict().items()
    )


def test_a_run_tells_its_trainings(embedded, tmp_path: Path) -> None:
    run_version(recipe(TWO), embedded, seed=0, folder=tmp_path / "seed-0")
    told = json.loads((tmp_path / "seed-0" / RUN).read_text())["trainings"]
    log = pl.read_csv(tmp_path / "seed-0" / "log.csv")
    assert [(t["name"], t["epochs"]) for t in told] == [("one", 3), ("two", 2)]
    assert log["training"].to_list() == ["one"] * 3 + ["two"] * 2
    assert told[0]["rows"] == embedded.counts["train"]
    assert told[0]["largest_weight"] == 1 < told[1]["largest_weight"]


def test_extra_faces_are_all_trained_on_and_the_faces_set_the_standardisation(with_extra) -> None:
    fitted = fit(recipe(ELSEWHERE), with_extra, seed=0)
    assert [trained.rows for trained in fitted.trainings] == [200, with_extra.counts["train"]]
    own = with_extra.split("train").embeddings
    np.testing.assert_allclose(fitted.head.mean.numpy(), own.mean(0), atol=1e-5)


def test_extra_faces_change_the_model(with_extra) -> None:
    elsewhere, here = (fit(recipe(s), with_extra, seed=0) for s in (ELSEWHERE, ELSEWHERE[1:]))
    rows = torch.from_numpy(with_extra.embeddings)
    assert not torch.equal(elsewhere.head.ages(rows), here.head.ages(rows))


def test_inherited_weights_and_term_keep_to_the_attributes_of_the_extra_faces(with_extra) -> None:
    told = {
        "weighting": {"name": "1b", "attributes": ["gender", "expression"]},
        "fairness": {"name": "gap", "attributes": ["expression", "gender"]},
    }
    one, two = resolve_phases(recipe(ELSEWHERE, **told), TrainingData(with_extra)).stages
    assert list(one.weights.groups) == ["gender", "age_group"]
    assert one.fairness.attributes == ("gender",)
    assert two.fairness.attributes == ("expression", "gender")


def test_without_a_known_attribute_an_inherited_term_is_left_out() -> None:
    told = recipe(ELSEWHERE, fairness={"name": "gap", "attributes": ["expression"]})
    assert stage_recipe(told, told.stages[0], known=["gender"]).fairness is None


def test_what_a_stage_itself_names_must_be_there(with_extra) -> None:
    stages = [{**ELSEWHERE[0], "weighting": {"name": "1b", "attributes": ["expression"]}}]
    with pytest.raises(DataError, match="got 'expression'"):
        check_fit(recipe(stages), with_extra)


def test_a_stage_can_do_without_the_recipes_term(embedded) -> None:
    told = recipe([{"name": "plain", "fairness": "none"}], fairness="gap")
    assert resolve_phases(told, TrainingData(embedded)).stages[0].fairness is None


def test_the_extra_faces_own_valid_rows_stop_their_stage(with_extra, rng) -> None:
    extra = with_extra.extra("utk")
    splits = pl.Series("split", ["valid"] * 40 + ["test"] * 20 + ["train"] * 140)
    found = Embeddings(extra.embeddings, np.arange(200), (), extra.backbones, 0)
    own = embedded_extra(Faces(extra.frame.with_columns(splits)), found)
    phase = resolve_phases(
        recipe(ELSEWHERE), TrainingData(replace(with_extra, extras={"utk": own}))
    ).stages[0]
    assert (len(phase.train), len(phase.valid)) == (160, 40)
    assert set(phase.valid.groups) == {"gender", "ethnicity", "age_group"}


def test_extra_faces_that_were_embedded_otherwise_are_refused(with_extra) -> None:
    (told,) = with_extra.backbones
    found = Embeddings(
        with_extra.embeddings,
        np.arange(len(with_extra.frame)),
        (),
        ({**told, "view": "crop:0.7"},),
        0,
    )
    with pytest.raises(
        DataError, match=r"'utk' are .* has the view 'whole' instead of 'crop:0\.7'"
    ):
        embedded_faces(with_extra.faces, found, with_extra.extras)


def test_extra_faces_of_valid_rows_alone_are_refused(with_extra) -> None:
    extra = with_extra.extra("utk")
    found = Embeddings(extra.embeddings, np.arange(200), (), extra.backbones, 0)
    faces = Faces(extra.frame.with_columns(pl.lit("valid").alias("split")))
    with pytest.raises(DataError, match="expected extra faces to train on"):
        embedded_extra(faces, found)


def test_extra_faces_enter_the_fingerprint_of_what_uses_them(with_extra, embedded) -> None:
    plain, staged = recipe(), recipe(ELSEWHERE)
    assert run_fingerprint(plain, embedded) == run_fingerprint(plain, with_extra)
    changed = replace(with_extra.extra("utk"), embeddings=with_extra.extra("utk").embeddings + 1)
    other = replace(with_extra, extras={"utk": changed})
    assert run_fingerprint(staged, with_extra) != run_fingerprint(staged, other)


def test_extra_faces_survive_saving(with_extra, tmp_path: Path) -> None:
    with_extra.save(tmp_path)
    found = load_embedded_faces(tmp_path)
    assert found.extra("utk").fingerprint == with_extra.extra("utk").fingerprint
    assert found.fingerprint == with_extra.fingerprint


def test_missing_extra_faces_say_how_to_hand_them_over(embedded) -> None:
    with pytest.raises(DataError, match="give --extra-faces utk=TABLE"):
        check_fit(recipe(ELSEWHERE), embedded)


def test_test_rows_change_nothing_in_a_staged_model(with_extra) -> None:
    other = with_extra.embeddings.copy()
    other[with_extra.frame["split"].to_numpy() == "test"] = 9
    heads = [
        fit(recipe(ELSEWHERE), data, seed=0).head.state_dict()
        for data in (with_extra, replace(with_extra, embeddings=other))
    ]
    assert all(torch.equal(heads[0][key], heads[1][key]) for key in heads[0])


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ({"epochs": 3}, "stages.0.name"),
        ({"name": "a", "training": {"epoch": 3}}, "Did you mean 'epochs'"),
        ({"name": "a", "epochs": 3}, "stages.0: key must be one of"),
        ({"name": "a", "train": "last"}, "stages.0.train"),
        ({"name": "a", "train": "last:0"}, "stages.0.train"),
        ({"name": "a", "weighting": "1bb"}, "Did you mean '1b'"),
        ({"name": "a", "objective": "dldl"}, "expected a head"),
        ({"name": "a", "fairness": "gapp"}, "Did you mean 'gap'"),
        ({"name": "a", "select": {"rule": "fair", "dleta": 1}}, "Did you mean 'delta'"),
        ({"name": "one"}, "a different name for each stage"),
    ],
)
def test_a_wrong_stage_says_what_is_wrong(stage, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        recipe([stage, {"name": "one"}])


@pytest.mark.parametrize("layers", ["all", "last:2"])
def test_a_stage_of_the_backbone_needs_images(layers: str, embedded) -> None:
    with pytest.raises(ConfigError, match="write train: head"):
        check_fit(recipe([{"name": "deep", "train": layers}]), embedded)
