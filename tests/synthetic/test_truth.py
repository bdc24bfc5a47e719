"""What truth.json tells: the request, the bias in words, the error to expect."""

import json
from pathlib import Path

import polars as pl
import pytest

from fairage.synthetic import BALANCED, CHALLENGE, GroupBias, Population
from fairage.synthetic.people import draw_people
from fairage.synthetic.truth import Request, expected_errors, tell_truth


def told(biases: tuple[GroupBias, ...] = (), population: Population = CHALLENGE) -> dict:
    request = Request.checked(1500, 0, population, biases)
    return tell_truth(draw_people(1500, 0, population, biases), request)


def test_expected_errors_equal_a_slow_loop_over_the_tables(drawn: Path) -> None:
    truth = json.loads((drawn.parent / "truth.json").read_text())
    rows = pl.read_parquet(drawn).join(
        pl.read_parquet(drawn.parent / "truth.parquet").drop("age", "real_age"), on="image"
    )
    for attribute in ("gender", "ethnicity", "expression"):
        for group, numbers in truth["expected_error"][attribute].items():
            errors = [
                abs(row["visible_age"] - row["age"])
                for row in rows.to_dicts()
                if row[attribute] == group
            ]
            assert numbers["n"] == len(errors)
            assert numbers["mae"] == pytest.approx(sum(errors) / len(errors), abs=0.001)


def test_groups_nobody_is_in_are_left_out() -> None:
    people = draw_people(50, 0, CHALLENGE.with_share("gender", "male", 1.0))
    assert list(expected_errors(people)["gender"]) == ["male"]


def test_without_bias_both_expectations_agree() -> None:
    truth = told()
    assert truth["expected_error"] == truth["expected_error_without_bias"]
    assert "No bias was put in" in truth["summary"]


def test_a_weaker_cue_raises_the_expected_error_of_its_group_only() -> None:
    truth = told((GroupBias("ethnicity", "asian", cue=0.4),))
    now, before = truth["expected_error"], truth["expected_error_without_bias"]
    assert now["ethnicity"]["asian"]["mae"] > before["ethnicity"]["asian"]["mae"] + 3
    assert now["ethnicity"]["caucasian"] == before["ethnicity"]["caucasian"]


def test_the_summary_tells_the_group_its_size_and_the_knob() -> None:
    summary = told((GroupBias("ethnicity", "asian", cue=0.4),))["summary"]
    assert "with ethnicity asian (10.4 %)" in summary
    assert "40 %" in summary
    assert "on the other faces" in summary


def test_the_summary_names_shares_that_are_not_the_challenges() -> None:
    assert "gender: male 50.0 %, female 50.0 %" in told(population=BALANCED)["summary"]


def test_a_bias_on_nobody_and_one_on_everybody_are_told() -> None:
    only_men = CHALLENGE.with_share("gender", "male", 1.0)
    summary = told((GroupBias("gender", "female", noise=3),), only_men)["summary"]
    assert "but there are none" in summary
    summary = told((GroupBias("gender", "male", noise=3),), only_men)["summary"]
    assert "on the other faces" not in summary


def test_the_request_can_be_read_back(drawn: Path) -> None:
    settings = json.loads((drawn.parent / "truth.json").read_text())["settings"]
    assert settings["seed"] == 3
    assert settings["biases"][0]["cue"] == 0.4
    assert settings["population"] == CHALLENGE.to_dict()
