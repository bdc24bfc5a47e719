"""Recipes: read, checked, refused with the nearest name."""

from collections import Counter
from pathlib import Path

import pytest

from fairage.exceptions import ConfigError, DataError
from fairage.experiments.recipe import Recipe, recipe_parts
from fairage.experiments.recipe_files import (
    read_recipe,
    recipe_from,
    shipped_recipes,
    suite_names,
)
from fairage.objectives.fairness.terms import Gap

MINIMAL = "experiment: x\nversion: y\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_suite_holds_experiments_0_and_1() -> None:
    versions = [(recipe.experiment, recipe.version) for recipe in shipped_recipes("published")]
    assert versions[:6] == [
        ("0", "baseline"),
        ("1", "loss 1a"),
        ("1", "loss 1b"),
        ("1", "loss 2a"),
        ("1", "loss 2b"),
        ("1", "loss 3"),
    ]


def test_defaults_are_the_kits() -> None:
    recipe = Recipe.model_validate({"experiment": "x", "version": "y"})
    training = recipe.training
    assert (training.epochs, training.batch_size, training.patience) == (50, 32, 5)
    assert training.learning_rate == 1e-4
    assert recipe.weighting.name == "none"


def test_the_study_s_weightings_are_trained_alike() -> None:
    recipes = [r for r in shipped_recipes("published") if r.experiment in ("0", "1")]
    assert {recipe.training for recipe in recipes} == {recipes[0].training}


def test_published_average_is_the_mean_of_the_published_biases() -> None:
    for recipe in shipped_recipes("published"):
        told = recipe.published
        if told is None:
            continue
        biases = [told[f"{name}_bias"] for name in ("gender", "expression", "ethnicity", "age")]
        assert sum(biases) / 4 == pytest.approx(told["average_bias"], abs=7e-4), recipe.version


