"""Levelling up and down: the parts sum, and every group that moved is named with its years."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.auditing.bias_change import GroupMove, Levelling, level_errors
from fairage.auditing.bias_interval import bias

errors = st.lists(st.floats(0.1, 20), min_size=3, max_size=3)


def levelled(a: list[float], b: list[float]) -> Levelling:
    return level_errors("x", ["g", "h", "i"][: len(a)], np.array(a), np.array(b))


@given(a=errors, b=errors)
def test_up_and_down_sum_to_the_fall(a: list[float], b: list[float]) -> None:
    moved = levelled(a, b)
    assert moved.up + moved.down == pytest.approx(bias(a) - bias(b), abs=1e-9)
    assert moved.fall == pytest.approx(bias(a) - bias(b), abs=1e-9)


@given(a=errors, b=errors)
def test_shares_are_there_only_where_the_bias_fell(a: list[float], b: list[float]) -> None:
    moved = levelled(a, b)
    if moved.share_up is None or moved.share_down is None:
        assert moved.fall < 0.005
        assert moved.share_up is moved.share_down is None
    else:
        assert moved.fall >= 0.005
        assert moved.share_up + moved.share_down == pytest.approx(1)
        assert 0 <= moved.share_up <= 1


@given(a=errors, b=errors)
def test_every_group_that_moved_by_a_hundredth_is_named(a: list[float], b: list[float]) -> None:
    moved = levelled(a, b)
    named = {move.name: move.years for move in (*moved.improved, *moved.worsened)}
    for name, one, other in zip("ghi", a, b, strict=True):
        if abs(other - one) >= 0.01:
            assert named[name] == pytest.approx(other - one)
    assert all(move.years < 0 for move in moved.improved)
    assert all(move.years > 0 for move in moved.worsened)


@pytest.mark.parametrize(
    ("a", "b", "share_up"),
    [
        ([6.0, 4.0], [5.0, 4.0], 1.0),
        ([6.0, 4.0], [6.0, 5.0], 0.0),
        ([6.0, 4.0], [5.5, 4.5], 0.5),
        ([6.0, 4.0], [7.0, 4.0], None),
        ([6.0, 4.0], [6.0, 4.0], None),
        ([6.0, 4.0], [5.999, 4.0], None),  # it would read as 0.00
        ([6.0, 4.0], [7.0, 5.0], None),
    ],
)
def test_share_of_levelling_up(a: list[float], b: list[float], share_up: float | None) -> None:
    share = levelled(a, b).share_up
    assert share is None if share_up is None else share == pytest.approx(share_up)


def test_a_group_that_lost_a_year_is_not_forgotten() -> None:
    """All of the fall comes from the worst group, and yet another one is served worse."""
    moved = levelled([9.0, 4.0, 6.0], [5.0, 4.0, 7.0])
    assert moved.share_up == pytest.approx(1)
    assert moved.worsened == (GroupMove("i", 1.0),)


def test_a_parallel_shift_is_the_same_bias_with_everyone_named() -> None:
    moved = levelled([6.0, 4.0], [8.0, 6.0])
    assert moved.same
    assert [move.years for move in moved.worsened] == [2.0, 2.0]
