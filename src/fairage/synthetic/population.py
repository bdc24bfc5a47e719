"""Who is drawn: shares of the groups, ages within the age groups, and the biases put in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.age_groups import AgeGroups
from fairage.datasets.dataset import ETHNICITY, EXPRESSION, GENDER, TRAIN_AGE_GROUPS, TRAIN_COUNTS
from fairage.exceptions import ConfigError
from fairage.tables import group_labels

OLDEST = 92.0
"""Highest true age in years."""

_GENDERS, _ETHNICITIES, _EXPRESSIONS, _AGE_GROUPS = (
    {group: float(count) for group, count in counts.items()}
    for counts in (
        *(TRAIN_COUNTS[attribute] for attribute in (GENDER, ETHNICITY, EXPRESSION)),
        TRAIN_AGE_GROUPS,
    )
)

# Parameters a, b of the beta distribution of the age within a group: adults are mostly in their
# twenties, seniors and the old mostly near the lower edge of their group.
_AGES_WITHIN = {"young": (1.5, 1.0), "adult": (1.3, 1.5), "senior": (1.0, 1.7), "old": (1.0, 2.2)}


@dataclass(frozen=True)
class Population:
    """Shares of the groups of each attribute; the attributes do not depend on each other.

    The defaults are the counts of the challenge's training split. Shares need not sum to 1.

    Args:
        gender: Share of each gender presentation.
        ethnicity: Share of each ethnicity.
        expression: Share of each expression.
        age_group: Share of each default age group of the true age.

    Examples:
        >>> round(Population().shares("ethnicity")["afroamerican"], 4)
        0.0293
    """

    gender: Mapping[str, float] = field(default_factory=lambda: dict(_GENDERS))
    ethnicity: Mapping[str, float] = field(default_factory=lambda: dict(_ETHNICITIES))
    expression: Mapping[str, float] = field(default_factory=lambda: dict(_EXPRESSIONS))
    age_group: Mapping[str, float] = field(default_factory=lambda: dict(_AGE_GROUPS))

    def __post_init__(self) -> None:
        defaults = (_GENDERS, _ETHNICITIES, _EXPRESSIONS, _AGE_GROUPS)
        for (attribute, shares), groups in zip(asdict(self).items(), defaults, strict=True):
            for group, share in shares.items():
                if group not in groups:
                    raise ConfigError.unknown_name(f"group of {attribute}", group, groups)
                if not 0 <= share < float("inf"):
                    raise ConfigError(
                        f"expected a share of 0 or more for {attribute} {group}, got {share!r}, "
                        "correct it"
                    )
            if not sum(shares.values()) > 0:
                raise ConfigError(
                    f"expected a group of {attribute} with a share above 0, got {shares}, raise one"
                )

    def shares(self, attribute: str) -> dict[str, float]:
        """Return the share of each group of an attribute; they sum to 1."""
        attributes = asdict(self)
        if attribute not in attributes:
            raise ConfigError.unknown_name("attribute", attribute, attributes)
        total = sum(attributes[attribute].values())
        return {group: share / total for group, share in attributes[attribute].items()}

    def with_share(self, attribute: str, group: str, share: float) -> "Population":
        """Return this population with one group's share set and the others' scaled to fit.

        Args:
            attribute: gender, ethnicity, expression or age_group.
            group: Group of the attribute.
            share: From 0 to 1, both included.

        Examples:
            >>> Population().with_share("gender", "female", 0.9).shares("gender")
            {'male': 0.1, 'female': 0.9}
        """
        shares = self.shares(attribute)
        if group not in shares:
            raise ConfigError.unknown_name(f"group of {attribute}", group, shares)
        if not 0 <= share <= 1:
            raise ConfigError(
                f"expected a share in 0..1 for {attribute} {group}, got {share!r}, correct it"
            )
        others = 1 - shares[group]
        factor = (1 - share) / others if others else 0.0
        scaled = {name: round(factor * old, 12) for name, old in shares.items()} | {group: share}
        return replace(self, **{attribute: scaled})

    def deal(self, attribute: str, n: int, rng: np.random.Generator) -> NDArray[np.str_]:
        """Return a group for each of `n` faces, shape `(n,)`; the counts are the shares, rounded.

        Examples:
            >>> dealt = Population().deal("gender", 1000, np.random.default_rng(0))
            >>> int((dealt == "male").sum())
            509
        """
        shares = self.shares(attribute)
        edges = np.rint(np.cumsum([0.0, *shares.values()]) * n).astype(np.int64)
        return rng.permutation(np.repeat(list(shares), np.diff(edges)))

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Return the shares of every attribute, ready for JSON."""
        return {name: self.shares(name) for name in asdict(self)}


