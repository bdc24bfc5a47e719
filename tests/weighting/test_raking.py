"""Raking: margins, trimming, targets, and what cannot be met."""

import re
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE, AGE_GROUP, UNKNOWN, group_labels
from fairage.weighting import make_weighting

ATTRIBUTES = ["gender", "place", AGE_GROUP]
CELLS = list(product("fm", "abc", [10.0, 30.0, 50.0, 70.0]))


@st.composite
def full_tables(draw: st.DrawFn) -> pl.DataFrame:
    """Every intersection has one to nine rows, so that any margins can be met."""
    rows = [cell for cell in CELLS for _ in range(draw(st.integers(1, 9)))]
    gender, place, ages = zip(*rows, strict=True)
    return pl.DataFrame({AGE: ages, "gender": gender, "place": place})


shares = st.floats(0.05, 1)


def check_margins(table: pl.DataFrame, weights, targets: dict[str, dict[str, float]]) -> None:
    for attribute, told in targets.items():
        found = weights.shares(group_labels(table, attribute))
        for group, share in told.items():
            assert found[group] == pytest.approx(share / sum(told.values()), abs=1e-6)


@settings(max_examples=40)
@given(table=full_tables())
def test_uniform_margins_are_met_together_within_a_millionth(table: pl.DataFrame) -> None:
    weights = make_weighting("raking").weigh(table)
    uniform = {a: dict.fromkeys(np.unique(group_labels(table, a)).tolist(), 1) for a in ATTRIBUTES}
    check_margins(table, weights, uniform)


@settings(max_examples=40)
@given(table=full_tables(), f=shares, a=shares, b=shares, old=shares)
def test_any_targets_are_met(table, f: float, a: float, b: float, old: float) -> None:
    targets = {
        "gender": {"f": f, "m": 1},
        "place": {"a": a, "b": b, "c": 1},
        AGE_GROUP: {"young": 1, "adult": 1, "senior": 1, "old": old},
    }
    check_margins(table, make_weighting("raking", targets=targets).weigh(table), targets)


@settings(max_examples=20)
@given(table=full_tables(), trim=st.floats(1.5, 10))
def test_margins_still_hold_after_trimming(table: pl.DataFrame, trim: float) -> None:
    plain, trimmed = (make_weighting("raking", trim=t).weigh(table) for t in (None, trim))
    check_margins(table, trimmed, {"gender": {"f": 1, "m": 1}})
    check_margins(table, trimmed, {"place": {"a": 1, "b": 1, "c": 1}})
    limit = trim * float(np.median(plain.values))
    if plain.largest <= limit:
        np.testing.assert_allclose(trimmed.values, plain.values)


def test_trimming_lowers_the_largest_weight_where_the_margins_allow_it() -> None:
    cells = {("f", "a"): 40, ("f", "b"): 8, ("m", "a"): 8, ("m", "b"): 2, ("f", "c"): 9}
    cells[("m", "c")] = 1
    rows = [cell for cell, n in cells.items() for _ in range(n)]
    gender, place = zip(*rows, strict=True)
    table = pl.DataFrame({AGE: [30.0] * len(rows), "gender": gender, "place": place})
    plain, trimmed = (
        make_weighting("raking", attributes=["gender", "place"], trim=t).weigh(table)
        for t in (None, 2.5)
    )
    assert trimmed.largest < plain.largest


def slow_rake(table: pl.DataFrame, rounds: int) -> list[float]:
    """The definition, row by row: scale to one margin after the other."""
    rows = table.to_dicts()
    weights = [1.0] * len(rows)
    for _ in range(rounds):
        for attribute in ("gender", "place"):
            groups = sorted({row[attribute] for row in rows})
            for group in groups:
                inside = [i for i, row in enumerate(rows) if row[attribute] == group]
                total = sum(weights[i] for i in inside)
                for i in inside:
                    weights[i] *= (1 / len(groups)) / total
    return [weight * len(rows) for weight in weights]


def test_the_weights_equal_the_definition_written_slowly(rng: np.random.Generator) -> None:
    table = pl.DataFrame(
        {
            AGE: [30.0] * 60,
            "gender": rng.choice(["f", "m"], 60),
            "place": rng.choice(["a", "b", "c"], 60, p=[0.7, 0.2, 0.1]),
        }
    )
    weights = make_weighting("raking", attributes=["gender", "place"]).weigh(table)
    np.testing.assert_allclose(weights.values, slow_rake(table, 200), rtol=1e-5)


