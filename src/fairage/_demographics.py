"""Columns of demographics, such as gender or self-reported race: names, codes, missing values."""

import math
import re
from collections.abc import Collection, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

DEMOGRAPHICS = ("gender", "sex", "ethnicity", "race", "ethnic_group", "skin", "fitzpatrick",
                "monk", "disability", "country", "region", "nationality", "continent", "ancestry",
                "religion", "expression", "facial_expression", "emotion", "glasses", "eyeglasses",
                "country_of_birth", "region_of_birth")  # fmt: skip
STEMS = ("skin", "fitzpatrick", "monk")
BEFORE = ("true", "real", "actual", "gt", "ground_truth", "label", "labelled", "labeled",
          "annotated", "reported", "self_reported", "perceived", "apparent", "subject", "person",
          "participant", "user", "face", "demographics", "demographic", "attributes", "attribute",
          "attr", "metadata", "meta", "labels")  # fmt: skip
AFTER = ("label", "labels", "group", "category", "class", "code", "true", "gt", "type", "scale")
MODEL_BEFORE = re.compile(
    r"(?:^|.*_)(?:pred|preds|predicted|prediction|predictions|estimated|estimate|est|dominant"
    r"|inferred|detected|model)_.+"
)
MODEL_AFTER = re.compile(
    r".+_(?:pred|preds|predicted|prediction|estimated|estimate|score|scores|confidence|conf|prob"
    r"|probability|logit)"
)