def ages_within(groups: NDArray[np.str_], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a true age in years for each age group, shape `(n,)`."""
    age_groups = AgeGroups()
    edges = [*age_groups.edges, OLDEST]
    lower = dict(zip(age_groups.names, edges, strict=False))
    upper = dict(zip(age_groups.names, edges[1:], strict=True))
    ages = np.empty(len(groups))
    for name, (a, b) in _AGES_WITHIN.items():
        rows = groups == name
        ages[rows] = lower[name] + (upper[name] - lower[name]) * rng.beta(a, b, rows.sum())
    return ages


def parse_share(text: str) -> tuple[str, str, float]:
    """Return attribute, group and share of a text such as `ethnicity=asian:0.3`.

    Examples:
        >>> parse_share("ethnicity=asian:0.3")
        ('ethnicity', 'asian', 0.3)
    """
    name, _, share = text.rpartition(":")
    attribute, _, group = name.partition("=")
    try:
        return attribute, group, float(share)
    except ValueError as error:
        raise ConfigError(
            f"expected a share such as 'ethnicity=asian:0.3', got {text!r}, write it so"
        ) from error


CHALLENGE = Population()
BALANCED = Population(
    gender=dict.fromkeys(_GENDERS, 1.0),
    ethnicity=dict.fromkeys(_ETHNICITIES, 1.0),
    expression=dict.fromkeys(_EXPRESSIONS, 1.0),
    age_group=dict.fromkeys(_AGE_GROUPS, 1.0),
)


@dataclass(frozen=True)
class GroupBias:
    """What makes the age of one group harder to tell, or its labels worse.

    Args:
        attribute: gender, ethnicity, expression or age_group.
        group: Group of the attribute.
        cue: Share of the way from the mean age to the true age that the face shows: 1 shows the
            age, 0 shows everybody at the mean age.
        cue_noise: Standard deviation, in years, of noise on the age that the face shows.
        noise: Standard deviation, in years, of noise on the label.
        shift: Years added to the label.

    Examples:
        >>> GroupBias.parse("ethnicity=afroamerican:cue=0.4,noise=2")
        GroupBias(attribute='ethnicity', group='afroamerican', cue=0.4, cue_noise=0.0, noise=2.0,
            shift=0.0)
    """

    attribute: str
    group: str
    cue: float = 1.0
    cue_noise: float = 0.0
    noise: float = 0.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        groups = CHALLENGE.shares(self.attribute)
        if self.group not in groups:
            raise ConfigError.unknown_name(f"group of {self.attribute}", self.group, groups)
        limits = {"cue": (0, 2), "cue_noise": (0, 50), "noise": (0, 50), "shift": (-50, 50)}
        for knob, (low, high) in limits.items():
            value = getattr(self, knob)
            if not low <= value <= high:
                raise ConfigError(
                    f"expected {knob} in {low}..{high} for {self.attribute} {self.group}, "
                    f"got {value!r}, correct it"
                )

    @classmethod
    def parse(cls, text: str) -> "GroupBias":
        """Return the bias that a text such as `gender=female:noise=3,shift=1` describes."""
        name, _, settings = text.partition(":")
        attribute, _, group = name.partition("=")
        knobs = {field.name for field in fields(cls)} - {"attribute", "group"}
        values = {}
        for setting in settings.split(","):
            knob, _, value = setting.partition("=")
            if settings and knob.strip() not in knobs:
                raise ConfigError.unknown_name(f"knob in {text!r}", knob.strip(), knobs)
            try:
                values[knob.strip()] = float(value)
            except ValueError as error:
                raise ConfigError(
                    "expected a bias such as 'ethnicity=afroamerican:cue=0.4', "
                    f"got {text!r}, write it so"
                ) from error
        return cls(attribute, group, **values)

    def rows(self, people: pl.DataFrame) -> NDArray[np.bool_]:
        """Return which rows it acts on, shape `(n,)`; `age` must hold the true age."""
        mask: NDArray[np.bool_] = group_labels(people, self.attribute) == self.group
        return mask

    def in_words(self) -> str:
        """Return what it does, as half a sentence.

        Examples:
            >>> GroupBias("ethnicity", "asian", cue=0.4, shift=-2).in_words()
            'show 40 % of the distance of their age from the mean; are labelled 2 years too low'
        """
        effects = []
        if self.cue != 1:
            effects.append(f"show {self.cue:.0%} of the distance of their age from the mean")
        if self.cue_noise:
            effects.append(f"show an age that is off by {self.cue_noise:g} years (sd)")
        if self.noise:
            effects.append(f"carry labels that are off by {self.noise:g} years (sd)")
        if self.shift:
            direction = "high" if self.shift > 0 else "low"
            effects.append(f"are labelled {abs(self.shift):g} years too {direction}")
        return "; ".join(effects).replace("%", " %") or "are as everybody else"
