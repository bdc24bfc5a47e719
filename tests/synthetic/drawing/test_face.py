"""A picture depends on the person and the generator, and shows both."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage.synthetic.drawing import SIZE, Person, draw_face

PERSON = Person(age=30, gender="female", ethnicity="caucasian", expression="neutral")
people = st.builds(
    Person,
    age=st.floats(0, 120),
    gender=st.sampled_from(["male", "female"]),
    ethnicity=st.sampled_from(["caucasian", "asian", "afroamerican"]),
    expression=st.sampled_from(["neutral", "slightlyhappy", "happy", "other"]),
)


def picture(person: Person, seed: int = 0) -> np.ndarray:
    return draw_face(person, np.random.default_rng(seed)).astype(float)


def distance(one: Person, other: Person, seeds: int = 8) -> float:
    """Mean difference of the pictures in the middle, where the face is."""
    face = slice(30, 95)
    return float(
        np.mean([abs(picture(one, k) - picture(other, k))[face, face] for k in range(seeds)])
    )


@settings(max_examples=40)
@given(person=people, seed=st.integers(0, 2**32))
def test_every_person_can_be_drawn_and_is_drawn_the_same_again(person: Person, seed: int) -> None:
    image = draw_face(person, np.random.default_rng(seed))
    assert image.shape == (SIZE, SIZE, 3)
    assert image.dtype == np.uint8
    assert image.std() > 3
    assert (image == draw_face(person, np.random.default_rng(seed))).all()


def test_the_picture_changes_the_more_the_further_the_ages_are_apart() -> None:
    apart = [distance(PERSON, replace(PERSON, age=age)) for age in (31, 45, 60, 80)]
    assert apart[0] > 0
    assert apart == sorted(apart)


def test_a_child_grows() -> None:
    assert distance(replace(PERSON, age=2), replace(PERSON, age=12)) > distance(
        replace(PERSON, age=25), replace(PERSON, age=35)
    )


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("gender", "male"),
        ("ethnicity", "asian"),
        ("ethnicity", "afroamerican"),
        ("expression", "slightlyhappy"),
        ("expression", "happy"),
        ("expression", "other"),
    ],
)
def test_every_attribute_shows(attribute: str, value: str) -> None:
    assert distance(PERSON, replace(PERSON, **{attribute: value})) > 0.5


def test_skin_is_darkest_for_afroamerican_faces() -> None:
    def brightness(ethnicity: str) -> float:
        person = replace(PERSON, ethnicity=ethnicity)
        return float(np.mean([picture(person, seed)[60:80, 45:67] for seed in range(10)]))

    assert brightness("afroamerican") < 0.8 * min(brightness("asian"), brightness("caucasian"))


def test_the_same_person_looks_different_in_every_picture() -> None:
    assert abs(picture(PERSON, 0) - picture(PERSON, 1)).mean() > 5
