"""Cues of age, and what is drawn of them."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.synthetic.drawing.person import Person, draw_cues
from fairage.synthetic.drawing.sitter import Sitter, draw_sitter
from fairage.synthetic.drawing.skin import draw_wrinkles


def sitters(age: float, gender: str = "male", count: int = 40) -> list[Sitter]:
    person = Person(age, gender, "caucasian", "neutral")
    return [draw_sitter(person, np.random.default_rng(seed)) for seed in range(count)]


def wrinkles(age: float) -> float:
    layers = [draw_wrinkles(sitter, np.random.default_rng(0)) for sitter in sitters(age)]
    return float(np.mean(layers))


@given(age=st.floats(0, 120), seed=st.integers(0, 1000))
def test_cues_lie_between_none_and_much(age: float, seed: int) -> None:
    cues = asdict(draw_cues(age, np.random.default_rng(seed)))
    assert all(0 <= value <= 1 for value in cues.values())


@pytest.mark.parametrize("cue", ["lines", "folds", "sag", "bags", "spots", "rough", "grey", "lips"])
def test_signs_of_age_come_with_age(cue: str) -> None:
    means = [np.mean([getattr(s.cues, cue) for s in sitters(age)]) for age in (10, 40, 60, 85)]
    assert means == sorted(means)
    assert means[0] < 0.15
    assert means[-1] > 0.7


def test_wrinkles_deepen_with_age() -> None:
    depths = [wrinkles(age) for age in (10, 30, 50, 65, 80)]
    assert depths == sorted(depths)
    assert depths[0] < 0.05 * depths[-1]


def test_hair_turns_grey_and_men_lose_it() -> None:
    young, old = sitters(25), sitters(75)
    assert np.mean([s.hair_table for s in old]) > 1.5 * np.mean([s.hair_table for s in young])
    assert np.mean([s.hairstyle.recede > 0.5 for s in old]) > 0.3
    assert not any(s.hairstyle.recede > 0.5 for s in young + sitters(75, "female"))


def test_beards_grow_on_men_only() -> None:
    assert any(s.hairstyle.beard > 0.5 for s in sitters(40))
    assert not any(s.hairstyle.beard for s in sitters(40, "female") + sitters(10))


def test_a_childs_eyes_stand_lower_and_its_chin_is_shorter() -> None:
    child, man = sitters(3)[0].shape, sitters(30)[0].shape
    assert child.eye_y > man.eye_y
    assert child.chin < man.chin


def test_the_same_generator_gives_the_same_person_at_every_age() -> None:
    young, old = sitters(30, count=1)[0], sitters(60, count=1)[0]
    assert young.pose == old.pose
    assert young.expression == old.expression
    assert young.colours.iris == old.colours.iris
