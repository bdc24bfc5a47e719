"""Recipes as YAML files that a person can read, and those that fairage ships."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from fairage.exceptions import ConfigError, DataError
from fairage.experiments.phases import check_recipe
from fairage.experiments.recipe import (
    AugmentationChoice,
    Choice,
    ExpertsChoice,
    FineTuningChoice,
    Parts,
    Recipe,
    Select,
    Stage,
    Training,
    TrainingChanges,
    parts_of,
)

__all__ = [
    "AugmentationChoice",
    "Choice",
    "ExpertsChoice",
    "Parts",
    "Recipe",
    "Select",
    "Stage",
    "Training",
    "parts_of",
    "read_recipe",
    "recipe_from",
    "shipped_recipes",
    "suite_names",
]

FOLDER = Path(__file__).parent / "recipes"
KEYS: dict[object, type[BaseModel]] = {
    "training": Training,
    "select": Select,
    "stages": Stage,
    "experts": ExpertsChoice,
    "joint_training": TrainingChanges,
    "finetuning": FineTuningChoice,
}
"""What has keys of its own within a recipe."""


def read_recipe(name: str | Path) -> Recipe:
    """Return the recipe of a YAML file, or the shipped one of this name.

    Raises:
        ConfigError: A key or a name is not known (the nearest one is named), or a value is wrong.

    Examples:
        >>> read_recipe("published/1-loss-2b").weighting.name
        '2b'
    """
    path = _find(name)
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"expected YAML in {str(path)!r}, got {reason}, correct it") from error
    if not isinstance(told, dict):
        raise ConfigError(
            f"expected a recipe with the keys experiment and version in {str(path)!r}, "
            f"got {type(told).__name__}, see the shipped recipes for a model"
        )
    return recipe_from(told, str(path))


def recipe_from(told: dict[str, Any], source: str) -> Recipe:
    """Return the recipe that this mapping describes; `source` names it in messages."""
    try:
        recipe = Recipe.model_validate(told)
    except ValidationError as error:
        raise _explain(error, source) from error
    try:
        check_recipe(recipe)
    except ConfigError as error:
        raise error.at(source) from error
    return recipe


def shipped_recipes(suite: str) -> list[Recipe]:
    """Return the recipes of a suite that fairage ships, in the order of their file names."""
    if suite not in suite_names():
        raise ConfigError.unknown_name("suite", suite, suite_names())
    return [read_recipe(path) for path in sorted((FOLDER / suite).glob("*.yaml"))]


def suite_names() -> list[str]:
    """Return the names of the shipped suites."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def _find(name: str | Path) -> Path:
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if path.is_file():
            return path
        raise DataError(f"expected a recipe file, got no file {str(path)!r}, check the path")
    shipped = {f"{p.parent.name}/{p.stem}": p for p in FOLDER.glob("*/*.yaml")}
    if str(name) not in shipped:
        raise ConfigError.unknown_name("recipe", str(name), shipped)
    return shipped[str(name)]


def _explain(error: ValidationError, source: str) -> ConfigError:
    """Say the first thing that is wrong, with the nearest known key."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        model = next((KEYS[key] for key in reversed(first["loc"][:-1]) if key in KEYS), Recipe)
        unknown = ConfigError.unknown_name("key", str(first["loc"][-1]), model.model_fields)
        return ConfigError(f"{source}: {unknown}")
    return ConfigError(
        f"{source}: {where}: expected {_lower(first['msg'])}, got {first['input']!r}, correct it"
    )


def _lower(message: str) -> str:
    for prefix in ("Input should be ", "Field ", "Value error, "):
        message = message.removeprefix(prefix)
    return message[:1].lower() + message[1:]
