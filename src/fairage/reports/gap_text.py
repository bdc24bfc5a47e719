"""The phrases that sentences and cells are made of: one limit, one gap, one verdict.

A lower limit is rounded down and an upper limit up, so that no sentence says more than the numbers.
"""

from collections.abc import Iterable, Sequence

from fairage._text import at_least, at_most, count, joined, percent, signed, years
from fairage.auditing.result_parts import DIFFER, WITHIN, Gap, Interval, Verdict
from fairage.reports.format import attribute_words, faces_of, group_words, upper_first

CONFIDENCE = "(95\N{NARROW NO-BREAK SPACE}% confidence, all gaps at once)"
POINTS = 100
NAMED_ATTRIBUTES = 4
NAMED_GROUPS = 6


def size_at_least(value: float, *, rate: bool = False) -> str:
    """Return a lower limit of a gap with its unit, rounded down.

    Examples:
        >>> size_at_least(2.97), size_at_least(0.0312), size_at_least(0.309, rate=True)
        ('2.9 years', '0.03 years', '30 points')
    """
    if rate:
        return f"{at_least(POINTS * value, _point_digits(value))} points"
    return f"{at_least(value, _year_digits(value))} years"


def size_at_most(value: float, *, rate: bool = False) -> str:
    """Return an upper limit of a gap with its unit, rounded up.

    Examples:
        >>> size_at_most(1.21), size_at_most(0.796), size_at_most(0.031, rate=True)
        ('1.3 years', '0.80 years', '3.1 points')
    """
    if rate:
        return f"{at_most(POINTS * value, _point_digits(value))} points"
    return f"{at_most(value, _year_digits(value))} years"


def margin_words(verdict: Verdict, *, rate: bool = False) -> str:
    """Return the margin with its unit.

    Examples:
        >>> margin_words(Verdict("gender", "cannot tell", 1.0))
        '1 year'
    """
    value = verdict.margin * POINTS if rate else verdict.margin
    unit = "point" if rate else "year"
    return f"{value:g} {unit}" if value == 1 else f"{value:g} {unit}s"


def apart(gap: Gap, *, rate: bool = False) -> str:
    """Return how far apart two groups are at least, or at most where they may be equal.

    Examples:
        >>> apart(Gap("gender", "f", "m", "mae", Interval(0.3, -0.1, 0.7), "within margin"))
        'at most 0.70 years apart'
        >>> apart(Gap("gender", "f", "m", "mae", Interval(3.5, 2.97, 4.1), "differ"))
        'at least 2.9 years apart'
    """
    if gap.differs:
        return f"at least {size_at_least(gap.at_least, rate=rate)} apart"
    if gap.at_most is None:
        return "apart by as much as nobody knows"
    return f"at most {size_at_most(gap.at_most, rate=rate)} apart"


def verdict_words(verdict: Verdict, *, rate: bool = False) -> str:
    """Return a verdict for a table's cell.

    Examples:
        >>> verdict_words(Verdict("gender", "within margin", 1.0, at_most=0.73))
        'no gap above 0.73 years'
        >>> verdict_words(Verdict("gender", "differ", 1.0, at_least=2.97, at_most=4.1))
        'differ by at least 2.9 years'
        >>> verdict_words(Verdict("gender", "cannot tell", 1.0, at_most=3.11))
        'cannot tell: up to 3.2 years'
    """
    if verdict.kind == DIFFER:
        return f"differ by at least {size_at_least(verdict.at_least, rate=rate)}"
    if verdict.kind == WITHIN and verdict.at_most is not None:
        least = size_at_least(verdict.at_least, rate=rate)
        some = f", one is at least {least}" if verdict.differing else ""
        return f"no gap above {size_at_most(verdict.at_most, rate=rate)}{some}"
    if verdict.reason:
        return f"cannot tell: {verdict.reason}"
    if verdict.at_most is None:
        return "cannot tell: nothing bounds the gaps"
    return f"cannot tell: up to {size_at_most(verdict.at_most, rate=rate)}"


def rows_words(verdict: Verdict, rows: str = "rows in all") -> str:
    """Return how many rows it would take; nothing where rows do not help.

    Args:
        verdict: The verdict.
        rows: Which rows those are.

    Examples:
        >>> rows_words(Verdict("gender", "cannot tell", 1.0, rows_needed=2400))
        'about 2,400 rows in all would be enough, all groups growing alike'
    """
    if verdict.rows_needed is None:
        return ""
    return f"about {verdict.rows_needed:,} {rows} would be enough, all groups growing alike"


