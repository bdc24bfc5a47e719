"""The study's sample weights: losses 1a to 3, its experts', the kit's, means of attributes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE, AGE_GROUP, UNKNOWN, attribute_names, group_labels, group_names
from fairage.weighting.weights import (
    GroupWeights,
    Weights,
    chosen_attributes,
    weights_from_raw,
)

AGE_YEAR = "age_year"
N_YEARS = 100
SMOOTHING = 5


@dataclass(frozen=True)
class Uniform:
    """Weight 1 for every row: training as the data comes."""

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return ones."""
        return weights_from_raw(np.ones(faces.height))


@dataclass(frozen=True)
class Product:
    """Custom losses 1a and 1b of the study: the product of one weight an attribute.

    Args:
        attributes: Names; all of the faces table where none are given.
        age: The age enters as `"age_group"` (1b), `"age_year"` (1a, the rounded year, n = 100),
            or not at all (None).

    Examples:
        >>> faces = pl.DataFrame({"age": [30.0, 30, 70], "gender": ["f", "m", "m"]})
        >>> Product(age=None).weigh(faces).groups["gender"]
        {'f': 1.142..., 'm': 0.888...}
    """

    attributes: tuple[str, ...] | None = None
    age: Literal["age_group", "age_year"] | None = "age_group"

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the product of the attributes' weights for each row."""
        raw = np.ones(faces.height)
        groups: GroupWeights = {}
        for name, labels, n in _factors(faces, self.attributes, self.age):
            groups[name] = study_weights(labels, n)
            raw *= _look_up(groups[name], labels)
        return weights_from_raw(raw, groups)


@dataclass(frozen=True)
class Intersection:
    """Custom losses 2a and 2b of the study: one weight for each intersection of the attributes.

    `n` is the product of the attributes' numbers of possible values (2b on the challenge: 96), so
    empty cells count although they hold no row. The study discarded 2a at once for that reason.

    Args:
        attributes: Names; all of the faces table where none are given.
        age: As in `Product`: `"age_group"` (2b), `"age_year"` (2a) or None.

    Examples:
        >>> faces = pl.DataFrame({"age": [30.0, 30, 70], "gender": ["f", "m", "m"]})
        >>> Intersection().weigh(faces).groups["gender x age_group"]
        {'f x adult': 0.615..., 'm x adult': 0.615..., 'm x old': 0.615...}
    """

    attributes: tuple[str, ...] | None = None
    age: Literal["age_group", "age_year"] | None = "age_group"

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the weight of each row's intersection."""
        factors = _factors(faces, self.attributes, self.age)
        if not factors:
            raise ConfigError("expected an attribute or an age to intersect, got none, name one")
        cells = np.array([" x ".join(row) for row in zip(*(f[1] for f in factors), strict=True)])
        possible = int(np.prod([n for _, _, n in factors]))
        groups = study_weights(cells, possible)
        name = " x ".join(factor[0] for factor in factors)
        return weights_from_raw(_look_up(groups, cells), {name: groups})


@dataclass(frozen=True)
class Kit:
    """The starting kit's weights: age groups alone, N / (n N_j).

    Examples:
        >>> Kit().weigh(pl.DataFrame({"age": [30.0, 30, 30, 70]})).groups["age_group"]
        {'adult': 0.333..., 'old': 1.0}
    """

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the inverse frequency of each row's age group."""
        labels = group_labels(faces, AGE_GROUP)
        groups = _inverse_frequencies(labels, len(group_names(faces, AGE_GROUP)))
        return weights_from_raw(_look_up(groups, labels), {AGE_GROUP: groups})


@dataclass(frozen=True)
class MeanOfAttributes:
    """A mean of the attributes' weights N / (k n_g), instead of their product.

    Another team of the challenge found the harmonic mean best.

    Args:
        mean: `"arithmetic"`, `"geometric"` or `"harmonic"`.
        attributes: Names; all of the faces table and `age_group` where none are given.

    Examples:
        >>> faces = pl.DataFrame({"age": [30.0, 30, 70], "gender": ["f", "m", "m"]})
        >>> MeanOfAttributes("harmonic", ("gender",)).weigh(faces).values.tolist()
        [1.5, 0.75, 0.75]
    """

    mean: Literal["arithmetic", "geometric", "harmonic"]
    attributes: tuple[str, ...] | None = None

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the mean of the attributes' weights for each row."""
        groups: GroupWeights = {}
        columns = []
        for name in chosen_attributes(faces, self.attributes):
            labels = group_labels(faces, name)
            groups[name] = _inverse_frequencies(labels, len(group_names(faces, name)))
            columns.append(_look_up(groups[name], labels))
        return weights_from_raw(_MEANS[self.mean](np.array(columns)), groups)


def study_weights(labels: NDArray[np.str_], n: int) -> dict[str, float]:
    """Return (5 + total) / (5 + n * support) for each group that has rows."""
    names, supports = np.unique(labels, return_counts=True)
    raw = (SMOOTHING + len(labels)) / (SMOOTHING + n * supports)
    return {str(name): float(weight) for name, weight in zip(names, raw, strict=True)}


def _factors(
    faces: pl.DataFrame, attributes: tuple[str, ...] | None, age: str | None
) -> list[tuple[str, NDArray[np.str_], int]]:
    """Return name, labels and n of each attribute, the age last; each name counts once.

    n is 100 for years, all age groups of the faces for these, else the groups that have rows.
    """
    named = attributes if attributes is not None else attribute_names(faces)
    names = tuple(name for name in dict.fromkeys(named) if name != age)
    grouped = chosen_attributes(faces, names) if names else ()
    if age == AGE_GROUP:
        grouped = (*grouped, age)
    factors = [(n, group_labels(faces, n), len(group_names(faces, n))) for n in grouped]
    if age == AGE_YEAR:
        factors.append((age, _years(faces), N_YEARS))
    return factors


