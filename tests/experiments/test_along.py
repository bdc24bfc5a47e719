"""An expert alone and the same one within an ensemble: one training, two runs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fairage.experiments.plan import Plan, Version
from fairage.experiments.recipe_files import recipe_from, shipped_recipes
from fairage.experiments.runner import BUNDLE, LOG, PREDICTIONS, RUN, run_version
from fairage.experiments.schedule import Batch, Job, runs_by_ensembles, trains_expert
from fairage.experiments.suite import run_plan
from fairage.models import load_bundle

TOLD = {"experiment": "3", "training": {"epochs": 3, "learning_rate": 1e-2}}
GENDER = {"version": "gender expert", "weighting": {"name": "expert", "attribute": "gender"}}
AGE = {"version": "age expert", "weighting": {"name": "expert", "attribute": "age_group"}}
EXPERTS = {"attributes": ["gender", "age_group"]}


def recipe(**more):
    return recipe_from({**TOLD, "version": "overall", **more}, "test")


def overall(**more):
    return recipe(weighting="1b", experts=EXPERTS, **more)


def run_files(folder: Path) -> list[object]:
    """What a run wrote, but for how long it took."""
    told = json.loads((folder / RUN).read_text())
    for training in told["trainings"]:
        assert training.pop("seconds") >= 0
    assert told.pop("hash")  # of the seconds too
    weights = load_bundle(folder / BUNDLE).head.state_dict()
    return [told, weights, (folder / PREDICTIONS).read_bytes(), (folder / LOG).read_text()]


def assert_same_run(one: Path, other: Path) -> None:
    told, weights, *files = run_files(one)
    told_too, weights_too, *files_too = run_files(other)
    assert told == told_too
    assert files == files_too
    assert all(torch.equal(weights[name], weights_too[name]) for name in weights)


@pytest.mark.parametrize("told", [GENDER, AGE])
def test_an_expert_trained_along_is_the_run_that_it_would_be_alone(
    told, embedded, tmp_path: Path
) -> None:
    alone, ensemble = recipe(**told), overall()
    assert trains_expert(ensemble, alone)
    run_version(alone, embedded, seed=1, folder=tmp_path / "alone")
    experts = [(alone, tmp_path / "along")]
    run_version(ensemble, embedded, seed=1, folder=tmp_path / "overall", experts=experts)
    assert_same_run(tmp_path / "along", tmp_path / "alone")


@pytest.mark.parametrize(
    ("ensemble", "alone"),
    [
        (overall(), recipe(**GENDER, training={"epochs": 2})),
        (overall(), recipe(**GENDER, fairness={"name": "gap", "attributes": ["gender"]})),
        (overall(), recipe(weighting={"name": "expert", "attribute": "ethnicity"})),
        (overall(), recipe(weighting="1b")),
        (overall(), overall()),
        (recipe(weighting="1b"), recipe(**GENDER)),
        (overall(members=2), recipe(**GENDER)),
        (overall(parts=2), recipe(**GENDER)),
        (overall(stages=[{"name": "before"}]), recipe(**GENDER)),
        (
            overall(after=[{"name": "recalibrate"}]),
            recipe(**GENDER, after=[{"name": "recalibrate"}]),
        ),
        (recipe(experts={**EXPERTS, "weightings": {"gender": "kit"}}), recipe(**GENDER)),
    ],
)
def test_another_training_is_not_trained_along(ensemble, alone) -> None:
    assert not trains_expert(ensemble, alone)


def test_the_studys_ensemble_trains_its_four_experts_along() -> None:
    recipes = {recipe.version: recipe for recipe in shipped_recipes("published")}
    along = {name for name, told in recipes.items() if trains_expert(recipes["overall"], told)}
    assert along == {f"{name} expert" for name in ("gender", "ethnicity", "expression", "age")}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_plan_ends_with_the_same_runs_whether_experts_are_trained_along(
    workers: int, plan_of, tmp_path: Path
) -> None:
    alone, ensemble = recipe(**GENDER), overall()
    found = run_plan(plan_of(alone, ensemble, workers=workers), tmp_path / "both")
    assert found.new_runs == 4
    run_plan(plan_of(alone), tmp_path / "alone")
    for seed in range(2):
        folder = Path("3-gender-expert") / f"seed-{seed}"
        assert_same_run(tmp_path / "both" / folder, tmp_path / "alone" / folder)


def test_an_ensemble_of_other_faces_trains_nothing_along(embedded, tmp_path: Path) -> None:
    others = replace(embedded, embeddings=embedded.embeddings[:, ::-1].copy())
    versions = [Version(recipe(**GENDER), embedded), Version(overall(), others)]
    run_plan(Plan("test", versions, 1, 1, {}, []), tmp_path / "both")
    run_version(recipe(**GENDER), embedded, seed=0, folder=tmp_path / "alone")
    assert_same_run(tmp_path / "both" / "3-gender-expert" / "seed-0", tmp_path / "alone")


def test_of_two_ensembles_with_the_same_expert_one_trains_it_along(embedded) -> None:
    others = [overall(), recipe(version="other", experts=EXPERTS)]
    batches = [
        Batch([Job(told, 0, Path(told.version))], embedded) for told in (recipe(**GENDER), *others)
    ]
    along = [[job.experts for job in batch.jobs] for batch in runs_by_ensembles(batches)]
    assert along == [[tuple(batches[0].jobs)], [()]]


def test_what_is_missing_is_trained_with_or_without_its_ensemble(
    plan_of, trained, tmp_path: Path
) -> None:
    told = plan_of(recipe(**GENDER), overall())
    run_plan(told, tmp_path)
    tables = (tmp_path / "results.csv").read_text(), (tmp_path / "summary.csv").read_text()
    for lost, needed in (
        (("gender-expert",), "gender expert"),
        (("overall",), "overall"),
        (("overall", "gender-expert"), "overall"),
    ):
        trained.clear()
        for name in lost:
            (tmp_path / f"3-{name}" / "seed-1").rename(
                tmp_path / f"lost-{name}-{needed}-{len(lost)}"
            )
        run_plan(told, tmp_path)
        assert trained == [(needed, 1)]
        assert tables == (
            (tmp_path / "results.csv").read_text(),
            (tmp_path / "summary.csv").read_text(),
        )
