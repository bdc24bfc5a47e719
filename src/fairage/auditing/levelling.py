"""Where a change of bias comes from: a worse group improved, or a better one got worse."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairage.auditing.bias_interval import bias
from fairage.auditing.groups import Floats

__all__ = ["SAME", "GroupMove", "Levelling", "level_errors"]

SAME = 0.005  # years: what is smaller reads as 0.00


@dataclass(frozen=True)
class GroupMove:
    """How far the error of a group moved from A to B.

    Args:
        name: The group.
        years: MAE of B less that of A; below 0 where the group is served better.
    """

    name: str
    years: float


@dataclass(frozen=True)
class Levelling:
    """How the measured bias of an attribute fell from A to B, in years.

    Args:
        attribute: The attribute.
        a: Bias of A.
        b: Bias of B.
        up: Part of the fall that comes from groups whose error fell; below 0 where they drew apart.
        down: Part that comes from groups whose error rose.
        share_up: `up` as a share of the fall, in 0..1; None where the bias did not fall.
        share_down: The rest of it; None likewise.
        improved: Groups whose error fell by 0.005 years or more, the largest fall first.
        worsened: Groups whose error rose by as much, the largest rise first.
        beyond_chance: Whether the interval of the change of the bias leaves 0 out.
    """

    attribute: str
    a: float
    b: float
    up: float
    down: float
    share_up: float | None
    share_down: float | None
    improved: tuple[GroupMove, ...]
    worsened: tuple[GroupMove, ...]
    beyond_chance: bool

    @property
    def fall(self) -> float:
        """Bias of A less bias of B; below 0 where it rose."""
        return self.a - self.b

    @property
    def same(self) -> bool:
        """Whether both biases read as the same number."""
        return abs(self.fall) < SAME


def level_errors(
    attribute: str, names: Sequence[str], a: Floats, b: Floats, *, beyond_chance: bool = True
) -> Levelling:
    """Return what levelled the group errors of an attribute.

    The errors go from A to B in two steps, those that fall and those that rise; the part of each
    is its mean over both orders of the steps, so that the parts sum to the fall of the bias.

    Args:
        attribute: The attribute.
        names: Its groups that take part, shape `(k,)`.
        a: Group errors of A in years, shape `(k,)`.
        b: Group errors of B.
        beyond_chance: Whether the interval of the change of the bias leaves 0 out.

    Examples:
        >>> moved = level_errors("gender", ["f", "m"], np.array([6.0, 4.0]), np.array([5.0, 4.5]))
        >>> moved.up, moved.down, moved.worsened
        (1.0, 0.5, (GroupMove(name='m', years=0.5),))
    """
    fallen, risen = np.minimum(a, b), np.maximum(a, b)
    start, end = bias(a), bias(b)
    up = ((start - bias(fallen)) + (bias(risen) - end)) / 2
    fall = start - end
    share = float(np.clip(up / fall, 0, 1)) if fall >= SAME else None
    moves = [GroupMove(name, float(y - x)) for name, x, y in zip(names, a, b, strict=True)]
    ordered = sorted(moves, key=lambda move: -abs(move.years))
    return Levelling(
        attribute=attribute,
        a=start,
        b=end,
        up=up,
        down=fall - up,
        share_up=share,
        share_down=None if share is None else 1 - share,
        improved=tuple(move for move in ordered if move.years <= -SAME),
        worsened=tuple(move for move in ordered if move.years >= SAME),
        beyond_chance=beyond_chance,
    )
