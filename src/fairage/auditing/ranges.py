"""Ages as people write them, and errors against a range: "20-29", "[20, 30)", "70+", "under 18".

A range is half-open, `[low, high)` in years; a number has `low == high`; a range without an end has
`high == inf`. What a text means never depends on other texts.
"""

import math
import re

import numpy as np

from fairage.auditing.groups import Floats

NUMBER = r"(\d+(?:[.,]\d+)?|\.\d+)"
SIGNED = r"([+-]?(?:\d+(?:[.,]\d+)?|\.\d+|inf))"
DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"))
UNITS = re.compile(r"(?<![a-z])(?:years?[ -]old|years? of age|years?|yrs?\.?|y/o|yo|y)(?![a-z/])")
PREFIX = re.compile(r"^age[ds]?:? ")

ONE_NUMBER = re.compile(r"^([+-]?(?:\d+(?:[.,]\d+)?|\.\d+))$")
BETWEEN = re.compile(
    rf"^(?:from )?{NUMBER}\s*(?:-|_|;|\.\.\.?|,\s|to|until|through)\s*{NUMBER}$"
    rf"|^between {NUMBER} and {NUMBER}$"
)
BRACKETS = re.compile(rf"^([\[(])\s*{SIGNED}\s*(?:,|;|-|\.\.|to)\s*{SIGNED}\s*([\])])$")
MAPPING = re.compile(
    rf"""^\{{\s*["']?low["']?\s*[:=]\s*{NUMBER}\s*,\s*["']?high["']?\s*[:=]\s*{NUMBER}\s*\}}$"""
    rf"""|^\{{\s*["']?high["']?\s*[:=]\s*{NUMBER}\s*,\s*["']?low["']?\s*[:=]\s*{NUMBER}\s*\}}$"""
)
AT_LEAST = re.compile(
    rf"^(?:>=?|\u2265|more than|over|above|at least|older than|from)[\s-]*{NUMBER}$"
    rf"|^{NUMBER}\s*(?:\+|-|plus|(?:and|or|&) (?:over|above|older|more|up|upwards?))$"
)
UNDER = re.compile(rf"^(?:<|less than|under|below|younger than)[\s-]*{NUMBER}$")
AT_MOST = re.compile(
    rf"^(?:<=|\u2264|up to|at most)\s*{NUMBER}$"
    rf"|^{NUMBER} (?:and|or|&) (?:under|below|younger|less)$"
)


def parse_age(text: str, *, closed: bool = True) -> tuple[float, float] | None:
    """Return the ends in years of the age that a text writes; None where it writes none.

    A range of whole years counts its last year, unless it is written half-open or `closed` is
    false; ends that are no whole years are taken as written. `low > high` says that the text
    writes its ends the wrong way round.

    Args:
        text: A number, with decimal point or comma, or a range.
        closed: Whether a range of whole years counts its last year.

    Examples:
        >>> parse_age("20-29"), parse_age("[20, 30)"), parse_age("20-29", closed=False)
        ((20.0, 30.0), (20.0, 30.0), (20.0, 29.0))
        >>> parse_age("70+"), parse_age("under 18"), parse_age("18 or younger")
        ((70.0, inf), (0.0, 18.0), (0.0, 19.0))
        >>> parse_age("31,5"), parse_age("no face")
        ((31.5, 31.5), None)
    """
    plain = _plain(text)
    if match := ONE_NUMBER.match(plain):
        return _number(match[1]), _number(match[1])
    if match := BETWEEN.match(plain):
        return whole_years(
            _number(match[1] or match[3]), _number(match[2] or match[4]), closed=closed
        )
    if match := BRACKETS.match(plain):
        return _bracketed(match[1] + match[4], _number(match[2]), _number(match[3]), closed=closed)
    if match := MAPPING.match(plain):
        return whole_years(
            _number(match[1] or match[4]), _number(match[2] or match[3]), closed=closed
        )
    return _one_sided(plain)


