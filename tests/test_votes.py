"""Raters' votes: counted, checked, refused with their row."""

import numpy as np
import polars as pl
import pytest

from fairage._votes import N_YEARS, counted_votes, votes_array
from fairage.exceptions import DataError
from fairage.faces_file import check_faces
from fairage.tables import VOTES, attribute_names


def faces(votes: object) -> pl.DataFrame:
    return pl.DataFrame({"image": ["a", "b"], "age": [30.0, 40.0], VOTES: votes})


def test_counting_equals_a_slow_loop(rng: np.random.Generator) -> None:
    rows, ages = rng.integers(0, 5, 200), rng.uniform(-20, 130, 200)
    slow = np.zeros((5, N_YEARS), dtype=np.int64)
    for row, age in zip(rows, ages, strict=True):
        slow[row, round(min(max(age, 0), 100))] += 1
    np.testing.assert_array_equal(counted_votes(rows, ages, 5), slow)


def test_votes_are_kept_and_are_no_attribute() -> None:
    checked = check_faces(faces([[1] * N_YEARS, None]))
    assert checked[VOTES].dtype == pl.List(pl.Int64)
    assert attribute_names(checked) == []
    assert votes_array(checked[VOTES]).sum(axis=1).tolist() == [N_YEARS, 0]


def test_no_votes_at_all_are_zeros() -> None:
    checked = check_faces(faces(pl.Series([None, None], dtype=pl.List(pl.Int64))))
    assert votes_array(checked[VOTES]).shape == (2, N_YEARS)


def test_arrays_are_taken_as_lists() -> None:
    votes = pl.Series(VOTES, np.ones((2, N_YEARS), dtype=np.int32))
    assert check_faces(faces(votes))[VOTES].dtype == pl.List(pl.Int64)


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        ([[1] * 101, [1] * 100], "row 2, column 'votes': expected 101 counts"),
        ([[-1] + [1] * 100, [1] * 101], "row 1, column 'votes'"),
        ([[1] * 101, [None] + [1] * 100], "row 2, column 'votes'"),
        (["1 2 3", "4"], "expected a list of 101 counts a row, got String"),
    ],
)
def test_other_votes_are_refused(votes: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_faces(faces(votes))
