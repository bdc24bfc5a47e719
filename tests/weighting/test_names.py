"""Weightings by name: all of them, and the messages for names and options that are not known."""

import pytest

from fairage.exceptions import ConfigError
from fairage.weighting import WEIGHTINGS, make_weighting


def test_the_names_are_those_of_the_study_the_kit_and_the_means() -> None:
    means = {"mean-arithmetic", "mean-geometric", "mean-harmonic"}
    assert {"none", "1a", "1b", "2a", "2b", "3", "kit"} | means <= set(WEIGHTINGS)


@pytest.mark.parametrize("name", sorted(WEIGHTINGS))
def test_a_name_makes_its_class(name: str) -> None:
    assert type(make_weighting(name)) is WEIGHTINGS[name]


@pytest.mark.parametrize(("one", "other"), [("1a", "1b"), ("2a", "2b")])
def test_names_of_one_class_differ_in_their_options(one: str, other: str) -> None:
    assert make_weighting(one) != make_weighting(other)


def test_an_unknown_name_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(
        ConfigError, match=r"weighting must be one of .*got 'mean-harmonc'.*'mean-harmonic'\?"
    ):
        make_weighting("mean-harmonc")


def test_an_unknown_option_is_an_error_with_the_nearest_option() -> None:
    with pytest.raises(
        ConfigError, match=r"option of weighting '1b' .*'attribute_s'.*'attributes'\?"
    ):
        make_weighting("1b", attribute_s=["gender"])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("1b", {"age": "year"}),
        ("1b", {"attributes": "gender"}),
        ("2b", {"attributes": [1]}),
        ("mean-harmonic", {"mean": "median"}),
    ],
)
def test_a_wrong_value_is_an_error_that_names_the_option(
    name: str, options: dict[str, object]
) -> None:
    with pytest.raises(ConfigError, match=f"option '{next(iter(options))}.* of weighting '{name}'"):
        make_weighting(name, **options)


ATTRIBUTED = ("mean-harmonic", "inverse", "effective-number", "smoothed-cells", "raking")


@pytest.mark.parametrize("name", ATTRIBUTED)
def test_an_empty_list_of_attributes_is_not_taken_for_all(name: str, faces_frame) -> None:
    with pytest.raises(ConfigError, match="got an empty list, name one or leave attributes out"):
        make_weighting(name, attributes=[]).weigh(faces_frame)


@pytest.mark.parametrize("name", ATTRIBUTED)
def test_an_attribute_that_is_named_twice_counts_once(name: str, faces_frame) -> None:
    one, twice = (
        make_weighting(name, attributes=["gender"] * n).weigh(faces_frame).values for n in (1, 2)
    )
    assert (one == twice).all()
