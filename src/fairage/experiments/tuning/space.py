"""The space of a search: which keys of a recipe are drawn, and from what; a YAML file."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from fairage._settings import expectation
from fairage._text import short
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.recipe import Recipe
from fairage.experiments.recipe_files import read_yaml, recipe_from
from fairage.faces.augmentation import AUGMENTATIONS
from fairage.models import HEADS
from fairage.objectives import OBJECTIVES
from fairage.objectives.fairness import FAIRNESS
from fairage.weighting import WEIGHTINGS

DEFAULT = Path(__file__).parents[1] / "spaces" / "default.yaml"
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

    def content(self) -> dict[str, Any]:
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
    content = read_yaml(path)
    if not isinstance(content, dict) or not content:
        raise ConfigError(
            f"expected keys of a recipe in {str(path)!r}, got {type(content).__name__}, write for "
            "example training.batch_size: {choices: [64, 256]}"
        )
    return Space({_key(key, path): _domain(key, content[key], path) for key in content}, str(path))


def _key(text: object, path: Path) -> str:
    """Return the key or keys, after a look at their first words."""
    keys = [part.strip() for part in str(text).split(",")]
    known = set(Recipe.model_fields) - FIXED
    for key in keys:
        first = key.split(".")[0]
        if first not in known:
            raise ConfigError(f"{path}: {ConfigError.unknown_name('key', first, known)}")
    return ", ".join(keys)


def _domain(key: object, value: object, path: Path) -> Range | Choices:
    kind: type[Range | Choices] = Range
    if isinstance(value, Mapping) and "choices" in value:
        kind = Choices
    try:
        domain: Range | Choices = TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (key, *first["loc"])))
        raise ConfigError(
            f"{path}: {where}: expected {{low: .., high: .., log: true}} or {{choices: [..]}}, got "
            f"{short(value, 200)} ({expectation(first)}), correct it"
        ) from error
    _check_together(str(key), domain, path)
    return domain


def _check_together(key: str, domain: Range | Choices, path: Path) -> None:
    """Refuse keys that are drawn together without one value each."""
    n = len(key.split(","))
    fitting = [isinstance(value, list) and len(value) == n for value in domain.values()]
    if n > 1 and not all(fitting):
        raise ConfigError(
            f"{path}: {key}: expected choices that are lists of {n} values, one a key, got "
            f"{domain.values()[fitting.index(False)]!r}, correct it"
        )


PARTS: dict[str, Mapping[str, type]] = {
    "weighting": WEIGHTINGS,
    "head": HEADS,
    "objective": OBJECTIVES,
    "fairness": FAIRNESS,
    "augmentation": AUGMENTATIONS,
}
AUGMENTATION, STAGES = "augmentation", "stages"
OF_COPIES = {"copies", "seed"}

Values = dict[str, Any]


def draw(drawing: Drawing, space: Space, recipe: Recipe) -> Values:
    """Return a value for each key; options of a part that was not drawn are left out.

    Args:
        drawing: A trial.
        space: What is drawn.
        recipe: The base, whose parts stay where the space does not name them.
    """
    values: Values = {}
    for key in _in_order(space):
        if _applies(key, values, recipe):
            values[key] = space.domains[key].draw(drawing, key)
    return values


def candidate(recipe: Recipe, values: Values, source: str = "candidate") -> Recipe:
    """Return the recipe with these values; a part that is drawn loses the recipe's own options.

    Raises:
        ConfigError: A value does not fit.

    Examples:
        >>> base = recipe_from({"experiment": "1", "version": "mine"}, "example")
        >>> linear = candidate(base, {"head": "linear", "head.dropout": 0.2})
        >>> linear.head.name, linear.head.options
        ('linear', {'dropout': 0.2})
    """
    return recipe_from(_with(recipe, values), source)


def embedding_candidates(space: Space, recipe: Recipe) -> list[Recipe]:
    """Return the recipe, and a candidate for each augmentation and each stages that may be drawn.

    Between them they train on all extra faces and copies that a search can come to, so that these
    are embedded before the first trial. They are not for training: stages may need another drawn
    key, such as the head, to go with their losses.

    Examples:
        >>> base = recipe_from({"experiment": "1", "version": "mine"}, "example")
        >>> space = Space({"augmentation": Choices(choices=(None, "kit", "random"))}, "example")
        >>> len(embedding_candidates(space, base))
        4
    """
    drawn: list[Values] = [{}]
    for key in filter(_is_embedded, _in_order(space)):
        drawn = [
            {**values, **more}
            for values in drawn
            for more in _each(space, key, applies=_applies(key, values, recipe))
        ]
    return [recipe, *(Recipe.model_validate(_with(recipe, values)) for values in drawn)]


def check_space(space: Space, recipe: Recipe) -> None:
    """Raise a ConfigError where a value of the space, alone changed, does not give a recipe."""
    for key, domain in space.domains.items():
        part, _, option = key.partition(".")
        if part == AUGMENTATION and not isinstance(domain, Choices):
            raise ConfigError(
                f"{space.source}: {key}: expected choices, as copies are embedded before the first "
                f"trial, got the range {domain.low}..{domain.high}, write {{choices: [..]}}"
            )
        if part in PARTS and option:
            _check_option(space, recipe, part, option)
    first = {key: domain.values()[0] for key, domain in space.domains.items()}
    for key, domain in space.domains.items():
        for value in domain.values():
            chosen: Values = {}
            for other in _in_order(space):
                if _applies(other, chosen, recipe):
                    chosen[other] = value if other == key else first[other]
            candidate(recipe, chosen, f"{space.source}: {key} {value!r}")


def _is_embedded(keys: str) -> bool:
    """Whether these keys settle what has to be embedded."""
    return any(key.split(".")[0] in (AUGMENTATION, STAGES) for key in keys.split(", "))


def _each(space: Space, key: str, *, applies: bool) -> list[Values]:
    return [{key: value} for value in space.domains[key].values()] if applies else [{}]


def _in_order(space: Space) -> list[str]:
    """Parts come before their options."""
    return sorted(space.domains, key=lambda key: "." in key)


def _applies(key: str, drawn: Values, recipe: Recipe) -> bool:
    """Whether the part that was drawn, or is the recipe's, has this option."""
    part, _, option = key.partition(".")
    if part not in PARTS or not option:
        return True
    name = _name(_drawn(part, drawn, recipe))
    return name in PARTS[part] and option.split(".")[0] in _options(part, name)