def mae_words(attribute: str, names: Sequence[str], numbers: Sequence[Interval]) -> str:
    """Return the MAE of two groups, the larger first.

    Examples:
        >>> mae_words("skin", ("dark", "light"), (Interval(5.1), Interval(3.2)))
        'The MAE of dark faces is 5.10 years, that of light faces 3.20 years'
    """
    first, second = (faces_of(attribute, name) for name in names)
    larger, smaller = (years(interval.value) for interval in numbers)
    return f"The MAE of {first} is {larger}, that of {second} {smaller}"


def mean_error_words(attribute: str, names: Sequence[str], numbers: Sequence[Interval]) -> str:
    """Return in which direction two groups are off, the larger mean error first in both lists.

    Too old or too young is said of a group only where its own interval says so.

    Examples:
        >>> numbers = Interval(1.85, 1.4, 2.3), Interval(-1.6, -2.1, -1.2)
        >>> mean_error_words("gender", ("female", "male"), numbers)[:57]
        'Female faces are estimated too old, male faces too young:'
    """
    older, younger = (faces_of(attribute, name) for name in names)
    up, down = numbers
    values = [signed(up.value), signed(down.value)]
    if _is_above(up) and _is_below(down):
        text = f"{older} are estimated too old, {younger} too young"
    elif _is_above(up) and _is_above(down):
        text = f"{older} are estimated too old by more than {younger}"
    elif _is_below(up) and _is_below(down):
        text = f"{younger} are estimated too young by more than {older}"
        values.reverse()
    else:
        text = f"{older} are estimated older than {younger}, each beside the true age"
    return f"{upper_first(text)}: mean errors {joined(values)} years"


def rate_words(attribute: str, names: Sequence[str], rates: Sequence[Interval]) -> str:
    """Return the rates of groups, each with whose it is.

    Examples:
        >>> rate_words("skin", ("dark", "light"), (Interval(0.41), Interval(0.031)))
        '41\u202f% of dark faces and 3.1\u202f% of light faces'
    """
    pairs = zip(names, rates, strict=True)
    return joined(
        f"{share_words(rate.value)} of {faces_of(attribute, name)}" for name, rate in pairs
    )


def share_words(share: float) -> str:
    """Return a share as a percentage, with more digits where it is small.

    Examples:
        >>> share_words(0.41), share_words(0.031), share_words(0.0), share_words(0.0004)
        ('41 %', '3.1 %', '0 %', '0.04 %')
    """
    if share == 0 or share >= 0.1:
        return percent(share)
    digits = 1 if share >= 0.01 else 2
    return percent(share, digits) if share >= 0.00005 else f"under {percent(0.0001, 2)}"


def by_attributes(names: Iterable[str], last: str = "and") -> str:
    """Return attributes as a list, cut where it is long.

    Examples:
        >>> by_attributes(["gender", "age_group"]), by_attributes("abcdef")
        ('gender and age group', 'a, b, c and 3 other attributes')
    """
    words = [attribute_words(name) for name in names]
    if len(words) > NAMED_ATTRIBUTES:
        rest = len(words) - NAMED_ATTRIBUTES + 1
        words = [*words[: NAMED_ATTRIBUTES - 1], f"{rest} other attributes"]
    return joined(words, last)


def left_out_sentence(verdicts: Iterable[Verdict]) -> str:
    """Return which groups take no part in these verdicts; nothing where all do.

    Examples:
        >>> some = Verdict("all", "cannot tell", 1.0, left_out=(("race", "other", 4),))
        >>> left_out_sentence([some])
        'Not judged, being too small or unknown: race other (4 faces).'
    """
    groups = dict.fromkeys(group for verdict in verdicts for group in verdict.left_out)
    if not groups:
        return ""
    return f"Not judged, being too small or unknown: {group_list(groups)}."


def cut(items: Sequence[str], most: int = NAMED_GROUPS) -> list[str]:
    """Return the items, the last of a long list counted.

    Examples:
        >>> cut(["a", "b", "c", "d"], 3)
        ['a', 'b', '2 other groups']
    """
    if len(items) <= most:
        return list(items)
    return [*items[: most - 1], f"{len(items) - most + 1:,} other groups"]


def group_list(groups: Iterable[tuple[str, str, int]]) -> str:
    """Return groups as (attribute, group, rows) with their size, cut where the list is long.

    Examples:
        >>> group_list([("race", "other", 4), ("gender", "unknown", 1)])
        'race other (4 faces) and gender unknown (1 face)'
    """
    items = [
        f"{attribute_words(attribute)} {group_words(group)} ({count(rows, 'face')})"
        for attribute, group, rows in groups
    ]
    return joined(cut(items))


def _year_digits(value: float) -> int:
    return 1 if value >= 1 else 2


def _point_digits(value: float) -> int:
    return 0 if value >= 0.1 else 1


def _is_above(interval: Interval) -> bool:
    return interval.low is not None and interval.low > 0


def _is_below(interval: Interval) -> bool:
    return interval.high is not None and interval.high < 0
