"""Parts built by their names and options, and the folder that caches lie in."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from fairage.exceptions import ConfigError

if TYPE_CHECKING:
    from pydantic import ValidationError

T = TypeVar("T")


def cache_folder() -> Path:
    """Return the folder for what can be made again: `FAIRAGE_CACHE`, else `~/.cache/fairage`."""
    named = os.environ.get("FAIRAGE_CACHE")
    if named:
        return Path(named)
    try:
        return Path.home() / ".cache" / "fairage"
    except RuntimeError as error:
        raise ConfigError(
            "expected a home folder for what is kept between commands, got none, set HOME or "
            "FAIRAGE_CACHE"
        ) from error


def default_store() -> Path:
    """Return the folder of the embedding store that commands use where none is given."""
    return cache_folder() / "embeddings"


def build(kind: str, known: Mapping[str, type[T]], name: str, options: Mapping[str, object]) -> T:
    """Return the member of a dict of names, made with these options.

    A name or an option that is not known is a ConfigError with the nearest known one; so is a
    value that does not fit the field's type. A list becomes a tuple where the field is one.

    Args:
        kind: What is chosen ("weighting", "objective"), for messages.
        known: The dict of names; its members are dataclasses.
        name: The chosen name.
        options: Values for the dataclass's fields.

    Examples:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Huber:
        ...     delta: float = 1.0
        >>> build("objective", {"huber": Huber}, "huber", {"delta": 2.0})
        Huber(delta=2.0)
    """
    from pydantic import TypeAdapter, ValidationError

    if name not in known:
        raise ConfigError.unknown_name(kind, name, known)
    member = known[name]
    fields = {field.name for field in dataclasses.fields(member)}  # type: ignore[arg-type]  # mypy cannot bound T to dataclasses
    for option in options:
        if option not in fields:
            raise ConfigError.unknown_name(f"option of {kind} {name!r}", option, fields)
    try:
        return TypeAdapter(member).validate_python(dict(options))
    except ValidationError as error:
        raise _wrong_value(f"{kind} {name!r}", error) from error


def _wrong_value(chosen: str, error: "ValidationError") -> ConfigError:
    """Say which option has the first wrong value, and what it should be."""
    from fairage._settings import expectation
    from fairage._text import short

    first = error.errors()[0]
    option = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return ConfigError(f"expected a value for the option {option!r} of {chosen}, got none")
    return ConfigError(
        f"option {option!r} of {chosen}: expected {expectation(first)}, got "
        f"{short(first['input'], 200)}, correct it"
    )
