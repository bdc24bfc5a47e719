from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from fairage.audit.comparing import ComparisonResult, compare
from fairage.audit.settings import AuditSettings
from fairage.report import compare_html
from fairage.report.compare_text import compare_findings, compare_headline

FEW = AuditSettings(replicates=100, permutations=50)


def compared(first: dict[str, float], second: dict[str, float]) -> ComparisonResult:
    """Two models that are off by so many years, give or take half a year, in each gender."""
    rng = np.random.default_rng(0)
    n = 400
    gender = np.array(list(first))[np.arange(n) % len(first)]
    ages = rng.uniform(5, 80, n)

    def table(off: dict[str, float]) -> pl.DataFrame:
        errors = np.array([off[name] for name in gender]) + rng.uniform(-0.5, 0.5, n)
        return pl.DataFrame(
            {
                "image": [f"{i}.jpg" for i in range(n)],
                "age": ages,
                "prediction": ages + errors,
                "gender": gender,
            }
        )

    return replace(
        compare(table(first), table(second), attributes=["gender"], settings=FEW), a="one", b="two"
    )


@pytest.fixture(scope="module")
def fairer() -> ComparisonResult:
    return compared({"f": 2.0, "m": 6.0}, {"f": 2.0, "m": 4.0})


def test_the_page_is_whole(fairer: ComparisonResult, parse: Callable[[str], Any]) -> None:
    html = compare_html(fairer)
    words = parse(html).words
    assert "What changes from one to two" in words
    assert "Levelling up or down" in words
    assert "All numbers rest on 400 images that both have." in words
    assert html == compare_html(fairer)


def test_the_better_one_is_named(fairer: ComparisonResult) -> None:
    told = compare_headline(fairer)
    assert told.startswith("two is more accurate than one: MAE 4.0")
    assert "two is fairer than one: average bias" in told


def test_a_worse_second_model_makes_the_first_the_better_one() -> None:
    told = compare_headline(compared({"f": 2.0, "m": 4.0}, {"f": 2.0, "m": 6.0}))
    assert told.startswith("one is more accurate than two")


def test_what_cannot_be_resolved_is_said_to_be_alike() -> None:
    same = compared({"f": 2.0, "m": 2.0}, {"f": 2.0, "m": 2.0})
    assert compare_headline(same).startswith("one and two are equally accurate as far as these")
    told = compare_findings(same)
    assert "No group's error changes by more than chance may give." in told
    assert "No attribute's bias changes by more than chance may give." in told


def test_findings_tell_who_gains_and_how_bias_was_levelled(fairer: ComparisonResult) -> None:
    told = " ".join(compare_findings(fairer))
    assert "two serves m faces" in told
    assert "by levelling up" in told
    down = " ".join(compare_findings(compared({"f": 2.0, "m": 6.0}, {"f": 5.0, "m": 6.0})))
    assert "two serves f faces" in down
    assert "worse than one, beyond chance." in down
    assert "by levelling down" in down


def test_models_of_the_same_name_are_a_and_b(fairer: ComparisonResult) -> None:
    assert compare_headline(replace(fairer, b="one")).startswith("B is more accurate than A")


def test_a_browser_shows_it(fairer: ComparisonResult, look: Callable[[str], None]) -> None:
    look(compare_html(fairer))
