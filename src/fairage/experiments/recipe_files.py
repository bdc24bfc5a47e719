"""Recipes as YAML files that a person can read, and those that fairage ships."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from fairage._settings import config_error
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.phases import check_recipe
from fairage.experiments.recipe import ExpertsChoice, Recipe, Stage
from fairage.training import BackboneSettings, Selection, TrainingSettings

FOLDER = Path(__file__).parent / "recipes"
_KEYS = {
    (): Recipe.model_fields,
    ("training",): TrainingSettings.model_fields,
    ("select",): Selection.model_fields,
    ("stages",): Stage.model_fields,
    ("stages", "training"): TrainingSettings.model_fields,
    ("stages", "select"): Selection.model_fields,
    ("stages", "finetuning"): BackboneSettings.model_fields,
    ("experts",): ExpertsChoice.model_fields,
    ("experts", "joint_training"): TrainingSettings.model_fields,
}
"""The keys beneath each place of a recipe."""


def read_recipe(name: str | Path) -> Recipe:
    """Return the recipe of a YAML file, or the shipped one of this name.

    Raises:
        ConfigError: A key or a name is not known (the nearest one is named), or a value is wrong.

    Examples:
        >>> read_recipe("published/1-loss-2b").weighting.name
        '2b'
    """
    path = _find(name)
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ConfigError(
            f"expected a recipe with the keys experiment and version in {str(path)!r}, "
            f"got {type(content).__name__}, see the shipped recipes for a model"
        )
    return recipe_from(content, str(path))


LARGEST = 1_000_000
"""Most bytes of a YAML file."""

_DEEPEST, _LONGEST_REASON = 30, 200


class _PlainLoader(yaml.SafeLoader):
    """Reads plain YAML alone: an alias, a repeated key and deep nesting are errors.

    A few hundred bytes of aliases stand for gigabytes, and of a repeated key one value is lost.
    """

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the next node, or raise where it is an alias or lies too deep."""
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # of PyYAML
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "an alias (*name): write it out", mark)
        if self._depth >= _DEEPEST:
            raise yaml.composer.ComposerError(None, None, "nesting that is too deep", mark)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping, or raise where it has a key twice."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = [key for key in keys if keys.count(key) > 1]
        if twice:
            message = f"the key {twice[0]!r} more than once"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:  # noqa: ANN401  # whatever stands in it
    """Return what a YAML file holds.

    Raises:
        ConfigError: It is no YAML, is larger than a megabyte, nests too deep, or has an alias or a
            repeated key.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigError(
                f"expected YAML of at most {LARGEST:,} bytes in {str(path)!r}, got "
                f"{path.stat().st_size:,}, give another file"
            )
        return yaml.load(path.read_text(encoding="utf-8"), _PlainLoader)  # a safe loader
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        reason = " ".join(str(error).split())
        if len(reason) > _LONGEST_REASON:
            reason = f"{reason[:_LONGEST_REASON]}..."
        raise ConfigError(f"expected YAML in {str(path)!r}, got {reason}, correct it") from error


def recipe_from(content: dict[str, Any], source: str) -> Recipe:
    """Return the recipe that this mapping describes; `source` names it in messages."""
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        raise config_error(error, _KEYS).at(source) from error
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
