"""What an age does to a face: one number a cue, each read off an age of its own."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Cues", "draw_cues", "ramp"]

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
