"""Who is drawn: shares, splits, and that each knob does what it promises in the truth."""

import numpy as np
import polars as pl
import pytest

from fairage.synthetic import CHALLENGE, GroupBias
from fairage.synthetic.people import DRAWN_COLUMNS, TRUTH_COLUMNS, draw_people, individual_sd

N = 4065


@pytest.fixture(scope="module")
def plain() -> pl.DataFrame:
    return draw_people(N, 0, CHALLENGE)


def biased(**knobs: float) -> pl.DataFrame:
    return draw_people(N, 0, CHALLENGE, [GroupBias("ethnicity", "asian", **knobs)])


def asian(people: pl.DataFrame) -> pl.DataFrame:
    return people.filter(pl.col("ethnicity") == "asian")


def slope(people: pl.DataFrame) -> float:
    return float(np.polyfit(people["real_age"], people["visible_age"], 1)[0])


def test_the_same_seed_gives_the_same_people(plain: pl.DataFrame) -> None:
    assert plain.equals(draw_people(N, 0, CHALLENGE))
    assert not plain.equals(draw_people(N, 1, CHALLENGE))


def test_all_columns_of_both_tables_are_there(plain: pl.DataFrame) -> None:
    assert {*DRAWN_COLUMNS, *TRUTH_COLUMNS} <= set(plain.columns)


def test_every_ethnicity_has_the_shares_of_the_splits(plain: pl.DataFrame) -> None:
    for ethnicity, rows in plain.group_by("ethnicity"):
        shares = [(rows["split"] == split).mean() for split in ("train", "valid", "test")]
        assert shares == pytest.approx([0.54, 0.20, 0.26], abs=0.03), ethnicity


def test_without_a_bias_the_face_shows_the_age_and_how_the_person_ages(
    plain: pl.DataFrame,
) -> None:
    np.testing.assert_allclose(plain["visible_age"], plain["visible_age_unbiased"])
    shown = (plain["real_age"] + plain["individual"]).clip(0, 120)
    np.testing.assert_allclose(plain["visible_age"], shown)
    scaled = plain["individual"].to_numpy() / individual_sd(plain["real_age"].to_numpy())
    assert scaled.std() == pytest.approx(1, abs=0.05)


def test_the_label_is_the_true_age_and_its_error(plain: pl.DataFrame) -> None:
    np.testing.assert_allclose(plain["age"], plain["real_age"] + plain["label_error"])
    assert plain["label_error"].abs().mean() < 1  # type: ignore[operator]  # polars and figures type it loosely


@pytest.mark.parametrize("knobs", [{"cue": 0.4}, {"cue_noise": 5}, {"noise": 5}, {"shift": 5}])
def test_a_knob_leaves_everybody_else_alone(plain: pl.DataFrame, knobs: dict[str, float]) -> None:
    mine = biased(**knobs)
    others = pl.col("ethnicity") != "asian"
    assert mine.filter(others).equals(plain.filter(others))
    assert not asian(mine).equals(asian(plain))


def test_cue_sets_the_slope_of_the_shown_age(plain: pl.DataFrame) -> None:
    assert slope(asian(plain)) == pytest.approx(1, abs=0.03)
    assert slope(asian(biased(cue=0.4))) == pytest.approx(0.4, abs=0.03)
    assert asian(biased(cue=0.4))["age"].equals(asian(plain)["age"])


def test_cue_noise_scatters_the_shown_age() -> None:
    people = asian(biased(cue_noise=6))
    off = (people["visible_age"] - people["visible_age_unbiased"]).to_numpy()
    assert off[people["real_age"].to_numpy() > 20].std() == pytest.approx(6, rel=0.15)


def test_noise_scatters_the_label_and_shift_moves_it(plain: pl.DataFrame) -> None:
    grown = pl.col("real_age") > 20
    noisy = asian(biased(noise=6)).filter(grown)["label_error"]
    assert noisy.std() == pytest.approx(6, rel=0.15)
    moved = asian(biased(shift=-3)).filter(grown)["label_error"]
    usual = asian(plain).filter(grown)["label_error"]
    assert (moved - usual).to_numpy() == pytest.approx(-3, abs=0.011)


def test_two_biases_on_one_group_multiply_their_cues() -> None:
    halves = [GroupBias("ethnicity", "asian", cue=0.5), GroupBias("gender", "male", cue=0.5)]
    people = draw_people(N, 0, CHALLENGE, halves)
    both = asian(people).filter(pl.col("gender") == "male")
    assert slope(both) == pytest.approx(0.25, abs=0.03)


def test_a_bias_of_an_age_group_goes_by_the_true_age() -> None:
    people = draw_people(N, 0, CHALLENGE, [GroupBias("age_group", "old", shift=-10)])
    old = people.filter(pl.col("real_age") >= 60)
    assert old["label_error"].mean() == pytest.approx(-10, abs=0.5)
    young = people.filter(pl.col("real_age") < 60)
    assert young["label_error"].mean() == pytest.approx(0, abs=0.1)
