"""JSON files that we write and read again: whether one still says what was written."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairage._files import hash_of


def read_json(path: Path) -> Any:  # noqa: ANN401  # whatever stands in it
    """Return what a JSON file holds.

    Raises:
        ValueError: It is no JSON in UTF-8, or nests too deep.

    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("it nests too deep") from error


_SEAL = "hash"


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what goes into a JSON file, with a hash of it under the key `hash`.

    Examples:
        >>> is_sealed(sealed({"age": 31})), is_sealed({**sealed({"age": 31}), "age": 37})
        (True, False)
    """
    return {**content, _SEAL: _hash_without_seal(content)}


def is_sealed(content: object) -> bool:
    """Whether this came out of a JSON file as `sealed` returned it."""
    return isinstance(content, dict) and content.get(_SEAL) == _hash_without_seal(content)


def _hash_without_seal(content: Mapping[str, Any]) -> str:
    hashed = {name: value for name, value in content.items() if name != _SEAL}
    return hash_of(json.dumps(hashed, sort_keys=True))
