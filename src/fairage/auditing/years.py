"""Columns of ages as they stand in a table: numbers, ranges, and cells without an age."""

import math
import re
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._demographics import is_missing
from fairage._table import Table
from fairage.auditing.cells import MISSING, Sentinels, bad_rows, whole_column
from fairage.auditing.groups import Floats
from fairage.auditing.ranges import middle, parse_age
from fairage.exceptions import ConfigError, DataError

DECIMAL_COMMA = r"^[+-]?\d+,\d+$"
THOUSANDS = re.compile(r"^[+-]?\d{1,3}(?:[ ,.'\u00a0\u2019]\d{3})+(?:[.,]\d+)?$")
NO_SENTINELS = Sentinels()


@dataclass(frozen=True)
class YearCells:
    """A column of ages; nothing is left out, and nothing is checked against 0..120.

    Args:
        low: Lower ends in years, shape `(n,)`; NaN where a cell holds no age.
        high: Upper ends, `inf` where a range has none; the array `low` itself where all cells are
            numbers.
        codes: Place in `texts` of what a cell without an age holds, -1 for the others.
        texts: What cells without an age hold, each text once; the first is `missing`.
        commas: Whether a number has a decimal comma.
        last_years: Whether a range of whole years was read as counting its last year.
    """

    low: Floats
    high: Floats
    codes: NDArray[np.int32]
    texts: tuple[str, ...] = (MISSING,)
    commas: bool = False
    last_years: bool = False

    @property
    def has_ranges(self) -> bool:
        """Whether any cell is a range."""
        return self.low is not self.high and bool((self.low != self.high)[self.codes < 0].any())

    @property
    def middles(self) -> Floats:
        """Mid-points, shape `(n,)`; NaN where a cell holds no age or a range without an end."""
        return middle(self.low, self.high)

    @property
    def is_number(self) -> NDArray[np.bool_]:
        """Which cells hold a number, shape `(n,)`."""
        return np.asarray((self.codes < 0) & (self.low == self.high))

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """Which cells hold a range without an end, shape `(n,)`."""
        return np.asarray(np.isinf(self.high) & np.isfinite(self.low))

    @property
    def is_reversed(self) -> NDArray[np.bool_]:
        """Which ranges end before they begin, shape `(n,)`."""
        return np.asarray(self.low > self.high)

    def closed_at(self, oldest: float | None, column: str) -> "YearCells":
        """Return the same with ranges without an end closed at this age, where one is given."""
        if oldest is None or not self.is_open.any():
            return self
        last = float(self.low[self.is_open].max())
        if last >= oldest:
            raise ConfigError(
                f"expected oldest above {last:g}, where a range in column {column!r} begins that "
                f"has no end, got {oldest:g}, raise it"
            )
        return replace(self, high=np.where(self.is_open, oldest, self.high))


def read_years(
    table: Table,
    column: str,
    high: str | None = None,
    *,
    closed: bool = True,
    sentinels: Sentinels = NO_SENTINELS,
) -> YearCells:
    """Return the ages in a column, or from one column to another.

    Args:
        table: The table.
        column: Numbers, or texts such as "20-29"; the lower ends where `high` is given.
        high: Column of the upper ends.
        closed: Whether a range of whole years counts its last year.
        sentinels: Texts that write no age, whatever they look like.

    Raises:
        DataError: The column holds neither numbers nor texts, numbers have thousands separators,
            or a range ends before it begins.
    """
    values = whole_column(table, column)
    if high is not None:
        cells = _between(
            _numbers(values, column), _numbers(whole_column(table, high), high), closed=closed
        )
    else:
        cells = _spelled(_numbers(values, column), sentinels, closed=closed)
    columns = [column] if high is None else [column, high]
    thousands = [i for i, text in enumerate(cells.texts) if THOUSANDS.match(text)]
    if thousands:
        rows = np.flatnonzero(np.isin(cells.codes, thousands))
        raise bad_rows(table, columns, "numbers without thousands separators", rows)
    if cells.is_reversed.any():
        rows = np.flatnonzero(cells.is_reversed)
        raise bad_rows(table, columns, "ranges that begin before they end", rows)
    return cells


def read_numbers(table: Table, column: str, counts: NDArray[np.bool_] | None = None) -> Floats:
    """Return a column of numbers, shape `(n,)`; NaN where one is missing.

    Args:
        table: The table.
        column: The column.
        counts: Rows that must hold a number or nothing, shape `(n,)`; all where nothing is given.

    Raises:
        DataError: A cell holds something else.
    """
    cells = _numbers(whole_column(table, column), column)
    wrong = np.flatnonzero((cells.codes > 0) & (True if counts is None else counts))
    if len(wrong):
        raise bad_rows(table, column, "numbers", wrong)
    return cells.low


