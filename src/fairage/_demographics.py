"""Columns of demographics, such as gender or self-reported race: their names, and their codes."""

import re

import polars as pl

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


def codes_as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table with numbers that stand for groups as text, so that they are attributes.

    These are up to twelve whole numbers in a column with a demographic's name. A negative one is
    no group, unless there are -1 and 1 alone.

    Examples:
        >>> frame = pl.DataFrame({"gender": [0, 1, -1], "fold": [0, 1, 2]})
        >>> codes_as_text(frame)["gender"].to_list(), codes_as_text(frame)["fold"].to_list()
        (['0', '1', None], [0, 1, 2])
    """
    coded = []
    for name, kind in frame.schema.items():
        if not kind.is_numeric() or not is_demographic(name):
            continue
        numbers = frame[name].cast(pl.Float64).fill_nan(None)
        known = numbers.drop_nulls().unique()
        if len(known) > MOST_CODES or (known != known.floor()).any():
            continue
        is_group = pl.lit(value=True) if set(known) == {-1.0, 1.0} else pl.col(name) >= 0
        text = pl.col(name).cast(pl.Float64).fill_nan(None).cast(pl.Int64).cast(pl.String)
        coded.append(pl.when(is_group).then(text).alias(name))
    return frame.with_columns(coded)
