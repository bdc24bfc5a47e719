"""How numbers, counts and lists are written in every message, page and terminal table.

Names come from strangers' tables: `visible` replaces what would be obeyed rather than shown. HTML
is escaped where a text is put, not here; terminals get no markup at all.
"""

import math
import unicodedata
from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
PER_CENT = "\N{NARROW NO-BREAK SPACE}%"
LONGEST_NAME = 80
FINEST = 6
ROUNDING = 9


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


def plain_years(value: float) -> str:
    """Return years as they were given, with their unit.

    Examples:
        >>> plain_years(1.0), plain_years(0.5)
        ('1 year', '0.5 years')
    """
    return _with_unit(f"{value:g}")


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


def promised(share: float) -> str:
    """Return a share that somebody promised or asked for, as a percentage, not rounded.

    Examples:
        >>> promised(0.995)
        '99.5\u202f%'
    """
    return f"{100 * share:g}{PER_CENT}"


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


def short(value: object, longest: int = 40) -> str:
    """Return how Python writes a value, cut where it is long.

    Examples:
        >>> short("a"), short("a" * 100, longest=12)
        ("'a'", "'aaaaaaaa...")
    """
    text = f"{value:g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def reason_of(error: BaseException, longest: int = 200) -> str:
    r"""Return the first line of what an error says, cut where it is long; else its name.

    Examples:
        >>> reason_of(ValueError("too large\nat line 1")), reason_of(KeyError())
        ('too large', 'KeyError')
    """
    line = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


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
    r"""Return a name on one line, with an escape for each character that cannot be seen.

    Examples:
        >>> visible("a\x1b[31mb\nc"), visible("light \u202edark")
        ('a\\x1b[31mb\\nc', 'light \\u202edark')
    """
    text = "".join(_sign_of(character) for character in text)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def shown(text: str) -> str:
    r"""Return a text of any length with an escape for each character that cannot be seen.

    Unlike `visible` it keeps line ends.

    Examples:
        >>> shown("a\x1b[31mb\nc")
        'a\\x1b[31mb\nc'
    """
    return "\n".join("".join(map(_sign_of, line)) for line in text.split("\n"))


def _with_unit(text: str, unit: str = "year") -> str:
    return f"{text} {unit}" if text == "1" else f"{text} {unit}s"


def _sign_of(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return character.encode("unicode_escape").decode() if hidden else character
