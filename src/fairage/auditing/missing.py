"""What stands where a value is missing: the usual spellings, and those that a user names."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.auditing.groups import Floats

__all__ = [
    "MISSING",
    "MOST_REASONS",
    "OTHER",
    "Sentinels",
    "is_missing",
    "missing_texts",
    "top_reasons",
]

MISSING = "missing"
OTHER = "other"
MOST_REASONS = 20
SPELLINGS = frozenset(
    ("", "-", "--", "?", ".", "na", "n/a", "n.a.", "#n/a", "<na>", "nan", "nat", "null", "nil",
     "none", "unknown", "missing")
)  # fmt: skip


def is_missing(text: str) -> bool:
    """Return whether a text says that there is no value.

    Examples:
        >>> is_missing(" N/A "), is_missing("male")
        (True, False)
    """
    return text.strip().lower() in SPELLINGS


def missing_texts(texts: pl.Series) -> pl.Series:
    """Return which of many texts say that there is no value.

    Examples:
        >>> missing_texts(pl.Series([" N/A ", "male"])).to_list()
        [True, False]
    """
    return texts.str.strip_chars().str.to_lowercase().is_in(list(SPELLINGS))


@dataclass(frozen=True)
class Sentinels:
    """Values that a user named as missing: texts by their letters, numbers by their value.

    Args:
        texts: In lower case, without spaces around them.
        numbers: Such as 999.
    """

    texts: frozenset[str] = frozenset()
    numbers: tuple[float, ...] = ()

    @classmethod
    def of(cls, spellings: Iterable[str]) -> Self:
        """Return the sentinels with these spellings.

        Examples:
            >>> Sentinels.of(["No Face", "999"]).has_text(" no face"), Sentinels.of(["0"]).numbers
            (True, (0.0,))
        """
        texts, numbers = set(), set()
        for spelling in spellings:
            number = _number(spelling)
            if number is None:
                texts.add(spelling.strip().lower())
            else:
                numbers.add(number)
        return cls(frozenset(texts), tuple(sorted(numbers)))

    def has_text(self, text: str) -> bool:
        """Return whether a text is one of them."""
        return text.strip().lower() in self.texts

    def among(self, values: Floats) -> NDArray[np.bool_]:
        """Return which of the numbers, shape `(n,)`, are one of them."""
        if not self.numbers:
            return np.zeros(len(values), dtype=bool)
        return np.isin(values, self.numbers)


def _number(text: str) -> float | None:
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def top_reasons(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the reasons with the most rows, at most twenty; the rest are `other`.

    Examples:
        >>> top_reasons({"ERR": 1, "no face": 7, "blurred": 0})
        {'no face': 7, 'ERR': 1}
    """
    ordered = sorted(
        ((reason, int(count)) for reason, count in counts.items() if count),
        key=lambda item: (-item[1], item[0]),
    )
    kept: Counter[str] = Counter(dict(ordered[:MOST_REASONS]))
    rest = sum(count for _, count in ordered[MOST_REASONS:])
    if rest:
        kept[OTHER] += rest
    return dict(kept)
