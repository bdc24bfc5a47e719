"""How numbers, names and lists are written in every page, sentence and terminal table.

Names come from strangers' tables: `visible` replaces what would be obeyed rather than shown. HTML
and terminal markup are escaped where a text is put, not here.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from fairage.age_groups import DEFAULT_AGE_GROUPS
from fairage.auditing.result_parts import ALL, Interval
from fairage.tables import AGE_GROUP, UNKNOWN

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
PER_CENT = "\N{NARROW NO-BREAK SPACE}%"
TO = " to "
LONGEST_NAME = 80
FINEST = 6
ROUNDING = 9

_DEMOGRAPHIC = {"gender", "sex", "ethnicity", "race", "expression", "emotion", "skin", "tone"}
_NO_ADJECTIVES = {"other", "others", "none", "yes", "no", "true", "false", "na", "nan", "null"}
_ADJECTIVE = re.compile(r"[^\W\d_][^\W_]{2,}(?:[ _-][^\W_]+)*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def number(value: float | None, digits: int = 2) -> str:
    """Return the number with a real minus sign, or a dash where there is none.

    Examples:
        >>> number(0.1234), number(None), number(-0.001), number(1e300)
        ('0.12', '–', '0.00', '1.0e+300')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if abs(value) >= 1e12:
        return f"{value:.1e}".replace("-", MINUS)
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def signed(value: float | None, digits: int = 2) -> str:
    """Return the number with its sign, a plus too.

    Examples:
        >>> signed(1.5), signed(0.0), signed(-0.3)
        ('+1.50', '0.00', '−0.30')
    """
    text = number(value, digits)
    positive = value is not None and value > 0 and any(digit in text for digit in "123456789")
    return f"+{text}" if positive else text


def years(value: float | None, digits: int = 2) -> str:
    """Return the number and its unit.

    Examples:
        >>> years(3.14159), years(1, 0)
        ('3.14 years', '1 year')
    """
    return _with_unit(number(value, digits))


def at_least(value: float, digits: int = 1) -> str:
    """Return a lower limit of 0 or more, rounded down; never 0 for what is above 0.

    Examples:
        >>> at_least(2.97), at_least(0.0312), at_least(0)
        ('2.9', '0.03', '0.0')
    """
    return limit(value, digits, up=False)


def at_most(value: float, digits: int = 1) -> str:
    """Return an upper limit of 0 or more, rounded up.

    Examples:
        >>> at_most(0.71), at_most(0.8), at_most(1)
        ('0.8', '0.8', '1.0')
    """
    return limit(value, digits, up=True)


def limit(value: float, digits: int, *, up: bool) -> str:
    """Return a limit rounded up or down, with more digits where it would be rounded to 0.

    Examples:
        >>> limit(0.25, 1, up=False), limit(0.25, 1, up=True), limit(2e-10, 1, up=False)
        ('0.2', '0.3', '2e−10')
    """
    if not math.isfinite(value) or abs(value) >= 1e12:
        return number(value, digits)
    exact = Decimal(repr(round(float(value), ROUNDING)))
    rounding = ROUND_CEILING if up else ROUND_FLOOR
    for places in range(digits, FINEST + 1):
        rounded = exact.quantize(Decimal(1).scaleb(-places), rounding)
        if rounded or not value:
            return number(float(rounded), places)
    return f"{value:.0e}".replace("-", MINUS)


def percent(share: float | None, digits: int = 0) -> str:
    """Return a share of one as a percentage; a dash where there is none.

    Examples:
        >>> percent(0.254), percent(None)
        ('25\u202f%', '–')
    """
    if share is None or not math.isfinite(share):
        return NOTHING
    return f"{number(100 * share, digits)}{PER_CENT}"


def percent_at_most(share: float, digits: int = 0) -> str:
    """Return an upper limit of a share as a percentage, rounded up.

    Examples:
        >>> percent_at_most(0.251)
        '26\u202f%'
    """
    return f"{at_most(100 * share, digits)}{PER_CENT}"


def count(n: int, thing: str) -> str:
    """Return so many things, in the plural where there is not one.

    Examples:
        >>> count(1978, "face"), count(1, "seed")
        ('1,978 faces', '1 seed')
    """
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def joined(parts: Iterable[str], last: str = "and") -> str:
    """Return the parts as a list within a sentence.

    Examples:
        >>> joined(["a", "b", "c"]), joined(["a"]), joined(["a", "b"], "or")
        ('a, b and c', 'a', 'a or b')
    """
    items = list(parts)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def visible(text: str) -> str:
    r"""Return a name on one line, with a sign in the place of each character that cannot be seen.

    Examples:
        >>> visible("a\x1b[31mb\nc"), visible("light \u202edark")
        ('a␛[31mb␊c', 'light �dark')
    """
    text = "".join(_sign_of(character) for character in text)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def shown(text: str) -> str:
    r"""Return a text of any length with a sign for each character that cannot be seen.

    Unlike `visible` it keeps line ends.

    Examples:
        >>> shown("a\x1b[31mb\nc")
        'a␛[31mb\nc'
    """
    return "\n".join("".join(map(_sign_of, line)) for line in text.split("\n"))


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


def group_order(attribute: str, names: Sequence[str]) -> list[int]:
    """Return the indices of the names in the order to show them; `unknown` comes last.

    Ages rise, other groups are sorted by name.

    Examples:
        >>> group_order("age_group", ("old", "young"))
        [1, 0]
        >>> group_order("age_group", ("18-65", "65+", "0-18"))
        [2, 0, 1]
    """
    indices = range(len(names))
    if attribute != AGE_GROUP:
        return sorted(indices, key=lambda i: (names[i] == UNKNOWN, names[i]))
    if set(names) <= {*DEFAULT_AGE_GROUPS.names, UNKNOWN}:
        order = (*DEFAULT_AGE_GROUPS.names, UNKNOWN)
        return sorted(indices, key=lambda i: order.index(names[i]))
    return sorted(indices, key=lambda i: (_first_number(names[i]), names[i]))


def _with_unit(text: str, unit: str = "year") -> str:
    return f"{text} {unit}" if text == "1" else f"{text} {unit}s"


def _sign_of(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return "\N{REPLACEMENT CHARACTER}" if hidden else character


def _is_adjective(attribute: str, group: str) -> bool:
    """Return whether "<group> faces" reads well."""
    is_demographic = attribute == AGE_GROUP or _DEMOGRAPHIC & set(
        re.split(r"[\W_]+", attribute.lower())
    )
    plain = group.lower() not in _NO_ADJECTIVES and _ADJECTIVE.fullmatch(group.strip())
    return bool(is_demographic and plain)


def _end(end: float | None) -> float | None:
    return end if end is not None and math.isfinite(end) else None


def _first_number(name: str) -> float:
    match = _NUMBER.search(name)
    return float(match[0]) if match else math.inf
