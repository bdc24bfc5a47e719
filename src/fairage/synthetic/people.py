"""One row a face before anything is drawn: attributes, ages, labels, split."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage._random import numpy_rng
from fairage.age_groups import MAX_AGE, AgeGroups
from fairage.datasets.dataset import ETHNICITY, EXPRESSION, GENDER
from fairage.synthetic.population import GroupBias, Population, ages_within
from fairage.tables import (
    AGE,
    AGE_GROUP,
    AGE_STD,
    APPARENT_AGE,
    IMAGE,
    N_RATINGS,
    REAL_AGE,
    SPLIT,
    SPLITS,
)

VISIBLE_AGE = "visible_age"
VISIBLE_AGE_UNBIASED = "visible_age_unbiased"
INDIVIDUAL = "individual"
LABEL_ERROR = "label_error"
DRAWN_COLUMNS = (
    *(IMAGE, AGE, SPLIT, REAL_AGE, APPARENT_AGE, AGE_STD, N_RATINGS),
    *(GENDER, ETHNICITY, EXPRESSION),
)
TRUTH_COLUMNS = (
    *(IMAGE, REAL_AGE, VISIBLE_AGE, VISIBLE_AGE_UNBIASED, AGE, INDIVIDUAL, LABEL_ERROR),
)

_SHARES = (0.54, 0.20, 0.26)
_MEAN_RATINGS, _FEWEST_RATINGS = 38, 10
_GOLDEN = (5**0.5 - 1) / 2


def draw_people(
    n: int, seed: int, population: Population, biases: Sequence[GroupBias] = ()
) -> pl.DataFrame:
    """Return one row a face with the columns of the faces table and of the truth.

    Args:
        n: Rows.
        seed: Everything depends on it and on nothing else.
        population: Shares of the groups.
        biases: Knobs; several that act on one row add up (their `cue` multiplies).
    """
    dealt = {
        name: population.deal(name, n, numpy_rng(seed, "people", name))
        for name in (GENDER, ETHNICITY, EXPRESSION, AGE_GROUP)
    }
    true = ages_within(dealt.pop(AGE_GROUP), numpy_rng(seed, "people", "ages"))
    people = pl.DataFrame({AGE: true, **dealt})
    looks = _looks(people, biases, numpy_rng(seed, "people", "looks"))
    labels = _labels(people, biases, numpy_rng(seed, "people", "labels"))
    image = pl.format("images/{}.jpg", pl.int_range(1, n + 1).cast(pl.String).str.zfill(6))
    split = _splits(people, numpy_rng(seed, "people", "splits"))
    return (
        people.rename({AGE: REAL_AGE})
        .with_columns(image.alias(IMAGE), pl.Series(SPLIT, split), *looks, *labels)
        .with_columns(pl.col(AGE).alias(APPARENT_AGE))
    )


def individual_sd(ages: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many years people of these true ages look older or younger (sd)."""
    return np.clip(0.4 + 0.1 * ages, None, 3.8)


def _looks(
    people: pl.DataFrame, biases: Sequence[GroupBias], rng: np.random.Generator
) -> list[pl.Series]:
    """Return the age that each face shows, with and without the biases."""
    true = people[AGE].to_numpy()
    individual = individual_sd(true) * rng.standard_normal(len(true))
    cue, cue_noise = np.ones(len(true)), np.zeros(len(true))
    for bias in biases:
        rows = bias.rows(people)
        cue[rows] *= bias.cue
        cue_noise[rows] = np.hypot(cue_noise[rows], bias.cue_noise)
    shown = true.mean() + cue * (true - true.mean())
    visible = shown + individual + cue_noise * rng.standard_normal(len(true))
    return [
        pl.Series(VISIBLE_AGE, _ages(visible)),
        pl.Series(VISIBLE_AGE_UNBIASED, _ages(true + individual)),
        pl.Series(INDIVIDUAL, individual),
    ]


def _labels(
    people: pl.DataFrame, biases: Sequence[GroupBias], rng: np.random.Generator
) -> list[pl.Series]:
    """Return the label, its error, and how far the raters were apart.

    The label is the mean of the ratings. What a bias adds to it is shared by all raters, so it
    shows neither in their spread nor in their number.
    """
    true, n = people[AGE].to_numpy(), len(people)
    spread = (1.2 + 0.09 * np.clip(true, None, 60)) * rng.lognormal(0, 0.25, n)
    ratings = np.clip(rng.normal(_MEAN_RATINGS, 6, n).round(), _FEWEST_RATINGS, None)
    error = spread / np.sqrt(ratings) * rng.standard_normal(n)
    for bias in biases:
        rows = bias.rows(people)
        error += rows * (bias.noise * rng.standard_normal(n) + bias.shift)
    label = _ages(true + error).round(2)
    return [
        pl.Series(AGE, label),
        pl.Series(LABEL_ERROR, label - true),
        pl.Series(AGE_STD, spread.round(3)),
        pl.Series(N_RATINGS, ratings.astype(np.int64)),
    ]


def _splits(people: pl.DataFrame, rng: np.random.Generator) -> NDArray[np.str_]:
    """Return splits in which every ethnicity, age group and gender has its share.

    The faces are sorted by group, shuffled within; steps of the golden ratio then visit the
    splits evenly, so that even a small group is spread over all of them.
    """
    n = len(people)
    groups = AgeGroups().codes(people[AGE].to_numpy())
    keys = (rng.random(n), people[GENDER].to_numpy(), groups, people[ETHNICITY].to_numpy())
    order = np.lexsort(tuple(np.unique(key, return_inverse=True)[1] for key in keys))
    places = (rng.random() + _GOLDEN * np.arange(n)) % 1
    splits = np.empty(n, dtype="<U5")
    splits[order] = np.array(SPLITS)[np.searchsorted(np.cumsum(_SHARES)[:-1], places, "right")]
    return splits


def _ages(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(values, 0, MAX_AGE)