def test_unknown_keeps_its_share_and_the_known_groups_share_the_rest() -> None:
    table = pl.DataFrame({AGE: [30.0] * 10, "gender": [UNKNOWN] * 2 + ["f"] * 6 + ["m"] * 2})
    weights = make_weighting("raking", attributes=["gender"]).weigh(table)
    assert weights.shares(table["gender"]) == pytest.approx({UNKNOWN: 0.2, "f": 0.4, "m": 0.4})
    targets = {"gender": {"f": 3, "m": 1}}
    told = make_weighting("raking", targets=targets).weigh(table)
    assert told.shares(table["gender"]) == pytest.approx({UNKNOWN: 0.2, "f": 0.6, "m": 0.2})


def test_power_goes_from_the_rows_as_they_are_to_uniform() -> None:
    table = pl.DataFrame({AGE: [30.0] * 10, "gender": ["f"] * 9 + ["m"]})
    found = [
        make_weighting("raking", attributes=["gender"], power=p)
        .weigh(table)
        .shares(table["gender"])
        for p in (0, 0.5, 1)
    ]
    assert [shares["f"] for shares in found] == pytest.approx([0.9, 0.75, 0.5])


def test_a_target_for_a_group_without_rows_is_an_error_that_names_it() -> None:
    table = pl.DataFrame({AGE: [30.0] * 2, "gender": ["f", "m"]})
    with pytest.raises(DataError, match=r"of 'gender' .* got none of \['x'\]"):
        make_weighting("raking", targets={"gender": {"f": 1, "m": 1, "x": 1}}).weigh(table)


def test_a_group_without_a_target_is_an_error_that_names_it() -> None:
    table = pl.DataFrame({AGE: [30.0] * 2, "gender": ["f", "m"]})
    with pytest.raises(DataError, match=r"each group of 'gender', got none for \['m'\]"):
        make_weighting("raking", targets={"gender": {"f": 1}}).weigh(table)


@pytest.mark.parametrize(
    "places", [["a", "b", "c"], ["a", "a", "b"]], ids=["contradiction", "only with weight zero"]
)
def test_shares_that_rows_cannot_have_together_are_neared_and_told(places: list[str]) -> None:
    table = pl.DataFrame({AGE: [30.0] * 3, "gender": ["f", "m", "m"], "place": places})
    if places == ["a", "a", "b"]:
        table = pl.concat([table, table.with_columns(gender=pl.lit("m"), place=pl.lit("a"))])
    attributes = ["gender", "place"]
    weights = make_weighting("raking", attributes=attributes).weigh(table)
    told = re.match(r"raking goes (\d+) % of the way .*: \d rows .*gender and place", weights.note)
    assert told is not None
    reached = int(told[1]) / 100
    assert 0 <= reached < 1
    as_told = make_weighting("raking", attributes=attributes, power=reached).weigh(table)
    assert as_told.note == ""
    np.testing.assert_allclose(weights.values, as_told.values)
    further = make_weighting("raking", attributes=attributes, power=reached + 0.1).weigh(table)
    assert further.note
    targets = {"gender": {"f": 1, "m": 1}, "place": dict.fromkeys(set(places), 1)}
    with pytest.raises(DataError, match="expected targets that weights can reach"):
        make_weighting("raking", targets=targets).weigh(table)


@pytest.mark.parametrize(
    "options",
    [
        {"trim": 1.0},
        {"trim": -3},
        {"power": 1.1},
        {"power": -0.1},
        {"targets": {"gender": {"f": 0, "m": 1}}},
        {"targets": {"gender": {}}},
        {"targets": {}},
        {"targets": "even"},
        {"targets": {"gender": {"f": 1}}, "attributes": ["gender"]},
    ],
)
def test_a_wrong_option_is_an_error(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        make_weighting("raking", **options)


@settings(max_examples=20)
@given(table=full_tables(), seed=st.integers(0, 9))
def test_groups_of_a_table_where_some_cells_are_empty_meet_or_near_their_shares(
    table, seed
) -> None:
    keep = np.random.default_rng(seed).random(table.height) < 0.3
    assume(keep.any())
    table = table.filter(pl.Series(keep))
    weights = make_weighting("raking").weigh(table)
    if not weights.note:
        groups = np.unique(group_labels(table, "place")).tolist()
        check_margins(table, weights, {"place": dict.fromkeys(groups, 1)})