def plain(name: str) -> str:
    """Return a name in lower case with underscores between its words.

    Examples:
        >>> plain(" AgeRange.Low"), plain("True Age")
        ('age_range_low', 'true_age')
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[\s.\-_/]+", "_", words).lower()


def demographic_rank(name: str) -> int | None:
    """Return the place of a column's name among those of demographics; None where it is none.

    Examples:
        >>> demographic_rank("subject_race"), demographic_rank("gender.Woman")
        (3, None)
    """
    word = plain(name)
    if is_said_by_model(name):
        return None
    for before in BEFORE:
        word = word.removeprefix(f"{before}_")
    for stem in STEMS:
        if word == stem or word.startswith(f"{stem}_"):
            return DEMOGRAPHICS.index(stem)
    for rank, demographic in enumerate(DEMOGRAPHICS):
        if word == demographic or word in {f"{demographic}_{after}" for after in AFTER}:
            return rank
    return None


def is_demographic(name: str) -> bool:
    """Return whether a column has the name of a demographic.

    Examples:
        >>> is_demographic("demographics.gender"), is_demographic("pred_gender")
        (True, False)
    """
    return demographic_rank(name) is not None


def is_said_by_model(name: str) -> bool:
    """Return whether a name says that a model made the column.

    Examples:
        >>> is_said_by_model("dominant_emotion"), is_said_by_model("gender_confidence")
        (True, True)
    """
    word = plain(name)
    return bool(MODEL_BEFORE.fullmatch(word) or MODEL_AFTER.fullmatch(word))


MOST_CODES = 12
"""Most groups that an attribute of numbers has."""
_SIGNS = {-1.0, 1.0}


def codes_among(
    distinct: NDArray[np.float64], column: str, named: Sequence[float] = ()
) -> NDArray[np.float64] | None:
    """Return the values that are codes of groups under a demographic's name; None if they aren't.

    A negative one is none, unless it is named or there are exactly -1 and 1.

    Args:
        distinct: The finite values of a column, each once, shape `(k,)`.
        column: Its name.
        named: Values that stand for a group whatever they are.

    Examples:
        >>> codes_among(np.array([-1.0, 0.0, 1.0]), "gender").tolist()
        [0.0, 1.0]
        >>> codes_among(np.array([0.2, 0.7]), "skin_tone") is None
        True
    """
    if not is_demographic(column) or (distinct != np.floor(distinct)).any():
        return None
    is_code = (distinct >= 0) | np.isin(distinct, named)
    if is_code.sum() > MOST_CODES:
        return None
    return distinct if set(distinct) == _SIGNS else distinct[is_code]


SPELLINGS = frozenset(
    ("", "-", "--", "?", ".", "na", "n/a", "n.a.", "#n/a", "<na>", "nan", "nat", "null", "nil",
     "none", "unknown", "missing", "unspecified", "not specified", "not available", "undefined")
)  # fmt: skip
"""How tables write that there is no value, in lower case."""


def is_missing(text: str) -> bool:
    """Return whether a text says that there is no value.

    Examples:
        >>> is_missing(" N/A "), is_missing("male")
        (True, False)
    """
    return text.strip().lower() in SPELLINGS


def missing_texts(texts: pl.Series) -> pl.Series:
    """Return which of many texts say that there is no value; None where there is no text.

    Examples:
        >>> missing_texts(pl.Series([" N/A ", "male"])).to_list()
        [True, False]
    """
    return texts.str.strip_chars().str.to_lowercase().is_in(list(SPELLINGS))


def present_texts(values: pl.Series) -> pl.Series:
    """Return values as texts without spaces around them; None for every spelling of missing.

    Examples:
        >>> present_texts(pl.Series([" Ann", "N/A", "", None])).to_list()
        ['Ann', None, None, None]
    """
    if values.dtype.is_float():
        values = values.fill_nan(None)
    texts = values.cast(pl.String).str.strip_chars()
    return texts.set(missing_texts(texts).fill_null(value=True), None)


def holds_numbers(distinct: pl.Series) -> bool:
    """Return whether these different values are numbers, or texts that write one or are missing.

    Examples:
        >>> holds_numbers(pl.Series(["0", " 1", "NA"])), holds_numbers(pl.Series(["0", "x"]))
        (True, False)
    """
    if distinct.dtype.is_numeric():
        return True
    if distinct.dtype != pl.String:
        return False
    texts = distinct.drop_nulls().str.strip_chars()
    is_number = texts.cast(pl.Float64, strict=False).is_finite().fill_null(value=False)
    return bool(is_number.any()) and all(map(is_missing, texts.filter(~is_number)))


def as_numbers(values: pl.Series) -> NDArray[np.float64]:
    """Return values that hold numbers as such, shape `(n,)`; NaN where one is missing."""
    if values.dtype == pl.String:
        values = values.str.strip_chars()
    return values.cast(pl.Float64, strict=False).fill_null(math.nan).to_numpy()


def group_texts(values: pl.Series, column: str, named: Collection[str] = ()) -> pl.Series | None:
    """Return the group of each row as a text, None where it is missing, as the audit reads it.

    Spaces around a text do not count. Numbers that are codes are named by their number, `1` for
    `1.0`; see `codes_among`. A column of numbers that are no codes is no attribute: None.

    Args:
        values: The column, shape `(n,)`.
        column: Its name.
        named: Texts that stand for a group, although they look like a missing value.

    Examples:
        >>> group_texts(pl.Series([" male", "N/A", "-"]), "gender").to_list()
        ['male', None, None]
        >>> group_texts(pl.Series([0.0, 1.0, -1.0]), "gender").to_list()
        ['0', '1', None]
        >>> group_texts(pl.Series([0, 1, 2]), "fold") is None
        True
    """
    distinct = values.unique()
    if holds_numbers(distinct) and not any(map(is_missing, named)):
        codes = _codes_of(distinct, column, named)
        if codes is not None:
            return _named_by_number(as_numbers(values), codes, values.name)
        if distinct.dtype.is_numeric():
            return None
    texts = values.cast(pl.String).str.strip_chars()
    return texts.set(missing_texts(texts) & ~texts.is_in(list(named)), None)


def _codes_of(
    distinct: pl.Series, column: str, named: Collection[str]
) -> NDArray[np.float64] | None:
    """Return the numbers that are groups; texts of few numbers are groups under any name."""
    numbers = as_numbers(distinct)
    numbers = np.unique(numbers[np.isfinite(numbers)])
    as_named = as_numbers(pl.Series(list(named), dtype=pl.String))
    codes = codes_among(numbers, column, as_named.tolist())
    are_texts = not distinct.dtype.is_numeric()
    return numbers if codes is None and are_texts and len(numbers) <= MOST_CODES else codes


def _named_by_number(
    numbers: NDArray[np.float64], codes: NDArray[np.float64], name: str
) -> pl.Series:
    names = pl.Series(name, [*(f"{code:.12g}" for code in codes), None], dtype=pl.String)
    places = np.searchsorted(codes, numbers).clip(max=max(len(codes) - 1, 0))
    known = np.isin(numbers, codes)
    return names.gather(np.where(known, places, len(codes)).astype(np.uint32))


_ABBREVIATIONS = {"m": "male", "f": "female"}
_IGNORED_SIGNS = str.maketrans("", "", " \t\u00a0_-.,'\"()/")


def similar_names(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the sets of groups that look like spellings of one.

    They differ only in case, spaces and punctuation, or are `m` and `male`, `f` and `female`.

    Examples:
        >>> similar_names(["Male", "male", "M", "female", "1", "-1"])
        (('Male', 'male', 'M'),)
    """
    sets: dict[str, list[str]] = {}
    for name in names:
        key = name.casefold().translate(_IGNORED_SIGNS)
        if key and not is_missing(name) and math.isnan(_number(name)):
            sets.setdefault(_ABBREVIATIONS.get(key, key), []).append(name)
    return tuple(tuple(group) for group in sets.values() if len(group) > 1)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
