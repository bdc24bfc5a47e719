"""The weightings by name, as recipes and commands say them."""

from collections.abc import Mapping

from fairage._registry import build
from fairage.tables import AGE_GROUP
from fairage.weighting.balancing import Density, EffectiveNumber, Inverse, SmoothedCells
from fairage.weighting.raking import Raking
from fairage.weighting.study import (
    AGE_YEAR,
    Expert,
    Intersection,
    Kit,
    Manual,
    MeanOfAttributes,
    Product,
    Uniform,
)
from fairage.weighting.weights import Weighting

WEIGHTINGS: dict[str, type[Weighting]] = {
    "none": Uniform,
    "1a": Product,
    "1b": Product,
    "2a": Intersection,
    "2b": Intersection,
    "3": Manual,
    "expert": Expert,
    "kit": Kit,
    "mean-arithmetic": MeanOfAttributes,
    "mean-geometric": MeanOfAttributes,
    "mean-harmonic": MeanOfAttributes,
    "inverse": Inverse,
    "sqrt-inverse": Inverse,
    "effective-number": EffectiveNumber,
    "smoothed-cells": SmoothedCells,
    "raking": Raking,
    "density": Density,
}
PRESETS: dict[str, Mapping[str, object]] = {
    "1a": {"age": AGE_YEAR},
    "1b": {"age": AGE_GROUP},
    "2a": {"age": AGE_YEAR},
    "2b": {"age": AGE_GROUP},
    "mean-arithmetic": {"mean": "arithmetic"},
    "mean-geometric": {"mean": "geometric"},
    "mean-harmonic": {"mean": "harmonic"},
    "inverse": {"power": 1.0},
    "sqrt-inverse": {"power": 0.5},
}
"""Options that a name stands for, where several names share a class."""


def make_weighting(name: str, **options: object) -> Weighting:
    """Return the weighting of this name; options are the fields of its class.

    Examples:
        >>> make_weighting("1b", attributes=("gender",))
        Product(attributes=('gender',), age='age_group')
        >>> make_weighting("4c")
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: weighting must be one of ['1a', ...]; got '4c'.
    """
    return build("weighting", WEIGHTINGS, name, {**PRESETS.get(name, {}), **options})