def _drawn(part: str, drawn: Values, recipe: Recipe) -> object:
    for keys, value in drawn.items():
        names = keys.split(", ")
        if part in names:
            return value[names.index(part)] if len(names) > 1 else value
    own = getattr(recipe, part)
    return None if own is None else own.name


def _name(part: object) -> str:
    return str(part["name"] if isinstance(part, Mapping) and "name" in part else part)


def _options(part: str, name: str) -> set[str]:
    own = {field.name for field in dataclasses.fields(PARTS[part][name])}
    return own | OF_COPIES if part == AUGMENTATION else own


def _check_option(space: Space, recipe: Recipe, part: str, option: str) -> None:
    names = {_name(_drawn(part, {}, recipe))}
    for keys, domain in space.domains.items():
        if part in keys.split(", "):
            names = {_name(_drawn(part, {keys: value}, recipe)) for value in domain.values()}
    known = set().union(*(_options(part, name) for name in names if name in PARTS[part]))
    if option.split(".")[0] not in known:
        unknown = ConfigError.unknown_name(f"option of {part} in {sorted(names)}", option, known)
        raise ConfigError(f"{space.source}: {unknown}")


def _with(recipe: Recipe, values: Values) -> dict[str, Any]:
    """Return what describes the recipe with these values."""
    content = recipe.model_dump(mode="json", exclude={"published"})
    for keys, value in values.items():
        names = keys.split(", ")
        for key, own in zip(names, value if len(names) > 1 else [value], strict=True):
            _set(content, key, own)
    return content


def _set(content: dict[str, Any], key: str, value: object) -> None:
    """Set a value at the end of the dots."""
    *path, last = key.split(".")
    for name in path:
        inner = content.get(name)
        if isinstance(inner, str):
            inner = {"name": inner}
        content[name] = dict(inner) if isinstance(inner, Mapping) else {}
        content = content[name]
    content[last] = value
