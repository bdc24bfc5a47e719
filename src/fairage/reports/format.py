"""How groups, their attributes and intervals are written in every page, sentence and table."""

import math
import re
from collections.abc import Sequence

from fairage._text import NOTHING, joined, number, percent, signed, visible
from fairage.auditing.result_parts import ALL, Interval
from fairage.tables import AGE_GROUP, UNKNOWN

TO = " to "

_DEMOGRAPHIC = {"gender", "sex", "ethnicity", "race", "expression", "emotion", "skin", "tone"}
_NO_ADJECTIVES = {"other", "others", "none", "yes", "no", "true", "false", "na", "nan", "null"}
_ADJECTIVE = re.compile(r"[^\W\d_][^\W_]{2,}(?:[ _-][^\W_]+)*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def attribute_title(attribute: str) -> str:
    """Return an attribute's name for a heading.

    Examples:
        >>> attribute_title("skin_tone"), attribute_title("age_group")
        ('Skin tone', 'Age group')
    """
    return upper_first(attribute_words(attribute))


def attribute_words(attribute: str) -> str:
    """Return an attribute's name within a sentence.

    Examples:
        >>> attribute_words("age_group")
        'age group'
    """
    return visible(attribute).replace("_", " ").strip()


def group_words(group: str) -> str:
    """Return a group's name within a sentence.

    Examples:
        >>> group_words("Latino_Hispanic")
        'Latino Hispanic'
    """
    return visible(group).replace("_", " ").strip()


def faces_of(attribute: str, group: str) -> str:
    """Return the faces of a group, in words.

    Examples:
        >>> faces_of("gender", "male"), faces_of("age_group", "65+")
        ('male faces', 'faces aged 65+')
        >>> faces_of("skin_type", "4"), faces_of("income", "low")
        ('faces whose skin type is 4', 'faces whose income is low')
        >>> faces_of("gender", "unknown"), faces_of("all", "all")
        ('faces of unknown gender', 'all faces')
    """
    words, name = attribute_words(attribute), group_words(group)
    if attribute == ALL:
        return "all faces"
    if group == UNKNOWN:
        return f"faces of unknown {words}"
    if attribute == AGE_GROUP and name[:1].isdigit():
        return f"faces aged {name}"
    if _is_adjective(attribute, group):
        return f"{name} faces"
    return f"faces whose {words} is {name}"


def cell_of(attributes: Sequence[str], groups: Sequence[str]) -> str:
    """Return which faces share a group in each of several attributes.

    Examples:
        >>> cell_of(("gender", "age_group"), ("male", "old"))
        'gender male and age group old'
    """
    pairs = zip(attributes, groups, strict=True)
    return joined(f"{attribute_words(name)} {group_words(group)}" for name, group in pairs)


def upper_first(text: str) -> str:
    """Return the text with a capital at its start.

    Examples:
        >>> upper_first("loss 2b"), upper_first("FaRL")
        ('Loss 2b', 'FaRL')
    """
    return text[:1].upper() + text[1:]


def span(interval: Interval, digits: int = 2, *, sign: bool = False) -> str:
    """Return the 95 % interval, also where one end is open; nothing where there is none.

    Examples:
        >>> span(Interval(3.0, 2.5, 3.5, 10)), span(Interval(3.0)), span(Interval(3.0, 2.5))
        ('2.50 to 3.50', '', 'at least 2.50')
    """
    write = signed if sign else number
    low, high = _end(interval.low), _end(interval.high)
    if low is None and high is None:
        return ""
    if high is None:
        return f"at least {write(low, digits)}"
    if low is None:
        return f"at most {write(high, digits)}"
    return f"{write(low, digits)}{TO}{write(high, digits)}"


def with_span(interval: Interval, digits: int = 2, *, sign: bool = False) -> str:
    """Return the number and its interval, for a sentence.

    Examples:
        >>> with_span(Interval(3.0, 2.5, 3.5, 10))
        '3.00 (2.50 to 3.50)'
    """
    text = (signed if sign else number)(interval.value, digits)
    inside = span(interval, digits, sign=sign)
    return f"{text} ({inside})" if inside else text


def as_cell(interval: Interval | None, digits: int = 2) -> tuple[str, str]:
    """Return number and interval, for a table's cell.

    Examples:
        >>> as_cell(Interval(3.0, 2.5, 3.5, 10)), as_cell(None)
        (('3.00', '2.50 to 3.50'), ('–', ''))
    """
    if interval is None:
        return NOTHING, ""
    return number(interval.value, digits), span(interval, digits)


def as_signed_cell(interval: Interval | None, digits: int = 2) -> tuple[str, str]:
    """Return number and interval with their signs.

    Examples:
        >>> as_signed_cell(Interval(1.0, -0.5, 2.5, 10))
        ('+1.00', '−0.50 to +2.50')
    """
    if interval is None:
        return NOTHING, ""
    return signed(interval.value, digits), span(interval, digits, sign=True)


def as_percent_cell(interval: Interval | None, digits: int = 1) -> tuple[str, str]:
    """Return a share and its interval as percentages; a dash where there is nobody.

    Examples:
        >>> as_percent_cell(Interval(0.25, 0.14, 0.40, 40)), as_percent_cell(Interval(float("nan")))
        (('25.0\u202f%', '14.0 to 40.0'), ('–', ''))
    """
    if interval is None or not math.isfinite(interval.value):
        return NOTHING, ""
    low, high = (None if end is None else 100 * end for end in (interval.low, interval.high))
    inside = span(Interval(100 * interval.value, low, high), digits)
    return percent(interval.value, digits), inside


def group_order(attribute: str, names: Sequence[str], rising: Sequence[str] = ()) -> list[int]:
    """Return the indices of the names in the order to show them; `unknown` comes last.

    Ages rise, other groups are sorted by name.

    Args:
        attribute: The attribute.
        names: Its groups.
        rising: All age groups from the youngest, where the names are not in that order already.

    Examples:
        >>> group_order("gender", ("unknown", "male", "female"))
        [2, 1, 0]
        >>> group_order("age_group", ("65+", "unknown", "0-18"), ("0-18", "18-65", "65+"))
        [2, 0, 1]
    """
    indices = range(len(names))
    if attribute != AGE_GROUP:
        return sorted(indices, key=lambda i: (names[i] == UNKNOWN, names[i]))
    order = [name for name in rising or names if name != UNKNOWN] + [UNKNOWN]
    return sorted(indices, key=lambda i: order.index(names[i]))


def _is_adjective(attribute: str, group: str) -> bool:
    """Return whether "<group> faces" reads well."""
    is_demographic = attribute == AGE_GROUP or _DEMOGRAPHIC & set(
        re.split(r"[\W_]+", attribute.lower())
    )
    plain = group.lower() not in _NO_ADJECTIVES and _ADJECTIVE.fullmatch(group.strip())
    return bool(is_demographic and plain)


def _end(end: float | None) -> float | None:
    return end if end is not None and math.isfinite(end) else None
