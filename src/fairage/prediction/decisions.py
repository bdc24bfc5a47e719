"""Is a face at least so old? Yes, no, or refer it to somebody who checks.

The promise: of faces under the age, at most the share `wrong_yes` is answered yes; of the others,
at most `wrong_no` is answered no. Each holds for at least 95 of 100 calibration sets.

P(age >= a) never falls as the estimate rises, so that a threshold on it is one on the estimate. It
is chosen on the estimate, as P rises in steps and many estimates share one.

How: the estimates of the calibration faces are taken from high to low. At each the share of faces
under the age that would be answered yes has an exact upper limit (Clopper-Pearson, one-sided,
95 %). The walk stops at the first whose limit is above the promise; the answer begins at the lowest
estimate before it. No correction for the many estimates is needed: the faces answered yes only grow
from one to the next, in an order that no true age decides. To choose a threshold that is too low,
the one at which the true share is the promise would have to pass as well, and that happens in 5 of
100 calibration sets at most: tests in a fixed sequence [1], as they are used to choose thresholds
of models [2].

[1] Maurer, Hothorn and Lehmacher, "Multiple comparisons in drug clinical trials and preclinical
assays: a-priori ordered hypotheses", 1995. [2] Angelopoulos et al., "Learn then test: calibrating
predictive algorithms to achieve risk control", 2021.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairage._text import count, limit, percent, percent_at_most, promised
from fairage.age_groups import AgeGroups
from fairage.auditing.distributions import clopper_pearson
from fairage.auditing.groups import Floats
from fairage.auditing.result_parts import Interval
from fairage.exceptions import ConfigError
from fairage.prediction.calibration_rows import CalibrationRows
from fairage.prediction.group_numbers import (
    GroupNumbers,
    by_group,
    count_faces,
    independent_faces,
    share_of,
)
from fairage.prediction.intervals import ConformalAges, check_age

YES, NO, REFER = "yes", "no", "refer"
BOTH_TAILS = 0.9  # the level of two-sided limits whose upper one is a one-sided one of 95 %
RULE_OF_THREE = 3
ROUNDING = 1e-9  # what sums of parts of faces may be off by


@dataclass(frozen=True)
class RuleSide:
    """Where one of the two answers begins, and what that rests on.

    Args:
        answer: `yes` or `no`.
        promise: Largest share of wrong answers.
        at: Estimate in years from which (`no`: down to which) it is answered; None: it never is.
        p_over: P(age >= a) of a face with that estimate; NaN where it is never answered.
        n: Calibration faces that the answer would be wrong for (persons, where known; of a face
            whose range holds the age, the part on that side).
        effective: As how many independent ones they count, where some persons have more faces.
        needed: How many independent ones it takes.
        wrong: Share of these that are answered wrongly; NaN where it is never answered.
        bound: Its exact upper limit, one-sided, 95 %; NaN where it is never answered.
        text: The same in a sentence.
    """

    answer: str
    promise: float
    at: float | None
    p_over: float
    n: float
    effective: float
    needed: int
    wrong: float
    bound: float
    text: str


@dataclass(frozen=True)
class AgeRule:
    """A rule that answers whether a face is at least so old; `fit_rule` makes one.

    Args:
        age: The age in years.
        yes: Where "yes" begins; None where no `wrong_yes` was promised: then it is never answered.
        no: Where "no" begins; the same for `wrong_no`.
        under: Calibration faces under the age (persons, where known).
        over: Those of at least the age.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> ages = rng.uniform(0, 40, 2000)
        >>> rows = CalibrationRows(ages + rng.normal(0, 2, 2000), ages, ages)
        >>> rule = fit_rule(rows, ConformalAges.fit(rows), 18, wrong_yes=0.02, wrong_no=0.02)
        >>> rule.answers([10.0, 18.1, 30.0, np.nan]).tolist()
        ['no', 'refer', 'yes', 'refer']
    """

    age: float
    yes: RuleSide | None
    no: RuleSide | None
    under: float
    over: float

    def answers(self, predictions: ArrayLike) -> NDArray[np.str_]:
        """Return "yes", "no" or "refer" for each estimate in years, shape `(n,)`.

        A face without an estimate (NaN) is referred. So is one that both answers fit, where a good
        model can promise both: fewer answers cannot make more wrong ones.
        """
        values = np.asarray(predictions, dtype=np.float64)
        yes, no = _reached(self.yes, values), _reached(self.no, values)
        return np.where(yes & ~no, YES, np.where(no & ~yes, NO, REFER))

    def costs(self, rows: CalibrationRows, age_groups: AgeGroups | None = None) -> GroupNumbers:
        """Return what the rule does to faces with known ages, overall and by group.

        `referred` is a share of all faces, `wrong_yes` of those under the age, `wrong_no` of the
        others. Give faces that the rule was not fitted on: on those that it was, the wrong answers
        are what the thresholds were chosen by, and look a little too few.

        Args:
            rows: Faces with true ages; of one known as a range, each part counts where it lies.
            age_groups: Groups of the true age; the default ones where nothing is given.
        """
        answers = self.answers(rows.predictions)[:, None]
        under = rows.draws() < self.age

        def numbers(inside: NDArray[np.bool_]) -> dict[str, Interval]:
            return {
                "referred": share_of(answers == REFER, inside, rows),
                "wrong_yes": share_of(answers == YES, inside & under, rows),
                "wrong_no": share_of(answers == NO, inside & ~under, rows),
            }

        return by_group(rows, numbers, age_groups)


def fit_rule(
    rows: CalibrationRows,
    intervals: ConformalAges,
    age: float,
    *,
    wrong_yes: float | None = 0.01,
    wrong_no: float | None = None,
) -> AgeRule:
    r"""Return the rule whose shares of wrong answers stay within what is promised.

    With fewer than 3 / `wrong_yes` faces under the age, "yes" cannot be promised and is never
    answered; the same for "no". What is neither is referred. A face whose range holds the age
    counts with the part of its draws on either side; within a range ages are taken to be spread
    evenly, whatever the estimate. Faces of a person count as one face.

    Args:
        rows: Calibration faces, that the model was neither trained nor selected on.
        intervals: The distribution of ages around an estimate, which says P(age >= a) at the
            thresholds.
        age: The age in years.
        wrong_yes: Largest share of faces under the age that are answered yes; None: never "yes".
        wrong_no: Largest share of the other faces that are answered no; None: never "no".

    Raises:
        ConfigError: Neither is given, one is not between 0 and 1, or the age is none.

    Examples:
        >>> rows = CalibrationRows(np.full(90, 17.0), np.full(90, 16), np.full(90, 16))
        >>> fit_rule(rows, ConformalAges.fit(rows), 18).yes.text
        'Never yes: to promise 1\u202f% takes 300 faces under 18, the calibration has 90.'
    """
    if wrong_yes is None and wrong_no is None:
        raise ConfigError(
            "expected wrong_yes or wrong_no, got neither, give the share of wrong answers"
        )
    check_age(age)
    under = (rows.draws() < age).mean(axis=1)
    yes = no = None
    if wrong_yes is not None:
        yes = _side(YES, under, rows, wrong_yes, f"under {age:g}")
        yes = replace(yes, p_over=_p_at(yes, intervals, age))
    if wrong_no is not None:
        no = _side(NO, 1 - under, rows, wrong_no, f"of {age:g} and over")
        no = replace(no, p_over=_p_at(no, intervals, age))
    return AgeRule(age, yes, no, count_faces(under, rows), count_faces(1 - under, rows))


def _p_at(side: RuleSide, intervals: ConformalAges, age: float) -> float:
    return math.nan if side.at is None else float(intervals.p_over([side.at], age)[0])


def _reached(side: RuleSide | None, estimates: Floats) -> NDArray[np.bool_]:
    if side is None or side.at is None:
        return np.zeros(estimates.shape, dtype=bool)
    return estimates >= side.at if side.answer == YES else estimates <= side.at


def _side(
    answer: str, weights: Floats, rows: CalibrationRows, promise: float, who: str
) -> RuleSide:
    """Return where an answer begins.

    Args:
        answer: The answer.
        weights: What part of each row it would be wrong for, shape `(n,)`.
        rows: The rows.
        promise: Largest share of wrong answers.
        who: What to call the faces it would be wrong for.
    """
    if not 0 < promise < 1:
        raise ConfigError(
            f"expected wrong_{answer} as a share between 0 and 1, got {promise!r}, write for "
            "example 0.01"
        )
    n, effective = count_faces(weights, rows), independent_faces(weights, rows)
    needed = math.ceil(RULE_OF_THREE / promise - ROUNDING)
    side = RuleSide(answer, promise, None, math.nan, n, effective, needed, math.nan, math.nan, "")
    if effective < needed - ROUNDING:
        return replace(side, text=_too_few(side, rows, who))
    sign = 1.0 if answer == YES else -1.0
    last, wrong, bound = _walk(sign * rows.predictions, weights, effective, promise)
    beyond = rows.predictions[sign * rows.predictions > last]
    if not len(beyond):
        far = "highest" if answer == YES else "lowest"
        return replace(side, text=f"Never {answer}: faces {who} have the {far} estimates.")
    at = float(beyond[np.argmin(np.abs(beyond - sign * last))])
    side = replace(side, at=at, wrong=wrong, bound=bound)
    return replace(side, text=_begins(side, rows, who))


def _too_few(side: RuleSide, rows: CalibrationRows, who: str) -> str:
    thing = "face" if rows.units is None else "person"
    unequal = ""
    if side.n >= side.needed:
        unequal = f", that count as {_whole(side.effective)}, as some have more faces than others"
    return (
        f"Never {side.answer}: to promise {promised(side.promise)} takes "
        f"{count(side.needed, thing)} {who}, the calibration has {_whole(side.n)}{unequal}."
    )


def _begins(side: RuleSide, rows: CalibrationRows, who: str) -> str:
    assert side.at is not None
    begin = limit(side.at, 2, up=side.answer == YES)  # never before it begins
    faces = (
        f"{_whole(side.n)} faces" if rows.units is None else f"faces of {_whole(side.n)} persons"
    )
    return (
        f"{side.answer.capitalize()} {'from' if side.answer == YES else 'down to'} an estimate of "
        f"{begin} years: that wrongly answers {percent(side.wrong, 2)} of {faces} {who}, "
        f"{percent_at_most(side.bound, 2)} at most (95 %)."
    )


def _walk(scores: Floats, weights: Floats, n: float, promise: float) -> tuple[float, float, float]:
    """Return the first score that breaks the promise, and the share and limit just before it.

    The limit only grows with the share, so that the first is found by halving.
    """

    def bound(share: float) -> float:
        return clopper_pearson(share * n, n, BOTH_TAILS)[1]

    inside = weights > 0
    values, places = np.unique(-scores[inside], return_inverse=True)
    parts = np.cumsum(np.bincount(places.reshape(-1), weights=weights[inside]))
    shares = [0.0, *(parts / parts[-1]).tolist()]  # the last, 1, has the limit 1
    first = bisect_right(shares, promise, lo=1, key=bound)
    return -float(values[first - 1]), shares[first - 1], bound(shares[first - 1])


def _whole(n: float) -> str:
    """Return how many there are, rounded down."""
    return f"{math.floor(n + ROUNDING):,}"
