"""Splits: stratified, seeded, no person or picture in two of them."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage.datasets import Shares, split_faces
from fairage.datasets.splits import join_units, large_identity
from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE_GROUP, SPLITS, group_labels

THIRDS = Shares(0.5, 0.25, 0.25)


@st.composite
def shares(draw: st.DrawFn) -> Shares:
    parts = draw(st.tuples(*[st.integers(0, 10)] * 3).filter(any))
    train, valid = parts[0] / sum(parts), parts[1] / sum(parts)
    return Shares(train, valid, max(0.0, 1 - train - valid))


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    n = draw(st.integers(1, 120))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return pl.DataFrame(
        {
            "image": [f"{number}.jpg" for number in rng.permutation(n)],
            "age": rng.uniform(0, 90, n),
            "gender": rng.choice(["female", "male", "unknown"], n, p=[0.6, 0.3, 0.1]),
            "ethnicity": rng.choice(["a", "b", "c"], n, p=[0.9, 0.07, 0.03]),
            "identity": rng.integers(0, max(1, n // 3), n).astype(str),
        }
    )


def strata(frame: pl.DataFrame) -> pl.DataFrame:
    labels = {name: group_labels(frame, name) for name in ("gender", "ethnicity", AGE_GROUP)}
    return frame.select("image", "split", *(pl.Series(k, v) for k, v in labels.items()))


@settings(max_examples=60)
@given(frame=tables(), wanted=shares(), seed=st.integers(0, 1000))
def test_every_combination_of_groups_has_its_share_within_a_row(
    frame: pl.DataFrame, wanted: Shares, seed: int
) -> None:
    split = strata(split_faces(frame.drop("identity"), wanted, seed=seed))
    for _, rows in split.group_by("gender", "ethnicity", AGE_GROUP):
        for name, share in zip(SPLITS, wanted.values, strict=True):
            assert abs((rows["split"] == name).sum() - share * rows.height) < 1 + 1e-6
    for name, share in zip(SPLITS, wanted.values, strict=True):
        assert abs((split["split"] == name).sum() - share * frame.height) <= 3


@settings(max_examples=60)
@given(frame=tables(), wanted=shares(), seed=st.integers(0, 1000))
def test_no_identity_is_ever_in_two_splits(frame: pl.DataFrame, wanted: Shares, seed: int) -> None:
    split = split_faces(frame, wanted, seed=seed)
    assert split.group_by("identity").agg(pl.col("split").n_unique())["split"].max() == 1


@settings(max_examples=30)
@given(frame=tables(), seed=st.integers(0, 1000), shuffle=st.integers(0, 1000))
def test_seed_and_rows_decide_not_their_order(frame: pl.DataFrame, seed: int, shuffle: int) -> None:
    order = np.random.default_rng(shuffle).permutation(frame.height)
    first = split_faces(frame, THIRDS, seed=seed)
    again = split_faces(frame[order], THIRDS, seed=seed)
    assert first[order].equals(again)
    assert first.drop("split").equals(frame)


def test_seeds_differ() -> None:
    frame = pl.DataFrame({"image": [f"{n}.jpg" for n in range(200)], "age": [30.0] * 200})
    one, two = (split_faces(frame, seed=seed)["split"] for seed in (0, 1))
    assert (one != two).sum() > 20


def test_rare_combinations_do_not_all_go_to_the_largest_split() -> None:
    frame = pl.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(100)],
            "age": [30.0] * 100,
            "gender": [f"group {n}" for n in range(100)],
        }
    )
    counts = dict(split_faces(frame)["split"].value_counts().iter_rows())
    assert counts == {"train": 70, "valid": 15, "test": 15}


def test_a_share_of_zero_gets_nothing_even_with_people() -> None:
    frame = pl.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(90)],
            "age": [30.0] * 90,
            "identity": [str(n // 3) for n in range(90)],
        }
    )
    assert set(split_faces(frame, Shares(0.8, 0.2, 0))["split"]) == {"train", "valid"}


def test_people_with_many_faces_still_leave_near_the_shares() -> None:
    rng = np.random.default_rng(0)
    identity = rng.zipf(1.6, 3000).clip(max=400)
    frame = pl.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(3000)],
            "age": rng.uniform(0, 90, 3000),
            "gender": np.where(identity % 2, "female", "male"),
            "identity": identity.astype(str),
        }
    )
    counts = split_faces(frame, seed=3)["split"].value_counts()
    share = {name: count / 3000 for name, count in counts.iter_rows()}
    assert share == pytest.approx({"train": 0.7, "valid": 0.15, "test": 0.15}, abs=0.2)


def test_the_same_content_or_path_stays_together() -> None:
    images = ["a.jpg", "b.jpg", "a.jpg", *(f"{n}.jpg" for n in range(60))]
    frame = pl.DataFrame({"image": images, "age": [30.0] * 63})
    contents = ["x", "x", "y", *[""] * 60]
    for seed in range(20):
        split = split_faces(frame, THIRDS, seed=seed, contents=contents)["split"]
        assert len(set(split[:3])) == 1


def of_persons(identities: list[object]) -> pl.DataFrame:
    images = [f"{n}.jpg" for n in range(len(identities))]
    return pl.DataFrame(
        {"image": images, "age": [30.0] * len(images), "identity": identities}, strict=False
    )


@pytest.mark.parametrize("missing", [None, " ", "unknown", "N/A", "-", "?", "None", "nan"])
def test_unknown_identities_are_nobodys(missing: str | None) -> None:
    split = split_faces(of_persons([missing, "ann"] + [missing] * 38))
    counts = dict(split["split"].value_counts().iter_rows())
    assert counts == {"train": 28, "valid": 6, "test": 6}


@pytest.mark.parametrize("placeholder", ["0", "-1", 0, "someone"])
def test_one_identity_that_fills_a_split_alone_is_an_error(placeholder: object) -> None:
    with pytest.raises(DataError, match=r"none for \['valid', 'test'\].* has 40 of 40 rows"):
        split_faces(of_persons([placeholder] * 40))


def test_an_identity_with_more_than_a_tenth_of_the_rows_is_told() -> None:
    persons = ["0"] * 11 + [f"{n}" for n in range(1, 90)]
    large = large_identity(of_persons(persons))
    assert large is not None
    assert str(large).startswith("The identity '0' has 11 of 100 rows: it counts as one person")
    assert large_identity(of_persons([*persons, "x"] * 2)) is not None
    assert large_identity(of_persons([*persons, *[f"x{n}" for n in range(10)]])) is None
    assert large_identity(of_persons(["ann"] * 4 + ["bob"] * 4)) is None
    assert large_identity(of_persons([None, "unknown"])) is None


def test_one_row_and_no_rows() -> None:
    one = pl.DataFrame({"image": ["a"], "age": [3.0]})
    assert split_faces(one)["split"].to_list() == ["train"]
    with pytest.raises(DataError, match="rows to split, got none"):
        split_faces(one.clear())


def test_chains_of_keys_make_one_unit() -> None:
    keys = [["a", "a", "b", "b", None, ""], [None, "x", "x", None, None, ""]]
    assert join_units(keys, 6).tolist() == [0, 0, 0, 0, 1, 2]


@pytest.mark.parametrize(
    "text", ["0.7,0.3", "a,b,c", "0.7,0.2,0.2", "1.2,-0.1,-0.1", "nan,0.5,0.5", "", "1,0,0,0"]
)
def test_shares_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match=r"0\.7,0\.15,0\.15"):
        Shares.parse(text)
