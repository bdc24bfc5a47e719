"""The page of a search: what is chosen and why, and nothing that the trials do not show."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.reports.conftest import parsed
from tests.reports.test_page_safety import HARMLESS, PAYLOADS, shape

from fairage.reports.tuning_page import (
    SearchNumbers,
    TrialNumbers,
    front_of_trials,
    tuning_html,
)

NONE = math.nan


def trial(number: int, mae: float, bias: float = NONE, **options: Any) -> TrialNumbers:
    biases = {} if math.isnan(bias) else {"gender": bias}
    floor = NONE if math.isnan(bias) else 0.2
    more = {"biases": biases, "noise_floor": floor, "noise_p975": 2 * floor, **options}
    return TrialNumbers(number, mae, bias, **more)


def search(*trials: TrialNumbers, chosen: int = 0, **options: Any) -> SearchNumbers:
    given = {"pruned": 0, "failed": 0, "fitted_on_validation": False, "facts": {"Trials": "3"}}
    known = {t.number: t for t in trials}
    return SearchNumbers("A search", trials, known[chosen], 0.03, **(given | options))


THREE = (trial(0, 4.0, 0.9), trial(1, 3.95, 0.8), trial(2, 4.02, 0.5))


def words(numbers: SearchNumbers) -> str:
    return parsed(tuning_html(numbers)).words


def test_the_chosen_trial_is_told_with_the_rule() -> None:
    page = words(search(*THREE, chosen=2))
    assert "Trial 2 is chosen: on the validation faces it has an MAE of 4.02 years and" in page
    assert "Of 3 trials it has the lowest measured average bias among those whose MAE" in page
    assert "above the lowest, 3.95 (trial 1, average bias 0.80)." in page
    assert "The recipe as it came has an MAE of 4.00 years and an average bias of 0.90." in page


def test_the_most_accurate_may_be_chosen_itself() -> None:
    page = words(search(*THREE[:2], chosen=1))
    assert "above the lowest, which is its own." in page
    assert "(trial 1, average" not in page


def test_the_recipe_alone_is_held_against_nothing() -> None:
    page = words(search(THREE[0]))
    assert "It is the only trial that was trained to its end." in page
    assert "The recipe as it came" not in page
    assert "lowest measured" not in page


def test_the_noise_floor_is_told_and_no_trial_is_said_to_be_better() -> None:
    page = words(search(*THREE, chosen=2))
    assert "Noise alone would give trial 2 an average bias of 0.20, and more than 0.40" in page
    assert "none of them is tested" in page
    for claim in ("beyond chance", "is the fairest", "significant"):
        assert claim not in page


def test_without_a_bias_the_mae_chose_and_the_page_says_so() -> None:
    blind = search(trial(0, 4.0), trial(1, 3.9), chosen=1, min_rows=50)
    page = words(blind)
    assert "Trial 1 is chosen by its MAE alone, 3.90 years on the validation faces." in page
    assert "No attribute has two groups of 50 validation faces or more" in page
    assert "Accuracy against fairness" not in page
    assert "nan" not in page
    assert "by its MAE alone" not in words(search(*THREE, chosen=2))


def test_what_is_fitted_to_the_validation_faces_is_told() -> None:
    sentence = "Steps after the training were fitted to the validation faces too"
    assert sentence in words(search(*THREE, fitted_on_validation=True))
    assert sentence not in words(search(*THREE))


@pytest.mark.parametrize(("pruned", "failed"), [(0, 0), (2, 0), (0, 1), (3, 2)])
def test_trials_that_are_not_shown_are_counted(pruned: int, failed: int) -> None:
    page = words(search(*THREE, pruned=pruned, failed=failed))
    assert ("stopped for lagging behind" in page) == (pruned > 0)
    assert ("not to be trained" in page) == (failed > 0)
    assert ("Not shown" in page) == (pruned + failed > 0)


def test_the_front_has_whom_none_undercuts() -> None:
    trials = [*THREE, trial(3, 4.1, 0.6), trial(4, 3.95, 0.85)]
    assert [t.number for t in front_of_trials(trials)] == [1, 2]
    assert [t.number for t in front_of_trials([trial(0, 4.0), trial(1, 3.9)])] == [1]


def poisoned(name: str) -> SearchNumbers:
    trials = tuple(
        replace(t, biases={name: t.average_bias}, values={f"{name}k": f"{name}v"}) for t in THREE
    )
    facts = {f"{name}q": f"{name}w"}
    return replace(search(*trials, chosen=2, facts=facts), title=f"{name}t")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_name_never_becomes_a_tag_or_an_attribute(payload: str) -> None:
    made, harmless = (parsed(tuning_html(poisoned(n))) for n in (PAYLOADS[payload], HARMLESS))
    assert shape(made) == shape(harmless)
    assert set(made.drawn) <= {*harmless.drawn, ("title", ())}


def test_a_browser_shows_it(look: Callable[[str], None], parse: Callable[[str], Any]) -> None:
    html = tuning_html(search(*THREE, chosen=2))
    parse(html)
    look(html)