def _years(faces: pl.DataFrame) -> NDArray[np.str_]:
    return np.array([str(int(year)) for year in np.rint(faces[AGE].to_numpy())])


def _inverse_frequencies(labels: NDArray[np.str_], n: int) -> dict[str, float]:
    names, supports = np.unique(labels, return_counts=True)
    raw = len(labels) / (n * supports)
    return {str(name): float(weight) for name, weight in zip(names, raw, strict=True)}


def _look_up(groups: Mapping[str, float], labels: NDArray[np.str_]) -> NDArray[np.float64]:
    names, codes = np.unique(labels, return_inverse=True)
    return np.array([groups[str(name)] for name in names])[codes]


_MEANS = {
    "arithmetic": lambda columns: columns.mean(axis=0),
    "geometric": lambda columns: np.exp(np.log(columns).mean(axis=0)),
    "harmonic": lambda columns: 1 / (1 / columns).mean(axis=0),
}


LARGEST = 1e30
STUDY_TABLE: Mapping[str, Mapping[str, float]] = {
    "gender": {"male": 0.35, "female": 0.5},
    "expression": {"happy": 2, "slightlyhappy": 1, "neutral": 1, "other": 7},
    "ethnicity": {"caucasian": 0.4, "afroamerican": 15, "asian": 4},
    AGE_GROUP: {"young": 0.8, "adult": 0.3, "senior": 1.5, "old": 10},
}


@dataclass(frozen=True)
class Manual:
    """The product of one weight an attribute, read from a table; by default the study's loss 3.

    A row of the group `unknown` has the factor 1 where the table does not name it. Any other
    group that the table lacks is an error.

    Args:
        table: Weight of each group of each attribute.

    Examples:
        >>> faces = pl.DataFrame({"age": [30.0, 30], "gender": ["f", "m"]})
        >>> Manual({"gender": {"f": 3, "m": 1}}).weigh(faces).values.tolist()
        [1.5, 0.5]
    """

    table: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: STUDY_TABLE)

    def __post_init__(self) -> None:
        if not self.table or not all(self.table.values()):
            raise ConfigError(
                f"expected a weight of each group of an attribute, got {dict(self.table)}, write "
                "for example table: {gender: {female: 2, male: 1}}"
            )

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the product of the table's weights for each row.

        Raises:
            DataError: An attribute is not there, a group has no weight, a weight is not positive,
                or products are beyond 1e-30..1e30.
        """
        raw = np.ones(faces.height)
        for attribute, weights in self.table.items():
            _check(attribute, weights, faces)
            labels = group_labels(faces, attribute)
            table = {UNKNOWN: 1.0, **weights}
            with np.errstate(over="ignore", under="ignore"):
                raw *= np.array([table[str(label)] for label in labels])
        _check_products(raw)
        groups = {name: dict(weights) for name, weights in self.table.items()}
        return weights_from_raw(raw, groups)


def _check_products(raw: NDArray[np.float64]) -> None:
    if raw.size and not (raw.min() >= 1 / LARGEST and raw.max() <= LARGEST):
        raise DataError(
            f"expected weights set by hand whose products are in {1 / LARGEST:g}..{LARGEST:g}, got "
            f"{raw.min():g}..{raw.max():g}, bring each attribute's weights near 1"
        )


def _check(attribute: str, weights: Mapping[str, float], faces: pl.DataFrame) -> None:
    if attribute not in (*attribute_names(faces), AGE_GROUP):
        raise DataError(
            f"expected the attribute {attribute!r} that the weights set by hand name, got "
            f"{attribute_names(faces)}, add the column or give a table of your own groups"
        )
    missing = set(map(str, group_labels(faces, attribute))) - set(weights) - {UNKNOWN}
    if missing and weights is STUDY_TABLE.get(AGE_GROUP):
        raise DataError(
            f"expected the age groups {list(weights)}, for which the study set its weights, got "
            f"{group_names(faces, AGE_GROUP)}, take another weighting, or in a recipe a table of "
            "your own groups"
        )
    if missing:
        raise DataError(
            f"expected a weight set by hand for each group of {attribute!r}, got none for "
            f"{sorted(missing)} (known: {sorted(weights)}), give a table of your own groups"
        )
    wrong = {group: weight for group, weight in weights.items() if not 0 < weight < float("inf")}
    if wrong:
        raise DataError(f"expected positive weights for {attribute!r}, got {wrong}, correct them")


@dataclass(frozen=True)
class Expert:
    """The attribute's 1b weights times those of the age groups; of the age, 1a's years alone.

    Args:
        attribute: Whose expert it is; `age_group` is the age expert.

    Examples:
        >>> faces = pl.DataFrame({"age": [30.0, 30, 70], "gender": ["f", "m", "m"]})
        >>> list(Expert("gender").weigh(faces).groups), list(Expert().weigh(faces).groups)
        (['gender', 'age_group'], ['age_year'])
    """

    attribute: str = AGE_GROUP

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the weights of the attribute's expert for each row."""
        if self.attribute == AGE_GROUP:
            return Product((), age="age_year").weigh(faces)
        return Product((self.attribute,), age="age_group").weigh(faces)