def test_a_choice_may_carry_options(tmp_path: Path) -> None:
    text = MINIMAL + "weighting: {name: 1b, attributes: [gender]}\n"
    assert read_recipe(written(tmp_path, text)).weighting.options == {"attributes": ["gender"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINIMAL + "wieghting: 2b\n", "Did you mean 'weighting'"),
        (MINIMAL + "training: {epoch: 3}\n", "Did you mean 'epochs'"),
        (MINIMAL + "training: {epochs: 0}\n", "training.epochs"),
        (MINIMAL + "weighting: 2bb\n", "Did you mean '2b'"),
        (MINIMAL + "weighting: {name: 1b, attribute: [gender]}\n", "Did you mean 'attributes'"),
        (MINIMAL + "objective: msee\n", "Did you mean 'mse'"),
        (MINIMAL + "head: {name: regression, hiden: [3]}\n", "Did you mean 'hidden'"),
        (MINIMAL + "head: label-distrib\n", "Did you mean 'label-distribution'"),
        (MINIMAL + "objective: dldl\n", "expected a head .* among ['label-distribution'], got R"),
        (MINIMAL + "head: corn\n", "an objective among ['corn']"),
        (MINIMAL + "fairness: gapp\n", "Did you mean 'gap'"),
        (MINIMAL + "fairness: {name: gap, strenght: 2}\n", "Did you mean 'strength'"),
        (MINIMAL + "fairness: {name: gap, strength: 1e9}\n", "expected strength of the fairness"),
        (MINIMAL + "select: fairest\n", "select.rule"),
        (MINIMAL + "select: {rule: fair, dleta: 0.1}\n", "Did you mean 'delta'"),
        (MINIMAL + "select: {rule: fair, delta: -1}\n", "select.delta"),
        (MINIMAL + "after: [last-layr]\n", "Did you mean 'last-layer'"),
        (MINIMAL + "after: [{name: recalibrate, methd: linear}]\n", "Did you mean 'method'"),
        (MINIMAL + "after: recalibrate\n", "after"),
        (MINIMAL + "training: {optimizer: sgd}\n", "training.optimizer"),
        (MINIMAL + "training: {ema: 1.0}\n", "training.ema"),
        (MINIMAL + "training: {learning_rate: .inf}\n", "learning_rate: expected a finite number"),
        (MINIMAL + "training: {warmup: .inf}\n", "warmup: expected a finite number"),
        (MINIMAL + "fairness: {name: gap, attributes: []}\n", "got an empty list"),
        (MINIMAL + "training: {shedule: cosine}\n", "Did you mean 'schedule'"),
        ("experiment: x\n", "version"),
        ("- a\n- b\n", "expected a recipe"),
        ("a: [b\n", "expected YAML"),
        ("a: &x [1]\nb: *x\n", "an alias"),
        ("experiment: a\nexperiment: b\n", "the key 'experiment' more than once"),
        ("training: {epochs: 1, epochs: 2}\n", "the key 'epochs' more than once"),
        ("a: " + "[" * 40 + "]" * 40, "too deep"),
        ("a: " + "9" * 5000, "expected YAML"),
        ("a: 2020-13-45\n", "month must be"),
        ("a: " + "b" * 1_000_001, "at most 1,000,000 bytes"),
        ("", "expected a recipe"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong_in_which_file(tmp_path, text, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")) as error:
        read_recipe(path)
    assert str(path) in str(error.value)


FULL = """
weighting: {name: raking, power: 0.5, trim: 10}
head: {name: label-distribution, hidden: [384], layer_norm: true}
objective: {name: dldl, kl_weight: 2, mae_weight: 0.5}
fairness: {name: gap, strength: 0.5, attributes: [gender, age_group]}
select: fair
after: [last-layer, {name: recalibrate, method: linear}]
training: {optimizer: adamw, weight_decay: 1e-2, schedule: cosine, warmup: 1, ema: 0.99, mixup: 1}
"""


def test_every_part_can_be_chosen_by_name(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, MINIMAL + FULL))
    parts = recipe_parts(recipe)
    assert parts.fairness == Gap(strength=0.5, attributes=("gender", "age_group"))
    assert [type(step).__name__ for step in parts.after] == ["LastLayer", "Recalibrate"]
    assert (recipe.select.rule, recipe.select.delta) == ("fair", 0.03)
    assert recipe.training.ema == 0.99


def test_without_a_word_there_is_no_fairness_term_and_nothing_follows(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, MINIMAL))
    parts = recipe_parts(recipe)
    assert parts.fairness is None
    assert parts.after == ()
    assert recipe.select.rule == "loss"


def test_a_missing_file_and_an_unknown_name_differ() -> None:
    with pytest.raises(DataError, match="got no file"):
        read_recipe("nowhere.yaml")
    with pytest.raises(ConfigError, match="published/1-loss-2b"):
        read_recipe("published/1-loss-2bb")
    with pytest.raises(ConfigError, match="published"):
        shipped_recipes("publishd")


def test_the_fingerprint_follows_what_changes_the_model_alone() -> None:
    recipe = Recipe.model_validate({"experiment": "x", "version": "y"})
    renamed = recipe.model_copy(update={"description": "other"})
    changed = recipe.model_copy(
        update={"training": recipe.training.model_copy(update={"epochs": 3})}
    )
    assert recipe.fingerprint == renamed.fingerprint != changed.fingerprint


@pytest.mark.parametrize(("key", "of_all", "of_stage"), [("mixup", 1, 0), ("mixup_years", 3, 5)])
def test_what_a_stage_sets_back_is_part_of_the_fingerprint(
    key: str, of_all: float, of_stage: float
) -> None:
    told = {"experiment": "x", "version": "y", "training": {key: of_all}}
    inherited = Recipe.model_validate({**told, "stages": [{"name": "own"}]})
    set_back = Recipe.model_validate(
        {**told, "stages": [{"name": "own", "training": {key: of_stage}}]}
    )
    assert inherited.fingerprint != set_back.fingerprint


@pytest.mark.parametrize("value", [1e-9, -1, 5000])
def test_a_mixup_without_a_sense_is_refused_as_the_recipe_is_read(value: float) -> None:
    with pytest.raises(ConfigError, match=r"training\.mixup: expected 0 for none, or 0\.001"):
        recipe_from({"experiment": "x", "version": "y", "training": {"mixup": value}}, "mine")


@pytest.mark.parametrize(
    "recipe",
    [recipe for suite in suite_names() for recipe in shipped_recipes(suite)],
    ids=lambda recipe: recipe.slug,
)
def test_a_recipe_that_was_written_down_is_read_as_the_same(recipe: Recipe) -> None:
    assert recipe_from(recipe.model_dump(mode="json"), "again") == recipe


def test_every_row_of_the_study_has_a_recipe_with_its_numbers() -> None:
    rows = [r for r in shipped_recipes("published") if r.published]
    counts = Counter(recipe.experiment for recipe in rows)
    assert counts == {"0": 1, "1": 4, "2": 2, "3": 5, "4": 1, "task 1": 2}
    assert len({tuple(recipe.published.values()) for recipe in rows}) == 15
    augmented = {recipe.experiment for recipe in rows if recipe.augmentation}
    assert augmented == {"2", "3", "4", "task 1"}


def test_the_frontier_goes_from_accurate_to_fair_and_has_a_baseline_first() -> None:
    baseline, *others = shipped_recipes("frontier")
    assert baseline.experiment == "0"
    assert [bool(recipe.after) for recipe in others] == [False, False, False, True, True]
    assert [bool(recipe.fairness) for recipe in others] == [False] * 4 + [True]
    assert {name for recipe in others for name in recipe.extra_names} == {"utkface"}


def test_each_trial_changes_the_pretrained_recipe() -> None:
    baseline, *others = shipped_recipes("trials")
    assert baseline.fingerprint == read_recipe("frontier/2-pretrained").fingerprint
    assert len({recipe.fingerprint for recipe in (baseline, *others)}) == 1 + len(others)
    assert {recipe.head.name for recipe in others} == {baseline.head.name}


def test_an_error_does_not_repeat_a_long_text(tmp_path: Path) -> None:
    path = written(tmp_path, MINIMAL + f"training: {{optimizer: {'x' * 100_000}}}\n")
    with pytest.raises(ConfigError, match=r"training\.optimizer") as error:
        read_recipe(path)
    assert len(str(error.value)) < 1000
