"""The space of a search: which keys of a recipe are drawn, and from what; a YAML file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from fairage.exceptions import ConfigError, DataError
from fairage.experiments.recipe import Recipe

__all__ = ["Choices", "Drawing", "Range", "Space", "read_space"]

DEFAULT = Path(__file__).parent / "spaces" / "default.yaml"
FIXED = {"experiment", "version", "description", "published"}


class Drawing(Protocol):
    """Draws values by name, as a trial of optuna does."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        """Return a number between the two."""
        ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        """Return a whole number between the two, or one of them."""
        ...

    def suggest_categorical(self, name: str, choices: list[str]) -> str:
        """Return one of the texts."""
        ...


class Range(BaseModel):
    """Numbers from low to high; whole ones where both are whole, evenly by size under `log`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    low: int | float = Field(description="The smallest value.")
    high: int | float = Field(description="The largest value.")
    log: bool = Field(False, description="Draw the logarithm evenly.")

    @model_validator(mode="after")
    def _rising(self) -> "Range":
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError("low below high, and above 0 where log is true")
        return self

    def draw(self, drawing: Drawing, name: str) -> float:
        """Return a drawn value."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return drawing.suggest_int(name, self.low, self.high, log=self.log)
        return drawing.suggest_float(name, float(self.low), float(self.high), log=self.log)

    def values(self) -> list[Any]:
        """Return the values at the ends."""
        return [self.low, self.high]


class Choices(BaseModel):
    """One of a few values, of any kind that a recipe takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    choices: tuple[Any, ...] = Field(min_length=1, description="What is drawn from.")

    def draw(self, drawing: Drawing, name: str) -> Any:  # noqa: ANN401  # whatever the recipe takes
        """Return a drawn value; optuna keeps it as JSON, so that it may be a list or a mapping."""
        return json.loads(drawing.suggest_categorical(name, [json.dumps(c) for c in self.choices]))

    def values(self) -> list[Any]:
        """Return all values."""
        return list(self.choices)


@dataclass(frozen=True)
class Space:
    """What is drawn for each key.

    Args:
        domains: By key, `training.learning_rate`, or by keys that are drawn together, `head,
            objective`, whose choices are lists.
        source: Where it was read, for messages.
    """

    domains: Mapping[str, Range | Choices]
    source: str

    def told(self) -> dict[str, Any]:
        """Return the space as plain values, the order included."""
        return {key: domain.model_dump(mode="json") for key, domain in self.domains.items()}


def read_space(path: Path | None) -> Space:
    """Return the space of a YAML file, or the one that fairage ships.

    Raises:
        ConfigError: It is not YAML, a key is no recipe's, or a domain is neither kind.
        DataError: There is no such file.

    Examples:
        >>> read_space(None).domains["training.batch_size"].values()
        [64, 128, 256, 512]
    """
    path = path or DEFAULT
    if not path.is_file():
        raise DataError(f"expected a file of a search space, got none {str(path)!r}, check it")
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"expected YAML in {str(path)!r}, got {reason}, correct it") from error
    if not isinstance(told, dict) or not told:
        raise ConfigError(
            f"expected keys of a recipe in {str(path)!r}, got {type(told).__name__}, write for "
            "example training.batch_size: {choices: [64, 256]}"
        )
    return Space({_key(key, path): _domain(key, told[key], path) for key in told}, str(path))


def _key(text: object, path: Path) -> str:
    """Return the key or keys, after a look at their first words."""
    keys = [part.strip() for part in str(text).split(",")]
    known = set(Recipe.model_fields) - FIXED
    for key in keys:
        first = key.split(".")[0]
        if first not in known:
            raise ConfigError(f"{path}: {ConfigError.unknown_name('key', first, known)}")
    return ", ".join(keys)


def _domain(key: object, told: object, path: Path) -> Range | Choices:
    kind: type[Range | Choices] = Range
    if isinstance(told, Mapping) and "choices" in told:
        kind = Choices
    try:
        found: Range | Choices = TypeAdapter(kind).validate_python(told)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (key, *first["loc"])))
        reason = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        raise ConfigError(
            f"{path}: {where}: expected {{low: .., high: .., log: true}} or {{choices: [..]}}, got "
            f"{told!r} ({reason}), correct it"
        ) from error
    _check_together(str(key), found, path)
    return found


def _check_together(key: str, domain: Range | Choices, path: Path) -> None:
    """Refuse keys that are drawn together without one value each."""
    n = len(key.split(","))
    fitting = [isinstance(value, list) and len(value) == n for value in domain.values()]
    if n > 1 and not all(fitting):
        raise ConfigError(
            f"{path}: {key}: expected choices that are lists of {n} values, one a key, got "
            f"{domain.values()[fitting.index(False)]!r}, correct it"
        )
