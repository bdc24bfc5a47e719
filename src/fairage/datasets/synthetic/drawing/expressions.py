"""What an expression does to the parts of a face."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Expression", "draw_expression"]


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
