"""Experts, parts, members and augmented copies: what is trained on what, and what comes out."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from fairage.exceptions import ConfigError, DataError
from fairage.experiments.fitting import check_fit, fit
from fairage.experiments.inputs import EmbeddedFaces, EmbeddedRows, load_embedded_faces
from fairage.experiments.recipe_files import recipe_from
from fairage.experiments.runner import BUNDLE, PREDICTIONS, RUN, run_fingerprint, run_version
from fairage.experiments.training_data import TrainingData, parts_of_rows, training_faces
from fairage.models import load_bundle, member_heads

TOLD = {"experiment": "3", "version": "several", "training": {"epochs": 2, "learning_rate": 1e-2}}
COPIED = {"augmentation": {"name": "kit", "copies": {"name": "groups", "times": 2}}}
ATTRIBUTES = ["gender", "age_group"]


def recipe(**more):
    return recipe_from({**TOLD, **more}, "test")


def experts(**more):
    return recipe(weighting="1b", experts={"attributes": ATTRIBUTES, **more})


@pytest.fixture
def copied(embedded: EmbeddedFaces) -> EmbeddedFaces:
    """The faces, with two copies of the embedding of each old training face."""
    choice = recipe(**COPIED).augmentation
    own = np.flatnonzero(embedded.frame["split"].to_numpy() == "train")
    rows = own[choice.chosen_copies().choose(embedded.frame[own]).rows]
    copies = EmbeddedRows(rows, embedded.embeddings[rows] + np.float32(0.1))
    return replace(embedded, copies={choice.key: copies})


@pytest.mark.parametrize("part", [None, np.array([0, 3, 130, 10_000])])
@pytest.mark.parametrize("more", [{}, COPIED])
def test_training_rows_are_faces_then_copies_and_faces_alone_standardise(
    copied, part, more
) -> None:
    choice = recipe(**more).augmentation
    own = copied.split("train")
    values = [own.embeddings] + ([copied.augmented(choice).embeddings] if choice else [])
    every = np.concatenate(values)
    chosen = np.arange(len(every)) if part is None else part[part < len(every)]
    data = TrainingData(copied, choice, part)
    found = data.rows_for()
    np.testing.assert_array_equal(found.train.embeddings, every[chosen])
    np.testing.assert_array_equal(found.faces.embeddings, every[chosen])
    np.testing.assert_array_equal(data.standardising(), own.embeddings)


def ages(fitted, data: EmbeddedFaces) -> torch.Tensor:
    return fitted.head.ages(torch.from_numpy(data.embeddings))


def test_each_expert_has_weights_of_its_own_and_then_all_are_trained_together(embedded) -> None:
    fitted = fit(experts(), embedded, seed=0)
    named = {trained.name: list(trained.weights.groups) for trained in fitted.trainings}
    assert named == {
        "gender expert": ["gender", "age_group"],
        "age expert": ["age_year"],
        "joint": ["gender", "ethnicity", "expression", "age_group"],
    }


def test_without_a_name_every_attribute_has_an_expert(embedded) -> None:
    fitted = fit(recipe(experts={}, training={"epochs": 1}), embedded, seed=0)
    assert list(fitted.experts) == ["gender", "ethnicity", "expression", "age_group"]


def test_an_expert_has_the_weights_that_the_recipe_names(embedded) -> None:
    told = experts(weightings={"gender": "kit"})
    names = [list(t.weights.groups) for t in fit(told, embedded, seed=0).trainings]
    assert names[0] == ["age_group"]


def test_the_run_tells_each_experts_own_scores(embedded, tmp_path: Path) -> None:
    run_version(experts(), embedded, seed=0, folder=tmp_path / "seed-0")
    told = json.loads((tmp_path / "seed-0" / RUN).read_text())
    assert list(told["experts"]) == ATTRIBUTES
    assert all(0 < told["experts"][name]["test"]["mae"] < 60 for name in ATTRIBUTES)
    assert told["experts"]["gender"]["test"] != told["experts"]["age_group"]["test"]
    head = load_bundle(tmp_path / "seed-0" / BUNDLE).head
    assert len(member_heads(head)) == 2


def test_an_average_that_is_not_trained_is_the_mean_of_its_experts(embedded) -> None:
    fitted = fit(experts(merge="average", joint=False), embedded, seed=0)
    rows = torch.from_numpy(embedded.embeddings)
    mean = torch.stack([head.ages(rows) for head in fitted.experts.values()]).mean(dim=0)
    torch.testing.assert_close(ages(fitted, embedded), mean, rtol=1e-4, atol=1e-3)
    assert [trained.name for trained in fitted.trainings] == ["gender expert", "age expert"]


@pytest.mark.parametrize("merge", ["dense", "gate"])
def test_without_joint_training_the_merge_alone_is_trained(merge, embedded) -> None:
    fitted = fit(experts(merge=merge, joint=False), embedded, seed=0)
    rows = torch.from_numpy(embedded.embeddings)
    for expert, member in zip(fitted.experts.values(), member_heads(fitted.head), strict=True):
        assert torch.equal(expert.ages(rows), member.ages(rows))
    mean = torch.stack([head.ages(rows) for head in fitted.experts.values()]).mean(dim=0)
    assert not torch.allclose(ages(fitted, embedded), mean, atol=1e-2)


def test_the_joint_training_may_go_slower(embedded) -> None:
    slow = {"joint_training": {"learning_rate": 1e-12, "epochs": 1}}
    fitted = fit(experts(**slow), embedded, seed=0)
    rows = torch.from_numpy(embedded.embeddings)
    mean = torch.stack([head.ages(rows) for head in fitted.experts.values()]).mean(dim=0)
    torch.testing.assert_close(ages(fitted, embedded), mean, rtol=1e-3, atol=1e-2)


def test_experts_of_another_kind_are_joined_by_errors_in_years(embedded) -> None:
    told = {"head": "label-distribution", "objective": "dldl", "experts": {"merge": "gate"}}
    fitted = fit(recipe(**told), embedded, seed=0)
    assert fitted.head_config["members"][0] == {"name": "label-distribution"}
    assert torch.isfinite(ages(fitted, embedded)).all()


def test_experts_start_from_the_head_that_the_stages_left(embedded) -> None:
    still = {"training": {"epochs": 1, "learning_rate": 1e-12}}
    stages = [{"name": "before", "training": {"epochs": 3, "learning_rate": 1e-2}}]
    before = fit(recipe(stages=stages, **still), embedded, seed=0)
    told = {"attributes": ATTRIBUTES, "merge": "average", "joint": False}
    fitted = fit(recipe(stages=stages, experts=told, **still), embedded, seed=0)
    torch.testing.assert_close(ages(fitted, embedded), ages(before, embedded), rtol=1e-3, atol=1e-2)


def test_members_differ_and_are_averaged(embedded) -> None:
    fitted = fit(recipe(members=3), embedded, seed=0)
    rows = torch.from_numpy(embedded.embeddings)
    found = torch.stack([member.ages(rows) for member in member_heads(fitted.head)])
    assert found.std(dim=0).min() > 0
    torch.testing.assert_close(ages(fitted, embedded), found.mean(0), rtol=1e-4, atol=1e-3)
    assert [t.name for t in fitted.trainings][1] == "member 2: training"


def test_parts_share_the_training_rows_and_the_copies_out(copied) -> None:
    told = recipe(parts=2, **COPIED)
    n = copied.counts["train"] + len(copied.augmented(told.augmentation).rows)
    fitted = fit(told, copied, seed=0)
    assert sorted(t.rows for t in fitted.trainings) == [n // 2, n - n // 2]
    parts = parts_of_rows(copied, told.augmentation, parts=2, seed=0)
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))
    assert len(member_heads(fitted.head)) == 2


def test_copies_count_as_training_rows_with_the_labels_of_their_source(copied) -> None:
    told = recipe(weighting="1b", **COPIED)
    copies = copied.augmented(told.augmentation)
    found = training_faces(copied, told.augmentation, None)
    own = copied.counts["train"]
    assert found.frame[own:].equals(copied.frame[copies.rows])
    np.testing.assert_array_equal(found.embeddings[own:], copies.embeddings)
    assert fit(told, copied, seed=0).trainings[0].rows == own + len(copies.rows)


def test_a_stage_may_leave_the_copies_out(copied) -> None:
    stages = [{"name": "both"}, {"name": "own", "augmented": False}]
    rows = [t.rows for t in fit(recipe(stages=stages, **COPIED), copied, seed=0).trainings]
    assert rows[1] == copied.counts["train"] < rows[0]


def test_a_part_of_the_faces_alone_holds_no_copy(copied) -> None:
    told = recipe(parts=2, stages=[{"name": "own", "augmented": False}], **COPIED)
    rows = [trained.rows for trained in fit(told, copied, seed=0).trainings]
    assert sum(rows) == copied.counts["train"]


def test_copies_do_not_move_the_standardisation(copied) -> None:
    fitted = fit(recipe(**COPIED), copied, seed=0)
    own = copied.split("train").embeddings
    np.testing.assert_allclose(fitted.head.mean.numpy(), own.mean(0), atol=1e-5)


def test_copies_survive_saving_and_enter_the_fingerprint(copied, tmp_path: Path) -> None:
    told = recipe(**COPIED)
    copied.save(tmp_path)
    assert run_fingerprint(told, load_embedded_faces(tmp_path)) == run_fingerprint(told, copied)
    key = told.augmentation.key
    moved = replace(copied.copies[key], embeddings=copied.copies[key].embeddings + 1)
    assert run_fingerprint(told, copied) != run_fingerprint(
        told, replace(copied, copies={key: moved})
    )


def test_an_augmentation_may_be_its_name_alone() -> None:
    assert recipe(augmentation="random").augmentation.copies.name == "all"


def test_missing_copies_are_an_error(embedded) -> None:
    with pytest.raises(DataError, match="expected embedded copies for the augmentation"):
        check_fit(recipe(**COPIED), embedded)


ALL = {"weighting": "1b", "experts": {"attributes": ATTRIBUTES}, "parts": 2, "members": 2}
AFTER = [
    {"name": "last-layer", "weighting": "mean-harmonic", "steps": 5},
    {"name": "recalibrate", "weighting": "mean-harmonic"},
]
VARIANTS = {
    "experts": {"experts": {"attributes": ATTRIBUTES}},
    "gate": {"experts": {"attributes": ATTRIBUTES, "merge": "gate"}},
    "average": {"experts": {"attributes": ATTRIBUTES, "merge": "average"}},
    "members": {"members": 2},
    "all": ALL,
}


@pytest.mark.parametrize("variant", list(VARIANTS))
@pytest.mark.parametrize("after", [[], AFTER], ids=["alone", "after"])
def test_the_bundle_of_every_variant_predicts_what_the_run_wrote(
    variant: str, after, embedded, tmp_path: Path
) -> None:
    told = recipe(**VARIANTS[variant], after=after)
    run_version(told, embedded, seed=0, folder=tmp_path / "seed-0")
    head = load_bundle(tmp_path / "seed-0" / BUNDLE)
    again = head.ages(embedded.split("test").embeddings, embedded.backbones)
    found = pl.read_parquet(tmp_path / "seed-0" / PREDICTIONS)["prediction"].to_numpy()
    np.testing.assert_array_equal(again, found)
    assert (head.head.calibration is not None) == bool(after)


def test_what_follows_changes_each_member_of_an_average(embedded) -> None:
    plain, refitted = (fit(recipe(members=2, after=a), embedded, seed=0) for a in ([], AFTER[:1]))
    pairs = zip(member_heads(plain.head), member_heads(refitted.head), strict=True)
    rows = torch.from_numpy(embedded.embeddings)
    assert all(not torch.equal(one.ages(rows), two.ages(rows)) for one, two in pairs)


def test_the_same_seed_gives_the_same_ensemble(embedded) -> None:
    one, two, other = (ages(fit(recipe(**ALL), embedded, seed=s), embedded) for s in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"experts": {"atributes": ["gender"]}}, "Did you mean 'attributes'"),
        ({"experts": {"attributes": []}}, "experts.attributes"),
        ({"experts": {"merge": "mean"}}, "experts.merge"),
        ({"experts": {"weightings": {"gender": "1bb"}}}, "Did you mean '1b'"),
        ({"experts": {"joint_objective": "dldl"}}, "expected a head"),
        ({"experts": {"joint_training": {"epoch": 3}}}, "Did you mean 'epochs'"),
        ({"members": 0}, "members"),
        ({"parts": 0}, "parts"),
        ({"augmentation": ["kit"]}, "augmentation"),
        ({"augmentation": {"name": "kitt"}}, "Did you mean 'kit'"),
        ({"augmentation": {"name": "kit", "strenght": 1}}, "option of augmentation 'kit'"),
        ({"augmentation": {"name": "kit", "copies": "al"}}, "Did you mean 'all'"),
        ({"augmentation": {"name": "kit", "copies": {"name": "all", "tmes": 1}}}, "'times'"),
    ],
)
def test_a_wrong_ensemble_says_what_is_wrong(told, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        recipe(**told)


def test_an_expert_of_an_unknown_attribute_is_an_error(embedded) -> None:
    with pytest.raises(DataError, match="got 'gendr'"):
        check_fit(recipe(experts={"attributes": ["gendr"]}), embedded)


def test_a_weighting_of_an_unknown_expert_is_refused_with_the_nearest_name(embedded) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'gender'"):
        check_fit(recipe(experts={"weightings": {"gendr": "1b"}}), embedded)


def test_more_parts_than_rows_are_an_error(embedded) -> None:
    with pytest.raises(ConfigError, match="parts"):
        check_fit(recipe(parts=100_000), embedded)


def test_a_suite_is_told_of_a_term_that_the_faces_do_not_allow(embedded) -> None:
    with pytest.raises(DataError, match="two groups or more"):
        check_fit(recipe(fairness={"name": "gap", "min_rows": 10_000}), embedded)
    with pytest.raises(ConfigError, match="Did you mean 'gender'"):
        check_fit(recipe(fairness={"name": "gap", "attributes": ["gendr"]}), embedded)
