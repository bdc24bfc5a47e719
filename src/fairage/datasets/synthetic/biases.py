"""Knobs that make a bias of known size in one group."""

from dataclasses import dataclass, fields

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.datasets.synthetic.population import CHALLENGE
from fairage.exceptions import ConfigError
from fairage.tables import group_labels

__all__ = ["GroupBias"]


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
        told = []
        if self.cue != 1:
            told.append(f"show {self.cue:.0%} of the distance of their age from the mean")
        if self.cue_noise:
            told.append(f"show an age that is off by {self.cue_noise:g} years (sd)")
        if self.noise:
            told.append(f"carry labels that are off by {self.noise:g} years (sd)")
        if self.shift:
            direction = "high" if self.shift > 0 else "low"
            told.append(f"are labelled {abs(self.shift):g} years too {direction}")
        return "; ".join(told).replace("%", " %") or "are as everybody else"
