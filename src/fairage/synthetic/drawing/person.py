"""The person to draw: groups, the cues that their groups and age give, the expression."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Person:
    """One face to draw.

    Args:
        age: Age that the face shows, in years.
        gender: male or female.
        ethnicity: caucasian, asian or afroamerican.
        expression: neutral, slightlyhappy, happy or other.
    """

    age: float
    gender: str
    ethnicity: str
    expression: str


_LEAST_SCATTER, _SCATTER, _MOST_SCATTER = 0.4, 0.17, 7.0


@dataclass(frozen=True)
class Cues:
    """How far each visible sign of age has come, mostly 0 (none) to 1 (much).

    Args:
        growth: From a baby's proportions (0) to an adult's (1).
        puberty: From a child's features (0) to a man's or woman's (1).
        fullness: Fullness of the cheeks, falling.
        lines: Fine lines at eyes and forehead.
        folds: Folds from nose to mouth and below.
        sag: Sagging of lids, cheeks and jaw.
        bags: Bags and shadows under the eyes.
        spots: Age spots.
        rough: Unevenness of the skin.
        grey: Share of grey hair.
        thin: Loss of hair, in those who tend to lose it.
        lips: Loss of the lips' fullness.
    """

    growth: float
    puberty: float
    fullness: float
    lines: float
    folds: float
    sag: float
    bags: float
    spots: float
    rough: float
    grey: float
    thin: float
    lips: float


def draw_cues(age: float, rng: np.random.Generator) -> Cues:
    """Return the cues of a face that shows this age; each one is a bit ahead or behind.

    Args:
        age: Visible age in years.
        rng: The face's own chance.
    """
    scatter = float(np.clip(_LEAST_SCATTER + _SCATTER * age, None, _MOST_SCATTER))
    own = age + scatter * rng.standard_normal(12)
    grey_from = max(34.0, rng.normal(46, 7))
    return Cues(
        growth=ramp(age + 0.25 * (own[0] - age), 0, 19) ** 0.75,
        puberty=ramp(age + 0.4 * (own[1] - age), 10, 21),
        fullness=1 - ramp(own[2], 3, 60),
        lines=ramp(own[3], 22, 82),
        folds=ramp(own[4], 18, 80),
        sag=ramp(own[5], 32, 90),
        bags=ramp(own[6], 20, 85),
        spots=ramp(own[7], 38, 88),
        rough=ramp(own[8], 10, 85),
        grey=1 / (1 + float(np.exp(-(own[9] - grey_from) / 5.5))),
        thin=ramp(own[10], 22, 75),
        lips=ramp(own[11], 25, 85),
    )


def ramp(value: float, low: float, high: float) -> float:
    """Return 0 up to `low`, 1 from `high`, and a straight line between.

    Examples:
        >>> ramp(30, 20, 60)
        0.25
    """
    return float(min(1.0, max(0.0, (value - low) / (high - low))))


@dataclass(frozen=True)
class Expression:
    """How far each movement goes; 0 is a face at rest.

    Args:
        lift: Corners of the mouth, up; below 0 down; about 1 in a laugh.
        widen: Mouth, wider; below 0 narrower.
        gape: Lips, apart.
        teeth: Share of the gap that shows teeth.
        squint: Eyes, narrowed; below 0 wide open.
        raised: Brows, up; below 0 down.
        pinch: Inner ends of the brows, down and together; below 0 up, as in grief.
        cheeks: Cheeks, raised.
    """

    lift: float = 0.0
    widen: float = 0.0
    gape: float = 0.0
    teeth: float = 0.0
    squint: float = 0.0
    raised: float = 0.0
    pinch: float = 0.0
    cheeks: float = 0.0


_KINDS = {
    "neutral": (Expression(),),
    "slightlyhappy": (Expression(lift=0.55, widen=0.35, squint=0.2, cheeks=0.4),),
    "happy": (
        Expression(lift=1.0, widen=0.8, gape=0.75, teeth=0.85, squint=0.55, raised=0.1, cheeks=1.0),
    ),
    "other": (
        Expression(widen=-0.45, gape=1.1, teeth=0.15, squint=-0.5, raised=0.9),  # surprised
        Expression(lift=-0.75, widen=-0.1, squint=0.15, pinch=-0.9),  # sad
        Expression(lift=-0.5, widen=0.05, squint=0.35, raised=-0.7, pinch=1.0),  # angry
    ),
}


def draw_expression(name: str, rng: np.random.Generator) -> Expression:
    """Return one way to make this expression, more or less strongly.

    Args:
        name: neutral, slightlyhappy, happy or other (surprised, sad or angry).
        rng: The face's own chance.

    Examples:
        >>> draw_expression("happy", np.random.default_rng(0)).gape > 0.4
        True
    """
    kinds = _KINDS[name]
    kind = kinds[int(rng.integers(len(kinds)))]
    strength = float(np.clip(1 + 0.15 * rng.standard_normal(), 0.65, 1.35))
    rest = 0.06 * rng.standard_normal(2)
    return Expression(
        lift=strength * kind.lift + float(rest[0]),
        widen=strength * kind.widen,
        gape=strength * kind.gape,
        teeth=kind.teeth,
        squint=strength * kind.squint,
        raised=strength * kind.raised + float(rest[1]),
        pinch=strength * kind.pinch,
        cheeks=strength * kind.cheeks,
    )