def whole_years(low: float, high: float, *, closed: bool = True) -> tuple[float, float]:
    """Return the range from one age to another, both of them included where they are whole years.

    Examples:
        >>> whole_years(20, 29), whole_years(20, 29.5), whole_years(29, 20)
        ((20, 30), (20, 29.5), (29, 20))
    """
    whole = float(low).is_integer() and float(high).is_integer()
    return low, high + 1 if closed and whole and low <= high else high


def _one_sided(plain: str) -> tuple[float, float] | None:
    if match := AT_LEAST.match(plain):
        return _number(match[1] or match[2]), math.inf
    if match := UNDER.match(plain):
        return 0.0, _number(match[1])
    if match := AT_MOST.match(plain):
        return whole_years(0.0, _number(match[1] or match[2]))
    return None


def _bracketed(brackets: str, low: float, high: float, *, closed: bool) -> tuple[float, float]:
    """Return the ends of a range in brackets; "(20, 30]" is half-open as "[20, 30)" is."""
    if math.isinf(low) or math.isinf(high) or brackets in ("[)", "(]"):
        starts_before_birth = low == -math.inf or (-1 <= low < 0 and brackets == "(]")
        return (0.0 if starts_before_birth else low), high
    return whole_years(low, high, closed=closed)


def _plain(text: str) -> str:
    plain = " ".join(text.lower().translate(DASHES).split())
    plain = " ".join(UNITS.sub(" ", plain).split()) if any(c.isalpha() for c in plain) else plain
    return PREFIX.sub("", plain)


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def middle(low: Floats, high: Floats) -> Floats:
    """Return the mid-points of ranges, shape `(n,)`; NaN where one has no end.

    Examples:
        >>> middle(np.array([20.0, 70.0, 31.0]), np.array([30.0, np.inf, 31.0])).tolist()
        [25.0, nan, 31.0]
    """
    if low is high:
        return low
    points: Floats = np.where(np.isinf(high), np.nan, (low + high) / 2)
    return points


def nearest_error(low: Floats, high: Floats, estimate: Floats) -> Floats:
    """Return the least absolute error that a true age within `[low, high)` leaves, shape `(n,)`.

    Examples:
        >>> nearest_error(np.array([20.0, 70.0]), np.array([30.0, np.inf]), np.array([33, 60]))
        array([ 3., 10.])
    """
    return distance_outside(low, high, estimate)


def farthest_error(low: Floats, high: Floats, estimate: Floats) -> Floats:
    """Return the largest absolute error that a true age within `[low, high)` leaves, shape `(n,)`.

    It is infinite where the range has no end.

    Examples:
        >>> farthest_error(np.array([20.0]), np.array([30.0]), np.array([33.0]))
        array([13.])
    """
    farthest: Floats = np.maximum(np.abs(estimate - low), np.abs(estimate - high))
    return farthest


def inside(low: Floats, high: Floats, age: Floats) -> Floats:
    """Return 1 where the age lies in `[low, high)`, 0 where not, NaN where one is not known.

    A range whose ends are one number holds that number alone.

    Examples:
        >>> inside(np.array([20.0, 20.0]), np.array([30.0, 30.0]), np.array([20.0, 30.0])).tolist()
        [1.0, 0.0]
    """
    holds = (low <= age) & ((age < high) | ((age == low) & (low == high)))
    unknown = np.isnan(low) | np.isnan(high) | np.isnan(age)
    result: Floats = np.where(unknown, np.nan, holds)
    return result


def width(low: Floats, high: Floats) -> Floats:
    """Return how many years a range spans, shape `(n,)`; infinite where it has no end."""
    years: Floats = high - low
    return years


def distance_outside(low: Floats, high: Floats, age: Floats) -> Floats:
    """Return how many years the age lies outside of `[low, high)`, shape `(n,)`; 0 inside.

    Examples:
        >>> distance_outside(np.array([20.0]), np.array([30.0]), np.array([18.5]))
        array([1.5])
    """
    distance: Floats = np.maximum(np.maximum(low - age, age - high), 0.0)
    return distance