def _numbers(values: pl.Series, column: str) -> YearCells:
    """Return cells of which those that are no plain number have their text."""
    kind = values.dtype
    if kind.is_numeric() or kind == pl.Null:
        low = values.cast(pl.Float64).fill_null(math.nan).to_numpy()
        return YearCells(low, low, _blank_codes(low))
    if isinstance(kind, pl.Categorical | pl.Enum):
        values = values.cast(pl.String)
    elif kind != pl.String:
        raise DataError(
            f"column {column!r}: expected numbers or ranges of ages, got values of the type "
            f"{kind}, name another column"
        )
    return _plain_numbers(values.str.strip_chars())


def _plain_numbers(texts: pl.Series) -> YearCells:
    numbers = texts.cast(pl.Float64, strict=False)
    unread = numbers.is_null() & texts.is_not_null()
    with_comma = unread & texts.str.contains(DECIMAL_COMMA)
    commas = bool(with_comma.any())
    if commas:
        points = texts.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
        numbers, unread = points.zip_with(with_comma, numbers), unread & ~with_comma
    low = numbers.fill_null(math.nan).to_numpy()
    codes = _blank_codes(low)
    if not unread.any():
        return YearCells(low, low, codes, commas=commas)
    rest = texts.filter(unread)
    distinct = rest.unique(maintain_order=True)
    others = [text for text in distinct if not is_missing(text)]
    place = {text: i for i, text in enumerate(others, start=1)}
    places = np.array([place.get(text, 0) for text in distinct], dtype=np.int32)
    codes[unread.to_numpy()] = places[rest.cast(pl.Enum(distinct)).to_physical().to_numpy()]
    return YearCells(low, low, codes, (MISSING, *others), commas)


def _blank_codes(low: Floats) -> NDArray[np.int32]:
    """Return 0, for `missing`, where there is no number and -1 where there is one."""
    return np.where(np.isnan(low), np.int32(0), np.int32(-1))


def _spelled(cells: YearCells, sentinels: Sentinels, *, closed: bool) -> YearCells:
    """Return the cells with the texts that write an age read as such."""
    if len(cells.texts) == 1:
        return cells
    ends = [
        None if sentinels.has_text(text) else parse_age(text, closed=closed) for text in cells.texts
    ]
    rest = [text for text, pair in zip(cells.texts, ends, strict=True) if pair is None]
    place = {text: i for i, text in enumerate(rest)}
    places = np.array([place.get(text, -1) for text in cells.texts], dtype=np.int32)
    lows = np.array([math.nan if pair is None else pair[0] for pair in ends])
    highs = np.array([math.nan if pair is None else pair[1] for pair in ends])
    of_text = cells.codes > 0
    which = cells.codes[of_text]
    low, codes = cells.low.copy(), cells.codes.copy()
    low[of_text], codes[of_text] = lows[which], places[which]
    high = low
    if (lows != highs)[~np.isnan(lows)].any():
        high = low.copy()
        high[of_text] = highs[which]
    spelled = list(zip(cells.texts, ends, strict=True))
    commas = any("," in text and pair and pair[0] == pair[1] for text, pair in spelled)
    last_years = any(pair and parse_age(text, closed=False) != pair for text, pair in spelled)
    return YearCells(low, high, codes, tuple(rest), cells.commas or commas, last_years)


def _between(first: YearCells, last: YearCells, *, closed: bool) -> YearCells:
    """Return the ages from one column to another; without a last one a range has no end."""
    low = first.low
    high = np.where(np.isnan(last.low), math.inf, last.low)
    whole = closed & (low == np.floor(low)) & (high == np.floor(high)) & (low <= high)
    high = np.where(np.isnan(low), math.nan, high + whole)
    codes = first.codes.copy()
    texts = {text: i for i, text in enumerate(dict.fromkeys((*first.texts, *last.texts)))}
    wrong_end = (last.codes > 0) & (codes < 0)
    places = np.array([texts[text] for text in last.texts], dtype=np.int32)
    codes[wrong_end] = places[last.codes[wrong_end]]
    low = np.where(codes < 0, low, math.nan)
    high = np.where(codes < 0, high, math.nan)
    commas = first.commas or last.commas
    last_years = bool((whole & np.isfinite(high)).any())
    return YearCells(low, high, codes, tuple(texts), commas, last_years)
