"""The space of a search and the candidates that are drawn from it, with every kind of mistake."""

from pathlib import Path

import pytest

from fairage.exceptions import ConfigError, DataError
from fairage.experiments.recipe import Recipe
from fairage.experiments.recipe_files import read_recipe, recipe_from
from fairage.experiments.tuning.space import (
    candidate,
    check_space,
    embedding_candidates,
    read_space,
)

TOLD = {
    "experiment": "1",
    "version": "quick",
    "head": {"name": "regression", "hidden": [8]},
}


@pytest.fixture
def recipe() -> Recipe:
    return recipe_from(TOLD, "test")


@pytest.fixture
def space_file(tmp_path: Path):
    def write(text: str) -> Path:
        (tmp_path / "space.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "space.yaml"

    return write


def test_the_shipped_space_fits_every_plain_recipe(recipe: Recipe) -> None:
    for base in (recipe, read_recipe("published/0-baseline")):
        check_space(read_space(None), base)


def test_a_drawn_part_loses_the_recipes_options(recipe: Recipe) -> None:
    found = candidate(recipe, {"head, objective": ["coral", "coral"], "head.dropout": 0.1})
    assert found.head.options == {"dropout": 0.1}
    assert found.objective.name == "coral"
    assert candidate(recipe, {"head.dropout": 0.1}).head.options == {"hidden": [8], "dropout": 0.1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trainings.epochs: {choices: [1]}", "Did you mean 'training'"),
        ("training.epoch: {choices: [1]}", "Did you mean 'epochs'"),
        ("version: {choices: [a]}", "key must be one of"),
        ("weighting: {choices: [2bb]}", "Did you mean '2b'"),
        ("head: {choices: [corn]}", "expected a head for the objective"),
        ("head.dropouts: {low: 0.1, high: 0.2}", "Did you mean 'dropout'"),
        ("fairness.strength: {low: 0.1, high: 1}", "option of fairness"),
        ("training.epochs: {low: 9, high: 3}", "low below high"),
        ("training.epochs: {low: 0, high: 3, log: true}", "above 0 where log"),
        ("training.epochs: [1, 2]", "expected {low: .., high: .., log: true} or {choices"),
        ("training.epochs: {choices: []}", "expected {low: .., high: .., log: true} or {choices"),
        ("training.epochs: {low: 0, high: 3}", "expected 1 or more"),
        ("head, objective: {choices: [coral]}", "lists of 2 values"),
        ("augmentation.strength: {low: 0.1, high: 1}", "expected choices, as copies are embedded"),
        ("augmentation.seed: {choices: [1]}", "option of augmentation"),
        ("augmentation: {choices: [kitt]}", "Did you mean 'kit'"),
        ("[1, 2]", "expected keys of a recipe"),
        ("a: [", "expected YAML"),
    ],
)
def test_a_wrong_space_is_told(text: str, message: str, recipe: Recipe, space_file) -> None:
    with pytest.raises(ConfigError) as error:
        check_space(read_space(space_file(text)), recipe)
    assert message in str(error.value)


def test_a_missing_space_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got none"):
        read_space(tmp_path / "nowhere.yaml")


def test_what_is_drawn_of_an_augmentation_is_foreseen(recipe: Recipe, space_file) -> None:
    space = read_space(
        space_file(
            "augmentation: {choices: [null, kit, random]}\n"
            "augmentation.strength: {choices: [0.2, 0.4]}\n"
            "augmentation.copies: {choices: [all, groups]}\n"
            "training.epochs: {low: 3, high: 9}\n"
        )
    )
    check_space(space, recipe)
    found = [told.augmentation for told in embedding_candidates(space, recipe)]
    assert found.count(None) == 2
    kinds = {(f.name, f.options.get("strength"), f.copies.name) for f in found if f is not None}
    assert kinds == {
        (name, strength, copies)
        for copies in ("all", "groups")
        for name, strength in (("kit", None), ("random", 0.2), ("random", 0.4))
    }


def test_stages_that_go_with_another_drawn_key_alone_are_foreseen(
    recipe: Recipe, space_file
) -> None:
    space = read_space(
        space_file(
            '"head, objective": {choices: [[label-distribution, {name: dldl}]]}\n'
            "stages: {choices: [[{name: u, data: utk, objective: dldl}, {name: own}]]}\n"
        )
    )
    check_space(space, recipe)
    found = [told.extra_names for told in embedding_candidates(space, recipe)]
    assert found == [(), ("utk",)]
