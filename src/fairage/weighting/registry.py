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

_FORMULAS: dict[str, tuple[type[Weighting], Mapping[str, object]]] = {
    "none": (Uniform, {}),
    "1a": (Product, {"age": AGE_YEAR}),
    "1b": (Product, {"age": AGE_GROUP}),
    "2a": (Intersection, {"age": AGE_YEAR}),
    "2b": (Intersection, {"age": AGE_GROUP}),
    "3": (Manual, {}),
    "expert": (Expert, {}),
    "kit": (Kit, {}),
    "mean-arithmetic": (MeanOfAttributes, {"mean": "arithmetic"}),
    "mean-geometric": (MeanOfAttributes, {"mean": "geometric"}),
    "mean-harmonic": (MeanOfAttributes, {"mean": "harmonic"}),
    "inverse": (Inverse, {"power": 1.0}),
    "sqrt-inverse": (Inverse, {"power": 0.5}),
    "effective-number": (EffectiveNumber, {}),
    "smoothed-cells": (SmoothedCells, {}),
    "raking": (Raking, {}),
    "density": (Density, {}),
}

WEIGHTINGS: dict[str, type[Weighting]] = {name: kind for name, (kind, _) in _FORMULAS.items()}


def make_weighting(name: str, **options: object) -> Weighting:
    """Return the weighting of this name; options are the fields of its class.

    Examples:
        >>> make_weighting("1b", attributes=("gender",))
        Product(attributes=('gender',), age='age_group')
        >>> make_weighting("4c")
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: weighting must be one of ['1a', ...]; got '4c'.
    """
    preset = _FORMULAS[name][1] if name in _FORMULAS else {}
    return build("weighting", WEIGHTINGS, name, {**preset, **options})
