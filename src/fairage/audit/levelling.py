"""Where a change of bias came from: worse groups that improved, or better groups that got worse."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fairage.audit.gaps import bias
from fairage.audit.sample import Floats

__all__ = ["Levelling", "level"]

MOSTLY = 0.95
SAME = 1e-9


@dataclass(frozen=True)
class Levelling:
    """How the bias of an attribute fell from A to B, in years.

    Args:
        attribute: The attribute.
        reduction: Bias of A less bias of B; below 0 where it rose.
        up: Part of the reduction that comes from groups whose error fell.
        down: Part that comes from groups whose error rose.
        share_up: `up` as a share of the reduction, in 0..1; None where the bias did not fall.
        share_down: The rest of it; None likewise.
        improved: Groups whose error fell.
        worsened: Groups whose error rose.
        resolved: Whether the change of bias is beyond chance, as the comparison found.
        text: All of this as a sentence.
    """

    attribute: str
    reduction: float
    up: float
    down: float
    share_up: float | None
    share_down: float | None
    improved: tuple[str, ...]
    worsened: tuple[str, ...]
    resolved: bool
    text: str


def level(
    attribute: str, names: Sequence[str], a: Floats, b: Floats, *, resolved: bool = True
) -> Levelling:
    """Return what levelled the group errors of an attribute.

    The errors go from A to B in two steps, those that fall and those that rise; the part of each
    is its mean over both orders of the steps, so that the parts sum to the reduction.

    Args:
        attribute: The attribute.
        names: Its groups, shape `(k,)`.
        a: Group errors of A in years, shape `(k,)`.
        b: Group errors of B.
        resolved: Whether the change of bias is beyond chance.

    Examples:
        >>> found = level("gender", ["f", "m"], np.array([6.0, 4.0]), np.array([5.0, 4.5]))
        >>> found.up, found.down
        (1.0, 0.5)
    """
    fallen, risen = np.minimum(a, b), np.maximum(a, b)
    start, end = bias(a), bias(b)
    up = ((start - bias(fallen)) + (bias(risen) - end)) / 2
    reduction = start - end
    down = reduction - up
    share = float(np.clip(up / reduction, 0, 1)) if reduction > SAME else None
    improved = tuple(name for name, x, y in zip(names, a, b, strict=True) if y < x)
    worsened = tuple(name for name, x, y in zip(names, a, b, strict=True) if y > x)
    return Levelling(
        attribute=attribute,
        reduction=reduction,
        up=up,
        down=down,
        share_up=share,
        share_down=None if share is None else 1 - share,
        improved=improved,
        worsened=worsened,
        resolved=resolved,
        text=_words(attribute.replace("_", " "), reduction, share, improved, worsened)
        + ("" if resolved or abs(reduction) <= SAME else " It may be chance."),
    )


def _words(
    attribute: str,
    reduction: float,
    share: float | None,
    improved: tuple[str, ...],
    worsened: tuple[str, ...],
) -> str:
    if share is None:
        change = "is the same" if abs(reduction) <= SAME else f"rose by {-reduction:.2f} years"
        return f"The bias of {attribute} {change}."
    fell = f"The bias of {attribute} fell by {reduction:.2f} years"
    better, worse = ", ".join(improved), ", ".join(worsened)
    if share >= MOSTLY:
        return f"{fell}, by levelling up: the error fell in {better}."
    if share <= 1 - MOSTLY:
        return f"{fell}, by levelling down: the error rose in {worse}."
    return (
        f"{fell}: {share:.0%} by levelling up (the error fell in {better}), {1 - share:.0%} by "
        f"levelling down (it rose in {worse})."
    )
