"""What is asked of a synthesis, and the truth that its faces then hold."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._files import is_sealed, read_json, write_text
from fairage._partial_files import partial_files
from fairage.age_groups import AgeGroups
from fairage.datasets.dataset import ETHNICITY, EXPRESSION, GENDER
from fairage.exceptions import ConfigError, DataError
from fairage.synthetic.people import VISIBLE_AGE, draw_people
from fairage.synthetic.population import CHALLENGE, GroupBias, Population
from fairage.tables import AGE, AGE_GROUP, REAL_AGE, group_labels, group_names, with_age_groups

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
        age_groups: Groups of the true age that the faces table has.
    """

    n: int
    seed: int
    population: Population
    biases: tuple[GroupBias, ...]
    age_groups: AgeGroups = field(default_factory=AgeGroups)

    @classmethod
    def checked(
        cls,
        n: int,
        seed: int,
        population: Population,
        biases: Sequence[GroupBias],
        age_groups: AgeGroups | None = None,
    ) -> "Request":
        """Return the request, or say what is wrong with it."""
        if not 1 <= n <= MOST_FACES:
            raise ConfigError(f"expected 1 to {MOST_FACES:,} faces, got {n!r}, ask for as many")
        if seed < 0:
            raise ConfigError(f"expected a seed of 0 or more, got {seed!r}, give another")
        return cls(n, seed, population, tuple(biases), age_groups or AgeGroups())

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
            "age_groups": json.loads(self.age_groups.to_json()),
            "drawing": DRAWING,
        }


def is_done(out: Path, request: Request) -> bool:
    """Return whether the folder holds all faces of this request.

    Raises:
        DataError: The folder holds faces of another request, or something else.
    """
    for name in (TRUTH, STARTED):
        if (out / name).is_file():
            content = _remembered(out / name)
            _check_same(out, content["settings"], request.settings())
            return name == TRUTH and is_sealed(content) and _image_count(out) == request.n
    if out.exists() and not (out.is_dir() and _is_empty(out)):
        raise DataError(
            f"expected an empty or new folder for synthetic faces, got {str(out)!r}, which holds "
            "something else, give another --out"
        )
    return False


def _is_empty(out: Path) -> bool:
    """Whether there is nothing, or what was left by one that was killed when it began."""
    left = partial_files(out)
    return all(left.get(path) == STARTED for path in out.iterdir())


def claim(out: Path, request: Request) -> None:
    """Note in the folder what is being drawn there, so that it can be continued."""
    write_text(out / STARTED, json.dumps({"settings": request.settings()}, indent=2) + "\n")


def _remembered(path: Path) -> dict[str, Any]:
    try:
        content = dict(read_json(path))
        return {**content, "settings": dict(content["settings"])}
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"expected the settings of synthetic faces in {str(path)!r}, got something else, "
            "give another --out or remove the folder"
        ) from error


def _check_same(out: Path, existing: dict[str, Any], settings: dict[str, Any]) -> None:
    different = [name for name, value in settings.items() if existing.get(name) != value]
    if different:
        name = different[0]
        raise DataError(
            f"expected in {str(out)!r} faces with {name} {_short(settings[name])}, got some with "
            f"{name} {_short(existing.get(name))}, give another --out or remove the folder"
        )


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _image_count(out: Path) -> int:
    folder = out / IMAGES
    if not folder.is_dir():
        return 0
    return sum(path.suffix == ".jpg" and path.name[0] != "." for path in folder.iterdir())


def tell_truth(people: pl.DataFrame, request: Request) -> dict[str, Any]:
    """Return what `truth.json` says, ready for JSON.

    Args:
        people: What `draw_people` returned for the request.
        request: What was asked for.
    """
    plain = people
    if request.biases:
        plain = draw_people(request.n, request.seed, request.population)
    return {
        "summary": _summary(people, plain, request),
        "settings": request.settings(),
        "expected_error": expected_errors(with_age_groups(people, request.age_groups)),
        "expected_error_without_bias": expected_errors(with_age_groups(plain, request.age_groups)),
        "fairage": version("fairage"),
    }


def expected_errors(people: pl.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Return the group errors of a model that reads the shown age perfectly, in years.

    They are the mean of |visible age - label| over all faces of each group: what individual
    looks, the raters and the biases leave to err for anybody who looks at the pictures.

    Args:
        people: Rows with the visible age, the label and the attributes.

    Returns:
        Attribute, then group, then `n` and `mae`; the whole is under `all`.

    Examples:
        >>> rows = pl.DataFrame(
        ...     {"age": [30.0, 70.0], "visible_age": [31.0, 66.0], "gender": ["male"] * 2,
        ...      "ethnicity": ["asian"] * 2, "expression": ["happy"] * 2}
        ... )
        >>> expected_errors(rows)["age_group"]
        {'adult': {'n': 1, 'mae': 1.0}, 'old': {'n': 1, 'mae': 4.0}}
    """
    errors = _errors(people)
    numbers = {"all": {"all": _numbers(errors)}}
    for attribute in (GENDER, ETHNICITY, EXPRESSION, AGE_GROUP):
        labels = group_labels(people, attribute)
        drawn = attribute != AGE_GROUP
        known = CHALLENGE.shares(attribute) if drawn else group_names(people, attribute)
        groups = [name for name in known if name in labels]
        numbers[attribute] = {name: _numbers(errors[labels == name]) for name in groups}
    return numbers


def _errors(people: pl.DataFrame) -> NDArray[np.float64]:
    missed = people[VISIBLE_AGE] - people[AGE]
    return missed.abs().to_numpy().astype(np.float64)


def _numbers(errors: NDArray[np.float64]) -> dict[str, float]:
    return {"n": len(errors), "mae": round(float(errors.mean()), 3)}


def _summary(people: pl.DataFrame, plain: pl.DataFrame, request: Request) -> str:
    """Return whom the generator drew and what it did to whom, in plain sentences."""
    shares = "the shares of the groups in the challenge's training split"
    if request.population != CHALLENGE:
        shares = f"shares of its own ({'; '.join(_chosen_shares(request))})"
    sentences = [f"{request.n:,} faces drawn with seed {request.seed} and {shares}."]
    if not request.biases:
        mean = _errors(people).mean()
        sentences.append(
            "No bias was put in: every group shows its age equally well. "
            f"A model that reads the shown age perfectly would err by {mean:.2f} years."
        )
    sentences.extend(_bias_sentence(bias, people, plain) for bias in request.biases)
    return " ".join(sentences)


def _chosen_shares(request: Request) -> list[str]:
    """Return the shares of the attributes whose shares are not the challenge's."""
    chosen = []
    for attribute in asdict(request.population):
        shares = request.population.shares(attribute)
        if shares != CHALLENGE.shares(attribute):
            parts = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())
            chosen.append(f"{attribute}: {parts}")
    return chosen


def _bias_sentence(bias: GroupBias, people: pl.DataFrame, plain: pl.DataFrame) -> str:
    rows = bias.rows(people.with_columns(pl.col(REAL_AGE).alias(AGE)))
    named = f"with {bias.attribute} {bias.group}"
    if not rows.any():
        return f"Faces {named} {bias.in_words()}; but there are none."
    sentence = (
        f"The {rows.sum():,} faces {named} ({100 * rows.mean():.1f} %) {bias.in_words()}. A model "
        f"that reads the shown age perfectly would err by {_errors(people)[rows].mean():.2f} "
        f"years on them (without the bias by {_errors(plain)[rows].mean():.2f})"
    )
    if rows.all():
        return f"{sentence}."
    return f"{sentence} and by {_errors(people)[~rows].mean():.2f} on the other faces."
