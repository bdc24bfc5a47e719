import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage.datasets.oversampling import (
    COPIES,
    AllRows,
    ChosenGroups,
    CopiedRows,
    Copies,
    RareGroups,
    make_copies,
)
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.training_data import split_parts
from fairage.tables import AGE_GROUP, UNKNOWN, group_labels

every_choice = pytest.mark.parametrize(
    "choice", [AllRows(2), ChosenGroups(("gender=male",)), RareGroups(most=20)], ids=sorted(COPIES)
)
ATTRIBUTES = ("gender", "ethnicity", AGE_GROUP)


def table(rows: int, seed: int = 0, rare: float = 0.1) -> pl.DataFrame:
    """Random faces; the rare groups of three attributes have about this share each."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "age": rng.choice([10.0, 30.0, 50.0, 70.0], rows, p=[0.2, 0.5, 0.3 - rare, rare]),
            "gender": rng.choice(["male", "female"], rows),
            "ethnicity": rng.choice(["caucasian", "asian"], rows, p=[1 - rare, rare]),
        }
    )


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """One to forty rows; groups of any size, `unknown` and missing ones too."""
    rows = draw(st.integers(1, 40))

    def column(values: list[object]) -> list[object]:
        return draw(st.lists(st.sampled_from(values), min_size=rows, max_size=rows))

    return pl.DataFrame(
        {
            "age": column([10.0, 30.0, 30.0, 30.0, 50.0, 70.0]),
            "gender": column(["male", "male", "male", "female", UNKNOWN]),
            "ethnicity": column(["caucasian", "caucasian", "asian", None]),
        },
        schema_overrides={"gender": pl.String, "ethnicity": pl.String},
    )


def times(copied: CopiedRows, rows: int) -> np.ndarray:
    return np.bincount(copied.rows, minlength=rows)


def reaches(frame: pl.DataFrame, copies_of_row: np.ndarray, share: float) -> bool:
    """A slow count of whether every group but `unknown` has its share."""
    for attribute in ATTRIBUTES:
        labels = group_labels(frame, attribute)
        supports = {
            group: sum(1 + int(copies_of_row[row]) for row in np.flatnonzero(labels == group))
            for group in set(labels)
        }
        wanted = share * max(supports.values()) - 1e-9
        if any(n < wanted for group, n in supports.items() if group != UNKNOWN):
            return False
    return True


@every_choice
def test_copies_of_a_row_are_numbered_from_one(choice: Copies) -> None:
    copied = choice.choose(table(200))
    assert copied.rows.dtype == copied.copies.dtype == np.int64
    assert (np.diff(copied.rows) >= 0).all()
    for row in set(copied.rows.tolist()):
        numbers = copied.copies[copied.rows == row]
        np.testing.assert_array_equal(numbers, np.arange(1, len(numbers) + 1))


@every_choice
def test_the_supports_count_rows_and_copies(choice: Copies) -> None:
    frame = table(200)
    copied = choice.choose(frame)
    for found in copied.supports:
        inside = group_labels(frame, found.attribute) == found.group
        assert found.rows == inside.sum()
        assert found.copies == inside[copied.rows].sum()
        assert found.fewest == times(copied, 200)[inside].min()


@every_choice
def test_the_same_seed_chooses_the_same_rows(choice: Copies) -> None:
    first, second = (choice.choose(table(200), seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.rows, second.rows)
    np.testing.assert_array_equal(first.copies, second.copies)


@every_choice
def test_no_rows_are_an_error(choice: Copies) -> None:
    with pytest.raises(DataError, match="expected training rows to copy, got none"):
        choice.choose(table(5).clear())


def test_all_copies_every_row_as_often() -> None:
    assert times(AllRows(3).choose(table(7)), 7).tolist() == [3] * 7


def test_the_kit_copies_the_old() -> None:
    frame = table(300)
    old = group_labels(frame, AGE_GROUP) == "old"
    np.testing.assert_array_equal(times(make_copies("groups").choose(frame), 300), old * 4)


def test_a_row_in_two_chosen_groups_is_copied_once_as_often() -> None:
    frame = pl.DataFrame({"age": [70.0, 70.0, 30.0], "gender": ["f", "m", "m"]})
    copied = ChosenGroups(("age_group=old", "gender=f"), times=1).choose(frame)
    assert copied.rows.tolist() == [0, 1]


@settings(max_examples=150)
@given(frame=tables(), share=st.sampled_from([0.1, 0.5, 0.8]), most=st.sampled_from([1, 5, 100]))
def test_rare_groups_reach_their_share_or_a_note_says_why(
    frame: pl.DataFrame, share: float, most: int
) -> None:
    copied = RareGroups(share, most=most).choose(frame)
    assert reaches(frame, times(copied, frame.height), share) == (not copied.notes)
    assert times(copied, frame.height).max() <= most
    assert all(group.target == 0 for group in copied.supports if group.group == UNKNOWN)


@settings(max_examples=100)
@given(frame=tables(), share=st.sampled_from([0.3, 0.5, 0.8]))
def test_no_copy_can_be_spared(frame: pl.DataFrame, share: float) -> None:
    copied = RareGroups(share).choose(frame)
    if copied.notes:
        return
    counts = times(copied, frame.height)
    for row in np.flatnonzero(counts):
        fewer = counts.copy()
        fewer[row] -= 1
        assert not reaches(frame, fewer, share)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), rare=st.sampled_from([0.02, 0.05, 0.1]))
def test_extreme_is_reached_where_groups_mix(seed: int, rare: float) -> None:
    frame = table(1000, seed, rare)
    copied = RareGroups(0.5, most=1000).choose(frame)
    assert copied.notes == ()
    assert reaches(frame, times(copied, 1000), 0.5)


def test_faces_that_are_alike_are_copied_about_as_often() -> None:
    frame = table(1000)
    counts = times(RareGroups(0.5).choose(frame), 1000)
    for _, rows in frame.with_row_index().group_by("age", "gender", "ethnicity"):
        assert np.ptp(counts[rows["index"].to_numpy()]) <= 1


def test_the_seed_decides_which_of_those_alike_get_one_more() -> None:
    frame = pl.DataFrame({"age": [30.0] * 40 + [70.0] * 8})
    chosen = [RareGroups(0.5).choose(frame, seed=seed) for seed in range(4)]
    assert all(len(each.rows) == 12 for each in chosen)
    assert len({tuple(each.rows.tolist()) for each in chosen}) > 1


def test_a_balanced_table_gets_no_copies() -> None:
    assert len(RareGroups(0.5).choose(pl.DataFrame({"age": [10.0, 30.0, 50.0, 70.0]})).rows) == 0


def test_a_row_that_would_be_copied_too_often_is_told() -> None:
    frame = pl.DataFrame({"age": [30.0] * 100 + [70.0]})
    copied = RareGroups(0.5, most=10).choose(frame)
    assert len(copied.rows) == 10
    assert copied.notes == (
        "age_group 'old' has 1 rows and 10 copies, 50 were aimed at: "
        "each of its rows is copied 10 times already",
    )


def test_groups_that_only_fill_up_at_each_others_cost_are_told() -> None:
    usual = {"age": [30.0] * 90, "a": ["x"] * 90, "b": ["x"] * 90, "c": ["x"] * 90}
    frame = pl.DataFrame(usual)
    for attribute in "abc":
        rare = {name: values[:3] for name, values in usual.items()}
        frame = frame.vstack(pl.DataFrame({**rare, attribute: ["y"] * 3}))
    copied = RareGroups(0.5, most=1000).choose(frame)
    assert len(copied.notes) == 3
    assert all("gives more than it takes elsewhere" in note for note in copied.notes)


def test_only_the_named_attributes_are_filled_up() -> None:
    copied = RareGroups(0.5, attributes=("ethnicity",)).choose(table(500))
    assert {group.attribute for group in copied.supports} == {"ethnicity"}
    assert set(table(500)["ethnicity"].to_numpy()[copied.rows]) == {"asian"}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("rare", {}, "copies must be one of"),
        ("share", {"share": 1.0}, "expected a share above 0 and below 1"),
        ("share", {"most": 0}, "of 1 or more"),
        ("all", {"times": 0}, "of 1 or more"),
        ("groups", {"time": 3}, "Did you mean 'times'"),
    ],
)
def test_a_wrong_choice_is_named(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_copies(name, **options)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (("old",), "expected a group as attribute=group"),
        (("gender=mal",), "Did you mean 'male'"),
        (("sex=male",), "expected an attribute column"),
    ],
)
def test_a_wrong_group_is_named(groups: tuple[str, ...], message: str) -> None:
    with pytest.raises((ConfigError, DataError), match=message):
        ChosenGroups(groups).choose(table(50))


@given(
    labels=st.lists(st.sampled_from("abc"), min_size=1, max_size=60),
    parts=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_parts_are_alike_in_size_and_labels(labels: list[str], parts: int, seed: int) -> None:
    if parts > len(labels):
        return
    found = split_parts(len(labels), parts, seed, labels)
    np.testing.assert_array_equal(found, split_parts(len(labels), parts, seed, labels))
    for inside in (np.array(labels) == label for label in [*set(labels)]):
        assert np.ptp(np.bincount(found[inside], minlength=parts)) <= 1
    assert np.ptp(np.bincount(found, minlength=parts)) <= 1


def test_wrong_parts_say_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"expected 1\.\.3 parts, got 4"):
        split_parts(3, 4, 0, ["a", "a", "b"])
    with pytest.raises(DataError, match="expected 3 labels, got 2"):
        split_parts(3, 2, 0, ["a", "b"])
