"""How numbers, names and lists are written in every report."""

import math
from collections.abc import Iterable

from fairage.tables import AGE_GROUP, UNKNOWN

__all__ = [
    "attribute_title",
    "attribute_words",
    "count",
    "faces_of",
    "joined",
    "number",
    "percent",
    "signed",
    "upper_first",
    "years",
]

NO_ADJECTIVES = {"other", "others", "none", "yes", "no", "true", "false", "na", "n/a"}
MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"


def number(value: float | None, digits: int = 2) -> str:
    """Return the number with a real minus sign, or a dash where there is none.

    Examples:
        >>> number(0.1234), number(None), number(-0.001)
        ('0.12', '–', '0.00')
    """
    if value is None or math.isnan(value):
        return NOTHING
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def signed(value: float | None, digits: int = 2) -> str:
    """Return the number with its sign, a plus too.

    Examples:
        >>> signed(1.5), signed(0.0)
        ('+1.50', '0.00')
    """
    text = number(value, digits)
    return f"+{text}" if value is not None and value > 0 and float(text.replace(",", "")) else text


def years(value: float, digits: int = 2) -> str:
    """Return the number and its unit.

    Examples:
        >>> years(3.14159), years(1, 0)
        ('3.14 years', '1 year')
    """
    text = number(value, digits)
    return f"{text} year" if text == "1" else f"{text} years"


def percent(share: float, digits: int = 0) -> str:
    """Return a share of one as a percentage.

    Examples:
        >>> percent(0.254)
        '25\u202f%'
    """
    return f"{number(100 * share, digits)}\N{NARROW NO-BREAK SPACE}%"


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
    return attribute.replace("_", " ").strip()


def faces_of(attribute: str, group: str) -> str:
    """Return the faces of a group, in words.

    Examples:
        >>> faces_of("gender", "male"), faces_of("age_group", "65+")
        ('male faces', 'faces aged 65+')
        >>> faces_of("skin_type", "4"), faces_of("expression", "other")
        ('faces whose skin type is 4', 'faces whose expression is other')
        >>> faces_of("gender", "unknown")
        'faces of unknown gender'
    """
    if group == UNKNOWN:
        return f"faces of unknown {attribute_words(attribute)}"
    if attribute == AGE_GROUP and group[:1].isdigit():
        return f"faces aged {group}"
    if group.lower() in NO_ADJECTIVES or group[:1].isdigit():
        return f"faces whose {attribute_words(attribute)} is {group}"
    return f"{group} faces"


def upper_first(text: str) -> str:
    """Return the text with a capital at its start.

    Examples:
        >>> upper_first("loss 2b"), upper_first("FaRL")
        ('Loss 2b', 'FaRL')
    """
    return text[:1].upper() + text[1:]
