"""Settings as pydantic models: unknown keys are refused, and errors say what to do."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic._internal._model_construction import ModelMetaclass  # it has no public name

from fairage._text import short
from fairage.exceptions import ConfigError

_LIMITS = {
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "{le:g} or less",
    "literal_error": "{expected}",
}
"""What pydantic's errors are in fewer words."""
_PREFIXES = ("Input should be ", "Field ", "Value error, ")


class _RaisesConfigErrors(ModelMetaclass):
    """Turns what pydantic finds wrong with the arguments of a constructor into a ConfigError."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401, N805  # any model; a metaclass
        """Return a new instance."""
        try:
            return super().__call__(*args, **kwargs)
        except ValidationError as error:
            raise config_error(error, {(): cls.model_fields}) from error  # type: ignore[attr-defined]  # of the model


class Settings(BaseModel, metaclass=_RaisesConfigErrors):
    """Settings that do not change: unknown keys and numbers that are not finite are refused.

    Examples:
        >>> class Pace(Settings):
        ...     epochs: int = 50
        >>> Pace(epochs=3).changed(epochs=4)
        Pace(epochs=4)
        >>> Pace(epoch=3)
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: key must be one of ['epochs']; got 'epoch'. Did you mean ...
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def changed(self, **changes: Any) -> Self:  # noqa: ANN401  # of any field
        """Return the same settings but for these, checked as a whole."""
        return type(self)(**{**dict(self), **changes})


def config_error(
    error: ValidationError, keys: Mapping[tuple[str, ...], Iterable[str]] | None = None
) -> ConfigError:
    """Return the error that says the first thing which pydantic found wrong, and what to do.

    Args:
        error: What pydantic raised.
        keys: The known keys beneath a place, for naming the nearest one of an unknown key. A
            place is the names that lead to it, without the numbers of list items.
    """
    first = error.errors()[0]
    place = tuple(str(part) for part in first["loc"] if not isinstance(part, int))
    where = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden" and keys is not None and place[:-1] in keys:
        unknown = ConfigError.unknown_name("key", place[-1], keys[place[:-1]])
        return unknown.at(where.rpartition(".")[0]) if place[:-1] else unknown
    if first["type"] == "missing":
        return ConfigError(f"{where}: expected a value, got none, add it")
    message = expectation(first)
    if message.startswith("expected "):
        return ConfigError(f"{where}: {message}" if where else message)
    hint = _nearest(first) or "correct it"
    return ConfigError(f"{where}: expected {message}, got {short(first['input'], 200)}, {hint}")


def _nearest(detail: Mapping[str, Any]) -> str:
    """Return a question for the nearest of the names that one had to be."""
    if detail["type"] != "literal_error":
        return ""
    names = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
    near = get_close_matches(str(detail["input"]), names, n=1)
    return f"did you mean {near[0]!r}?" if near else ""


def expectation(detail: Mapping[str, Any]) -> str:
    """Return what pydantic expected, from one of its error's details, in few words."""
    if detail["type"] in _LIMITS:
        return _LIMITS[detail["type"]].format(**detail["ctx"])
    message = str(detail["msg"])
    for prefix in _PREFIXES:
        message = message.removeprefix(prefix)
    return message[:1].lower() + message[1:]
