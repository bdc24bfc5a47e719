"""The formulas of the study and of the kit, against slow re-writes row by row."""

from math import exp, log, prod

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE, AGE_GROUP, UNKNOWN
from fairage.weighting import make_weighting
from fairage.weighting.study import AGE_YEAR

ATTRIBUTES = ("gender", "expression")

Rows = list[dict[str, str]]


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(st.integers(1, 25))
    group = st.sampled_from(["a", "b", "c", UNKNOWN])
    columns = {name: draw(st.lists(group, min_size=rows, max_size=rows)) for name in ATTRIBUTES}
    ages = draw(st.lists(st.integers(0, 120), min_size=rows, max_size=rows))
    return pl.DataFrame({AGE: [age + 0.25 for age in ages], **columns}).with_columns(
        pl.col(AGE).clip(0, 120)
    )


def labelled(table: pl.DataFrame) -> Rows:
    """Each row's group of every attribute, the age as group and as year."""

    def age_group(age: float) -> str:
        if age < 20:
            return "young"
        if age < 40:
            return "adult"
        return "senior" if age < 60 else "old"

    return [
        {
            **{name: row[name] for name in ATTRIBUTES},
            AGE_GROUP: age_group(row[AGE]),
            AGE_YEAR: str(round(row[AGE])),
        }
        for row in table.to_dicts()
    ]


def possible(rows: Rows, name: str) -> int:
    fixed = {AGE_GROUP: 4, AGE_YEAR: 100}
    return fixed.get(name, len({row[name] for row in rows}))


def support(rows: Rows, row: dict[str, str], names: tuple[str, ...]) -> int:
    return sum(all(other[name] == row[name] for name in names) for other in rows)


def slow_product(rows: Rows, names: tuple[str, ...]) -> list[float]:
    return [
        prod(
            (5 + len(rows)) / (5 + possible(rows, name) * support(rows, row, (name,)))
            for name in names
        )
        for row in rows
    ]


def slow_intersection(rows: Rows, names: tuple[str, ...]) -> list[float]:
    n = prod(possible(rows, name) for name in names)
    return [(5 + len(rows)) / (5 + n * support(rows, row, names)) for row in rows]


def slow_inverse(rows: Rows, row: dict[str, str], name: str) -> float:
    return len(rows) / (possible(rows, name) * support(rows, row, (name,)))


def slow_kit(rows: Rows) -> list[float]:
    return [slow_inverse(rows, row, AGE_GROUP) for row in rows]


def slow_means(rows: Rows, mean: str) -> list[float]:
    found = []
    for row in rows:
        weights = [slow_inverse(rows, row, name) for name in (*ATTRIBUTES, AGE_GROUP)]
        n = len(weights)
        means = {
            "arithmetic": sum(weights) / n,
            "geometric": exp(sum(log(weight) for weight in weights) / n),
            "harmonic": n / sum(1 / weight for weight in weights),
        }
        found.append(means[mean])
    return found


SLOW = {
    "1a": lambda rows: slow_product(rows, (*ATTRIBUTES, AGE_YEAR)),
    "1b": lambda rows: slow_product(rows, (*ATTRIBUTES, AGE_GROUP)),
    "2a": lambda rows: slow_intersection(rows, (*ATTRIBUTES, AGE_YEAR)),
    "2b": lambda rows: slow_intersection(rows, (*ATTRIBUTES, AGE_GROUP)),
    "kit": slow_kit,
    "mean-arithmetic": lambda rows: slow_means(rows, "arithmetic"),
    "mean-geometric": lambda rows: slow_means(rows, "geometric"),
    "mean-harmonic": lambda rows: slow_means(rows, "harmonic"),
    "none": lambda rows: [1.0] * len(rows),
}


@pytest.mark.parametrize("name", list(SLOW))
@settings(max_examples=50)
@given(table=tables())
def test_weights_equal_the_formula_written_slowly(name: str, table: pl.DataFrame) -> None:
    weights = make_weighting(name).weigh(table)
    expected = SLOW[name](labelled(table))
    np.testing.assert_allclose(weights.values * weights.scale, expected, rtol=1e-9)


def test_a_group_of_the_mean_support_weighs_one() -> None:
    table = pl.DataFrame({AGE: [30.0] * 6, "gender": ["f", "m"] * 3})
    assert make_weighting("1b", age=None).weigh(table).groups["gender"] == {"f": 1.0, "m": 1.0}


@given(table=tables())
def test_a_rarer_group_never_weighs_less(table: pl.DataFrame) -> None:
    counts = dict(table["gender"].value_counts().iter_rows())
    groups = make_weighting("1b").weigh(table).groups["gender"]
    rare_first = sorted(groups, key=lambda group: counts[group])
    weights = [groups[group] for group in rare_first]
    assert weights == sorted(weights, reverse=True)


@given(table=tables())
def test_the_kits_weights_give_every_age_group_the_same_total(table: pl.DataFrame) -> None:
    labels = [row[AGE_GROUP] for row in labelled(table)]
    shares = make_weighting("kit").weigh(table).shares(labels)
    assert list(shares.values()) == pytest.approx([1 / len(shares)] * len(shares))


def test_years_are_rounded_and_not_cut() -> None:
    table = pl.DataFrame({AGE: [29.6, 30.4, 30.6]})
    assert set(make_weighting("1a").weigh(table).groups[AGE_YEAR]) == {"30", "31"}


def test_empty_cells_count_among_the_possible_values() -> None:
    table = pl.DataFrame({AGE: [30.0, 30], "gender": ["f", "m"], "expression": ["happy", "other"]})
    cells = make_weighting("2b").weigh(table).groups["gender x expression x age_group"]
    assert cells == {
        "f x happy x adult": pytest.approx(7 / (5 + 16)),
        "m x other x adult": pytest.approx(7 / (5 + 16)),
    }


def test_attributes_can_be_chosen() -> None:
    table = pl.DataFrame({AGE: [30.0, 70], "gender": ["f", "m"], "expression": ["happy", "other"]})
    assert set(make_weighting("1b", attributes=["gender"]).weigh(table).groups) == {
        "gender",
        AGE_GROUP,
    }


def test_an_attribute_that_is_named_twice_counts_once() -> None:
    table = pl.DataFrame({AGE: [30.0, 30, 70], "gender": ["f", "m", "m"]})
    once = make_weighting("1b", attributes=["gender"]).weigh(table)
    twice = make_weighting("1b", attributes=["gender", "gender", AGE_GROUP]).weigh(table)
    np.testing.assert_array_equal(once.values, twice.values)


@pytest.mark.parametrize("name", ["1b", "2b", "mean-harmonic"])
def test_an_attribute_that_is_not_there_is_an_error_that_lists_those_that_are(name: str) -> None:
    table = pl.DataFrame({AGE: [30.0], "gender": ["f"]})
    with pytest.raises(DataError, match=r"attributes among \['gender', 'age_group'\], got 'sex'"):
        make_weighting(name, attributes=["sex"]).weigh(table)


def test_an_intersection_of_nothing_is_an_error() -> None:
    with pytest.raises(ConfigError, match="expected an attribute or an age to intersect"):
        make_weighting("2b", age=None).weigh(pl.DataFrame({AGE: [30.0, 31.0]}))


def test_without_attributes_the_age_alone_is_weighed() -> None:
    table = pl.DataFrame({AGE: [30.0, 30, 30, 70]})
    assert set(make_weighting("1b").weigh(table).groups) == {AGE_GROUP}
    assert make_weighting("1b", age=None).weigh(table).values.tolist() == [1, 1, 1, 1]
