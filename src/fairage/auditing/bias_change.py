"""The change of a bias from model A to model B on the same rows, with its interval.

Each model's bias has its noise-corrected value and the ends of its path (`bias_interval`); the two
are put together by MOVER (Zou and Donner 2008), which takes what both models share out of the
interval: both are measured on the same rows, so their draws move together. How much they share
depends on which groups are worse in each model. Where noise leaves that open, the correlation is
taken on the careful side, and a bias that may be 0 counts as uncertain downwards too.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage.auditing.bias_interval import BiasEstimate, bias, bias_estimate
from fairage.auditing.groups import Floats, Groups, Units
from fairage.auditing.noise import GroupMeans, estimate_means

LEVEL = 0.95
A, B = "a", "b"

NOISIER = 1.5  # the order of the groups is drawn with more noise than there is
ROUNDING = 1e-9
CAREFUL = 0.5  # standard deviations of the correlation that are taken off
Blocks = Sequence[NDArray[np.int64]]


@dataclass(frozen=True)
class BiasChange:
    """The (average) bias of both models, and its change.

    Args:
        a: Bias of A.
        b: Bias of B.
        value: Plug-in bias of B less that of A, in years; below 0 where B is fairer.
        low: Lower end.
        high: Upper end.
    """

    a: BiasEstimate
    b: BiasEstimate
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class BiasChanges:
    """The changes of all biases.

    Args:
        attributes: Change of the bias of each attribute with two groups or more that take part;
            the limits hold for all attributes at once.
        average: Change of the mean of these biases, with its own limits; None without any.
    """

    attributes: dict[str, BiasChange]
    average: BiasChange | None


def infer_bias_changes(
    absolute_a: Floats,
    absolute_b: Floats,
    attributes: Mapping[str, Groups],
    takes_part: Mapping[str, NDArray[np.bool_]],
    *,
    units: Units | None = None,
    weights: Floats | None = None,
    seed: int = 0,
) -> BiasChanges:
    """Return the change of each attribute's bias and of the average bias.

    Args:
        absolute_a: Absolute errors of A in years, shape `(n,)`.
        absolute_b: Those of B, for the same rows.
        attributes: Groups of the rows for each attribute.
        takes_part: Which groups take part, by attribute.
        units: Persons; each row is a unit where nothing is given.
        weights: Survey weight of each row.
        seed: Start of the random numbers.
    """
    judged = [name for name in attributes if int(takes_part[name].sum()) > 1]
    if not judged:
        return BiasChanges({}, None)
    means = estimate_means(
        {A: absolute_a, B: absolute_b}, attributes, units=units, weights=weights, seed=seed
    )
    blocks = {
        side: [means.columns(name, side)[takes_part[name]] for name in judged] for side in (A, B)
    }
    each = LEVEL ** (1 / len(judged))
    own = {
        name: bias_change(means, [one], [other], level=each)
        for name, one, other in zip(judged, blocks[A], blocks[B], strict=True)
    }
    return BiasChanges(own, bias_change(means, blocks[A], blocks[B]))


def bias_change(
    means: GroupMeans, blocks_a: Blocks, blocks_b: Blocks, *, level: float = LEVEL
) -> BiasChange:
    """Return the change of the (average) bias of some attributes.

    Args:
        means: Group means of the absolute errors of both models, from one call, so that their
            draws are joint.
        blocks_a: Columns of A of each attribute's groups that take part.
        blocks_b: Those of B, the same groups in the same order.
        level: Share of samples whose interval holds the true change.

    Examples:
        >>> from fairage.auditing.groups import group_rows
        >>> from fairage.auditing.noise import estimate_means
        >>> gender = {"gender": group_rows(["f", "f", "m", "m"] * 50)}
        >>> a, b = np.tile([1.0, 2.0, 5.0, 6.0], 50), np.tile([1.0, 2.0, 3.0, 4.0], 50)
        >>> means = estimate_means({"a": a, "b": b}, gender)
        >>> columns = [[means.columns("gender", side)] for side in ("a", "b")]
        >>> change = bias_change(means, *columns)
        >>> round(change.value, 2), change.high < -1.5
        (-2.0, True)
    """
    law = means.means, means.variance, means.draws
    a = bias_estimate(*law, blocks_a, level=level)
    b = bias_estimate(*law, blocks_b, level=level)
    value = _rounded(b.value - a.value)
    if not _noise(means, blocks_a, blocks_b):
        return BiasChange(a, b, value, value, value)
    r = _correlation(means, blocks_a, blocks_b)
    middle = b.corrected - a.corrected
    low = middle - _together(_below(b), a.high - a.corrected, r)
    high = middle + _together(b.high - b.corrected, _below(a), r)
    low, high = max(low, -a.high), min(high, b.high)
    return BiasChange(a, b, value, min(_rounded(low), value), max(_rounded(high), value))


def _rounded(years: float) -> float:
    """Return 0 for what only rounding has left of it."""
    return years if abs(years) > ROUNDING else 0.0


def _together(one: float, other: float, r: float) -> float:
    """Return the distance of an end of a difference from the ends of its two parts."""
    return math.sqrt(max(one * one + other * other - 2 * r * one * other, 0.0))


def _below(bias: BiasEstimate) -> float:
    """Return how far a bias may lie below its value; where it may be 0, as far as above it."""
    below = bias.corrected - bias.low
    return below if bias.low > 0 else max(below, bias.high - bias.corrected)


def _noise(means: GroupMeans, *blocks: Blocks) -> bool:
    columns = np.concatenate([column for part in blocks for column in part])
    return bool(np.diag(means.variance)[columns].any())


def _correlation(means: GroupMeans, blocks_a: Blocks, blocks_b: Blocks) -> float:
    """Return the correlation of the two measured biases, on the careful side.

    Where the measured order of the groups is certain, it is that of the draws. Where it is not,
    the correlation at orders that noise may give is averaged, and less than the average is taken.
    """
    used = np.concatenate([column for part in (blocks_a, blocks_b) for column in part])
    blocks = [_places(used, part) for part in (blocks_a, blocks_b)]
    middle, draws = means.means[used], means.draws[:, used]
    variance = means.variance[np.ix_(used, used)]
    drawn = middle + draws
    values = [(_slopes(drawn, part) * drawn).sum(axis=1) for part in blocks]
    spreads = [float(each.std()) for each in values]
    if min(spreads) == 0:
        return 0.0
    centred = [each - each.mean() for each in values]
    measured = float((centred[0] * centred[1]).mean() / (spreads[0] * spreads[1]))
    one, other = (_slopes(middle + NOISIER * draws, part) for part in blocks)
    left, right = one @ variance, other @ variance
    scale = np.sqrt((left * one).sum(axis=1) * (right * other).sum(axis=1))
    known = scale > 0
    if not known.any():
        return min(measured, 0.0)
    local = (left * other).sum(axis=1)[known] / scale[known]
    careful = float(local.mean() - CAREFUL * local.std())
    return max(min(measured, careful), -1.0)


def _places(used: NDArray[np.int64], blocks: Blocks) -> list[NDArray[np.int64]]:
    """Return where the columns of some attributes stand among those that are used."""
    order = np.argsort(used)
    return [order[np.searchsorted(used, columns, sorter=order)] for columns in blocks]


def _slopes(means: Floats, blocks: Blocks) -> Floats:
    """Return the derivative of the average bias by each mean: `(draws, columns)` to the same."""
    slopes = np.zeros(means.shape)
    for columns in blocks:
        k = len(columns)
        order = np.argsort(means[:, columns], axis=1, kind="stable")
        ranks = np.empty(order.shape)
        np.put_along_axis(ranks, order, np.arange(1.0, k + 1)[None, :], axis=1)
        slopes[:, columns] = (2 * ranks - k - 1) * 2 / (k * (k - 1)) / len(blocks)
    return slopes


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
