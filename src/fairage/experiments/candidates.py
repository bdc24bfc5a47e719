"""Candidates of a search: the base recipe with drawn values in place of its own."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from fairage.exceptions import ConfigError
from fairage.experiments.recipe import Recipe, recipe_from
from fairage.experiments.search_space import Choices, Drawing, Space
from fairage.faces.augmentation import AUGMENTATIONS
from fairage.models import HEADS
from fairage.objectives import OBJECTIVES
from fairage.objectives.fairness import FAIRNESS
from fairage.weighting import WEIGHTINGS

__all__ = ["candidate", "check_space", "draw", "embedding_candidates"]

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
    found: Values = {}
    for key in _in_order(space):
        if _applies(key, found, recipe):
            found[key] = space.domains[key].draw(drawing, key)
    return found


def candidate(recipe: Recipe, values: Values, source: str = "candidate") -> Recipe:
    """Return the recipe with these values; a part that is drawn loses the recipe's own options.

    Raises:
        ConfigError: A value does not fit.

    Examples:
        >>> base = recipe_from({"experiment": "1", "version": "mine"}, "example")
        >>> found = candidate(base, {"head": "linear", "head.dropout": 0.2})
        >>> found.head.name, found.head.options
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


def _applies(key: str, found: Values, recipe: Recipe) -> bool:
    """Whether the part that was drawn, or is the recipe's, has this option."""
    part, _, option = key.partition(".")
    if part not in PARTS or not option:
        return True
    name = _name(_drawn(part, found, recipe))
    return name in PARTS[part] and option.split(".")[0] in _options(part, name)


def _drawn(part: str, found: Values, recipe: Recipe) -> object:
    for keys, value in found.items():
        names = keys.split(", ")
        if part in names:
            return value[names.index(part)] if len(names) > 1 else value
    own = getattr(recipe, part)
    return None if own is None else own.name


def _name(told: object) -> str:
    return str(told["name"] if isinstance(told, Mapping) and "name" in told else told)


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
    told = recipe.model_dump(mode="json", exclude={"published"})
    for keys, value in values.items():
        names = keys.split(", ")
        for key, own in zip(names, value if len(names) > 1 else [value], strict=True):
            _set(told, key, own)
    return told


def _set(told: dict[str, Any], key: str, value: object) -> None:
    """Set a value at the end of the dots."""
    *path, last = key.split(".")
    for name in path:
        inner = told.get(name)
        if isinstance(inner, str):
            inner = {"name": inner}
        told[name] = dict(inner) if isinstance(inner, Mapping) else {}
        told = told[name]
    told[last] = value
