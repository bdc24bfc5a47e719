"""What is asked of the generator, checked; a folder remembers what it was made for."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fairage.datasets.synthetic.biases import GroupBias
from fairage.datasets.synthetic.population import Population
from fairage.exceptions import ConfigError, DataError
from fairage.files import write_text

__all__ = ["DRAWING", "IMAGES", "MOST_FACES", "STARTED", "TRUTH", "Request", "claim", "is_done"]

DRAWING = 1
"""Goes up when the same request gives other pictures or people."""

IMAGES, TRUTH, STARTED = "images", "truth.json", "started.json"
MOST_FACES = 999_999


@dataclass(frozen=True)
class Request:
    """Everything that the faces depend on.

    Args:
        n: Faces.
        seed: 0 or more.
        population: Shares of the groups.
        biases: Knobs.
    """

    n: int
    seed: int
    population: Population
    biases: tuple[GroupBias, ...]

    @classmethod
    def checked(
        cls, n: int, seed: int, population: Population, biases: Sequence[GroupBias]
    ) -> "Request":
        """Return the request, or say what is wrong with it."""
        if not 1 <= n <= MOST_FACES:
            raise ConfigError(f"expected 1 to {MOST_FACES:,} faces, got {n!r}, ask for as many")
        if seed < 0:
            raise ConfigError(f"expected a seed of 0 or more, got {seed!r}, give another")
        return cls(n, seed, population, tuple(biases))

    def settings(self) -> dict[str, Any]:
        """Return it ready for JSON.

        Examples:
            >>> Request(9, 0, Population(), ()).settings()["n"]
            9
        """
        return {
            "n": self.n,
            "seed": self.seed,
            "population": self.population.to_dict(),
            "biases": [asdict(bias) for bias in self.biases],
            "drawing": DRAWING,
        }


def is_done(out: Path, request: Request) -> bool:
    """Return whether the folder holds all faces of this request.

    Raises:
        DataError: The folder holds faces of another request, or something else.
    """
    for name in (TRUTH, STARTED):
        if (out / name).is_file():
            _check_same(out, _remembered(out / name), request.settings())
            return name == TRUTH and _image_count(out) == request.n
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(
            f"expected an empty or new folder for synthetic faces, got {str(out)!r}, which holds "
            "something else, give another --out"
        )
    return False


def claim(out: Path, request: Request) -> None:
    """Note in the folder what is being drawn there, so that it can be continued."""
    write_text(out / STARTED, json.dumps({"settings": request.settings()}, indent=2) + "\n")


def _remembered(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["settings"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"expected the settings of synthetic faces in {str(path)!r}, got something else, "
            "give another --out or remove the folder"
        ) from error


def _check_same(out: Path, made: dict[str, Any], wanted: dict[str, Any]) -> None:
    different = [name for name, value in wanted.items() if made.get(name) != value]
    if different:
        name = different[0]
        raise DataError(
            f"expected in {str(out)!r} faces with {name} {_short(wanted[name])}, got some with "
            f"{name} {_short(made.get(name))}, give another --out or remove the folder"
        )


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _image_count(out: Path) -> int:
    folder = out / IMAGES
    if not folder.is_dir():
        return 0
    return sum(path.suffix == ".jpg" and path.name[0] != "." for path in folder.iterdir())
