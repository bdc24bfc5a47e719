"""Groups, units, and who takes part."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage.auditing import groups as module
from fairage.auditing.groups import (
    Units,
    effective_sizes,
    everyone,
    group_rows,
    groups_of,
    pair_persons,
    taking_part,
    unit_chunks,
)
from fairage.tables import UNKNOWN

quick = settings(max_examples=30)

persons = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 9)), min_size=1, max_size=60)


def units_of(numbers: list[int]) -> Units:
    _, codes = np.unique(numbers, return_inverse=True)
    return Units(codes.astype(np.int64), int(codes.max()) + 1)


def test_group_means_are_those_of_a_slow_loop(rng: np.random.Generator) -> None:
    labels, values = rng.choice(list("abc"), 50), rng.normal(size=50)
    groups = group_rows(labels)
    for name, mean in zip(groups.names, groups.means(values), strict=True):
        own = [value for value, label in zip(values, labels, strict=True) if label == name]
        assert mean == pytest.approx(sum(own) / len(own))


def test_a_group_without_rows_has_no_mean_and_stays() -> None:
    groups = groups_of(("a", "b"), np.array([0, 0]))
    assert groups.counts.tolist() == [2, 0]
    assert np.isnan(groups.means(np.array([1.0, 3.0]))[1])
    rest = group_rows(["a", "b", "b"]).subset(np.array([True, False, False]))
    assert rest.names == ("a", "b")
    assert rest.counts.tolist() == [1, 0]


def test_everyone_is_one_group() -> None:
    assert everyone(3).names == ("all",)
    assert everyone(3).counts.tolist() == [3]


def test_small_groups_and_unknown_take_no_part() -> None:
    groups = group_rows(["a"] * 30 + ["b"] * 29 + [UNKNOWN] * 50)
    assert dict(zip(groups.names, taking_part(groups, 30).tolist(), strict=True)) == {
        "a": True,
        "b": False,
        UNKNOWN: False,
    }


def test_units_decide_who_takes_part_where_they_are_given() -> None:
    groups = group_rows(["a"] * 40 + ["b"] * 40)
    assert taking_part(groups, 30, np.array([40, 12])).tolist() == [True, False]


@quick
@given(rows=persons)
def test_persons_of_pairs_are_those_of_a_slow_loop(rows: list[tuple[str, int]]) -> None:
    labels, numbers = zip(*rows, strict=True)
    groups = group_rows(list(labels))
    together = pair_persons(groups, units_of(list(numbers)))
    for g, first in enumerate(groups.names):
        for h, second in enumerate(groups.names):
            expected = {number for label, number in rows if label in (first, second)}
            assert together[g, h] == len(expected)


def test_persons_of_pairs_are_the_same_some_at_a_time(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = group_rows(rng.choice(list("abcde"), 500))
    units = Units(rng.integers(0, 120, 500), 120)
    whole = pair_persons(groups, units)
    monkeypatch.setattr(module, "PRESENCE", 35)
    assert np.array_equal(pair_persons(groups, units), whole)


def test_unequal_weights_leave_fewer_units(rng: np.random.Generator) -> None:
    groups, weights = group_rows(rng.choice(list("abc"), 60)), rng.uniform(0.1, 4, 60)
    sizes = np.array([7, 11, 3])
    for group, size in enumerate(effective_sizes(groups, sizes, weights)):
        own = weights[groups.codes == group]
        assert size == pytest.approx(sizes[group] * own.sum() ** 2 / (own**2).sum() / len(own))
    assert effective_sizes(groups, sizes).tolist() == [7, 11, 3]
    assert effective_sizes(groups, sizes, np.full(60, 2.5)) == pytest.approx(sizes)


def test_a_group_without_rows_has_no_effective_size() -> None:
    groups = groups_of(("a", "b"), np.array([0, 0]))
    assert effective_sizes(groups, groups.counts, np.ones(2)).tolist() == [2, 0]


@quick
@given(
    numbers=st.lists(st.integers(0, 12), min_size=1, max_size=50),
    step=st.integers(1, 6),
    rising=st.booleans(),
)
def test_chunks_hold_every_row_once_with_all_rows_of_a_person(
    numbers: list[int], step: int, rising: bool
) -> None:
    units = units_of(sorted(numbers) if rising else numbers)
    rows: list[int] = []
    for chunk, first, height in unit_chunks(units, step):
        own = np.arange(len(units.codes))[chunk]
        assert set(units.codes[own].tolist()) == set(range(first, first + height))
        rows += own.tolist()
    assert sorted(rows) == list(range(len(numbers)))


def test_persons_of_some_rows_are_numbered_anew() -> None:
    units = Units(np.array([0, 3, 3, 1, 2]), 4)
    rest = units.at(np.array([1, 2, 4]))
    assert rest.codes.tolist() == [1, 1, 0]
    assert rest.count == 2
    assert units.subset(np.array([False, True, True, False, True])).codes.tolist() == [1, 1, 0]
    assert units.subset(np.ones(5, dtype=bool)) is units
