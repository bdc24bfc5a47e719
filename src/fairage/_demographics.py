"""Columns of demographics, such as gender or self-reported race: their names, and their codes."""

import re
from collections.abc import Sequence

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


def codes_as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table with codes of groups as text, so that their columns are attributes.

    What is no code, beside some that are, is missing; see `codes_among`.

    Examples:
        >>> frame = pl.DataFrame({"gender": [0, 1, -1], "fold": [0, 1, 2]})
        >>> codes_as_text(frame)["gender"].to_list(), codes_as_text(frame)["fold"].to_list()
        (['0', '1', None], [0, 1, 2])
    """
    columns = []
    for name, kind in frame.schema.items():
        if not kind.is_numeric():
            continue
        values = frame[name].cast(pl.Float64)
        values = values.set(~values.is_finite(), None)
        codes = codes_among(values.drop_nulls().unique().to_numpy(), name)
        if codes is not None:
            known = values.set(~values.is_in(codes.tolist()), None)
            columns.append(known.cast(pl.Int64).cast(pl.String))
    return frame.with_columns(columns)
